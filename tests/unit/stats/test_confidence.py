"""Confidence bounds against exact coverage, summed over every outcome of one look."""

import numpy as np
import pytest
from scipy import stats

from amends.stats.confidence import (
    NORMALISER_GRID,
    matched_increment,
    rate_interval,
    ratio_estimate,
    ratio_interval,
    update_normaliser,
    wins_increment,
    wins_interval,
)
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture

EMPTY = np.zeros(NORMALISER_GRID.size)
STEPS = effect_grid(1.5)


@pytest.mark.parametrize("p", [0.002, 0.1, 0.5, 0.93])
def test_a_rate_is_missed_at_most_alpha_on_each_side(p: float) -> None:
    events = np.arange(61)
    pmf = stats.binom.pmf(events, 60, p)
    bounds = np.array([rate_interval(x, 60, 0.05) for x in events])
    assert pmf[bounds[:, 0] > p].sum() <= 0.05
    assert pmf[bounds[:, 1] < p].sum() <= 0.05
    assert (bounds[:, 0] <= events / 60).all()
    assert (bounds[:, 1] >= events / 60).all()


def test_no_errors_bound_the_rate_and_no_requests_do_not() -> None:
    assert rate_interval(0, 0, 0.01) == (0, 1)
    low, high = rate_interval(0, 2000, 0.01)
    assert low == 0
    assert 4.6 / 2000 < high < 2 * 4.6 / 2000  # between Clopper-Pearson's ln(1/α)/n and twice that


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("ratio", [0.4, 1.0, 3.0])
def test_a_ratio_is_missed_at_most_alpha_on_each_side(ratio: float, share: float) -> None:
    events = 40
    psi = update_normaliser(EMPTY, events, share)
    theirs = share * ratio / (1 - share + share * ratio)
    missed = [0.0, 0.0]
    for ours in range(events + 1):
        low, high = ratio_interval(psi, ours, events - ours, 0.05, STEPS)
        weight = stats.binom.pmf(ours, events, theirs)
        missed[0] += weight if low is not None and low > ratio else 0.0
        missed[1] += weight if high is not None and high < ratio else 0.0
    assert max(missed) <= 0.05


def test_bounds_close_in_on_the_truth() -> None:
    psi = update_normaliser(EMPTY, 30_000, 0.5)
    low, high = ratio_interval(psi, 20_000, 10_000, 0.01, STEPS)
    assert low is not None
    assert high is not None
    assert 1.88 < low < 2 < high < 2.12
    assert ratio_estimate(psi, 20_000, 10_000) == pytest.approx(2, rel=1e-3)


def test_what_the_test_proves_its_bound_shows() -> None:
    """At the look at which the e-process crosses the line (with a little to spare), the bound is above 1."""
    for ours in range(8, 40):
        log_e = update_mixture(np.zeros(STEPS.size), STEPS, ours + 5, ours, 0.5)
        low, _ = ratio_interval(update_normaliser(EMPTY, ours + 5, 0.5), ours, 5, 0.01, STEPS)
        if mixture_evidence(log_e) >= np.log(100 / 0.9):
            assert low is not None
            assert low > 1
            return
    pytest.fail("the evidence never reached the line")


def test_a_ramp_does_not_bias_the_estimate() -> None:
    """Traffic moves to the candidate while both arms' error rate rises; pooled, it would look worse."""
    psi = update_normaliser(EMPTY, 10 + 90, 0.5)  # calm: equal arms, 50 events each
    psi = update_normaliser(psi, 1000, 0.9)  # storm: 900 of 1,000 events with 90% of the traffic
    assert ratio_estimate(psi, 50 + 900, 50 + 100) == pytest.approx(1, rel=1e-3)


def test_ratio_at_its_ends() -> None:
    psi = update_normaliser(EMPTY, 20, 0.5)
    assert ratio_estimate(psi, 0, 20) == 0
    assert ratio_estimate(psi, 20, 0) is None
    low, high = ratio_interval(psi, 20, 0, 0.01, STEPS)
    assert low is not None
    assert low > 2
    assert high is None
    assert ratio_interval(EMPTY, 0, 0, 0.01, STEPS) == (None, None)


def test_share_of_slower_pairs() -> None:
    assert wins_interval(0, 0, 0.01) == (0, 1)
    assert wins_increment(0, 0, 5) == (0, 0)
    weighted, weight = wins_increment(0.6 * 400 * 1000, 400, 1000)
    assert (weighted, weight) == (pytest.approx(240), 400)
    low, high = wins_interval(weighted, weight, 0.01)
    assert low < 0.6 < high
    assert high - low == pytest.approx(0.12 * 1.3, rel=0.3)


def test_requests_matched_by_tick_do_not_confound_rate_and_split() -> None:
    """10% and 1% on both arms, while traffic moves: pooled 9.1% against 1.9%, matched alike."""
    ticks = [matched_increment(90, 900, 10, 100), matched_increment(1, 100, 9, 900)]
    theirs, ours, both = map(sum, zip(*ticks, strict=True))
    assert theirs == pytest.approx(ours)
    assert both == 200
    assert matched_increment(5, 50, 0, 0) == (0, 0, 0)
