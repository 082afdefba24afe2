"""What a document says about itself: its title, the day it is about, the zone of its times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from amends.incidents.postmortems.blocks import Block, lines_of
from amends.incidents.postmortems.sections import Part, Sectioned, stated_zone
from amends.incidents.postmortems.times import days_in, mentions_in

_FIELD = re.compile(
    r"\W{0,4}([A-Za-z][A-Za-z /()'-]{1,50}?)\s{0,3}(?::|\||\t|=|–|—| - )\W{0,4}(.{1,400})", re.DOTALL
)
_SEPARATOR = re.compile(r"[:|\t=–—]| - ")
_NAME_ENDS = 62  # characters: no name of a field is longer
_DATE_FIELD = re.compile(
    r"(?:incident |outage |event )?(?:date|when|day)(?:s|\(s\))?(?: of (?:the )?(?:incident|outage|event))?$",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"(?:(?:incident|executive|the)\s)?(?:summary|overview|timeline|impact|root cause|background|introduction|details|description|post-?\s?mortem|incident report|incident review|contents)(?: report)?(?:\s?\(.*\))?",
    re.IGNORECASE,
)
_WRITTEN = re.compile(r"last|modif|updat|publish|creat|writ|review|version|due|report", re.IGNORECASE)
_NAMED = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True, slots=True)
class About:
    """``day`` is the day that bare times belong to; ``day_line`` where it stands, 0 for the file's name."""

    title: str
    title_line: int
    day: date | None
    day_line: int
    zone: tzinfo | None


@dataclass(frozen=True, slots=True)
class Field:
    """A name with a value: ``Start time: 10:00``, or a table's row of two cells."""

    name: str
    value: str
    line: int


def about(parts: Sequence[Sectioned], name: str) -> About:
    """Read what a document, or the part of it that is about one incident, says of itself."""
    title, title_line = _title(parts, name)
    day, line = _day(parts, title, title_line, name)
    return About(title, title_line, day, line, _zone(parts))


def fields_of(block: Block) -> Iterator[Field]:
    """Yield the named values in a block."""
    if block.kind == "row" and len(block.cells) == 2:
        yield Field(block.cells[0].rstrip(":").strip(), block.cells[1], block.line)
    elif block.kind in ("item", "text", "heading"):
        for number, line in lines_of(block):
            if _SEPARATOR.search(line, 0, _NAME_ENDS) and (found := _FIELD.match(line[:500])):
                yield Field(found[1].strip(), found[2].strip(), number)


def _title(parts: Sequence[Sectioned], name: str) -> tuple[str, int]:
    headings = [
        x.block for x in parts[:200]
        if x.block.kind == "heading" and x.block.level < 7 and not _GENERIC.fullmatch(x.block.text.strip())
    ]  # fmt: skip
    best = min(headings, key=lambda b: b.level, default=None)
    if best and best.text:
        return best.text, best.line
    first = next((x.block for x in parts[:1] if x.block.kind == "text" and x.block.text), None)
    if first:
        return first.text.split("\n")[0][:200], first.line
    return name, 0


def _day(parts: Sequence[Sectioned], title: str, title_line: int, name: str) -> tuple[date | None, int]:
    """Return the incident's day: a field says it, or the title, or the timeline's first date, or the prose."""
    for part in parts[:400]:
        for field in fields_of(part.block):
            if _DATE_FIELD.match(field.name) and (day := _first_date(field.value)):
                return day, field.line
    if day := _first_date(title):
        return day, title_line
    timeline = [x.block for x in parts if x.part is Part.TIMELINE]
    prose = [x.block for x in parts if x.part not in (Part.TIMELINE, Part.TALK, Part.ACTIONS)]
    for block in (*timeline, *prose):
        for number, line in lines_of(block) if block.kind != "code" else ():
            if not _WRITTEN.search(line[:60]) and (day := _first_date(line)):
                return day, number
    found = _NAMED.search(name)
    try:
        return (date(int(found[1]), int(found[2]), int(found[3])), 0) if found else (None, 0)
    except ValueError:
        return None, 0


def _first_date(text: str) -> date | None:
    for _, _, day in days_in(text[:2_000]):
        if day.year and (found := day.on(None)):
            return found
    return None


def _zone(parts: Sequence[Sectioned]) -> tzinfo | None:
    """Return the zone that the document names for its times, or the only one that any of its times carries."""
    for part in sorted(parts, key=lambda x: x.part is not Part.TIMELINE):
        block = part.block
        says = block.kind in ("text", "heading", "item") and part.part is not Part.TALK
        if says and (zone := stated_zone(block.text)):
            return zone
    zones: dict[str, tzinfo] = {}
    for part in parts:
        block = part.block
        if part.part not in (Part.TALK, Part.ACTIONS) and block.kind in ("text", "heading", "item", "row"):
            zones |= {str(m.zone): m.zone for m in mentions_in(block.text[:4_000]) if m.zone}
            if len(zones) > 1:
                return None
    return next(iter(zones.values()), None)
