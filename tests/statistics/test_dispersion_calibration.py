"""Two equal arms whose rates wander: with a factor estimated from history, false rollbacks stay at most α.

Arm noise is AR(1) with φ = .93 (correlated over some two minutes), 50 events an arm and tick, looked at
after each of 360 ticks; history is another hour of the baseline against itself.
Larger runs are in ``benchmarks/overdispersed.py``.
"""

import numpy as np
import pytest
from scipy import signal, stats

from amends.stats.dispersion import add_tick, estimate_dispersion, event_score, no_blocks
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture

ALPHA, RUNS, TICKS, EVENTS, PERSISTENCE = 0.01, 1000, 360, 50.0, 0.93
GRID = effect_grid(1.0)  # any worsening counts: no smallest effect that would swallow the noise


def wandering(rng: np.random.Generator, spread: float, runs: int = RUNS) -> np.ndarray:
    """Events of two arms, ticks last: each rate is lognormal noise around the same level."""
    steps = rng.normal(0, spread * np.sqrt(1 - PERSISTENCE**2), (2, runs, TICKS))
    steps[..., 0] = rng.normal(0, spread, (2, runs))
    return rng.poisson(EVENTS * np.exp(signal.lfilter([1.0], [1.0, -PERSISTENCE], steps, axis=-1)))


def learnt(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    blocks = no_blocks(len(ours))
    for both, mine in zip((theirs + ours).T, ours.T, strict=True):
        blocks = add_tick(blocks, *event_score(both, mine, 0.5))
    return estimate_dispersion(blocks, ALPHA).used


def rolled_back(theirs: np.ndarray, ours: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Return the tick at which each run was rolled back; infinite if at none."""
    log_e, at = np.zeros((len(ours), GRID.size)), np.full(len(ours), np.inf)
    for tick, (both, mine) in enumerate(zip((theirs + ours).T, ours.T, strict=True), start=1):
        log_e = update_mixture(log_e, GRID, both / factor, mine / factor, np.full(len(ours), 0.5))
        at = np.where(np.isinf(at) & (mixture_evidence(log_e) >= np.log(1 / ALPHA)), tick, at)
    return at


@pytest.mark.parametrize(("spread", "untreated"), [(0.05, 0.04), (0.1, 0.25), (0.2, 0.5), (0.4, 0.6)])
def test_an_estimated_factor_keeps_wandering_arms_from_being_rolled_back(
    spread: float, untreated: float
) -> None:
    rng = np.random.default_rng(31)
    factor = learnt(*wandering(rng, spread))
    theirs, ours = wandering(rng, spread)
    assert np.isfinite(rolled_back(theirs[:300], ours[:300], np.ones(300))).mean() > untreated
    count = np.isfinite(rolled_back(theirs, ours, factor)).sum()
    assert count <= stats.binom.ppf(0.999, RUNS, ALPHA)


def test_harm_is_still_found_among_noise() -> None:
    """Twice the errors with rates that wander by 10%: within minutes, not never."""
    rng = np.random.default_rng(32)
    factor = learnt(*wandering(rng, 0.1))
    theirs, ours = wandering(rng, 0.1)
    found = rolled_back(theirs, ours + rng.poisson(ours), factor)
    assert np.isfinite(found).mean() > 0.98
    assert np.median(found) < 40
