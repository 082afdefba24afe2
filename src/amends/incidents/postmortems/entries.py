"""The lines of a timeline: their times made whole from what the document says around them.

A line without a date takes that of the line before it, or the next day where the clock went back by more
than six hours; one that goes back less stays on its day, and the reading says that the times run backwards.
Without a date or zone anywhere they stay without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from amends.incidents.postmortems.blocks import Block, lines_of
from amends.incidents.postmortems.sections import stated_zone
from amends.incidents.postmortems.times import Day, Mention, mentions_in

_LEAD = re.compile(
    r"[\W_]*(?:(?:at|on|by|around|about|approx(?:imately)?|from|between|circa|"
    r"shortly (?:after|before)|just (?:after|before)|"
    r"the|time|date|t|(?:next|following|same) (?:day|morning|afternoon|evening)|"
    r"(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?)\b[\W_]*){0,4}",
    re.IGNORECASE,
)
_NEXT_DAY = re.compile(r"\b(?:next|following) (?:day|morning|afternoon|evening)\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)", re.IGNORECASE)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNKNOWN_TIME = re.compile(r"[ ,T]*\(?(?:[hH]{2}:[mM]{2}|[xX?_-]{2}:[xX?_-]{2}|\?{2,3})\)?(?= |\||:|$)")
_AFTER_DATE = re.compile(r"\s*(?:$|[:|)\]–—-]|,? (?:\w+day)?$)")
_TRIM = " \t|:;,.-–—)]*~>→"
_STATUS = re.compile(
    r"(?:resolved|monitoring|identified|investigating|update|completed|in progress)\b", re.IGNORECASE
)
_TIME_COLUMN = re.compile(r"time|when|date|utc|gmt|\b[cpem][es]?[dst]t?\b|^at$", re.IGNORECASE)
_LOOKS_LIKE = 7  # the level of a line that only looks like a heading
_BACK = timedelta(hours=6)
_DAYS_AHEAD = 3  # a weekday further on is more likely a slip
_LEADING = 160  # characters in which a line's time stands
_PAGE_WIDTH = 120  # characters
LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Raw:
    """A line of a timeline as written. ``day`` comes from a heading or line above, ``zone`` from a column."""

    mention: Mention
    text: str
    line: int
    day: Day | None = None
    zone: tzinfo | None = None
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a timeline with its time: ``earliest`` equals ``latest`` where it is a moment.

    Both are without a zone where no zone is known (``zoned``). ``dated`` is whether the line itself, or a
    heading, gives its date. ``about`` is whether the time is said to be approximate.
    """

    earliest: datetime
    latest: datetime
    text: str
    line: int
    dated: bool
    zoned: bool
    about: bool = False
    whole_day: bool = False
    narrative: bool = False

    @property
    def at(self) -> datetime | None:
        return self.earliest if self.earliest == self.latest else None


@dataclass(slots=True)
class _Gathering:
    found: list[Raw] = field(default_factory=list)
    day: Day | None = None
    entry_level: int = 0
    open: bool = False

    def start(self, raw: Raw) -> None:
        self.found.append(raw)
        self.open = True

    def more(self, text: str, *, wrapped: bool = False) -> None:
        """Add to the open entry, to its last line if that was ``wrapped``; what nobody would read is cut.

        A line longer than a page is wide was not broken for its width: what follows it stands by itself.
        """
        if self.open and self.found and len(self.found[-1].text) < LONGEST_TEXT:
            last = self.found[-1]
            same = wrapped and len(last.text) - last.text.rfind("\n") <= _PAGE_WIDTH
            longer = f"{last.text}{' ' if same else chr(10)}{text}".strip()
            self.found[-1] = replace(last, text=longer[:LONGEST_TEXT])


