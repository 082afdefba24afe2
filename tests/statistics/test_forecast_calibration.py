"""The forecast against the watch itself: mean time to a rollback by simulation."""

import numpy as np
import pytest

from amends.stats.forecast import (
    Stretch,
    event_bets,
    expected_seconds,
    least_seconds,
    pair_bets,
    slowed_tail,
    tail_bets,
)
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.stats.rank import TAIL_GRID, rank_evidence, tail_evidence

ALPHA, TICK, RUNS = 0.01, 10.0, 300
# In the first step the watch's evidence is three quarters of the mixture, and a quarter kept back.
LINE = np.log(1 / ALPHA)
OWN_LINE = LINE - np.log(3 / 4)


def mean_seconds(evidence) -> float:
    found = np.full(RUNS, np.inf)
    for tick, log_e in enumerate(evidence, start=1):
        found[(log_e >= OWN_LINE) & np.isinf(found)] = tick * TICK
        if np.isfinite(found).all() or tick > 2000:
            break
    return float(found.mean())


def errors(
    rng: np.random.Generator,
    exposure: float,
    rates: tuple,
    share: float,
    grid: np.ndarray,
    mean=mixture_evidence,
):
    """Evidence after each tick, of one rate or of several (the tail's quantiles)."""
    log_e = np.zeros((RUNS, len(rates), grid.size))
    while True:
        ours = np.stack([rng.poisson(exposure * TICK * share * o, RUNS) for _, o in rates], axis=1)
        theirs = np.stack([rng.poisson(exposure * TICK * (1 - share) * t, RUNS) for t, _ in rates], axis=1)
        log_e = update_mixture(log_e, grid, ours + theirs, ours, np.full(ours.shape, share))
        yield mean(log_e)


@pytest.mark.parametrize(
    ("rps", "base", "ratio", "share"),
    [(1, 0.005, 5, 0.5), (10, 0.005, 2, 0.5), (10, 0.005, 5, 0.1), (100, 0.005, 2, 0.9), (20, 0.02, 3, 0.05)],
)
def test_errors_are_found_about_when_forecast(rps: float, base: float, ratio: float, share: float) -> None:
    rng = np.random.default_rng(5)
    runs = errors(rng, rps, ((base, base * ratio),), share, effect_grid(1.5))
    seen = mean_seconds(log_e[:, 0] for log_e in runs)
    bets, rollout = event_bets(rps, base, ratio, 1.5), [Stretch(600, share)]
    said, least = expected_seconds(rollout, bets, LINE), least_seconds(rollout, bets, ALPHA)
    assert said is not None
    assert least is not None
    assert abs(seen - said) <= 0.15 * said + TICK
    assert least <= seen
    assert said <= 1.8 * least


def test_a_slow_tail_is_found_about_when_forecast() -> None:
    """2% of requests beyond the p99; the quantiles are simulated as independent, the mean is what decides."""
    rates = slowed_tail(0.02, 5.0)
    runs = errors(np.random.default_rng(6), 20, tuple(rates), 0.5, TAIL_GRID, mean=tail_evidence)
    seen = mean_seconds(log_e - np.log(2) for log_e in runs)
    said = expected_seconds([Stretch(600, 0.5)], tail_bets(20, rates), LINE)
    assert said is not None
    assert abs(seen - said) <= 0.15 * said + TICK


def test_slower_pairs_are_found_about_when_forecast() -> None:
    """60 of 100 pairs slower. U of a tick is close to normal: its mean and variance are what is simulated."""
    rng, n = np.random.default_rng(7), 20

    def ranks():
        s = v = 0.0
        while True:
            wins = n * n * 0.6 + rng.normal(size=RUNS) * np.sqrt(n * n * (2 * n + 1) / 12)
            s, v = s + 12 / (2 * n + 1) * (wins - n * n / 2), v + 12 * n * n / (2 * n + 1)
            yield rank_evidence(s, np.full(RUNS, v)) - np.log(2)

    said = expected_seconds([Stretch(600, 0.5)], pair_bets(2 * n / TICK, 0.6), LINE)
    assert said is not None
    assert abs(mean_seconds(ranks()) - said) <= 0.15 * said + TICK


def test_the_weight_of_a_step_matters() -> None:
    bets = event_bets(50, 0.005, 3, 1.5)
    small = expected_seconds([Stretch(600, 0.02)], bets, LINE)
    even = expected_seconds([Stretch(600, 0.5)], bets, LINE)
    both = expected_seconds([Stretch(300, 0.02), Stretch(600, 0.5)], bets, LINE)
    assert small is not None
    assert even is not None
    assert both is not None
    assert even < both < small
    assert expected_seconds([Stretch(600, 1.0)], bets, LINE) is None
