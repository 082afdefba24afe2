"""Stratified Mann-Whitney e-process for latencies, on raw values or histogram buckets.

Let U count the pairs of a tick in which the candidate's value is the larger, ties as half. Without ties and
with equal distributions the moment generating function of U is that of a product of sinh ratios:

    ln E exp(t(U − nm/2)) = Σ_{i≤m} g((n+i)t/2) − g(it/2),   g(x) = ln(sinh x / x)

g(x) − x²/6 decreases in x > 0, hence every term is at most ((n+i)² − i²)t²/24, and their sum is t²/2 times
nm(N+1)/12, U's variance: U is strictly sub-Gaussian at every sample size. Ties counted as half are the mean
over random ways to break them, so by Jensen's inequality they only lower it. With t = 12d/(N+1)

    S += 12/(N+1)·(U − nm/2),   V += 12nm/(N+1),   E = mean over d of exp(dS − d²V/2)

is an e-process under "within each tick the arms have the same distribution", whatever that is and however
it drifts. S/V estimates by how much the share of slower pairs exceeds a half, which is what d stands for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amends.stats.combination import Floats, log_mean_exp

RANK_GRID: Floats = 0.005 * 2.0 ** np.arange(
    8, dtype=np.float64
)  # 50.5 to 100 (and more) of 100 pairs slower
TAIL_QUANTILES = (0.9, 0.95, 0.99, 0.999)
TAIL_GRID: Floats = np.log(np.array([1.5, 2.0, 3.0, 5.0, 9.0, 16.0]))  # ratios of exceedances

# A row for each quantile, a column for each ratio; they sum to 1. When a few requests become much slower, the
# exceedances of a far quantile multiply and those of a near one hardly grow: weight on other cells is lost.
TAIL_WEIGHTS: Floats = (
    np.array(
        [
            [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 2.0, 1.0, 0.0],
        ]
    )
    / 7
)
_WEIGHED = TAIL_WEIGHTS > 0
_TAIL_LOGS: Floats = np.log(TAIL_WEIGHTS[_WEIGHED])


def count_wins(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return U for raw values: pairs in which the candidate's is larger, ties as half."""
    ours = np.asarray(candidate, dtype=np.float64)
    theirs = np.sort(np.asarray(baseline, dtype=np.float64))
    below = np.searchsorted(theirs, ours, side="left")
    up_to = np.searchsorted(theirs, ours, side="right")
    return float(np.sum(below + up_to)) / 2


def count_bucket_wins(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> Floats:
    """Return U for counts per bucket (not cumulative) along the last axis; pairs within a bucket tie."""
    theirs = np.asarray(baseline, dtype=np.float64)
    ours = np.asarray(candidate, dtype=np.float64)
    below = np.cumsum(theirs, axis=-1) - theirs / 2
    return np.asarray(np.sum(ours * below, axis=-1))


def rank_increment(wins: npt.ArrayLike, baseline_n: npt.ArrayLike, candidate_n: npt.ArrayLike) -> Floats:
    """Return what a tick adds to (S, V), along a new last axis; zeros where an arm is empty."""
    u, n, m = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (wins, baseline_n, candidate_n)))
    scale = 12.0 / (n + m + 1.0)
    return np.stack([scale * (u - n * m / 2), scale * n * m], axis=-1)


def rank_evidence(
    s: npt.ArrayLike, v: npt.ArrayLike, *, higher: bool = True, lower: bool = False, grid: Floats = RANK_GRID
) -> Floats:
    """Return ln of the e-value from S and V; ``higher``: larger values are worse."""
    d = np.concatenate(([grid] if higher else []) + ([-grid] if lower else []))
    exponent = np.asarray(s, dtype=np.float64)[..., None] * d
    return log_mean_exp(exponent - np.asarray(v, dtype=np.float64)[..., None] * d**2 / 2)


def tail_positions(history: npt.ArrayLike, quantiles: tuple[float, ...] = TAIL_QUANTILES) -> tuple[int, ...]:
    """Return for each quantile the bucket above which exceedances are counted.

    ``history`` are the baseline's counts per bucket (the last one unbounded) from *earlier* ticks: chosen
    before a tick is seen, the choice keeps the evidence valid. The position is the first bucket up to which
    at least that share lies, never the unbounded one, above which there is nothing to count. No history: no
    positions.
    """
    counts = np.asarray(history, dtype=np.float64)
    total = counts.sum()
    if counts.size < 2 or total <= 0:
        return ()
    share = np.cumsum(counts[:-1]) / total
    found = np.searchsorted(share, np.asarray(quantiles) - 1e-12, side="left")
    return tuple(int(i) for i in np.minimum(found, counts.size - 2))


def tail_evidence(log_e: npt.ArrayLike) -> Floats:
    """Return ln of the e-value of the exceedances: the average over `TAIL_WEIGHTS`.

    ``log_e`` has the quantiles and the grid as its last two axes; a grid for both directions is twice as
    long, and each half counts alike.
    """
    cells = np.asarray(log_e, dtype=np.float64)
    sides = cells.shape[-1] // TAIL_GRID.size
    halves = [cells[..., k * TAIL_GRID.size : (k + 1) * TAIL_GRID.size] for k in range(sides)]
    weighed = np.concatenate([half[..., _WEIGHED] + _TAIL_LOGS for half in halves], axis=-1)
    return np.asarray(np.logaddexp.reduce(weighed, axis=-1) - np.log(sides))


def exceedances(counts: npt.ArrayLike, position: int) -> float:
    """Return how many observations lie above the bucket at ``position``."""
    return float(np.sum(np.asarray(counts, dtype=np.float64)[position + 1 :]))
