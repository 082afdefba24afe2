"""The conditional mixture against exact binomial and hypergeometric laws."""

import math

import numpy as np
import pytest
from scipy import stats

from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture

GRID = effect_grid(1.5, higher=True, lower=True)


def test_one_tick_by_hand() -> None:
    grid = np.array([math.log(2)])
    after = update_mixture(np.zeros(1), grid, events=3, candidate_events=2, share=0.25)
    assert after[0] == pytest.approx(2 * math.log(2) - 3 * math.log(1.25))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_fair_for_poisson_counts(share: float) -> None:
    """Given the events, the candidate's are binomial: every alternative's e-value has mean 1."""
    ours = np.arange(13)
    e = np.exp([update_mixture(np.zeros(GRID.size), GRID, 12, x, share) for x in ours])
    assert stats.binom.pmf(ours, 12, share) @ e == pytest.approx(np.ones(GRID.size))


def test_no_more_than_fair_for_requests() -> None:
    """Among 40 + 20 requests, 25 events fall hypergeometrically; the mean must not exceed 1 (Hoeffding)."""
    ours = np.arange(21)
    e = np.exp([update_mixture(np.zeros(GRID.size), GRID, 25, x, 20 / 60) for x in ours])
    mean = stats.hypergeom.pmf(ours, 60, 20, 25) @ e
    assert (mean <= 1 + 1e-12).all()
    assert mean.min() < 0.9  # a test that never moves would pass the line above


def test_the_average_over_alternatives_is_what_counts() -> None:
    log_e = np.array([0.0, math.log(3)])
    assert math.exp(mixture_evidence(log_e)) == pytest.approx(2)


def test_worse_both_ways_and_one_way() -> None:
    assert (effect_grid(1.5) > math.log(1.5)).all()
    assert (effect_grid(1.5, higher=False, lower=True) < -math.log(1.5)).all()
    more = update_mixture(np.zeros(GRID.size), GRID, 40, 35, 0.5)
    fewer = update_mixture(np.zeros(GRID.size), GRID, 40, 5, 0.5)
    assert mixture_evidence(more) == pytest.approx(mixture_evidence(fewer))
    upward = effect_grid(1.5)
    assert mixture_evidence(update_mixture(np.zeros(upward.size), upward, 40, 5, 0.5)) < 0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_is_compared_when_one_arm_has_no_traffic(share: float) -> None:
    before = np.linspace(-1, 1, GRID.size)
    assert update_mixture(before, GRID, 10, 10 * share, share) == pytest.approx(before)


def test_many_metrics_at_once_are_the_same_as_one_by_one() -> None:
    events, ours, share = np.array([9, 30]), np.array([5, 11]), np.array([0.5, 0.1])
    together = update_mixture(np.zeros((2, GRID.size)), GRID, events, ours, share)
    for i in range(2):
        assert together[i] == pytest.approx(
            update_mixture(np.zeros(GRID.size), GRID, events[i], ours[i], share[i])
        )
