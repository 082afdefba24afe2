"""Few pre-aggregated points against a baseline's: a rank e-process, and an interval for the shift.

*Evidence.* If the candidate's points come from where the baseline's n points come from, then given the
baseline each arrangement of the k new points in its n + 1 gaps is known beforehand: the next point falls into
a gap with probability (1 + points already there)/(n + 1 + points so far), Pólya's urn (Blackwell & MacQueen
1973). The e-process is the ratio of a mixture of alternatives to that: Lehmann's (1953, "The power of rank
tests") G = F^θ for θ in `ORDERS`, upwards and downwards. It is exact at every look, for any distribution and
any baseline; of 60 baseline points, two new ones beyond them all are enough for α = .01.

*Dependence.* Points of a metric are not independent of one another. The test therefore ranks what is new in
each point, x_t − φ·x_{t−1}: the innovations of an autoregression, exchangeable in its place (Chernozhukov,
Wüthrich & Zhu 2021, "An exact and robust conformal inference method", JASA 116). φ is the baseline's
rank autocorrelation, corrected for its bias in short series, and one standard error to the safe side. With
an estimated φ the guarantee is approximate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from amends.stats.combination import log_mean_exp

Floats = npt.NDArray[np.float64]

ORDERS = (2.0, 8.0, 32.0, 128.0)
"""Lehmann alternatives: from "two of three pairs" to "nearly always beyond every baseline point"."""

_WEIGHTS = (0.1, 0.2, 0.3, 0.4)
"""Most on what few points can show: there every factor counts, and where points are many it costs nothing."""

_DRAWS = 32
_HIGHEST_CORRELATION = 0.99
_FARTHEST = 1_000


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the candidate's points lie above the baseline's: Hodges-Lehmann estimate and interval.

    ``None`` is unbounded: so few points cannot bound it at this confidence.
    """

    estimate: float
    lower: float | None
    upper: float | None


def autocorrelation(points: Sequence[float], *, safe: bool = True) -> float:
    """Return the lag-one autocorrelation to reckon with: 0 to .99.

    Of the ranks, so that a single old incident does not hide it; plus (1 + 3φ)/n, by which it is too low on
    average in short series (Kendall 1954; Marriott & Pope 1954). ``safe`` adds a standard error.
    """
    n = len(points)
    if n < 3:
        return _HIGHEST_CORRELATION
    ranks = midranks(points)
    ranks = ranks - ranks.mean()
    whole = float(ranks @ ranks)
    if whole == 0:
        return 0.0
    found = float(ranks[1:] @ ranks[:-1]) / whole
    corrected = (n * found + 1) / (n - 3) if n > 3 else 1.0
    if safe:
        corrected += math.sqrt(max(0.0, 1 - corrected**2) / n)
    return min(max(corrected, 0.0), _HIGHEST_CORRELATION)


def midranks(points: npt.ArrayLike) -> Floats:
    """Return the ranks of ``points`` from 1 on, ties sharing their mean."""
    values = np.asarray(points, dtype=np.float64)
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((low + high + 1) / 2, dtype=np.float64)


