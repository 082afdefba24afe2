"""Exact permutation of instances: is one arm's level higher, when each instance counts once?

Readings of a gauge are not independent: one instance that holds on to memory is high at every scrape. What is
independent is the instances. If the release makes no difference, every way of dealing them out to the two
arms is as likely as the one there is; how many of those ways put the candidate's as high or higher is the
p-value (Fisher 1935; Wilcoxon 1945 for the sum of ranks). It is exact for any law of the levels, with ties,
and costs no random number: the ways are counted, not drawn.

With 3 and 3 instances there are 20 ways, so no p-value is below .05, however far the arms are apart:
`instances_needed` says how many there would have to be.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_COUNTED = 3e8  # steps up to which the ways are counted
_MOST = 200


def rank_sum_p(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return the one-sided p-value of "the candidate's instances are higher"; 1 where an arm is empty.

    Where `exact_rank_sum_p` gives none it is the bound exp(−t²/2σ²), which is never too small, since the
    statistic is strictly sub-Gaussian under permutation (`amends.stats.rank`).
    """
    exact = exact_rank_sum_p(baseline, candidate)
    if exact is not None:
        return exact
    ranks, n, m = _ranked(baseline, candidate)
    beyond = max(0.0, (int(ranks[n:].sum()) - m * (n + m + 1)) / 2)
    return math.exp(-(beyond**2) * 6 / (n * m * (n + m + 1)))


def exact_rank_sum_p(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> float | None:
    """Return the p-value of `rank_sum_p` by counting; ``None`` where that would take too long.

    Ties count with the middle of their ranks.
    """
    ranks, n, m = _ranked(baseline, candidate)
    if not n or not m:
        return 1.0
    size = int(np.sort(ranks)[-m:].sum()) + 1
    if (m + 1) * size * (n + m) > _COUNTED:
        return None
    ways = _ways(ranks, m, size)
    return float(ways[int(ranks[n:].sum()) :].sum() / ways.sum())


def smallest_p(baseline: int, candidate: int) -> float:
    """Return the smallest p-value that so many instances can give."""
    return 1 / math.comb(baseline + candidate, candidate)


def instances_needed(baseline: int, alpha: float) -> int:
    """Return how many instances the candidate needs beside ``baseline`` ones to be able to reach ``alpha``.

    0 where 200 are not enough either, which is where the baseline has none.
    """
    for count in range(1, _MOST + 1):
        if smallest_p(baseline, count) <= alpha:
            return count
    return 0


def _ranked(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], int, int]:
    """Return twice the mid-ranks, which are whole numbers, baseline first, and how many each arm has."""
    theirs, ours = np.asarray(baseline, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    values = np.concatenate([theirs, ours])
    order = np.sort(values)
    below = np.searchsorted(order, values, side="left")
    up_to = np.searchsorted(order, values, side="right")
    return np.asarray(below + up_to + 1, dtype=np.int64), theirs.size, ours.size


def _ways(ranks: npt.NDArray[np.int64], chosen: int, size: int) -> npt.NDArray[np.float64]:
    """Return for each sum below ``size`` how many choices of so many of the ranks have it."""
    ways = np.zeros((chosen + 1, size))
    ways[0, 0] = 1.0
    for rank in (r for r in ranks.tolist() if r < size):
        ways[1:, rank:] += ways[:-1, : size - rank]
    return np.asarray(ways[chosen])
