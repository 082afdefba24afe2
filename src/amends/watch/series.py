"""A pair of plain series: few points of one metric, aggregated by somebody else, and the verdict over them.

The points carry no counts, so the watch's tests have nothing to count. They are compared by rank
(`amends.stats.points`) at looks that the recording's length presets; the baseline is taken as given, most
often it is history. What that assumes: without a change the candidate would go on as the baseline did. A
change of the hour, the weekday or the load between the two looks like one of the release, and only a baseline
that runs beside the candidate tells them apart.

The rules, with their few numbers:

- A rollback needs evidence of 1/α at some look, and there a typical shift that matters: at least `MATTERS` of
  the baseline's level and at least `HALF` of its own spread. Smaller ones come and go by themselves.
- A promotion needs, at the end, the whole interval of the shift between the baseline's 5% and 95% quantiles,
  or within `TOLERATED` of its level: where nine of ten of its own points lie.
- Everything else is a hold, with its reason. Too few points for any proof is one of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from amends.stats.points import (
    Shift,
    autocorrelation,
    innovations,
    point_evidence,
    points_needed,
    points_to_bound,
    shift_interval,
)
from amends.watch.outcome import Final, MetricOutcome, Outcome, TickOutcome
from amends.watch.plan import Direction

MATTERS = 0.01
HALF = 0.5
TOLERATED = 0.1
SILENT = 2  # points missing at the end: recordings seldom end both series at the same one
_QUARTILES = 1.349  # interquartile range of a normal distribution with unit spread


@dataclass(frozen=True, slots=True)
class SeriesPair:
    """Points of one metric in both arms, in order of time; ``nan`` where there was none.

    ``interval`` is the seconds between points, ``start`` when the candidate began; either may be unknown.
    """

    metric: str
    baseline: tuple[float, ...]
    candidate: tuple[float, ...]
    interval: float | None = None
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Baseline:
    points: tuple[float, ...]
    level: float
    spread: float
    matters: float
    margin: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Evidence after each of the candidate's points that were looked at, and the shift at the last of them.

    ``index`` says which of all points each was.
    """

    index: tuple[int, ...]
    log_evidence: tuple[float, ...]
    shift: Shift
    proven: bool

    @property
    def looked(self) -> int:
        return len(self.log_evidence)


def judge_series(pair: SeriesPair, alpha: float = 0.01, direction: Direction = Direction.BOTH) -> Outcome:
    """Return the verdict over a pair of series: the first look that proves harm, or what the end shows."""
    theirs = tuple(v for v in pair.baseline if math.isfinite(v))
    ours = tuple(v for v in pair.candidate if math.isfinite(v))
    problems = _left_out(pair, theirs, ours)
    absent = _absent(pair, theirs, ours)
    if absent:
        return _held(pair, absent, problems, len(theirs) + len(ours))
    if len(set(theirs) | set(ours)) == 1:
        flat = f"every point of both arms is {_text(theirs[0])}: a flat line shows neither harm nor health"
        return _held(pair, flat, problems, len(theirs) + len(ours))
    baseline = _baseline(theirs)
    seen = _look(pair, baseline, ours, alpha, direction)
    if seen.proven:
        return _rolled_back(pair, baseline, ours, seen, alpha, problems)
    return _concluded(pair, baseline, ours, seen, alpha, direction, problems)


def _left_out(pair: SeriesPair, theirs: Sequence[float], ours: Sequence[float]) -> tuple[str, ...]:
    lost = {"baseline": len(pair.baseline) - len(theirs), "candidate": len(pair.candidate) - len(ours)}
    return tuple(
        f"{count} of the {arm}'s points {'is' if count == 1 else 'are'} no number and left out"
        for arm, count in lost.items()
        if count
    )


def _absent(pair: SeriesPair, theirs: Sequence[float], ours: Sequence[float]) -> str:
    if not theirs and not ours:
        return "no data: neither arm has a point"
    if not ours and pair.candidate:
        return f"all {len(pair.candidate)} points of the candidate are no numbers: nothing is known of it"
    if not ours:
        return f"the candidate has no point, while the baseline has {len(theirs)}"
    if not theirs:
        return f"the baseline has no point to compare the candidate's {len(ours)} with"
    return ""


