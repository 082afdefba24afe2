"""How often a release that is no worse is taken back, looked at every tick: the watch on hard days.

    .venv/bin/python benchmarks/false_rollback.py --runs 10000 --seed 1

An hour in ticks of 10 s, α = .01 for the whole watch, both arms alike. Each row says how many of the runs
were rolled back at any of the 360 looks, with the upper 95% bound of Clopper & Pearson, and beside it what
the same evidence does without the treatment (pooled over ticks or segments; against a baseline that is warm
already; one line for each metric; dispersion taken for 1). The error rate is 0.5% and each arm has 100
requests a second unless the row says otherwise. Latencies are lognormal in 32 buckets.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from _first_step import mixed
from scipy import stats

from amends.stats.combination import log_mean_exp
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.stats.rank import (
    TAIL_GRID,
    TAIL_QUANTILES,
    count_bucket_wins,
    rank_evidence,
    rank_increment,
    tail_evidence,
)

ALPHA = 0.01
LINE = np.log(1 / ALPHA)
TICKS = 360
BASE = 0.005
N = 1000  # requests of an arm in a tick
GRID = effect_grid(1.5)
BOUNDS = np.geomspace(0.005, 10, 31)
SIGMA = 0.6
CHUNK = 1000

Counts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # their events and requests, ours and ours
Scenario = Callable[[int, np.random.Generator], Iterator[list[Counts]]]  # a tick's strata, runs at once


def drawn(
    rng: np.random.Generator, runs: int, n: float, m: float, p: float, q: float | None = None
) -> Counts:
    """Draw a stratum: ``n`` requests on the baseline at rate ``p``, ``m`` on the candidate at ``q``."""
    size = (runs,)
    theirs, ours = rng.binomial(int(n), p, size), rng.binomial(int(m), p if q is None else q, size)
    return theirs, np.full(runs, float(n)), ours, np.full(runs, float(m))


def plain(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    for _ in range(TICKS):
        yield [drawn(rng, runs, N, N, BASE)]


def sparse(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    for _ in range(TICKS):
        yield [drawn(rng, runs, 10, 10, BASE)]


def busy(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    for _ in range(TICKS):
        yield [drawn(rng, runs, 10 * N, 10 * N, BASE)]


def ramp(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    for t in range(TICKS):
        part = t / TICKS
        share = 0.05 + 0.9 * part
        yield [drawn(rng, runs, 2 * N * (1 - share), 2 * N * share, BASE * (1 + 9 * part))]


def outage(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    for t in range(TICKS):
        down = 120 <= t < 168
        yield [drawn(rng, runs, 1.8 * N, 0.2 * N if not down else 0.5 * N, 0.4 if down else BASE)]


def mix(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
    """A fragile client has ten times the errors, and 30% of the candidate's traffic against 10%."""
    for _ in range(TICKS):
        yield [
            drawn(rng, runs, 0.9 * N, 0.7 * N, BASE),
            drawn(rng, runs, 0.1 * N, 0.3 * N, 10 * BASE),
        ]


def cold(fresh: bool) -> Scenario:
    """What has just started has twice the errors for five minutes; a fresh baseline starts with it."""

    def scenario(runs: int, rng: np.random.Generator) -> Iterator[list[Counts]]:
        for t in range(TICKS):
            cold_rate = BASE * 2 if t < 30 else BASE
            yield [drawn(rng, runs, N, N, cold_rate if fresh else BASE, cold_rate)]

    return scenario


def treated(scenario: Scenario, runs: int, rng: np.random.Generator) -> int:
    """Count the runs that the watch rolls back: every stratum of every tick for itself."""
    log_e, hit = np.zeros((runs, GRID.size)), np.zeros(runs, dtype=bool)
    for strata in scenario(runs, rng):
        for theirs, n, ours, m in strata:
            log_e = update_mixture(log_e, GRID, theirs + ours, ours, m / (n + m))
        hit |= mixed(mixture_evidence(log_e)) >= LINE
    return int(hit.sum())


def pooled(scenario: Scenario, runs: int, rng: np.random.Generator) -> int:
    """Count them if all events and requests so far are taken as one stratum, as a plain ratio does."""
    sums = np.zeros((4, runs))
    hit = np.zeros(runs, dtype=bool)
    for strata in scenario(runs, rng):
        for stratum in strata:
            sums += np.stack(stratum)
        theirs, n, ours, m = sums
        log_e = update_mixture(np.zeros((runs, GRID.size)), GRID, theirs + ours, ours, m / (n + m))
        hit |= mixed(mixture_evidence(log_e)) >= LINE
    return int(hit.sum())


def twenty(runs: int, rng: np.random.Generator) -> tuple[int, int]:
    """Twenty independent metrics: with the mean e-value, and with a line for each."""
    log_e = np.zeros((runs, 20, GRID.size))
    mean, each = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
    for _ in range(TICKS):
        both = rng.binomial(2 * N, BASE, (runs, 20))
        ours = rng.binomial(both, 0.5)
        log_e = update_mixture(log_e, GRID, both, ours, np.full((runs, 20), 0.5))
        found = mixed(mixture_evidence(log_e))
        mean |= log_mean_exp(found) >= LINE
        each |= found.max(axis=1) >= LINE
    return int(mean.sum()), int(each.sum())


