"""The permutation of instances against counting by hand and against SciPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from amends.stats.permutation import instances_needed, rank_sum_p, smallest_p


@pytest.mark.parametrize(("n", "m"), [(2, 3), (4, 4), (7, 2)])
def test_it_is_what_counting_all_ways_gives_also_with_ties(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        values = rng.integers(0, 5, n + m).astype(float)
        ranks = stats.rankdata(values)
        seen = ranks[n:].sum()
        sums = [ranks[list(chosen)].sum() for chosen in combinations(range(n + m), m)]
        expected = np.mean([s >= seen - 1e-9 for s in sums])
        assert rank_sum_p(values[:n], values[n:]) == pytest.approx(expected)


def test_it_agrees_with_the_exact_test_of_scipy() -> None:
    rng = np.random.default_rng(3)
    theirs, ours = rng.normal(size=14), rng.normal(1.0, 1, 11)
    exact = stats.mannwhitneyu(ours, theirs, alternative="greater", method="exact").pvalue
    assert rank_sum_p(theirs, ours) == pytest.approx(exact)


def test_with_many_instances_the_bound_is_never_below_the_truth() -> None:
    rng = np.random.default_rng(4)
    for shift in (0.0, 0.3, 0.8):
        theirs, ours = rng.normal(size=50), rng.normal(shift, 1, 30)
        truth = stats.mannwhitneyu(ours, theirs, alternative="greater", method="exact").pvalue
        assert truth <= rank_sum_p(theirs, ours) <= 1


def test_how_many_instances_are_needed() -> None:
    assert smallest_p(3, 3) == 1 / 20
    assert instances_needed(3, 0.05) == 3
    assert instances_needed(5, 0.01 / 3) == 6
    assert instances_needed(1, 0.01) == 99
    assert instances_needed(0, 0.01) == 0
    assert rank_sum_p([], [1.0]) == 1
