"""Overdispersion from sums over blocks, with numbers worked out by hand where there are any."""

import numpy as np
import pytest

from amends.stats.dispersion import (
    SPANS,
    add_tick,
    carry_over,
    estimate_dispersion,
    event_score,
    inflation,
    no_blocks,
)


def gather(deviations: np.ndarray, variances: np.ndarray) -> np.ndarray:
    blocks = no_blocks(*deviations.shape[:-1])
    for d, v in zip(np.moveaxis(deviations, -1, 0), np.moveaxis(variances, -1, 0), strict=True):
        blocks = add_tick(blocks, d, v)
    return blocks


def test_blocks_are_summed_before_they_are_squared() -> None:
    blocks = gather(np.array([1.0, 2.0, -1.0, 0.0, 5.0]), np.array([1.0, 1.0, 2.0, 0.0, 3.0]))
    assert blocks[0].tolist() == [0, 0, 0, 1 + 4 + 1 + 25, 7, 4]  # the tick without an event is no block
    assert blocks[1].tolist() == [5, 3, 1, 4, 4, 1]


def test_bunches_of_three_give_a_factor_of_three() -> None:
    rng = np.random.default_rng(1)
    both, ours = rng.poisson(4.0, (40, 1500)), np.zeros((40, 1500))
    ours = rng.binomial(both, 0.5)
    found = estimate_dispersion(gather(*event_score(3 * both, 3 * ours, 0.5)), 0.01)
    assert 2.7 < np.median(found.factor) < 3.6
    assert found.certain.all()


def test_independent_requests_are_rarely_held_for_bunched() -> None:
    rng = np.random.default_rng(2)
    both = rng.poisson(4.0, (400, 400))
    found = estimate_dispersion(gather(*event_score(both, rng.binomial(both, 0.3), 0.3)), 0.01)
    assert found.certain.mean() < 0.02
    assert np.median(found.factor) < 1.3
    assert (found.used >= found.factor).all()


def test_a_rate_that_wanders_is_seen_in_long_blocks_only() -> None:
    """AR(1), φ = .9: of single ticks F is 1 + V·σ², over a long time that times 19."""
    rng = np.random.default_rng(3)
    wander = np.zeros((30, 3000))
    for t in range(1, 3000):
        wander[:, t] = 0.9 * wander[:, t - 1] + rng.normal(0, 0.1 * np.sqrt(1 - 0.81), 30)
    ours = rng.poisson(50 * np.exp(wander))
    both = ours + rng.poisson(50, ours.shape)
    blocks = gather(*event_score(both, ours, 0.5))
    single = blocks[:, 0, 3] / blocks[:, 0, 4]
    truth = 1 + 25 * 0.1**2 * 19
    assert np.median(single) < 1.5
    assert 0.8 * truth < np.median(estimate_dispersion(blocks, 0.01).factor) < 1.8 * truth


@pytest.mark.parametrize("freedom", [2.0, 9.0, 40.0])
def test_a_factor_on_few_degrees_of_freedom_is_raised_until_alpha_holds(freedom: float) -> None:
    draws = np.random.default_rng(4).chisquare(freedom, 400_000) / freedom
    assert np.mean(0.05 ** (inflation(freedom, 0.05) * draws)) == pytest.approx(0.05, rel=0.15)


def test_without_history_nothing_is_known_and_nothing_certain() -> None:
    found = estimate_dispersion(no_blocks(), 0.01)
    assert np.isinf(found.used)
    assert not found.certain


def test_a_later_watch_goes_on_with_closed_blocks_and_lets_old_ones_fade() -> None:
    blocks = gather(np.ones(100), np.ones(100))
    kept = carry_over(blocks, 25.0)
    assert (kept[:, :3] == 0).all()
    assert kept[0, 5] == 25
    assert kept[0, 3] / kept[0, 4] == blocks[0, 3] / blocks[0, 4]
    assert carry_over(blocks, 1e6)[: len(SPANS), 5].tolist() == blocks[:, 5].tolist()
