"""Group-sequential tests: a few looks at preset times, with more power than a test that may look at any time.

At fraction t of the planned time a test may have spent α(t) of its α in all (Lan & DeMets 1983, Biometrika
70:659), however much information there is by then, as long as t does not depend on what is compared:

- ``obrien_fleming``: 2 − 2Φ(z/√t), z the upper α/2 point: almost all is kept for the end,
- ``pocock``: α·ln(1 + (e − 1)t): about alike at each look.

*Events* are tested exactly. Given how many events each tick has, those on the candidate are a sum of binomial
counts under equal rates. The law of that sum among the paths which have not crossed yet is carried from look
to look (the recursion of Armitage, McPherson & Rowe 1969, JRSS A 132:235), so that nothing is assumed to be
normal where there are five events. For requests the law is hypergeometric, which is narrower.

*Normal boundaries*, by the same recursion as a numerical integral (Jennison & Turnbull 2000, "Group
Sequential Methods", ch. 19), serve the forecast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from amends.stats.combination import Floats

_NORMAL = NormalDist()
_TRIMMED = 1e-13  # mass on the side of the law that can never reach a boundary
_FARTHEST = 8.5  # beyond it a standard normal number has a probability of 1e-17
_POINTS = 301


class Spending(StrEnum):
    """How α is spent over the planned time."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


def spent_by(time: float, alpha: float, spending: Spending) -> float:
    """Return how much of a one-sided ``alpha`` may be spent by the fraction ``time`` of the plan."""
    t = min(1.0, max(0.0, time))
    if t <= 0:
        return 0.0
    if spending is Spending.POCOCK:
        return alpha * math.log(1 + (math.e - 1) * t)
    return 2 * _NORMAL.cdf(_NORMAL.inv_cdf(alpha / 2) / math.sqrt(t))


@dataclass(frozen=True, slots=True)
class Law:
    """How likely each number of events on the candidate is, together with not having crossed before.

    ``masses[i]`` belongs to ``offset + i`` events.
    """

    offset: int = 0
    masses: tuple[float, ...] = (1.0,)


def add_events(law: Law, events: int, share: float) -> Law:
    """Return the law after a tick with so many events on both arms; shares of 0 and 1 compare nothing."""
    if events <= 0 or not 0 < share < 1:
        return law
    return _trimmed(law.offset, np.convolve(law.masses, _binomial(events, share)))


def cross(law: Law, allowed: float, *, upper: bool = True) -> tuple[int, float, Law]:
    """Take a look that may spend ``allowed``.

    Returns
    -------
    The number of events from which on (down to which, unless ``upper``) equal rates are rejected, what that
    spends, and the law of the paths that go on. What is not spent, since counts are whole, is left for later.
    """
    masses = np.asarray(law.masses)
    tail = np.cumsum(masses[::-1] if upper else masses)
    beyond = int(np.searchsorted(tail, allowed, side="right"))
    spent = float(tail[beyond - 1]) if beyond else 0.0
    kept = masses[: masses.size - beyond] if upper else masses[beyond:]
    first = law.offset + (masses.size - beyond if upper else beyond - 1)
    if kept.size == 0:
        return first, spent, Law(law.offset, (0.0,))
    return first, spent, _trimmed(law.offset + (0 if upper else beyond), kept)


def tail_of(law: Law, seen: int, *, upper: bool = True) -> float:
    """Return the probability of ``seen`` events or more (fewer, unless ``upper``) without crossing before."""
    place = seen - law.offset
    masses = law.masses[max(0, place) :] if upper else law.masses[: max(0, place + 1)]
    return min(1.0, math.fsum(masses))


def _trimmed(offset: int, masses: Floats) -> Law:
    """Return the law without the ends that hold next to nothing."""
    low = int(np.searchsorted(np.cumsum(masses), _TRIMMED))
    high = int(np.searchsorted(np.cumsum(masses[::-1]), _TRIMMED))
    kept = masses[low : masses.size - high]
    if kept.size == 0:
        return Law(offset, (0.0,))
    return Law(offset + low, tuple(float(m) for m in kept))


