"""Which variant of a policy stops how much for how much delay: the frontier, and an honest pick.

The pick is made on the earlier half of the history and its figures come from the later half. Whoever chooses
the best of many variants on some data and quotes the same data has measured their own luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amends.backtests.answers import UNDECIDED, WAITS
from amends.backtests.effect import Effect, Judged, measure_effect
from amends.backtests.history import ESCAPE, GOOD, History
from amends.backtests.price import LATER
from amends.backtests.variants import Variant
from amends.gates.table import Bools, Codes, Floats

HORIZON = LATER[-1]
"""What a hold without an end counts as in a mean delay, in seconds: about three weeks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a variant does in some part of a history.

    ``delay`` is the mean added lead time of the good releases about which every gate can tell, in seconds,
    with holds that have no end counted as `HORIZON`; ``None`` where there are none such.
    """

    escapes: int
    stopped: int
    only_delayed: int
    good: int
    held: int
    undecided: int
    delay: float | None
    effect: Effect


@dataclass(frozen=True, slots=True)
class Point:
    """A variant with its figures over the whole history and in its two halves."""

    variant: Variant
    whole: Figures
    early: Figures
    late: Figures
    on_frontier: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every variant that was tried; the first is the policy as it is.

    ``pick`` is the place of the variant that the earlier half speaks for, ``None`` where none can be told
    from chance there.
    """

    points: tuple[Point, ...]
    pick: int | None

    @property
    def frontier(self) -> tuple[Point, ...]:
        """The variants that no other beats at both, by delay."""
        found = [point for point in self.points if point.on_frontier]
        return tuple(sorted(found, key=lambda point: (point.whole.delay or 0.0, point.whole.stopped)))

    @property
    def current(self) -> Point:
        """The policy as it is."""
        return self.points[0]

    @property
    def picked(self) -> Point | None:
        """The variant that the earlier half speaks for."""
        return None if self.pick is None else self.points[self.pick]

    @property
    def telling(self) -> tuple[Point, ...]:
        """The frontier, the policy as it is and the pick, by delay: what a table shows."""
        found = [p for p in self.points if p.on_frontier or p is self.current or p is self.picked]
        return tuple(sorted(found, key=lambda point: (point.whole.delay or 0.0, point.whole.stopped)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A variant's answer to every row, for how long that would have held it, and what its effect is on."""

    variant: Variant
    code: Codes
    seconds: Floats
    unsure: Bools
    judged: Judged


def sweep_variants(history: History, outcomes: Sequence[Outcome]) -> Sweep:
    """Put together what variants come to."""
    early = np.arange(len(history)) < len(history) // 2
    everything = np.ones(len(history), dtype=np.bool_)
    points = [
        Point(
            one.variant, _figures(history, one, everything),
            _figures(history, one, early), _figures(history, one, ~early),
        )
        for one in outcomes
    ]  # fmt: skip
    best = _frontier(points)
    marked = tuple(
        Point(p.variant, p.whole, p.early, p.late, place in best) for place, p in enumerate(points)
    )
    return Sweep(marked, _pick(marked))


def _figures(history: History, one: Outcome, part: Bools) -> Figures:
    escape, good = part & (history.outcome == ESCAPE), part & (history.outcome == GOOD)
    held = one.code >= WAITS
    decided = good & ~one.unsure
    times = np.where(np.isnan(one.seconds), HORIZON, one.seconds)[decided]
    effect = measure_effect(history, one.judged.held, one.judged.counts & part)
    return Figures(
        escapes=int(escape.sum()), stopped=int((escape & held).sum()),
        only_delayed=int((escape & (one.code == WAITS)).sum()), good=int(good.sum()),
        held=int((good & held).sum()), undecided=int(((good | escape) & (one.code == UNDECIDED)).sum()),
        delay=float(times.mean()) if len(times) else None, effect=effect,
    )  # fmt: skip


def _frontier(points: Sequence[Point]) -> set[int]:
    """Return the places of the points that none beats by stopping as many for less delay."""
    known = [(p.whole.delay, p.whole.stopped, place) for place, p in enumerate(points)]
    ranked = sorted((delay, -stopped, place) for delay, stopped, place in known if delay is not None)
    found, most = set(), -1
    for _, less, place in ranked:
        if -less > most:
            found.add(place)
            most = -less
    return found


def _pick(points: Sequence[Point]) -> int | None:
    """Return the variant whose effect is surest in the earlier half, the one with less delay among equals."""
    sure = [
        (-p.early.effect.difference.low, p.early.delay or 0.0, place)
        for place, p in enumerate(points)
        if p.early.effect.verdict == "helps"
    ]
    return min(sure)[2] if sure else None