def innovations(baseline: Sequence[float], candidate: Sequence[float], phi: float) -> tuple[Floats, Floats]:
    """Return what is new in each point of both arms, as departures from the baseline's median.

    Of a departure, φ times the one before it is expected where both lie on the same side, and only the rest
    counts; an old incident on one side thus leaves no echo on the other. Whether the candidate's first
    point follows on the baseline's last one, or runs beside it, is not known: the smaller departure of the
    two is taken.
    """
    theirs, ours = np.asarray(baseline, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    usual = float(np.median(theirs))
    fresh = _unexplained(theirs - usual, phi)
    if not ours.size:
        return fresh, ours
    away = _unexplained(np.concatenate([theirs[-1:], ours]) - usual, phi)
    beside = (ours[0] - usual) * math.sqrt(1 - phi**2)
    away[0] = min(away[0], beside, key=abs)
    return fresh, away


def _unexplained(departures: Floats, phi: float) -> Floats:
    now, before = departures[1:], departures[:-1]
    return np.asarray(now - np.where(now * before > 0, phi * before, 0.0))


def point_evidence(
    baseline: npt.ArrayLike, candidate: npt.ArrayLike, *, higher: bool = True, lower: bool = True
) -> Floats:
    """Return ln of the e-value after each of the candidate's points, in order.

    Points that are equal are put in order by lot, `_DRAWS` times with fixed lots, and the e-values averaged.
    """
    theirs, ours = np.asarray(baseline, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    if not ours.size or not theirs.size or not (higher or lower):
        return np.zeros(ours.size)
    if not np.isin(ours, theirs).any():
        return _one_order(theirs, ours, np.zeros(theirs.size + ours.size), higher=higher, lower=lower)
    lots = np.random.default_rng(1).random((_DRAWS // 2, theirs.size + ours.size))
    drawn = [_one_order(theirs, ours, lot, higher=higher, lower=lower) for lot in (*lots, *-lots)]
    return np.asarray(log_mean_exp(np.stack(drawn), axis=0))


def points_needed(baseline: int, alpha: float, *, sides: int = 2) -> int | None:
    """Return how many candidate points, all beyond every one of ``baseline``, could end in a rollback.

    ``None`` where no number up to a thousand could.
    """
    if baseline < 1:
        return None
    line = math.log(1 / alpha) + math.log(sides)
    top = [math.log(1 - (baseline / (baseline + 1)) ** order) for order in ORDERS]
    reached = 0.0
    for k in range(1, _FARTHEST + 1):
        reached += math.log((baseline + k) / k)
        bets = [math.log(w) + reached + k * t for w, t in zip(_WEIGHTS, top, strict=True)]
        if float(np.logaddexp.reduce(bets)) >= line:
            return k
    return None


def shift_interval(
    baseline: npt.ArrayLike, candidate: npt.ArrayLike, alpha: float, phi: float = 0.0
) -> Shift | None:
    """Return the shift between the arms with its interval at confidence 1 − ``alpha``, for one look.

    The pairwise differences that the Mann-Whitney test does not reject (Hodges & Lehmann 1963), its variance
    multiplied by (1 + φ)/(1 − φ) for dependent points. ``None`` where an arm is empty.
    """
    theirs, ours = np.asarray(baseline, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    n, m = theirs.size, ours.size
    if not n or not m:
        return None
    apart = np.sort((ours[:, None] - theirs[None, :]).ravel())
    cut = _cut(n, m, alpha, phi)
    if cut < 1:
        return Shift(float(np.median(apart)), None, None)
    return Shift(float(np.median(apart)), float(apart[cut - 1]), float(apart[-cut]))


def points_to_bound(baseline: int, alpha: float, phi: float = 0.0) -> int | None:
    """Return how many candidate points `shift_interval` needs for both bounds; ``None`` above a thousand."""
    return next((m for m in range(1, _FARTHEST + 1) if _cut(baseline, m, alpha, phi) >= 1), None)


def _cut(n: int, m: int, alpha: float, phi: float) -> int:
    """Return which of the ordered pairwise differences, from either end, bounds the shift; below 1: none."""
    inflated = n * m * (n + m + 1) / 12 * (1 + phi) / (1 - phi)
    return math.floor(n * m / 2 - NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(inflated))


def _one_order(theirs: Floats, ours: Floats, lots: Floats, *, higher: bool, lower: bool) -> Floats:
    """Return ln of the e-values with equal points put in the order of their ``lots``."""
    n, k = theirs.size, ours.size
    order = np.lexsort((lots, np.concatenate([theirs, ours])))
    below = np.cumsum(order < n)[np.argsort(order)][n:]  # baseline points under each of ours: its gap
    urn = np.log(n + 1 + np.arange(k)) - np.log(_places(below))
    sides = [gap for gap, asked in ((below, higher), (n - below, lower)) if asked]
    bets = np.cumsum([[_bet(gap, n, theta) + urn for theta in ORDERS] for gap in sides], axis=2)
    weighed = bets + np.log(_WEIGHTS)[None, :, None]
    return np.asarray(np.logaddexp.reduce(weighed, axis=(0, 1)) - math.log(len(sides)))


def _places(gaps: npt.NDArray[Any]) -> list[int]:
    """Return which each point is among those of its gap, from 1 on."""
    there: dict[int, int] = {}
    places = []
    for gap in gaps.tolist():
        there[gap] = there.get(gap, 0) + 1
        places.append(there[gap])
    return places


def _bet(gap: npt.NDArray[Any], n: int, order: float) -> Floats:
    """Return ln of the probability of each gap if the candidate's points are distributed as F^order."""
    high = order * np.log((gap + 1) / (n + 1))
    with np.errstate(divide="ignore"):
        low = order * np.log(gap / (n + 1))
    return np.asarray(high + np.log1p(-np.exp(low - high)))
