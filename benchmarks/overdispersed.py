"""False rollbacks of two equal arms whose rates wander, with the overdispersion estimated from history.

    .venv/bin/python benchmarks/overdispersed.py --runs 10000 --seed 1

An hour in ticks of 10 s, α = .01, looked at after each tick. Both arms run one version with 50 events a
tick on average; each rate is lognormal noise of the given spread, AR(1) with the given persistence (.93:
correlated over some two minutes). Any worsening counts (a smallest effect of ×1, the hardest case), or only
from ×1.5 on. ``history`` is how long the baseline was watched against itself before; the factor is estimated
from that alone, each run anew. "Untreated" takes requests for independent, ``factor`` is the median of what
counts were divided by, and the last columns are power and median seconds to find twice the errors.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import signal, stats

from amends.stats.dispersion import add_tick, estimate_dispersion, event_score, no_blocks
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture

ALPHA, TICK, TICKS, EVENTS = 0.01, 10, 360, 50.0
LINE = np.log(1 / ALPHA)
CHUNK = 500

Arms = tuple[np.ndarray, np.ndarray]  # baseline's and candidate's events, runs × ticks


def wandering(
    rng: np.random.Generator, runs: int, ticks: int, spread: float, persistence: float, worse: float = 1.0
) -> Arms:
    """Draw the events of both arms."""
    steps = rng.normal(0, spread * np.sqrt(1 - persistence**2), (2, runs, ticks))
    steps[..., 0] = rng.normal(0, spread, (2, runs))
    rates = EVENTS * np.exp(signal.lfilter([1.0], [1.0, -persistence], steps, axis=-1))
    return rng.poisson(rates[0]), rng.poisson(worse * rates[1])


def learnt(history: Arms) -> np.ndarray:
    """Return what each run divides by, from its own history."""
    theirs, ours = history
    blocks = no_blocks(len(ours))
    for tick in range(ours.shape[1]):
        blocks = add_tick(blocks, *event_score(theirs[:, tick] + ours[:, tick], ours[:, tick], 0.5))
    return estimate_dispersion(blocks, ALPHA, TICKS).used


def rolled_back(arms: Arms, factor: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the seconds at which each run was rolled back; infinite: never."""
    theirs, ours = arms
    log_e, at = np.zeros((len(ours), grid.size)), np.full(len(ours), np.inf)
    for tick in range(ours.shape[1]):
        mine = ours[:, tick] / factor
        both = mine + theirs[:, tick] / factor
        log_e = update_mixture(log_e, grid, both, mine, np.full(len(ours), 0.5))
        at = np.where(np.isinf(at) & (mixture_evidence(log_e) >= LINE), (tick + 1) * TICK, at)
    return at


def cell(
    rng: np.random.Generator, runs: int, spread: float, persistence: float, hours: int, smallest: float
) -> str:
    """Return a row: untreated, treated with its upper bound, the factor, and what is still found."""
    grid, false, divided = effect_grid(smallest), 0, []
    for begin in range(0, runs, CHUNK):
        n = min(CHUNK, runs - begin)
        factor = learnt(wandering(rng, n, hours * TICKS, spread, persistence))
        false += np.isfinite(rolled_back(wandering(rng, n, TICKS, spread, persistence), factor, grid)).sum()
        divided.append(factor)
    few = min(runs, 500)
    bare = wandering(rng, few, TICKS, spread, persistence)
    untreated = np.isfinite(rolled_back(bare, np.ones(few), grid)).mean()
    twice = wandering(rng, few, TICKS, spread, persistence, 2.0)
    found = rolled_back(twice, divided[0][:few] if few <= CHUNK else np.concatenate(divided)[:few], grid)
    upper = stats.beta.ppf(0.95, false + 1, runs - false)
    divisor, seconds = np.median(np.concatenate(divided)), np.median(found[np.isfinite(found)])
    setting = f"| {spread:.0%} | {persistence:g} | ×{smallest:g} | {hours} h | {untreated:.3f} "
    power = f"{np.isfinite(found).mean():.2f} / {seconds:.0f} s"
    return f"{setting}| {false / runs:.4f} | {upper:.4f} | {divisor:.3g} | {power} |"


HEAD = """\
| spread | persistence | counts from | history | untreated | rolled back | upper 95% | factor | ×2 found |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=10_000)
    options.add_argument("--slow-runs", type=int, default=1_000, help="for noise of other persistence")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    print(f"benchmarks/overdispersed.py --runs {chosen.runs} --seed {chosen.seed}\n")
    print(HEAD)
    for smallest in (1.0, 1.5):
        for spread in (0.05, 0.1, 0.2, 0.4):
            print(cell(rng, chosen.runs, spread, 0.93, 1, smallest), flush=True)
    for persistence in (0.5, 0.99):
        for hours in (1, 8):
            for spread in (0.05, 0.4):
                print(cell(rng, chosen.slow_runs, spread, persistence, hours, 1.0), flush=True)


if __name__ == "__main__":
    main()