def _baseline(points: tuple[float, ...]) -> _Baseline:
    low, q1, level, q3, high = (float(q) for q in np.quantile(points, (0.05, 0.25, 0.5, 0.75, 0.95)))
    tolerated = TOLERATED * abs(level)
    return _Baseline(
        points, level, (q3 - q1) / _QUARTILES, MATTERS * abs(level),
        (min(low - level, -tolerated), max(high - level, tolerated)),
    )  # fmt: skip


def _look(
    pair: SeriesPair, baseline: _Baseline, ours: Sequence[float], alpha: float, direction: Direction
) -> _Seen:
    """Look at each point until one proves harm. Evidence of a shift too small to matter is held to 1."""
    index = tuple(i for i, v in enumerate(pair.candidate) if math.isfinite(v))
    phi = autocorrelation(baseline.points)
    evidence = _evidence(baseline, ours, phi, alpha, direction)
    for k, found in enumerate(evidence):
        if found < math.log(1 / alpha):
            continue
        shift = _shift(baseline, ours[: k + 1], alpha)
        if _matters(baseline, shift, direction):
            return _Seen(index, tuple(evidence[: k + 1]), shift, proven=True)
        evidence[k] = 0.0
    return _Seen(index, tuple(evidence), _shift(baseline, ours, alpha), proven=False)


def _shift(baseline: _Baseline, ours: Sequence[float], alpha: float) -> Shift:
    found = shift_interval(baseline.points, ours, alpha, autocorrelation(baseline.points, safe=False))
    assert found is not None  # neither arm is empty
    return found


def _evidence(
    baseline: _Baseline, ours: Sequence[float], phi: float, alpha: float, direction: Direction
) -> list[float]:
    """Return ln(1/p) after each point, in the direction that is worse, whichever it is where both are."""
    if tuple(ours) == baseline.points:
        return [0.0] * len(ours)  # the very same points, one by one: nothing that any look could prove
    theirs, new = innovations(baseline.points, ours, phi)
    sides = _sides(direction)
    found = point_evidence(theirs, new, alpha, higher=True in sides, lower=False in sides)
    return [float(e) for e in found]


def _sides(direction: Direction) -> tuple[bool, ...]:
    return {Direction.HIGHER: (True,), Direction.LOWER: (False,), Direction.BOTH: (True, False)}[direction]


def _matters(baseline: _Baseline, shift: Shift, direction: Direction) -> bool:
    """Say whether the typical shift is one that matters, in a direction that is worse."""
    least = max(baseline.matters, HALF * baseline.spread)
    worse = (shift.estimate if higher else -shift.estimate for higher in _sides(direction))
    return any(w > 0 and w >= least for w in worse)


def _held(pair: SeriesPair, why: str, problems: tuple[str, ...], observations: int) -> Outcome:
    reason = "; ".join((f"{pair.metric}: {why}", *problems))
    row = MetricOutcome(pair.metric, Final.HOLD, 0.0, None, (None, None), observations, reason)
    return Outcome(Final.HOLD, None, reason, (row,), (), problems)


def _rolled_back(
    pair: SeriesPair, baseline: _Baseline, ours: Sequence[float], seen: _Seen, alpha: float,
    problems: tuple[str, ...],
) -> Outcome:  # fmt: skip
    evidence = math.exp(min(seen.log_evidence[-1], 700.0))
    compared = _compared(baseline, pair.metric, ours[: seen.looked], seen.shift)
    chance = f"by chance at most once in {evidence:,.0f} times; the line is once in {1 / alpha:,.0f}"
    why = f"{compared}: so far apart {chance}"
    return _outcome(pair, Final.ROLLBACK, why, seen, baseline, problems)


