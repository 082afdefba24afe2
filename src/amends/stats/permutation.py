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

_COUNTED = 60  # instances up to which the ways are counted; beyond, a bound that is never too small
_MOST = 200


def rank_sum_p(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return the one-sided p-value of "the candidate's instances are higher"; 1 where an arm is empty.

    Ties count with the middle of their ranks. Beyond 60 instances it is the bound exp(−t²/2σ²), since the
    statistic is strictly sub-Gaussian under permutation (`amends.stats.rank`).
    """
    theirs = np.asarray(baseline, dtype=np.float64)
    ours = np.asarray(candidate, dtype=np.float64)
    n, m = theirs.size, ours.size
    if not n or not m:
        return 1.0
    ranks = _double_ranks(np.concatenate([theirs, ours]))
    seen = int(ranks[n:].sum())
    if n + m > _COUNTED:
        beyond = max(0.0, (seen - m * (n + m + 1)) / 2)
        return math.exp(-(beyond**2) * 6 / (n * m * (n + m + 1)))
    ways = _ways(ranks, m)
    return float(ways[seen:].sum() / ways.sum())


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


def _double_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return twice the mid-ranks, which are whole numbers."""
    order = np.sort(values)
    below = np.searchsorted(order, values, side="left")
    up_to = np.searchsorted(order, values, side="right")
    return np.asarray(below + up_to + 1, dtype=np.int64)


def _ways(ranks: npt.NDArray[np.int64], chosen: int) -> npt.NDArray[np.float64]:
    """Return for each sum how many choices of so many of the ranks have it."""
    size = int(np.sort(ranks)[-chosen:].sum()) + 1
    ways = np.zeros((chosen + 1, size))
    ways[0, 0] = 1.0
    for rank in (int(r) for r in ranks):
        for taken in range(chosen, 0, -1):
            ways[taken, rank:] += ways[taken - 1, : size - rank]
    return np.asarray(ways[chosen])
