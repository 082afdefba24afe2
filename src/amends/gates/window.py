"""The window gate: allowed weekdays and hours, outside freezes and public holidays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from amends.gates.gate import ERROR, PASS, UNDECIDED, Gate, GateColumn, Intervals, Setting, no_time
from amends.gates.shape import Strict
from amends.gates.stretches import joined, labelled, without
from amends.gates.table import Bools, EvidenceTable, Floats, Ints

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 400 * 86400.0  # over a year, so that yearly freezes are seen through to the next opening
_HOURS = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")


def parse_days(value: Any) -> list[str]:
    """Return the days of ``[mon..thu, sat]``. Raises ``ValueError`` naming what is not a day."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list):
        raise ValueError(f"days are a list such as [mon..thu]; allowed: {', '.join(DAYS)}")
    found: list[str] = []
    for word in words:
        ends = [end.strip().lower()[:3] for end in str(word).split("..")]
        if len(ends) > 2 or any(end not in DAYS for end in ends):
            raise ValueError(f"{word!r} is no day and no range such as mon..thu; allowed: {', '.join(DAYS)}")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        length = (last - first) % 7 + 1
        found += [DAYS[(first + step) % 7] for step in range(length)]
    return [day for day in DAYS if day in found]


def parse_hours(text: str) -> tuple[int, int]:
    """Return the minutes after midnight of ``09:00-16:00``; past 24 h when it runs into the next day.

    Raises ``ValueError``.
    """
    match = _HOURS.fullmatch(text.replace(" ", ""))
    if not match:
        raise ValueError('hours are written "09:00-16:00", quoted')
    first, second = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    if first >= 1440 or second > 1440 or int(match[2]) > 59 or int(match[4]) > 59:
        raise ValueError(f"{text!r} names a time that no day has; hours run from 00:00 to 24:00")
    if first == second:
        raise ValueError(f"the window {text!r} never opens: it ends when it begins")
    return first, second if second > first else second + 1440


def _check_hours(value: Any) -> Any:
    if isinstance(value, str):
        parse_hours(value)
    return value


def _check_zone(value: Any) -> Any:
    try:
        ZoneInfo(value)
    except Exception:  # zoneinfo raises several kinds, among them OSError for odd names
        raise ValueError(f"{value!r} is no time zone; give an IANA name such as Europe/Berlin") from None
    return value


Days = Annotated[
    list[str],
    BeforeValidator(parse_days),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "pattern": r"^[A-Za-z]+(\.\.[A-Za-z]+)?$"},
            "examples": [["mon..thu"]],
        }
    ),
]
Hours = Annotated[str, BeforeValidator(_check_hours), Field(pattern=r"^\s*\d{2}:\d{2}\s*-\s*\d{2}:\d{2}\s*$")]
Zone = Annotated[str, BeforeValidator(_check_zone)]


class Holidays(Strict):
    """Public holidays of a country (ISO 3166-1) and, if set, a subdivision (ISO 3166-2, without country)."""

    country: str = Field(min_length=2)
    subdivision: str = ""

    @property
    def key(self) -> str:
        return f"holidays:{self.country}" + (f"/{self.subdivision}" if self.subdivision else "")