def leading(text: str) -> tuple[Mention, str] | None:
    """Return the time that a line begins with, and the rest of the line; ``None`` if it begins otherwise."""
    head = text[:_LEADING]
    mentions = mentions_in(head)
    if not mentions or not _LEAD.fullmatch(head[: mentions[0].start]):
        return None
    mention = _with_day_named(mentions[0], head[: mentions[0].start])
    rest = text[mention.end :]
    if mention.clock is None:
        rest = _UNKNOWN_TIME.sub("", rest[:40], count=1) + rest[40:] if _UNKNOWN_TIME.match(rest) else rest
    if mention.clock is None and not _AFTER_DATE.match(rest[:40]):
        return None
    return mention, rest.lstrip(_TRIM + "\n").rstrip()


def _with_day_named(mention: Mention, before: str) -> Mention:
    """Add the day that words in front of a time name: "Tuesday, 10:00", "The next morning at 7:45"."""
    if mention.day is not None:
        return mention
    named = _WEEKDAY.search(before)
    return replace(
        mention,
        weekday=_WEEKDAYS.index(named[1].lower()) if named else None,
        days_on=int(bool(_NEXT_DAY.search(before))),
    )


def raw_entries(blocks: Iterable[Block]) -> list[Raw]:
    """Return the timed lines among blocks, in their order: table rows, items, headings, paragraphs' lines."""
    state = _Gathering()
    for block in blocks:
        if block.kind == "heading":
            _heading(state, block)
        elif block.kind == "row":
            _row(state, block)
        elif block.kind in ("item", "text"):
            _lines(state, block)
        elif block.kind == "quote" and state.open:
            state.more(block.text)
    return state.found


def _heading(state: _Gathering, block: Block) -> None:
    if block.level <= state.entry_level:
        state.day = None if block.level < state.entry_level else state.day
    found = leading(block.text)
    if found and found[0].clock:
        state.entry_level = block.level
        state.start(Raw(found[0], found[1], block.line, state.day, heading=True))
        return
    if block.level == _LOOKS_LIKE and state.open:
        state.more(block.text)
        return
    state.open = False
    days = [m.day for m in mentions_in(block.text) if m.day]
    if days:
        state.day = days[0]


def _row(state: _Gathering, block: Block) -> None:
    state.open = False
    cells = block.cells
    place, found = next(((n, f) for n in _time_columns(block) if (f := leading(cells[n]))), (0, None))
    if found is None:
        return
    mention, rest = found
    used = {place}
    beside = leading(cells[place + 1]) if mention.clock is None and place + 1 < len(cells) else None
    if beside and beside[0].clock and not beside[1]:
        mention = replace(beside[0], day=mention.day)
        used.add(place + 1)
    header = [block.header[n] for n in used if n < len(block.header)]
    zone = next((zone for cell in header if (zone := stated_zone(f"time {cell}"))), None)
    others = [cell for n, cell in enumerate(cells) if n not in used and cell]
    text = " | ".join([*([rest] if rest else []), *others])
    if text:
        state.found.append(Raw(mention, text, block.line, state.day, zone))


def _time_columns(block: Block) -> list[int]:
    named = [n for n, cell in enumerate(block.header) if _TIME_COLUMN.search(cell) and n < len(block.cells)]
    return list(dict.fromkeys([*named, *range(min(2, len(block.cells)))]))


def _lines(state: _Gathering, block: Block) -> None:
    if block.kind == "item" and block.level == 0 and not (state.found and state.found[-1].heading):
        state.open = False
    if status := _status_update(block):
        state.start(status)
        return
    for number, line in lines_of(block):
        found = leading(line)
        if found is None:
            state.more(line, wrapped=number > block.line)
        elif found[0].clock is None and not found[1]:
            state.day, state.open = found[0].day, False
        elif state.open and state.found[-1].heading and found[0].clock is None:
            state.more(line, wrapped=number > block.line)
        else:
            state.start(Raw(found[0], found[1], number, state.day))


def tells_times(block: Block) -> bool:
    """Tell a paragraph that lists times, one a line, from one that tells a story."""
    lines = [line for _, line in lines_of(block)]
    return len(lines) > 2 and 2 * sum(leading(line) is not None for line in lines) > len(lines)


