"""What changes when one policy takes the place of another, on the same history."""

from __future__ import annotations

import math
from dataclasses import dataclass

from amends.backtests.answers import Answers
from amends.backtests.effect import Effect, Verdict, judge, measure_effect
from amends.backtests.history import GOOD, History
from amends.gates.table import Bools


@dataclass(frozen=True, slots=True)
class Comparison:
    """A policy against the current one.

    ``newly_stopped`` and ``no_longer_stopped`` name incidents; ``newly_held`` and ``no_longer_held`` count
    good releases. ``estimate`` is the effect of the one less that of the other, with its 95% ``interval``,
    over the rows that both decide.
    """

    newly_stopped: tuple[str, ...]
    no_longer_stopped: tuple[str, ...]
    newly_held: int
    no_longer_held: int
    estimate: float | None
    interval: tuple[float, float]
    verdict: Verdict


def compare(history: History, ours: Answers, theirs: Answers, left_out: tuple[str, ...] = ()) -> Comparison:
    """Compare two policies' answers about the same rows.

    Rows that both hold or both let pass cancel out. The interval of a difference of differences is put
    together from those of its two parts (MOVER; Zou and Donner 2008, Statistics in Medicine 27:1693).
    """
    one, other = judge(history, ours, left_out), judge(history, theirs, left_out)
    both = one.counts & other.counts
    up, down = one.held & ~other.held, other.held & ~one.held
    gained, lost = ours.held & ~theirs.held, theirs.held & ~ours.held
    more, less = measure_effect(history, up, both), measure_effect(history, down, both)
    estimate, interval = _difference(more, less, bool((up & both).any()), bool((down & both).any()))
    good = history.outcome == GOOD
    verdict: Verdict = "no evidence"
    if estimate is not None and interval[0] > 0:
        verdict = "helps"
    elif estimate is not None and interval[1] < 0:
        verdict = "harms"
    return Comparison(
        newly_stopped=_named(history, gained), no_longer_stopped=_named(history, lost),
        newly_held=int((good & gained).sum()), no_longer_held=int((good & lost).sum()),
        estimate=estimate, interval=interval, verdict=verdict,
    )  # fmt: skip


def _named(history: History, rows: Bools) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(one.name for one in history.incidents if one.row is not None and rows[one.row])
    )


def _difference(
    more: Effect, less: Effect, gains: bool, loses: bool
) -> tuple[float | None, tuple[float, float]]:
    up, down = more.difference, less.difference
    if up.estimate is None or down.estimate is None:
        return None, (-1.0, 1.0)
    if not loses:
        return up.estimate, (up.low, up.high)
    if not gains:
        return -down.estimate, (-down.high, -down.low)
    estimate = up.estimate - down.estimate
    low = estimate - math.hypot(up.estimate - up.low, down.high - down.estimate)
    high = estimate + math.hypot(up.high - up.estimate, down.estimate - down.low)
    return estimate, (max(-2.0, low), min(2.0, high))
