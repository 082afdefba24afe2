"""What the text around the timeline says: named times, windows of impact, durations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from amends.incidents.postmortems.document import About, fields_of
from amends.incidents.postmortems.entries import leading, span_of
from amends.incidents.postmortems.facts import Reading
from amends.incidents.postmortems.sections import Part, Sectioned, sentences
from amends.incidents.postmortems.times import Mention, may_tell_time, mentions_in

_UNIT = r"(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|days?|d)\b"
_NUMBER = r"(?:\d{1,4}(?:[.,]\d{1,2})?[ -]?|(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[ -])"
_SPELT = {
    w: n for n, w in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1)
} | {"a": 1, "an": 1}  # fmt: skip
AMOUNT = re.compile(
    rf"(?P<rough>(?:about|around|approximately|approx\.?|roughly|nearly|almost|just (?:over|under)|over|under|more than|"
    rf"less than|up to|at least|some|circa|ca\.?|~|≈|>|<)\s?)?(?P<all>(?<![\w.,:-]){_NUMBER}{_UNIT}(?:,? (?:and )?{_NUMBER}{_UNIT}){{0,2}})",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"\b({_NUMBER})({_UNIT})", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:up to|at least|at most|(?:at )?max\w*|less than|more than|under|over|within|every|each|minimum)\W*$|[<>]\s*$|\d\s?(?:-|–|to|or)\s?$",
    re.IGNORECASE,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_FIELDS = (
    ("started", re.compile(r"(?:(?:incident|outage|impact|issue|event|disruption|downtime|problem) )?(?:start(?:ed)?|began|begin(?:ning)?|begun|onset)(?: ?(?:time|date|at|ed at|\(utc\)|date/time|of (?:the )?(?:incident|outage|impact)))*$|time of (?:incident|outage|start|failure)$|start of (?:the )?(?:incident|outage|impact)$", re.IGNORECASE)),
    ("detected", re.compile(r"(?:(?:incident|outage|issue|first|time|initially) )?(?:detected|detection|discovered|noticed|first alert|alerted)(?: ?(?:time|date|at|on))*$|time (?:of|detected).*detect\w*$|time of detection$", re.IGNORECASE)),
    ("declared", re.compile(r"(?:incident )?(?:declared|declaration|opened)(?: ?(?:time|date|at|on))*$", re.IGNORECASE)),
    ("mitigated", re.compile(r"(?:(?:incident|outage|issue|impact|time) )?(?:mitigated|mitigation|contained)(?: ?(?:time|date|at|on))*$|time of mitigation$|impact (?:end|ended|end time|over)$", re.IGNORECASE)),
    ("resolved", re.compile(r"(?:(?:incident|outage|issue|event|problem|disruption|downtime|time|service) )?(?:resolved|resolution|end(?:ed)?|fixed|closed|recovered|restored|recovery)(?: ?(?:time|date|at|on|\(utc\)|date/time))*$|time (?:of (?:resolution|recovery|end))$|end of (?:the )?(?:incident|outage)$", re.IGNORECASE)),
)  # fmt: skip
_WINDOW_FIELD = re.compile(
    r"(?:(?:incident|outage|impact|event|total|time|downtime) ?)*(?:duration|window|period|time ?frame|times?)\b",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"\b(?:outages?|unavailable|impact\w*|degrad\w+|down|downtime|errors?|failed|failing|fail\w*|disrupt\w+|affected|incident|unable|interrupt\w+|inaccessible|unresponsive|unreachable|experienced|nobody|no one|"
    r"could not|couldn[\u2019']t|can ?not|can[\u2019']t|offline|slow\w*|elevated|delay\w*|missing|lost|broken)\b",
    re.IGNORECASE,
)
_BEFORE_RANGE = re.compile(
    r"(?:\b(?:from|between|starting at|starting)\s*|[(:]\s*)(?:about |around |approximately |~)?$",
    re.IGNORECASE,
)
_LASTING = re.compile(r"[\s,;(]{0,4}(?:and )?last(?:ing|ed)(?: for)?\s", re.IGNORECASE)
_STATED = (
    ("time to detect", re.compile(r"\btime[ -]to[ -]detect\w*|\bttd\b|\bdetection (?:delay|time)\b|\bdelay (?:in|of|to) detect\w+", re.IGNORECASE)),
    ("time to recover", re.compile(r"\btime[ -]to[ -](?:recover\w*|resol\w+|restor\w+|repair|mitigat\w+|fix)\b|\bttr\b|\bmttr\b|\brecovery time\b", re.IGNORECASE)),
    ("duration", re.compile(r"\b(?:lasted|lasting|(?:total |incident |outage |impact )*duration|downtime|(?:outage|incident|down|unavailable|disruption|degraded|effect) (?:\w+ ){0,3}(?:of|for)|minute (?:period|outage|downtime)|hour (?:period|outage|downtime)|failed\s+for)\b", re.IGNORECASE)),
)  # fmt: skip
_DIGIT = re.compile(r"\d")
_UNITS = ("minute", "hour", "second", "day")
_NEAR = 60  # characters between a duration and what it is the duration of


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when the document says that the harm lasted."""

    first: datetime
    last: datetime
    line: int
    zoned: bool