class Window(Gate):
    """Releases go out at allowed times only.

    A closed window, a freeze or a public holiday is *undecided*, not blocked: nothing is wrong with the
    release, and ``until`` says when the window opens next. Hours are local time in ``time_zone``, their end
    is excluded; hours that end before they begin run into the next day, and belong to the day on which they
    begin. Holidays are whole local days.
    """

    days: Days = Field(default_factory=lambda: list(DAYS), description="weekdays, for example [mon..thu]")
    hours: Hours = Field(default="00:00-24:00", description='local time, for example "09:00-16:00"')
    time_zone: Zone = Field(default="UTC", description="an IANA name, for example Europe/Berlin")
    freezes: str = Field(default="", description="an iCalendar file, relative to amends.yaml")
    holidays: Holidays | None = None

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if not self.days:
            raise ValueError(f"the window never opens: `days` is empty; allowed: {', '.join(DAYS)}")
        return self

    def wants(self) -> str:
        """Say what the gate asks for."""
        days = "any day" if len(self.days) == 7 else ", ".join(self.days)
        hours = "" if self.hours == "00:00-24:00" else f" {self.hours}"
        outside = [name for name, on in (("freezes", self.freezes), ("public holidays", self.holidays)) if on]
        return f"{days}{hours} {self.time_zone}" + (f", outside {' and '.join(outside)}" if outside else "")

    def calendar_keys(self) -> tuple[str, ...]:
        """Return the keys of its freezes and holidays."""
        freezes = (f"file:{self.freezes}",) if self.freezes else ()
        return freezes + ((self.holidays.key,) if self.holidays else ())

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return ()

    def decide(self, table: EvidenceTable, setting: Setting, /) -> GateColumn:
        """Answer every row by where its moment falls among the open stretches."""
        missing = [key for key in self.calendar_keys() if key not in setting.calendars]
        if missing:
            return unread(table, missing[0])
        if not len(table):
            return GateColumn(np.zeros(0, dtype=np.int8), lambda _: "", lambda _: (), no_time(table))
        closures = self._closures(setting)
        open_ = without(self._allowed(table.at), closures)
        inside, until = _placed(table, open_)
        decision = np.where(inside, np.int8(PASS), np.int8(UNDECIDED))
        return GateColumn(
            decision,
            lambda row: self._reason(float(table.at[row]), bool(inside[row]), float(until[row]), closures),
            lambda _: (),
            until,
        )

    def openings(self, since: float, setting: Setting) -> Intervals:
        """Return the stretches in which the window is open, from a moment to ``LOOK_AHEAD`` beyond it."""
        open_ = without(self._allowed(np.array([since])), self._closures(setting))
        later = (open_.ends > since) & (open_.starts < since + LOOK_AHEAD)
        return Intervals(np.maximum(open_.starts[later], since), open_.ends[later])

    def _allowed(self, at: Floats) -> Intervals:
        """Return the stretches that days and hours allow, from before the first moment to past the last."""
        zone = ZoneInfo(self.time_zone)
        day = datetime.fromtimestamp(float(at.min()), zone).date() - timedelta(days=2)
        end = datetime.fromtimestamp(float(at.max()) + LOOK_AHEAD, zone).date()
        return _allowed_between(day, end, tuple(self.days), self.hours, self.time_zone)

    def _closures(self, setting: Setting) -> Intervals:
        zone = ZoneInfo(self.time_zone)
        parts: list[tuple[float, float, str]] = []
        for key in self.calendar_keys():
            kind = "freeze" if key.startswith("file:") else "public holiday"
            parts += labelled(setting.calendars[key], kind, zone)
        parts.sort()
        return Intervals(
            np.array([p[0] for p in parts], dtype=np.float64),
            np.array([p[1] for p in parts], dtype=np.float64),
            tuple(p[2] for p in parts),
        )

    def _reason(self, at: float, inside: bool, until: float, closures: Intervals) -> str:
        zone = ZoneInfo(self.time_zone)
        now = spoken(at, zone)
        if inside:
            return f"{now} is inside the window; required: {self.wants()}"
        covering = np.flatnonzero((closures.starts <= at) & (at < closures.ends))
        why = f"in the {closures.labels[int(covering[0])]}" if len(covering) else "outside the window"
        opens = "no opening within 400 days" if np.isnan(until) else f"opens {spoken(until, zone)}"
        return f"{now} is {why}; {opens}; required: {self.wants()}"


@lru_cache(maxsize=64)  # a policy asks for the same stretches at each decision of a day
def _allowed_between(day: date, end: date, days: tuple[str, ...], hours: str, time_zone: str) -> Intervals:
    first, last = parse_hours(hours)
    zone = ZoneInfo(time_zone)
    stretches: list[tuple[float, float]] = []
    while day <= end:
        if DAYS[day.weekday()] in days:
            midnight = datetime.combine(day, time())
            opens, closes = (
                (midnight + timedelta(minutes=minutes)).replace(tzinfo=zone).timestamp()
                for minutes in (first, last)
            )
            if closes > opens:  # a clock put forward may swallow a short window
                stretches.append((opens, closes))
        day += timedelta(days=1)
    return joined(stretches)


def spoken(epoch: float, zone: ZoneInfo) -> str:
    """Write a time as people of a zone read it: ``Wed 2026-03-18 13:00 CET``."""
    return datetime.fromtimestamp(epoch, zone).strftime("%a %Y-%m-%d %H:%M %Z")


def unread(table: EvidenceTable, key: str) -> GateColumn:
    """Answer that a calendar which the gate needs is not there."""
    return GateColumn(
        np.full(len(table), ERROR, dtype=np.int8),
        lambda _: f"the calendar {key.split(':', 1)[1]} was not read",
        lambda _: (),
        no_time(table),
    )


def _placed(table: EvidenceTable, open_: Intervals) -> tuple[Bools, Floats]:
    """Return for each row whether its moment is in an open stretch, and else when the next one begins.

    The few edges are looked up among the sorted moments, not the many moments among the edges.
    """
    order = table.once("order of moments", lambda: _order_of(table.at))
    at = table.at if order is None else table.once("moments in order", lambda: table.at[order])
    begins = np.searchsorted(at, open_.starts, side="left")
    ends = np.searchsorted(at, open_.ends, side="left")
    edges = np.stack([begins, ends], axis=1).ravel()
    lengths = np.diff(edges, prepend=0, append=len(at))  # closed, open, closed, …
    coming = np.full(len(lengths), np.nan)
    coming[:-1:2] = open_.starts
    inside = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    until = np.repeat(coming, lengths)
    if order is None:
        return inside, until
    placed, awaited = np.empty_like(inside), np.empty_like(until)
    placed[order], awaited[order] = inside, until
    return placed, awaited


def _order_of(at: Floats) -> Ints | None:
    """Return the rows by their moments; ``None`` where they are in that order."""
    return None if bool((at[1:] >= at[:-1]).all()) else np.argsort(at, kind="stable")