def _concluded(
    pair: SeriesPair, baseline: _Baseline, ours: Sequence[float], seen: _Seen, alpha: float,
    direction: Direction, problems: tuple[str, ...],
) -> Outcome:  # fmt: skip
    shift, count = seen.shift, len(ours)
    compared = _compared(baseline, pair.metric, ours, shift)
    final = Final.HOLD
    silent = len(pair.candidate) - 1 - seen.index[-1]
    if silent >= SILENT:
        why = f"{compared}: the candidate stopped reporting, {silent} points ago"
    elif _within(baseline, shift, direction):
        final = Final.PROMOTE
        low, high = (_text(edge) for edge in baseline.margin)
        why = f"{compared}: within what is usual for the baseline itself ({low} to {high} around its median)"
    else:
        why = f"{compared}: {_undecided(baseline, shift, count, alpha, direction)}"
    return _outcome(pair, final, why, seen, baseline, problems)


def _within(baseline: _Baseline, shift: Shift, direction: Direction) -> bool:
    low, high = baseline.margin
    up = shift.upper is not None and shift.upper <= high
    down = shift.lower is not None and shift.lower >= low
    return {Direction.HIGHER: up, Direction.LOWER: down, Direction.BOTH: up and down}[direction]


def _undecided(baseline: _Baseline, shift: Shift, count: int, alpha: float, direction: Direction) -> str:
    """Say what is missing: points for any proof at all, points to bound the shift, or a narrower bound."""
    used = len(baseline.points) - 1
    needed = points_needed(used, alpha, sides=len(_sides(direction)))
    if needed is None:
        return f"{_points(len(baseline.points))} of a baseline are too few for any proof"
    if count < needed:
        return (
            f"too few for any proof at α = {alpha:g}: against {_points(used + 1)} of the baseline it takes "
            f"at least {_points(needed)} of the candidate"
        )
    if shift.upper is None or shift.lower is None:
        phi = autocorrelation(baseline.points, safe=False)
        enough = points_to_bound(len(baseline.points), alpha, phi)
        more = f"; that takes {_points(enough)} of the candidate" if enough else ""
        return f"nothing is provably worse, and so few points cannot show that it is well{more}"
    bounds = f"{_text(shift.lower)} to {_text(shift.upper)} with {100 * (1 - alpha):g}% confidence"
    low, high = (_text(edge) for edge in baseline.margin)
    return f"nothing is provably worse, nor shown to be well: {bounds}, where {low} to {high} is usual"


def _outcome(
    pair: SeriesPair, final: Final, why: str, seen: _Seen, baseline: _Baseline, problems: tuple[str, ...]
) -> Outcome:
    reason = "; ".join((why, *problems))
    row = MetricOutcome(
        pair.metric, final, seen.log_evidence[-1], seen.shift.estimate, (seen.shift.lower, seen.shift.upper),
        len(baseline.points) + seen.looked, reason,
    )  # fmt: skip
    words = ["watching"] * (seen.looked - 1) + ["roll_back" if seen.proven else "watching"]
    ticks = tuple(
        TickOutcome(_time(pair, i), e, word)
        for i, e, word in zip(seen.index, seen.log_evidence, words, strict=False)
    )
    return Outcome(final, None if final is Final.HOLD else ticks[-1].at, reason, (row,), ticks, problems)


def _time(pair: SeriesPair, index: int) -> datetime | float:
    """Return when a point was complete: its time, or the seconds (the points) since the candidate began."""
    passed = (index + 1) * (pair.interval or 1.0)
    return pair.start + timedelta(seconds=passed) if pair.start and pair.interval else passed


def _compared(baseline: _Baseline, metric: str, ours: Sequence[float], shift: Shift) -> str:
    share = f" ({100 * shift.estimate / abs(baseline.level):+.3g}%)" if baseline.level else ""
    return (
        f"{metric}: median {_text(float(np.median(ours)))} against {_text(baseline.level)}, "
        f"a typical shift of {shift.estimate:+.3g}{share}, after {_points(len(ours))}"
    )


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'}"


def _text(value: float) -> str:
    return f"{value:.4g}"
