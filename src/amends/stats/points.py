"""Few pre-aggregated points against a baseline's: exact rank tests at preset looks, and a shift's interval.

*Evidence.* If the candidate's k points come from where the baseline's n points come from, every choice of k
among the n + k is as likely to be theirs. The probability that their ranks then sum to as much (Wilcoxon
1945; Mann & Whitney 1947) is counted exactly, ties included; from some hundred points on by the normal
approximation. How many points there will be is known beforehand, so the looks are preset and share α evenly
(Bonferroni): with 60 points of baseline two new ones beyond all but one of them are enough for α = .01.

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

import numpy as np
import numpy.typing as npt

from amends.stats.permutation import exact_rank_sum_p

Floats = npt.NDArray[np.float64]

_HIGHEST_CORRELATION = 0.99
_FARTHEST = 1_000
_RAREST = 1e-300  # what floating point can still tell from never


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


def preset_looks(baseline: int, points: int, alpha: float, *, sides: int = 2) -> tuple[int, ...]:
    """Return after how many of the candidate's ``points`` to look, the first time when a proof is possible.

    Each look is at one and a half times as many points as the one before, the last one at the end.
    """
    looks: list[int] = []
    k = points
    while k > 0:
        looks.insert(0, k)
        k = min(k - 1, math.ceil(k / 1.5))
    while looks and (baseline < 1 or sides * len(looks) > alpha * math.comb(baseline + looks[0], looks[0])):
        del looks[0]
    return tuple(looks)


def rank_sum_chance(baseline: npt.ArrayLike, candidate: npt.ArrayLike, *, higher: bool) -> float:
    """Return the probability that points of one origin have ranks that sum to as much, or to as little.

    ``higher``: as much on the candidate's side. Counted, or where there are too many points for that by the
    normal approximation, whose error is small then.
    """
    sign = 1.0 if higher else -1.0
    theirs, ours = (sign * np.asarray(arm, dtype=np.float64) for arm in (baseline, candidate))
    exact = exact_rank_sum_p(theirs, ours)
    return _approximate(theirs, ours) if exact is None else exact


def _approximate(theirs: Floats, ours: Floats) -> float:
    ranks = midranks(np.concatenate([theirs, ours]))
    n, k = theirs.size, ours.size
    variance = k * n / (n + k - 1) * float(ranks.var())
    beyond = float(ranks[n:].sum()) - 0.5 - k * float(ranks.mean())
    return NormalDist().cdf(-beyond / math.sqrt(variance)) if variance > 0 else 1.0


def point_evidence(
    baseline: npt.ArrayLike,
    candidate: npt.ArrayLike,
    alpha: float,
    *,
    higher: bool = True,
    lower: bool = True,
) -> Floats:
    """Return, after each of the candidate's points, ln(1/p) of the latest of the `preset_looks`.

    p is multiplied by the number of looks and of directions: once in 1/p times it is ever so small by
    chance. 0 before the first look.
    """
    theirs, ours = np.asarray(baseline, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    sides = [side for side, asked in ((True, higher), (False, lower)) if asked]
    found = np.zeros(ours.size)
    looks = preset_looks(theirs.size, ours.size, alpha, sides=len(sides)) if sides else ()
    for look in looks:
        least = min(rank_sum_chance(theirs, ours[:look], higher=side) for side in sides)
        chance = max(least, _RAREST) * len(sides) * len(looks)
        found[look - 1 :] = max(0.0, -math.log(chance))
    return found


def points_needed(baseline: int, alpha: float, *, sides: int = 2) -> int | None:
    """Return how many candidate points, all beyond every one of ``baseline``, could end in a rollback.

    ``None`` where no number up to a thousand could.
    """
    enough = (k for k in range(1, _FARTHEST + 1) if preset_looks(baseline, k, alpha, sides=sides))
    return next(enough, None)


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
