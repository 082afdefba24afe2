"""False rollbacks, power and time to detection: the watch's tests against the rules of its peers.

    .venv/bin/python benchmarks/watch_detection.py --runs 400 --seed 1

Two arms for an hour, the given requests a second on each; "1:19" gives the candidate 5% of them. The watch
looks every 10 s at α = .01, with all that it mixes (`amends.stats.restarts`), as in the first step of a
rollout. Kayenta's rule is looked at once a minute from the second point on ("peeked"), and as its
documentation asks, once, at 50 points. Flagger and Argo Rollouts have a threshold: more than 1% errors, or a
99th percentile above 500 ms, each minute; Flagger rolls back after five of them, Argo after one. Netflix's
tests (Lindon & Malek for errors, Lindon, Sanden & Shirikian for latencies) are looked at every 10 s, α = .01.

Each cell: part of the runs rolled back / median seconds to it. ``T*`` is Wald's bound for the errors: no test
with this α can be faster on average. Latencies are lognormal, p50 100 ms, p99 404 ms; any slowing counts (an
effect that matters of 1). Ratios count from ×1.2. ``--peer-runs`` bounds the runs for Kayenta's rule, which
is slow.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from _first_step import mixed
from _kayenta import is_high
from _peers import argo, first, flagger, netflix_band, netflix_counts
from scipy import stats

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
TICK, HOUR, MINUTE = 10, 3600, 60
BASE = 0.005
SIGMA = np.log(4.04) / stats.norm.ppf(0.99)
BOUNDS = np.geomspace(0.005, 10, 63)  # 64 buckets
MIDDLES = np.concatenate([[BOUNDS[0]], np.sqrt(BOUNDS[1:] * BOUNDS[:-1]), [BOUNDS[-1]]])
PEERS = ("amends", "Kayenta, peeked", "Kayenta at 50", "Flagger", "Argo", "Netflix")


@dataclass(frozen=True)
class Cell:
    """One row: requests a second of each arm, or of both in ``split`` (candidate's share)."""

    rps: int
    worse: float
    part: float = 0.0
    split: float = 0.5
    name: str = ""

    @property
    def title(self) -> str:
        text = self.name or ("null" if self.worse == 1 else f"×{self.worse:g}")
        share = "" if self.split == 0.5 else f" at 1:{1 / self.split - 1:.0f}"
        return f"{self.rps} rps{share}, {text}"

    @property
    def sizes(self) -> tuple[int, int]:
        """Requests of a tick, baseline and candidate."""
        both = 2 * self.rps * TICK
        ours = round(both * self.split)
        return both - ours, ours


def shown(seconds: np.ndarray) -> str:
    found = np.isfinite(seconds) & (seconds <= HOUR)
    return f"{found.mean():.3f}/{np.median(seconds[found]):.0f}" if found.any() else "0"


def wald(cell: Cell) -> float:
    """Seconds that a test needs on average: ln(1/α) over the information per second."""
    theta = cell.split
    events = (1 - theta) + theta * cell.worse
    share = theta * cell.worse / events
    information = share * np.log(share / theta) + (1 - share) * np.log((1 - share) / (1 - theta))
    return float(LINE / (2 * cell.rps * BASE * events * information))


def errors(cell: Cell, runs: int, peer_runs: int, rng: np.random.Generator) -> list[np.ndarray]:
    ticks = HOUR // TICK
    n, m = cell.sizes
    theirs = rng.binomial(n, BASE, (runs, ticks))
    ours = rng.binomial(m, BASE * cell.worse, (runs, ticks))
    grid = effect_grid(1.2)
    log_e = np.zeros((runs, grid.size))
    alarms = np.zeros((runs, ticks), dtype=bool)
    for t in range(ticks):
        log_e = update_mixture(log_e, grid, theirs[:, t] + ours[:, t], ours[:, t], np.full(runs, m / (n + m)))
        alarms[:, t] = mixed(mixture_evidence(log_e)) >= LINE
    per_minute = MINUTE // TICK
    rates = [x.reshape(runs, 60, -1).sum(axis=2) / (k * per_minute) for x, k in ((theirs, n), (ours, m))]
    bad = rates[1] > 0.01
    running = np.cumsum(theirs, axis=1), np.cumsum(ours, axis=1)
    counts = netflix_counts(*running, m / (n + m), ALPHA)
    points = [r[:peer_runs, :, None] for r in rates]
    return [first(alarms, TICK), *kayenta(*points, rng), flagger(bad), argo(bad), first(counts, TICK)]


def shares(slower: float, part: float) -> np.ndarray:
    """Bucket probabilities if a ``part`` of the requests takes ``slower`` times as long."""

    def cells(scale: float) -> np.ndarray:
        up_to = stats.norm.cdf((np.log(BOUNDS) - np.log(0.1 * scale)) / SIGMA)
        return np.diff(np.concatenate([[0.0], up_to, [1.0]]))

    return part * cells(slower) + (1 - part) * cells(1.0)


def latency(cell: Cell, runs: int, peer_runs: int, rng: np.random.Generator) -> list[np.ndarray]:
    ticks = HOUR // TICK
    n, m = cell.sizes
    theirs = rng.multinomial(n, shares(1.0, 0.0), size=(runs, ticks))
    ours = rng.multinomial(m, shares(cell.worse, cell.part), size=(runs, ticks))
    s_v = np.cumsum(rank_increment(count_bucket_wins(theirs, ours), n, m), axis=1)
    ranks = rank_evidence(s_v[..., 0], s_v[..., 1])
    found = mixed(np.logaddexp(ranks, tails(theirs, ours, m / (n + m))) - np.log(2)) >= LINE
    points = [minutes(side.reshape(runs, 60, -1, BOUNDS.size + 1).sum(axis=2)) for side in (theirs, ours)]
    bad = points[1][..., 2] > 0.5
    band = netflix_band(np.cumsum(theirs, axis=1), np.cumsum(ours, axis=1), ALPHA)
    peers = [p[:peer_runs] for p in points]
    return [first(found, TICK), *kayenta(*peers, rng), flagger(bad), argo(bad), first(band, TICK)]


def tails(theirs: np.ndarray, ours: np.ndarray, share: float) -> np.ndarray:
    """Log evidence of exceedances beyond the baseline's quantiles so far; runs × ticks."""
    runs, ticks, buckets = theirs.shape
    history = np.cumsum(np.cumsum(theirs, axis=1), axis=2)
    log_e = np.zeros((runs, len(TAIL_QUANTILES), TAIL_GRID.size))
    result = np.zeros((runs, ticks))
    above_theirs = theirs[..., ::-1].cumsum(axis=2)[..., ::-1]
    above_ours = ours[..., ::-1].cumsum(axis=2)[..., ::-1]
    wanted = np.array(TAIL_QUANTILES)[None, :, None]
    for t in range(1, ticks):
        part = history[:, t - 1, None, :-1] / history[:, t - 1, None, -1:]
        place = np.minimum((part < wanted).sum(axis=2), buckets - 2) + 1
        x = np.take_along_axis(above_ours[:, t], place, 1)
        both = x + np.take_along_axis(above_theirs[:, t], place, 1)
        log_e = update_mixture(log_e, TAIL_GRID, both, x, np.full(x.shape, share))
        result[:, t] = tail_evidence(log_e)
    return result


def minutes(counts: np.ndarray) -> np.ndarray:
    """Mean, p50 and p99 of every minute, as a monitoring system would hand them over."""
    total = counts.sum(axis=-1)
    up_to = counts.cumsum(axis=-1)
    found = [(counts @ MIDDLES) / total]
    for quantile in (0.5, 0.99):
        target = quantile * total[..., None]
        place = np.minimum((up_to < target).sum(axis=-1), BOUNDS.size - 1)
        at = place[..., None]
        inside = np.take_along_axis(counts, at, -1)[..., 0]
        before = np.take_along_axis(up_to, at, -1)[..., 0] - inside
        low = np.where(place > 0, BOUNDS[place - 1], 0.0)
        step = (target[..., 0] - before) / np.maximum(inside, 1)
        found.append(low + (BOUNDS[place] - low) * step)
    return np.stack(found, axis=-1)


def kayenta(control: np.ndarray, experiment: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Points are runs × minutes × metrics. Peeked every minute from two points on; once at fifty."""
    runs, looks, metrics = control.shape
    peeked, once = np.full(runs, np.inf), np.full(runs, np.inf)
    for r in range(runs):

        def high(k: int, r: int = r) -> bool:
            return any(is_high(control[r, :k, i], experiment[r, :k, i], rng) for i in range(metrics))

        peeked[r] = next((k * MINUTE for k in range(2, looks + 1) if high(k)), np.inf)
        once[r] = 50 * MINUTE if high(50) else np.inf
    return [peeked, once]


ERRORS = [Cell(1, w) for w in (1, 2, 5, 10)] + [Cell(100, w) for w in (1, 1.5, 2)]
ERRORS += [Cell(100, w, split=0.05) for w in (1, 2, 5)] + [Cell(1000, w) for w in (1, 1.5, 2, 5)]
LATENCIES = [
    Cell(1, 1.0, 0.0, name="null"),
    Cell(1, 1.2, 1.0, name="+20%"),
    Cell(1, 2.0, 1.0, name="×2"),
    Cell(1, 5.0, 0.02, name="2% of requests ×5"),
    Cell(100, 1.05, 1.0, name="+5%"),
    Cell(100, 5.0, 0.02, name="2% of requests ×5"),
    Cell(100, 5.0, 0.02, 0.05, "2% of requests ×5"),
    Cell(1000, 1.0, 0.0, name="null"),
    Cell(1000, 1.01, 1.0, name="+1%"),
    Cell(1000, 1.2, 1.0, name="+20%"),
    Cell(1000, 5.0, 0.02, name="2% of requests ×5"),
    Cell(1000, 2.0, 0.02, name="2% of requests ×2"),
]


def ratio(ours: np.ndarray, peer: np.ndarray) -> str:
    """Return by how much sooner the watch is in the median, where both find at least half of the runs."""
    mine, theirs = float(np.median(ours)), float(np.median(peer))
    return f"{theirs / mine:.1f}" if np.isfinite(mine) and np.isfinite(theirs) else "–"


def row(what: str, cell: Cell, found: list[np.ndarray]) -> str:
    null = cell.worse == 1
    bound = f"{wald(cell):.0f}" if what == "errors" and not null else ""
    sooner = ["–" if null else ratio(found[0], found[i]) for i in (2, 5)]
    return f"| {what}, {cell.title} | " + " | ".join([*map(shown, found), *sooner, bound]) + " |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=400)
    options.add_argument("--peer-runs", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    columns = [*PEERS, "Kayenta at 50 / amends", "Netflix / amends", "T*"]
    print("| cell | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for cell in ERRORS:
        print(row("errors", cell, errors(cell, chosen.runs, chosen.peer_runs, rng)), flush=True)
    for cell in LATENCIES:
        found = latency(cell, min(chosen.runs, 400), chosen.peer_runs, rng)
        print(row("latency", cell, found), flush=True)


if __name__ == "__main__":
    main()
