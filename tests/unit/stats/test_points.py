"""Few points by rank: how rare a sum of ranks is, what a proof needs, and what dependence costs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from amends.stats.points import (
    autocorrelation,
    innovations,
    midranks,
    point_evidence,
    points_needed,
    preset_looks,
    rank_sum_chance,
    shift_interval,
)


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5, 6), (0, 0, 0, 1, 1, 2), (3, 3, 3, 3, 3, 3)])
def test_the_chance_of_a_rank_sum_is_how_many_choices_have_as_much(
    values: tuple[float, ...], higher: bool
) -> None:
    """All choices of two points out of six, counted one by one."""
    ranks = midranks(values) if higher else -midranks(values)
    choices = list(itertools.combinations(range(6), 2))
    for chosen in choices:
        sums = [ranks[list(c)].sum() for c in choices]
        expected = np.mean([s >= ranks[list(chosen)].sum() for s in sums])
        ours = [values[i] for i in chosen]
        theirs = [values[i] for i in range(6) if i not in chosen]
        assert rank_sum_chance(theirs, ours, higher=higher) == pytest.approx(expected)


def test_many_points_agree_with_the_exact_count_and_with_scipy() -> None:
    rng = np.random.default_rng(4)
    theirs, ours = rng.standard_normal(400), rng.standard_normal(200) + 0.15
    reference = stats.mannwhitneyu(ours, theirs, alternative="greater", method="asymptotic").pvalue
    assert rank_sum_chance(theirs, ours, higher=True) == pytest.approx(reference, rel=1e-6)
    exact = stats.mannwhitneyu(ours[:20], theirs[:60], alternative="greater", method="exact").pvalue
    assert rank_sum_chance(theirs[:60], ours[:20], higher=True) == pytest.approx(exact)


def test_all_looks_together_reject_at_most_alpha_whatever_the_order() -> None:
    """Every order of eight points, five of the baseline: none is left out, so that it is no estimate."""
    alpha, rejected, orders = 0.2, 0, list(itertools.combinations(range(8), 3))
    for chosen in orders:
        theirs = [i for i in range(8) if i not in chosen]
        for ours in itertools.permutations(chosen):
            rejected += bool((point_evidence(theirs, ours, alpha) >= math.log(1 / alpha)).any())
    assert 0 < rejected / (6 * len(orders)) <= alpha


def test_the_fewest_points_that_can_prove_anything_do_and_one_less_does_not() -> None:
    for n in (4, 8, 20, 60):
        needed = points_needed(n, 0.01)
        assert needed is not None
        baseline, beyond = np.arange(n) / n, 10 + np.arange(needed)
        assert point_evidence(baseline, beyond, 0.01)[-1] >= math.log(100)
        assert not point_evidence(baseline, beyond[:-1], 0.01).any()


def test_four_against_four_prove_nothing() -> None:
    """1 of 70 choices is the rarest: with both directions once in 35."""
    assert preset_looks(4, 4, 0.01) == ()
    assert points_needed(4, 0.01) == 6


def test_more_baseline_needs_fewer_points() -> None:
    assert points_needed(0, 0.01) is None
    assert [points_needed(n, 0.01) for n in (4, 10, 60)] == sorted(
        (points_needed(n, 0.01) or 0 for n in (4, 10, 60)), reverse=True
    )


def test_a_single_old_incident_hides_no_dependence() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(200)
    for t in range(1, 200):
        noise[t] += 0.8 * noise[t - 1]
    before = autocorrelation(noise)
    noise[100] = 1e6
    assert autocorrelation(noise) == pytest.approx(before, abs=0.1)
    assert before > 0.6


def test_a_flat_baseline_has_no_dependence_and_two_points_tell_nothing_of_it() -> None:
    assert autocorrelation([5.0] * 30) == 0
    assert autocorrelation([1.0, 2.0]) > 0.9


def test_what_the_point_before_explains_is_no_news() -> None:
    baseline = [0.0, 1.0, -1.0, 0.5, -0.5, 0.0]
    _, ours = innovations(baseline, [10.0, 8.0, 6.4], 0.8)
    assert ours[1:] == pytest.approx([0.0, 0.0])
    assert 0 < ours[0] < 10


def test_an_incident_leaves_no_echo_on_the_other_side() -> None:
    theirs, _ = innovations([0.0, 1.0, -100.0, 1.0, 0.0, -1.0, 0.5], [], 0.5)
    assert theirs.max() <= 1.0


def test_the_interval_of_a_shift_covers_it_and_widens_with_dependence() -> None:
    rng = np.random.default_rng(2)
    theirs, ours = rng.standard_normal(60), rng.standard_normal(20) + 2
    plain, wide = shift_interval(theirs, ours, 0.01), shift_interval(theirs, ours, 0.01, 0.5)
    assert plain is not None
    assert wide is not None
    assert wide.lower < plain.lower < 2 < plain.upper < wide.upper  # type: ignore[operator]
    assert shift_interval(theirs, ours[:1], 0.01).lower is None  # type: ignore[union-attr]
    assert shift_interval([], ours, 0.01) is None


def test_the_rarest_of_sums_is_still_a_number() -> None:
    found = point_evidence(np.arange(1000.0), 2000 + np.arange(1000.0), 0.01)
    assert np.isfinite(found).all()