@dataclass(frozen=True, slots=True)
class Stated:
    """A duration as the document states it, in seconds; ``rough`` if it says "about"."""

    name: str
    seconds: float
    rough: bool
    grain: float
    line: int
    text: str


def field_readings(parts: Sequence[Sectioned], known: About) -> dict[str, Reading]:
    """Return the milestones that the document gives by name ("Start time: 10:00 UTC")."""
    found: dict[str, Reading] = {}
    for part in parts:
        if part.part in (Part.TALK, Part.ACTIONS, Part.LESSONS):
            continue
        for field in fields_of(part.block):
            name = next((name for name, words in _FIELDS if words.match(field.name)), "")
            timed = leading(field.value) if name and name not in found else None
            if timed and (span := _span(timed[0], known.day, known.zone)):
                low, high = span
                at = low if low == high else None
                found[name] = Reading(
                    at, low, high, field.line, 0.95 if at else 0.7, f"{field.name}: {field.value}"
                )
    return found


def windows(parts: Sequence[Sectioned], known: About) -> list[Window]:
    """Return the stretches of time for which the document says that something was wrong."""
    found = []
    for part in parts:
        if part.part not in (Part.TALK, Part.ACTIONS, Part.LESSONS):
            own = [(part.block.text, part.block.line)] if part.block.kind == "heading" else part.sentences
            for sentence, line in own:
                if not may_tell_time(sentence):
                    continue
                found += [w for m in _ranges_of_harm(sentence) if (w := _window(m, line, known))]
                found += _lasting(sentence, line, known)
    return found


def _ranges_of_harm(sentence: str) -> Iterator[Mention]:
    if not (_WINDOW_FIELD.match(sentence) or _WINDOW.search(sentence)):
        return
    for mention in mentions_in(sentence):
        if mention.until and (
            _WINDOW_FIELD.match(sentence)
            or _BEFORE_RANGE.search(sentence[max(0, mention.start - 30) : mention.start])
        ):
            yield mention


def _lasting(sentence: str, line: int, known: About) -> Iterator[Window]:
    """Yield the stretch of "March 17, 13:46 UTC (lasting 2 hours and 28 minutes)"."""
    for mention in mentions_in(sentence) if _LASTING.search(sentence) else ():
        found = _LASTING.match(sentence, mention.end)
        amount = AMOUNT.match(sentence, found.end()) if found else None
        span = _span(mention, known.day, known.zone) if amount and mention.clock else None
        if amount and span and span[0] == span[1]:
            last = span[0] + timedelta(seconds=seconds_of(amount["all"])[0])
            yield Window(span[0], last, line, span[0].tzinfo is not None)


def _window(mention: Mention, line: int, known: About) -> Window | None:
    span = _span(mention, known.day, known.zone)
    if span is None or span[0] == span[1]:
        return None
    return Window(*span, line, span[0].tzinfo is not None)


def _span(mention: Mention, near: date | None, zone: tzinfo | None) -> tuple[datetime, datetime] | None:
    day = mention.day.on(near) if mention.day else near
    return span_of(mention, day, zone) if day else None


def stated_durations(parts: Sequence[Sectioned]) -> list[Stated]:
    """Return the durations of the incident that the document states."""
    found = []
    for sentence, line in sentences(
        parts, *(part for part in Part if part not in (Part.TALK, Part.ACTIONS, Part.TIMELINE))
    ):
        if not (_DIGIT.search(sentence) or any(unit in sentence for unit in _UNITS)):
            continue
        amounts = [x for x in AMOUNT.finditer(sentence) if not _is_bound(sentence, x)]
        for name, words in _STATED if amounts else ():
            hit = words.search(sentence)
            near = next((x for x in amounts if hit and abs(x.start() - hit.end()) < _NEAR), None)
            if near:
                seconds, grain = seconds_of(near["all"])
                found.append(Stated(name, seconds, bool(near["rough"]), grain, line, sentence[:200]))
                break
    return found


def _is_bound(sentence: str, amount: re.Match[str]) -> bool:
    """Tell "up to 16 hours" and "10-30 minutes", which state no duration, from one that is stated."""
    before = sentence[max(0, amount.start("all") - 20) : amount.start("all")]
    return bool(_BOUND.search(before)) and not re.search(r"just (?:over|under)\W*$", before, re.IGNORECASE)


def seconds_of(text: str) -> tuple[float, float]:
    """Return an amount of time in seconds, and its smallest unit."""
    total, grain = 0.0, 86_400.0
    for written, unit in _PIECE.findall(text):
        size, number = _SECONDS[unit[0].lower()], written.strip(" -").lower()
        total += (_SPELT.get(number) or float(number.replace(",", "."))) * size
        grain = min(grain, size)
    return total, grain
