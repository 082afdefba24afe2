"""Times as people write them: found in a text, with or without date and zone, never completed by guessing.

A day and month in figures alone (03/04/2021) is read only where one of them exceeds 12. Abbreviations of
zones are taken at their word, as fixed offsets ("CET" is +01:00 in July, too), except the two-letter ones of
North America, which mean whatever holds there on that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<![\w.])(?:"
    rf"(?P<y1>(?:19|20)\d\d)[-/.](?P<m1>0?[1-9]|1[0-2])[-/.](?P<d1>{_DAY})(?!\d|\.\d)"
    rf"|(?P<d2>{_DAY})(?:st|nd|rd|th)?\.?[ /-]{{0,2}}(?:of )?(?P<m2>{_MONTH})\b\.?,?(?:[ /-]{{0,2}}(?P<y2>(?:19|20)\d\d)\b)?"
    rf"|(?P<m3>{_MONTH})\b\.?[ -]?(?P<d3>{_DAY})(?:st|nd|rd|th)?\b(?![.:]\d)(?:(?:,? |-)(?P<y3>(?:19|20)\d\d)\b)?"
    rf"|(?P<a4>\d{{1,2}})(?P<sep>[/.])(?P<b4>\d{{1,2}})(?P=sep)(?P<y4>(?:19|20)\d\d)\b"
    rf"|(?<=\[)(?P<m5>0[1-9]|1[0-2])-(?P<d5>0[1-9]|[12]\d|3[01])(?= \d\d?:)"
    rf")",
    re.IGNORECASE,
)
_HALF = r"[aApP]\.?[mM]\b\.?"
_OFFSET = r"(?:UTC|GMT)? ?[+\u2212-](?:1[0-4]|0?\d)(?::?[0-5]\d)?(?![\d:.])"
_NAMED = (
    r"[A-Z]{2,5}|Z|[Uu]tc|[Gg]mt|[A-Z][a-z]+/[A-Z][A-Za-z_]+|Pacific|Eastern|Central European|(?:local )?time"
)
_CLOCK = re.compile(
    rf"(?P<about>~ ?|≈ ?|\b(?:about|around|approximately|approx\.?|roughly|circa|ca\.?) )?"
    rf"(?:(?<![\w:./$#])|(?<=\d[T_])|(?<=\d\dT))"
    rf"(?:(?P<h>[01]?\d|2[0-4])(?:[:h](?P<m>[0-5]\d)(?::(?P<s>[0-5]\d)(?:[.,]\d{{1,9}})?)?(?!\d|:\d|%)(?: ?(?P<half>{_HALF}))?"
    rf"|\.(?P<m3>[0-5]\d) ?(?P<half3>{_HALF})| ?(?P<half2>{_HALF}))"
    rf"|(?P<h4>[01]\d|2[0-3])(?P<m4>[0-5]\d)(?=(?: ?(?:UTC|GMT|Z|hrs|hours|[CE]E?S?T|[PMCE][DS]T)\b))"
    rf"|(?P<word>noon|midnight)\b)"
    rf"(?P<about2>~)?"
    rf"(?: ?(?:hrs|hours|h|o'clock)\b)?(?P<tail>[ ,]?[ ]?\(?(?P<zone>{_OFFSET}|{_NAMED})\)?(?!\w))?",
)
_JOINT = re.compile(r"[\s,]*(?:at|@|-|–|—|:|T|\||around|about|approximately|~|from|between)?[\s~(\[]*")
_JOINT_BACK = re.compile(r"[\s,(\[-]*(?:on|of|,)?\s*(?:the )?(?:(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?,? )?", re.IGNORECASE)  # fmt: skip
_RANGE = re.compile(r"\s*(?:-|–|—|→|->|to|until|till|and|through)\s*~?", re.IGNORECASE)

_DIGIT = re.compile(r"\d")
_ANY = re.compile(r"\d|\bnoon|\bmidnight")
_FAR = 40  # characters: what stands further apart is two times

_HOURS = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "SAST": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "PKT": 5, "IST": 5.5, "ICT": 7, "WIB": 7, "SGT": 8, "HKT": 8, "AWST": 8, "JST": 9,
    "KST": 9, "ACST": 9.5, "AEST": 10, "ACDT": 10.5, "AEDT": 11, "NZST": 12, "NZDT": 13, "PST": -8, "PDT": -7,
    "MST": -7, "MDT": -6, "CST": -6, "CDT": -5, "EST": -5, "EDT": -4, "AKST": -9, "AKDT": -8, "HST": -10,
    "BRT": -3, "ART": -3,
}  # fmt: skip
_REGIONS = {
    "PT": "America/Los_Angeles", "PACIFIC": "America/Los_Angeles", "MT": "America/Denver",
    "CT": "America/Chicago", "ET": "America/New_York", "EASTERN": "America/New_York",
    "CENTRAL EUROPEAN": "Europe/Paris",
}  # fmt: skip
_NUMERIC = re.compile(r"(?:UTC|GMT)? ?([+\u2212-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Day:
    """A date as written; ``year`` may be missing."""

    month: int
    day: int
    year: int | None = None

    def on(self, near: date | None) -> date | None:
        """Return the date: in its own year, or in the one that brings it nearest to ``near``."""
        years = (self.year,) if self.year else (near.year - 1, near.year, near.year + 1) if near else ()
        found = [d for year in years if (d := _date(year, self.month, self.day))]
        return min(found, key=lambda d: abs((d - near).days)) if near and found else next(iter(found), None)


@dataclass(frozen=True, slots=True)
class Mention:
    """A time in a text from ``start`` to ``end``: its parts, each ``None`` where it is not written.

    ``until`` is a range's other end, ``about`` whether it is said to be approximate. ``weekday`` (Monday is 0)
    and ``days_on`` ("the next day") stand in for a date where a line names its day only so.
    """

    start: int
    end: int
    day: Day | None = None
    clock: time | None = None
    zone: tzinfo | None = None
    about: bool = False
    until: Mention | None = None
    weekday: int | None = None
    days_on: int = 0


def zone_of(name: str) -> tzinfo | None:
    """Return a zone by what people call it, or ``None`` for a word that is none."""
    name = name.strip(" ()")
    upper = name.upper()
    if upper in _HOURS:
        return timezone(timedelta(hours=_HOURS[upper]))
    if found := _NUMERIC.fullmatch(name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(offset if found[1] == "+" else -offset)
    key = _REGIONS.get(upper, name if "/" in name else "")
    try:
        return ZoneInfo(key) if key else None
    except (ValueError, OSError, KeyError):
        return None


def days_in(text: str) -> Iterator[tuple[int, int, Day]]:
    """Yield the dates of a text with where they stand."""
    for found in _DATE.finditer(text) if _DIGIT.search(text) else ():
        day = _day(found)
        if day and _date(day.year or 2024, day.month, day.day):
            yield found.start(), found.end(), day


def may_tell_time(text: str) -> bool:
    """Tell quickly whether a text can hold a time at all: most of a document does not."""
    return bool(_ANY.search(text))


def mentions_in(text: str) -> list[Mention]:
    """Return all times of a text in their order, dates joined with the times of day beside them."""
    if not may_tell_time(text):
        return []
    clocks = list(_clocks(text))
    days = [Mention(start, end, day) for start, end, day in days_in(text)]
    return _ranges(text, _joined(text, sorted([*clocks, *days], key=lambda m: m.start)))


def _day(found: re.Match[str]) -> Day | None:
    for n in ("1", "2", "3", "5"):
        month = found[f"m{n}"]
        if month:
            year = found[f"y{n}"] if n != "5" else None
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
            return Day(number, int(found[f"d{n}"]), int(year) if year else None)
    first, second, year = int(found["a4"]), int(found["b4"]), int(found["y4"])
    if found["sep"] == "." or (first > 12 >= second):
        return Day(second, first, year) if 1 <= second <= 12 and first else None
    if second > 12 >= first or first == second:
        return Day(first, second, year) if first else None
    return None


def _clocks(text: str) -> Iterator[Mention]:
    position = 0
    while found := _CLOCK.search(text, position):
        mention = _clock(found)
        yield mention
        position = max(mention.end, found.start() + 1)


def _clock(found: re.Match[str]) -> Mention:
    if found["word"]:
        moment = time(12 if found["word"] == "noon" else 0)
    else:
        hour = int(found["h"] or found["h4"])
        minute = int(found["m"] or found["m3"] or found["m4"] or 0)
        half = (found["half"] or found["half2"] or found["half3"] or "")[:1].lower()
        if (hour > 12 and half) or (hour == 0 and half and not minute) or (hour == 24 and minute):
            half = ""
        hour = {"": hour % 24, "a": hour % 12, "p": hour % 12 + 12}[half]
        moment = time(hour, minute, int(found["s"] or 0))
    written = found["zone"] or ""
    if (
        written[:1] in ("-", "−")
        and not found["s"]
        and found.string[found.start() - 1 : found.start()] != "T"
    ):
        written = ""  # the other end of a range
    zone = zone_of(written) if written else None
    end = found.end() if zone else found.start("tail") if found["tail"] else found.end()
    return Mention(found.start(), end, None, moment, zone, bool(found["about"] or found["about2"]))


def _joined(text: str, parts: list[Mention]) -> Iterator[Mention]:
    waiting: Mention | None = None
    for part in parts:
        if waiting is None:
            waiting = part
            continue
        if part.start < waiting.end:
            continue  # within what was read already
        between = text[waiting.end : min(part.start, waiting.end + _FAR)]
        if waiting.clock is None and part.day is None and _JOINT.fullmatch(between):
            waiting = replace(part, start=waiting.start, day=waiting.day)
        elif waiting.day is None and part.clock is None and _JOINT_BACK.fullmatch(between):
            waiting = replace(waiting, end=part.end, day=part.day)
        else:
            yield waiting
            waiting = part
    if waiting is not None:
        yield waiting


def _ranges(text: str, parts: Iterator[Mention]) -> list[Mention]:
    found: list[Mention] = []
    for part in parts:
        before = found[-1] if found else None
        if (
            before and before.until is None and part.clock and before.clock
            and _RANGE.fullmatch(text[before.end : min(part.start, before.end + _FAR)])
        ):  # fmt: skip
            zone = before.zone or part.zone
            found[-1] = replace(before, end=part.end, until=replace(part, zone=part.zone or zone), zone=zone)
        else:
            found.append(part)
    return found


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
