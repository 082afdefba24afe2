"""Which lines of a timeline are its milestones.

Only what a line says counts. Where a line bounds a milestone without being it (service was seen to work some
minutes after the rollback), the milestone is an interval; where no line says it, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amends.incidents.postmortems.cues import Signs, signs_of
from amends.incidents.postmortems.entries import Entry
from amends.incidents.postmortems.facts import Reading

EXPLICIT, CLEAR, LIKELY, BOUNDED = 0.95, 0.9, 0.8, 0.7
_LESS = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with what it says and its place in the timeline."""

    place: int
    entry: Entry
    signs: Signs


def lines_with_signs(entries: Sequence[Entry]) -> list[Line]:
    """Return entries with what each says."""
    return [Line(place, entry, signs_of(entry.text)) for place, entry in enumerate(entries)]


def pick(lines: Sequence[Line]) -> dict[str, Reading]:
    """Return the milestones that a timeline's lines state, by name."""
    declared = next((line for line in lines if line.signs.declared is not None), None)
    start = _explicit_start(lines)
    detected = _by_declaration(_detected(lines, start), declared)
    begin = max((x.place for x in (start, detected[0]) if x), default=0)
    over = [line for line in lines if line.signs.over is not None and line.place >= begin]
    found = {
        "started": _started(lines, start, detected[0], over),
        "detected": detected[1],
        "declared": reading(declared, EXPLICIT) if declared else None,
        "mitigated": _mitigated(lines, over, begin),
        "resolved": _resolved(over),
    }
    return {name: one for name, one in found.items() if one is not None}


def reading(line: Line, confidence: float) -> Reading:
    """Return a milestone that is where a line is."""
    entry = line.entry
    doubt = _LESS * (entry.about + (not entry.zoned) + (not entry.at))
    return Reading(
        entry.at, entry.earliest, entry.latest, entry.line, max(0.3, confidence - doubt), entry.text
    )


def between(first: Line, last: Line, said: Line) -> Reading:
    """Return a milestone between two lines, of which ``said`` tells it."""
    low, high = first.entry.earliest, last.entry.latest
    if first.entry.zoned != last.entry.zoned or low > high:
        return reading(said, BOUNDED)
    if low == high:
        return reading(said, LIKELY)
    return Reading(
        None, low, high, said.entry.line, BOUNDED - _LESS * (not said.entry.zoned), said.entry.text
    )


def _explicit_start(lines: Sequence[Line]) -> Line | None:
    for line in lines:
        signs = line.signs
        if signs.started is not None and signs.reported is None and signs.over is None:
            return line
    return None


def _detected(lines: Sequence[Line], start: Line | None) -> tuple[Line | None, Reading | None]:
    """Return the line by which it was known, and the milestone."""
    end = next((x.place for x in lines if x.signs.over is not None and x.signs.detected is None), len(lines))
    begin = start.place if start else 0
    known = [x for x in lines if begin <= x.place <= end and x.signs.detected is not None]
    acting = (
        next((x for x in lines[begin + 1 : end + 1] if x.signs.reacting is not None), None) if start else None
    )
    looking = next((x for x in lines if begin <= x.place <= end and x.signs.investigating is not None), None)
    if looking and known and looking.place < known[0].place:  # what is found later is the cause
        known = []
    if known and not (acting and start and acting.place < known[0].place):
        return known[0], _noticed(lines, known[0], end)
    if acting and start and known:  # somebody acts, so it was known by then
        return acting, between(start, acting, acting)
    if looking is None:
        later = next((x for x in lines[end:] if x.signs.noticed is not None), None)
        return None, reading(later, LIKELY) if later else None  # it ended before anybody knew
    if looking.signs.failing is not None:
        return looking, reading(looking, LIKELY)
    return looking, between(lines[max(looking.place - 1, begin)], looking, looking)


def _by_declaration(
    detected: tuple[Line | None, Reading | None], declared: Line | None
) -> tuple[Line | None, Reading | None]:
    """Nobody declares an incident that nobody knows of: a later alarm is not how it was detected."""
    if declared and detected[0] and declared.place < detected[0].place:
        return declared, reading(declared, LIKELY)
    return detected


def _noticed(lines: Sequence[Line], first: Line, end: int) -> Reading:
    """Whoever answers for the service knew of it: at once, or between a report and their word."""
    signs = first.signs
    own = (
        signs.noticed is not None
        or signs.alerted is not None
        or signs.inside
        or signs.investigating is not None
    )
    if own or not signs.outside:
        return reading(first, CLEAR)
    for line in lines[first.place + 1 : end + 1]:
        answers = line.signs
        if any(
            x is not None for x in (answers.noticed, answers.alerted, answers.investigating, answers.declared)
        ):
            return between(first, line, first)
        if answers.fixing is not None:
            break
    return reading(first, LIKELY)


def _started(
    lines: Sequence[Line], start: Line | None, detected: Line | None, over: Sequence[Line]
) -> Reading | None:
    if start:
        return reading(start, EXPLICIT)
    limit = detected.place if detected else over[0].place if over else len(lines)
    before = lines[: limit + 1]
    symptom = next((x for x in before if x.signs.symptom is not None), None)
    if symptom and (detected is None or symptom.place < detected.place):
        return reading(symptom, CLEAR if symptom.signs.symptom == 0 else LIKELY)
    causing = next(
        (x for x in before[:limit] if x.signs.effect is not None and x.signs.change is not None), None
    )
    return reading(causing, LIKELY) if causing and (detected or over) else None


def _mitigated(lines: Sequence[Line], over: Sequence[Line], begin: int) -> Reading | None:
    stated = next((x for x in over if x.signs.mitigated is not None), None)
    if stated:
        return reading(stated, EXPLICIT)
    first = next((x for x in over), None)
    if first is None:
        return None
    signs = first.signs
    if first.entry.narrative and signs.detected is not None and signs.detected < (signs.over or 0):
        return between(first, lines[min(first.place + 1, len(lines) - 1)], first)
    if signs.fixing is not None and (
        signs.recovered is not None or signs.fully is not None or signs.fixing == signs.resolved
    ):
        return reading(first, CLEAR)
    acts = [
        x for x in lines[begin : first.place]
        if (x.signs.fixing is not None or x.signs.underway is not None) and x.signs.over is None
    ]  # fmt: skip
    if acts and acts[-1].place >= first.place - _NEAR:
        return between(acts[-1], first, first)
    return reading(first, LIKELY) if signs.recovered is not None or signs.fully is not None else None


_NEAR = 4  # lines: what was done long before does not explain why it works now


def _resolved(over: Sequence[Line]) -> Reading | None:
    stated = [x for x in over if x.signs.resolved is not None]
    if stated:
        return reading(stated[-1], CLEAR)
    works = [x for x in over if x.signs.recovered is not None or x.signs.fully is not None]
    if not works:
        return None
    whole = [x for x in works if x.signs.fully is not None]
    if works[-1].signs.fully is not None or len(works) == 1:
        return reading(works[-1], CLEAR if whole else LIKELY)
    return between(whole[-1] if whole else works[0], works[-1], works[-1])


def shifted(one: Reading, *, earliest: datetime | None, latest: datetime | None) -> Reading:
    """Return a milestone as an interval, where its own time contradicts the others."""
    return replace(one, at=None, earliest=earliest, latest=latest, confidence=min(one.confidence, 0.5))