def _binomial(n: int, share: float) -> Floats:
    k = np.arange(n, dtype=np.float64)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k) / (k + 1) * share / (1 - share)))])
    return np.asarray(np.exp(logs + n * math.log1p(-share)))


@lru_cache(maxsize=64)
def boundaries(
    times: tuple[float, ...], alpha: float, spending: Spending, information: tuple[float, ...] = ()
) -> tuple[float, ...]:
    """Return the one-sided boundary of the standardised statistic at each of the looks.

    ``times`` are fractions of the plan, ascending; ``information`` is what share of all information there is
    by then, the same unless it is given. A boundary beyond 8.5 is infinite.
    """
    found: list[float] = []
    spent, path = 0.0, _Path()
    for time, gathered in zip(times, information or times, strict=True):
        allowed = spent_by(time, alpha, spending)
        bound = _boundary(path, gathered, allowed - spent)
        spent = allowed if math.isfinite(bound) else spent
        path = path.on(gathered, min(bound, _FARTHEST))
        found.append(bound)
    return tuple(found)


def crossing(bounds: Sequence[float], times: Sequence[float], drift: float = 0.0) -> tuple[float, ...]:
    """Return for each look how likely the statistic crosses there first.

    ``drift`` is its mean at time 1; at time t it is drift·√t.
    """
    found = []
    path = _Path(drift)
    for bound, time in zip(bounds, times, strict=True):
        found.append(path.crosses(time, bound))
        path = path.on(time, min(bound, _FARTHEST + max(0.0, drift) * math.sqrt(time)))
    return tuple(found)


def _boundary(path: _Path, time: float, allowed: float) -> float:
    """Return the boundary at the look after a path that spends ``allowed``, by bisection."""
    low, high = -_FARTHEST, _FARTHEST
    if allowed <= 0 or path.crosses(time, high) > allowed:
        return math.inf
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (middle, high) if path.crosses(time, middle) > allowed else (low, middle)
    return high


@dataclass(frozen=True, slots=True)
class _Path:
    """The statistic at the last look among paths that have not crossed.

    ``density`` stands at the points ``at``, weighed for Simpson's rule. The score z·√t has independent
    increments with mean drift·(t − s) and variance t − s.
    """

    drift: float = 0.0
    time: float = 0.0
    at: Floats | None = None
    density: Floats | None = None

    def crosses(self, time: float, bound: float) -> float:
        """Return how likely the next look's statistic is above ``bound``."""
        if not math.isfinite(bound):
            return 0.0
        if self.at is None or self.density is None:
            return float(_above(np.array([bound - self.drift * math.sqrt(time)]))[0])
        return float(_above(self._moved(np.array([bound]), time)[0]) @ self.density)

    def on(self, time: float, top: float) -> _Path:
        """Return the path after a look with the boundary ``top``."""
        low = min(-_FARTHEST, -_FARTHEST + self.drift * math.sqrt(time))
        points = np.linspace(low, top, _POINTS)
        weights = np.full(_POINTS, 2.0)
        weights[1::2] = 4.0
        weights[[0, -1]] = 1.0
        weights *= (points[1] - points[0]) / 3
        if self.at is None or self.density is None:
            here = _bell(points - self.drift * math.sqrt(time))
        else:
            scale = math.sqrt(time / (time - self.time))
            here = (_bell(self._moved(points, time)) @ self.density) * scale
        return _Path(self.drift, time, points, here * weights)

    def _moved(self, points: Floats, time: float) -> Floats:
        assert self.at is not None
        gained = self.drift * (time - self.time)
        moved = points[:, None] * math.sqrt(time) - self.at[None, :] * math.sqrt(self.time) - gained
        return np.asarray(moved / math.sqrt(time - self.time))


def _bell(z: Floats) -> Floats:
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def _above(z: Floats) -> Floats:
    return np.array([0.5 * math.erfc(float(x) / math.sqrt(2)) for x in z])