def cells(median: float) -> np.ndarray:
    """Return the buckets' probabilities for lognormal latencies."""
    up_to = stats.norm.cdf((np.log(BOUNDS) - np.log(median)) / SIGMA)
    return np.diff(np.concatenate([[0.0], up_to, [1.0]]))


def medians(kind: str, t: int) -> tuple[float, float, int, int]:
    """Return both arms' medians and requests in a tick."""
    if kind == "ramp":
        part = t / TICKS
        share = 0.05 + 0.9 * part
        return (0.1 * (1 + 2 * part),) * 2 + (int(200 * (1 - share)), int(200 * share))  # type: ignore[return-value]
    if kind == "outage":
        slow = 1.0 if 120 <= t < 168 else 0.1
        return slow, slow, 180, 20
    if kind.startswith("cold"):
        starting = 0.2 if t < 30 else 0.1
        return (starting if kind == "cold" else 0.1), starting, 100, 100
    return 0.1, 0.1, 100, 100


def latency(kind: str, runs: int, rng: np.random.Generator) -> int:
    """Count the runs rolled back for latencies, ranks and tails together."""
    s_v = np.zeros((runs, 2))
    log_e = np.zeros((runs, len(TAIL_QUANTILES), TAIL_GRID.size))
    history = np.zeros((runs, BOUNDS.size + 1))
    wanted = np.array(TAIL_QUANTILES)[None, :, None]
    hit = np.zeros(runs, dtype=bool)
    for t in range(TICKS):
        one, two, n, m = medians(kind, t)
        theirs, ours = rng.multinomial(n, cells(one), runs), rng.multinomial(m, cells(two), runs)
        s_v += rank_increment(count_bucket_wins(theirs, ours), n, m)
        if t:
            part = history.cumsum(axis=1)[:, None, :-1] / history.sum(axis=1)[:, None, None]
            place = np.minimum((part < wanted).sum(axis=2), BOUNDS.size - 1) + 1
            above = [np.take_along_axis(x[:, ::-1].cumsum(axis=1)[:, ::-1], place, 1) for x in (theirs, ours)]
            log_e = update_mixture(
                log_e, TAIL_GRID, above[0] + above[1], above[1], np.full(place.shape, m / (n + m))
            )
        history += theirs
        found = np.logaddexp(rank_evidence(s_v[:, 0], s_v[:, 1]), tail_evidence(log_e)) - np.log(2)
        hit |= mixed(found) >= LINE
    return int(hit.sum())


def in_chunks(count: Callable[[int, np.random.Generator], int], runs: int, rng: np.random.Generator) -> int:
    return sum(count(min(CHUNK, runs - i), rng) for i in range(0, runs, CHUNK))


def told(count: int, runs: int) -> str:
    upper = stats.beta.ppf(0.95, count + 1, runs - count) if count < runs else 1.0
    return f"{count / runs:.4f} | {upper:.4f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=10_000)
    options.add_argument("--untreated-runs", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    runs, few = chosen.runs, chosen.untreated_runs
    print("| no worse | rolled back | upper 95% | untreated |\n|---|---|---|---|")
    rows: list[tuple[str, Scenario, Scenario | None]] = [
        ("errors, 1 rps an arm", sparse, None),
        ("errors, 100 rps", plain, None),
        ("errors, 1,000 rps", busy, None),
        ("errors, ramp 5 → 95% while the rate rises tenfold", ramp, ramp),
        ("errors, shared outage of 8 min, traffic shifted in it", outage, outage),
        ("errors, another traffic mix, by segment", mix, mix),
        ("errors, cold start, fresh baseline", cold(True), cold(False)),
    ]
    for name, scenario, bare in rows:
        count = in_chunks(lambda k, r, s=scenario: treated(s, k, r), runs, rng)  # type: ignore[misc]
        without = "" if bare is None else f"{pooled(bare, few, rng) / few:.3f}"
        print(f"| {name} | {told(count, runs)} | {without} |", flush=True)
    mean, each = np.sum([twenty(500, rng) for _ in range(max(1, runs // 500))], axis=0)
    print(f"| 20 metrics at once | {told(int(mean), runs)} | {each / runs:.3f} |", flush=True)
    for kind, name in [("plain", ""), ("ramp", ", ramp with a drift ×3"), ("outage", ", shared outage ×10")]:
        count = in_chunks(lambda k, r, s=kind: latency(s, k, r), runs, rng)  # type: ignore[misc]
        print(f"| latency, 10 rps{name} | {told(count, runs)} | |", flush=True)
    count = in_chunks(lambda k, r: latency("cold", k, r), runs, rng)
    without = f"{latency('cold, old baseline', few, rng) / few:.3f}"
    print(f"| latency, cold start, fresh baseline | {told(count, runs)} | {without} |", flush=True)


if __name__ == "__main__":
    main()
