"""iCalendar files (RFC 5545): recurring events, exceptions and time zones become intervals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import recurring_ical_events
from icalendar import Calendar

from amends.errors import PolicyError
from amends.gates.gate import Intervals

_TRIAL = timedelta(days=400)


def check_calendar(text: str, path: str) -> None:
    """Raise ``PolicyError`` when a text is no calendar or one of its events cannot be used.

    Every rule is tried over 400 days from its event's start.
    """
    calendar = _parse(text, path)
    for event in calendar.walk("VEVENT"):
        _check_event(event, text, path)
        start = _instant(event["DTSTART"].dt)[0]
        alone = Calendar()
        for zone in calendar.walk("VTIMEZONE"):
            alone.add_component(zone)
        alone.add_component(event)
        try:
            _occurrences(alone, start, start + _TRIAL)
        except Exception as error:  # the library raises several kinds, from its own to dateutil's
            raise _broken(text, path, event, "RRULE", f"its rule cannot be followed: {error}") from None


def expand_calendar(text: str, path: str, start: float, end: float) -> Intervals:
    """Return the stretches of a calendar's events that touch a span, by start.

    Cancelled events are left out. Whole days and floating times come as local times.
    """
    calendar = _parse(text, path)
    low, high = (datetime.fromtimestamp(edge, UTC) for edge in (start, end))
    try:
        events = _occurrences(calendar, low - timedelta(days=2), high + timedelta(days=2))
    except Exception as error:  # as above
        raise PolicyError(
            f"a rule in the calendar cannot be followed: {error}", where=path, remedy="mend the event's RRULE"
        ) from None
    found = []
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        (begin, floats), (finish, _) = _instant(event.start), _instant(event.end)
        found.append((begin.timestamp(), finish.timestamp(), str(event.get("SUMMARY", "")), floats))
    found.sort()
    return Intervals(
        np.array([f[0] for f in found], dtype=np.float64),
        np.array([f[1] for f in found], dtype=np.float64),
        tuple(f[2] for f in found),
        np.array([f[3] for f in found], dtype=np.bool_),
    )


def _parse(text: str, path: str) -> Any:
    try:
        calendar = Calendar.from_ical(text)
    except Exception as error:  # ValueError, IndexError, KeyError: whatever it stumbles over
        raise PolicyError(
            f"this is not an iCalendar file: {str(error) or type(error).__name__}"[:200],
            where=path,
            remedy="give a file that begins with BEGIN:VCALENDAR, as calendars export it",
        ) from None
    if calendar.name != "VCALENDAR":
        raise PolicyError(
            f"this is not an iCalendar file: it begins with {calendar.name}",
            where=path,
            remedy="give a file that begins with BEGIN:VCALENDAR",
        )
    return calendar


def _check_event(event: Any, text: str, path: str) -> None:
    for name, problem in getattr(event, "errors", []):
        raise _broken(text, path, event, str(name or ""), str(problem))
    if "DTSTART" not in event:
        raise _broken(text, path, event, "", "it has no DTSTART")
    for name in ("DTSTART", "DTEND"):
        zone = event[name].params.get("TZID") if name in event else None
        if zone and getattr(event[name].dt, "tzinfo", UTC) is None:
            raise _broken(text, path, event, name, f"its time zone {zone!r} is unknown")
    if "RRULE" in event and not _has_frequency(event["RRULE"]):
        raise _broken(text, path, event, "RRULE", "its rule names no FREQ")
    if not event.start < event.end:
        raise _broken(
            text, path, event, "DTSTART", "it lasts no time: it has no DTEND or one that is not later"
        )


def _has_frequency(rules: Any) -> bool:
    return all("FREQ" in rule for rule in (rules if isinstance(rules, list) else [rules]))


def _occurrences(calendar: Any, start: datetime, end: datetime) -> Any:
    return recurring_ical_events.of(calendar).between(start, end)


def _instant(value: Any) -> tuple[datetime, bool]:
    """Return a moment in UTC and whether it is a wall-clock time without a zone."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC), False) if value.tzinfo else (value.replace(tzinfo=UTC), True)
    assert isinstance(value, date)
    return datetime.combine(value, time(), UTC), True


def _broken(text: str, path: str, event: Any, name: str, problem: str) -> PolicyError:
    uid = str(event.get("UID", ""))
    called = f"event {uid}" if uid else "an event without UID"
    return PolicyError(
        f"{called}: {problem}".rstrip("."),
        where=f"{path}:{_line_of(text, uid, name)}",
        remedy="mend the event in the calendar, or take it out",
    )


def _line_of(text: str, uid: str, name: str) -> int:
    """Return the line of an event's property, or of its beginning, counted from 1."""
    lines = text.splitlines()
    begin = 0
    for number, line in enumerate(lines):
        if line.startswith("BEGIN:VEVENT"):
            begin = number
        if uid and line.startswith("UID") and line.rpartition(":")[2].strip() == uid.rpartition(":")[2]:
            break
    for number in range(begin, len(lines)):
        if name and lines[number].upper().startswith(name.upper()):
            return number + 1
        if lines[number].startswith("END:VEVENT"):
            break
    return begin + 1