def tells_status(block: Block) -> bool:
    """Tell an update of a status page from other text."""
    return _status_update(block) is not None


def _status_update(block: Block) -> Raw | None:
    """Read an update as status pages show it: its word first, its time last."""
    if not _STATUS.match(block.text) or len(block.text) > LONGEST_TEXT:
        return None
    mentions = [m for m in mentions_in(block.text) if m.day and m.clock]
    if len(mentions) != 1 or block.text[mentions[0].end :].strip(" .)\n"):
        return None
    text = re.sub(r"\s*\b(?:posted|on)\s*$", "", block.text[: mentions[0].start], flags=re.IGNORECASE)
    return Raw(mentions[0], " ".join(text.split()), block.line)


def dated_entries(raws: Sequence[Raw], near: date | None, zone: tzinfo | None) -> list[Entry]:
    """Return entries with whole times, oldest first if the document lists the newest first.

    ``near`` is the day that the document is about, ``zone`` what its bare times mean. Lines for which no
    date is known are left out.
    """
    if not zone:
        zones = {str(raw.mention.zone or raw.zone): raw.mention.zone or raw.zone for raw in raws}
        zones.pop("None", None)
        zone = next(iter(zones.values())) if len(zones) == 1 else None
    found = list(_dated(raws, near, zone))
    backwards = sum(b.earliest < a.earliest for a, b in _comparable(found))
    if len(found) > 2 and backwards > 0.7 * (len(found) - 1):
        found.reverse()
    return found


def _comparable(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    return ((a, b) for a, b in pairwise(entries) if a.zoned == b.zoned)


def _dated(raws: Sequence[Raw], near: date | None, zone: tzinfo | None) -> Iterator[Entry]:
    current, before, context = near, None, None
    for raw in raws:
        mention = raw.mention
        stated = mention.day or (raw.day if raw.day != context or before is None else None)
        context = raw.day
        day = stated.on(current) if stated else current
        if day is None:
            continue
        clock = mention.clock
        named = _day_named(mention, current) if not stated and current else None
        if named:
            day = named
        elif not stated and before and clock and current:
            gone_back = datetime.combine(current, before) - datetime.combine(current, clock)
            day = current + timedelta(days=1) if gone_back > _BACK else current
        current, before = day, clock or before
        yield _entry(raw, day, bool(stated), mention.zone or raw.zone or zone)


def _day_named(mention: Mention, current: date) -> date | None:
    """Return the day that a line names by "next day", or by its weekday: that day, or the one after it."""
    if mention.days_on:
        return current + timedelta(days=mention.days_on)
    if mention.weekday is None:
        return None
    ahead = (mention.weekday - current.weekday()) % 7
    return current + timedelta(days=ahead) if ahead <= _DAYS_AHEAD else None


def _entry(raw: Raw, day: date, dated: bool, zone: tzinfo | None) -> Entry:
    earliest, latest = span_of(raw.mention, day, zone)
    text = raw.text
    narrative = raw.heading and text.count("\n") + text.count(". ") >= 2
    return Entry(
        earliest, latest, text, raw.line, dated, zone is not None, raw.mention.about,
        raw.mention.clock is None, narrative,
    )  # fmt: skip


def span_of(mention: Mention, day: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """Return a mention's first and last moment, on ``day``: the same for a moment, a day for a bare date."""
    zone = mention.zone or zone
    if mention.clock is None:
        return datetime.combine(day, time(0), zone), datetime.combine(day, time(23, 59, 59), zone)
    first = datetime.combine(day, mention.clock, zone)
    if mention.until is None or mention.until.clock is None:
        return first, first
    last_day = (mention.until.day.on(day) if mention.until.day else None) or day
    last = datetime.combine(last_day, mention.until.clock, mention.until.zone or zone)
    return first, last if last >= first else last + timedelta(days=1)
