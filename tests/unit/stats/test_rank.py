"""The rank process against SciPy and against every permutation of small samples."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from amends.stats.rank import (
    count_bucket_wins,
    count_wins,
    exceedances,
    rank_evidence,
    rank_increment,
    tail_positions,
)


def test_wins_are_mann_whitneys_u() -> None:
    rng = np.random.default_rng(3)
    theirs, ours = rng.integers(0, 8, 60), rng.integers(1, 9, 45)  # many ties
    expected = stats.mannwhitneyu(ours, theirs).statistic
    assert count_wins(theirs, ours) == expected
    buckets = [np.bincount(side, minlength=9) for side in (theirs, ours)]
    assert count_bucket_wins(*buckets) == expected


@pytest.mark.parametrize("pool", [np.arange(8.0), np.array([1, 1, 2, 2, 2, 5, 6, 6.0])])
def test_fair_over_every_permutation(pool: np.ndarray) -> None:
    """Exchangeable arms: S has mean 0 and, without ties, variance V; no e-value has a mean above 1."""
    increments = []
    for chosen in combinations(range(8), 3):
        ours = pool[list(chosen)]
        theirs = np.delete(pool, chosen)
        increments.append(rank_increment(count_wins(theirs, ours), 5, 3))
    s, v = np.array(increments).T
    assert s.mean() == pytest.approx(0)
    if len(set(pool)) == 8:
        assert s.var() == pytest.approx(v[0])
    for d in (-1.5, -0.3, 0.05, 0.3, 0.8, 1.5):
        assert np.exp(d * s - d**2 * v / 2).mean() <= 1 + 1e-12


def test_evidence_follows_the_direction() -> None:
    s, v = rank_increment(0.7 * 100 * 100, 100, 100)
    slower = rank_evidence(s, v)
    assert slower > np.log(100)
    assert rank_evidence(s, v, higher=False, lower=True) < 0
    assert rank_evidence(s, v, lower=True) == pytest.approx(slower - np.log(2), abs=1e-3)


def test_an_empty_arm_adds_nothing() -> None:
    assert rank_increment(0.0, 0, 20).tolist() == [0, 0]


def test_tail_is_cut_where_earlier_traffic_says() -> None:
    history = [50, 35, 10, 4, 0.95, 0.05]  # up to 50, 85, 95, 99, 99.95 of 100
    assert tail_positions(history) == (2, 2, 3, 4)
    assert exceedances([1, 2, 3, 4, 5, 6], 3) == 11


def test_tail_without_history_or_above_every_bound() -> None:
    assert tail_positions([]) == ()
    assert tail_positions([0, 0, 0]) == ()
    # Half of the traffic is above the last bound: its bucket is all that can be counted.
    assert tail_positions([10, 40, 50]) == (1, 1, 1, 1)
