"""Joins what the timeline, named times, windows and stated durations say of the milestones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from amends.incidents.postmortems.facts import Reading
from amends.incidents.postmortems.picking import CLEAR, EXPLICIT, LIKELY, Line, between, reading, shifted
from amends.incidents.postmortems.prose import Stated, Window

_CLOSE = timedelta(minutes=1)
_SOON = timedelta(minutes=10)
_MOST_LINES = 200  # each is compared with all


def weigh(
    picked: Mapping[str, Reading], lines: Sequence[Line], named: Mapping[str, Reading],
    stated: Sequence[Stated], windows: Sequence[Window],
) -> dict[str, Reading]:  # fmt: skip
    """Return the milestones: what is named outweighs what a line implies, and a line that others bear out."""
    found = dict(picked)
    _by_window(found, lines, windows)
    _by_durations(found, lines, stated)
    return found | dict(named)


def reconciled(
    found: Mapping[str, Reading], lines: Sequence[Line], stated: Sequence[Stated]
) -> dict[str, Reading]:
    """Return the milestones without the certainty that a stated time to detect contradicts.

    A start that no line names is left out then; where one does, the detection lies between the two.
    """
    settled = dict(found)
    _with_recovery(settled, lines, stated)
    detect = next((s for s in stated if s.name == "time to detect" and not s.rough), None)
    started, detected = found.get("started"), found.get("detected")
    if detect is None or started is None or detected is None or started.low is None:
        return settled
    if detected.confidence >= EXPLICIT:  # a named time says more than a figure
        return settled
    widened = _with_stated(detected, started.low + timedelta(seconds=detect.seconds), detect)
    if widened is detected:
        return settled
    named = started.confidence >= EXPLICIT or any(
        x.entry.line == started.line and x.signs.started is not None for x in lines
    )
    if started.at and detected.at and not named:
        del settled["started"]
    else:
        settled["detected"] = widened
    return settled


def _with_recovery(found: dict[str, Reading], lines: Sequence[Line], stated: Sequence[Stated]) -> None:
    """Where a stated time to recover leads to another line than the end of harm, it lies between the two."""
    recover = next((s for s in stated if s.name == "time to recover" and not s.rough), None)
    started, end = found.get("started"), found.get("mitigated")
    if (
        recover
        and started
        and started.at
        and end
        and started.confidence >= CLEAR
        and end.confidence < EXPLICIT
    ):
        beside = _at(lines, started.at + timedelta(seconds=recover.seconds))
        resolved = found.get("resolved")
        if beside and beside.entry.at and not (resolved and resolved.at == beside.entry.at):
            found["mitigated"] = _with_stated(end, beside.entry.at, recover)


def _by_window(found: dict[str, Reading], lines: Sequence[Line], windows: Sequence[Window]) -> None:
    """A stated stretch of harm gives the start, and the end where the timeline has none."""
    for window in windows[:1]:
        started = found.get("started")
        if started is None or started.at is None or started.confidence < EXPLICIT:
            beside = _at(lines, window.first)
            seen = _first_symptom(lines, beside) if beside else None
            sure = CLEAR - 0.1 * (not window.zoned)
            found["started"] = (
                between(beside, seen, beside) if beside and seen
                else reading(beside, EXPLICIT) if beside
                else Reading(window.first, window.first, window.first, window.line, sure)
            )  # fmt: skip
        if "resolved" not in found and "mitigated" not in found:
            found["mitigated"] = Reading(
                window.last, window.last, window.last, window.line, LIKELY - 0.1 * (not window.zoned)
            )


def _by_durations(found: dict[str, Reading], lines: Sequence[Line], stated: Sequence[Stated]) -> None:
    """Two lines that lie a stated duration apart bear each other out."""
    detect = next((s for s in stated if s.name == "time to detect" and not s.rough), None)
    recover = next((s for s in stated if s.name == "time to recover" and not s.rough), None)
    if detect and recover and (found.get("started") is None or found["started"].confidence < EXPLICIT):
        both = _start_by_both(lines, detect, recover)
        found |= {"started": reading(both, EXPLICIT)} if both else {}
    if recover:
        _start_before(found, lines, (found.get("mitigated") or found.get("resolved"), recover))
    if detect:
        _start_before(found, lines, (found.get("detected"), detect))
    started = found.get("started")
    if detect and started and started.low:
        _detected_after(found, lines, started.low + timedelta(seconds=detect.seconds), detect)
    if recover and started and started.at and not {"mitigated", "resolved"} & set(found):
        _settle(found, "mitigated", lines, started.at + timedelta(seconds=recover.seconds))


def _start_by_both(lines: Sequence[Line], detect: Stated, recover: Stated) -> Line | None:
    """Return the only line from which both stated durations lead to a line."""
    starts = [
        line
        for line in lines[:_MOST_LINES]
        if line.entry.at
        and all(
            (beside := _at(lines, line.entry.at + timedelta(seconds=one.seconds))) and beside is not line
            for one in (detect, recover)
        )
    ]
    return starts[0] if len({line.entry.at for line in starts}) == 1 else None


def _start_before(
    found: dict[str, Reading], lines: Sequence[Line], later: tuple[Reading | None, Stated]
) -> None:
    """Take the line for the start that lies a stated duration before what is known."""
    started, (end, stated) = found.get("started"), later
    if end and end.low and (started is None or started.at is None):
        _settle(found, "started", lines, end.low - timedelta(seconds=stated.seconds))


def _detected_after(found: dict[str, Reading], lines: Sequence[Line], at: datetime, detect: Stated) -> None:
    """Settle an open detection by the stated time to detect."""
    detected = found.get("detected")
    if detected is None or (detected.at is None and _with_stated(detected, at, detect) is detected):
        beside = _at(lines, at)
        found["detected"] = (
            reading(beside, CLEAR) if beside else Reading(at, at, at, detect.line, LIKELY, detect.text)
        )


def _first_symptom(lines: Sequence[Line], change: Line) -> Line | None:
    """Return the line that first saw harm soon after a change, with which a stated stretch begins.

    Some count the harm from the change, some from what was seen of it.
    """
    if change.signs.symptom is not None or change.signs.started is not None or change.signs.change is None:
        return None
    for line in lines[change.place + 1 :]:
        if line.entry.earliest - change.entry.earliest > _SOON:
            return None
        if line.signs.symptom is not None or line.signs.alerted is not None:
            return line
    return None


def _with_stated(detected: Reading, at: datetime, detect: Stated) -> Reading:
    """Where the timeline and a stated time to detect disagree, the detection lies between the two."""
    low, high = detected.low, detected.high
    if low is None or high is None or (low.tzinfo is None) != (at.tzinfo is None):
        return detected
    slack = timedelta(seconds=max(detect.grain, 0.1 * detect.seconds))
    if low - slack <= at <= high + slack:
        return detected
    return shifted(detected, earliest=min(low, at), latest=max(high, at))


def _settle(found: dict[str, Reading], name: str, lines: Sequence[Line], at: datetime) -> None:
    if beside := _at(lines, at):
        found[name] = reading(beside, CLEAR)


def _at(lines: Sequence[Line], at: datetime) -> Line | None:
    for line in lines:
        own = line.entry.at
        if own and (own.tzinfo is None) == (at.tzinfo is None) and abs(own - at) <= _CLOSE:
            return line
    return None
