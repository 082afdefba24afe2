"""Past shifts of a team, from the calendars that its rota exports (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import recurring_ical_events
from icalendar import Calendar

from amends.application.history import Fault, IcalPast, Remark, Told
from amends.application.people import team_name
from amends.events import payloads as p

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class IcalHistory:
    """Reads on-call calendars: each entry is a shift of whom it names, by attendee or else by its summary."""

    source = "/amends/import/ical"

    def __init__(self, past: IcalPast) -> None:
        self._past = past
        self._planned = 0

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``."""
        past = self._past
        for file in past.files:
            yield from self._file(file)
        if past.acknowledged:
            yield Remark("assumed", "whoever was on the rota was there (--acknowledged)")
        elif self._planned:
            yield Remark(
                "note",
                f"{self._planned} shifts were planned and not accepted in the calendar: nobody is known to "
                f"have been "
                "there (--acknowledged, if whoever was on the rota was)",
            )
        yield Remark(
            "note", "freezes and holidays are rules, not history: name them in the policy's window gate"
        )

    def _file(self, file: Path) -> Iterator[Told | Fault]:
        try:
            calendar = Calendar.from_ical(file.read_bytes())
        except OSError as error:
            yield Fault("unreadable", str(file), f"the calendar cannot be read: {error.strerror}")
            return
        except Exception as error:  # ValueError, IndexError, KeyError: whatever the parser stumbles over
            yield Fault(
                "not-a-calendar", f"{file}:1", f"this is not an iCalendar file: {error}"[:200],
                "give a file that begins with BEGIN:VCALENDAR, as calendars export it",
            )  # fmt: skip
            return
        for event in calendar.walk("VEVENT"):
            yield from self._entry(file, calendar, event)

    def _entry(self, file: Path, calendar: Any, event: Any) -> Iterator[Told | Fault]:
        """Expand one entry by itself, so that a broken one costs no other."""
        where = f"{file}: {event.get('UID', 'an entry without UID')}"
        if "RECURRENCE-ID" in event:
            return  # expanded with the entry that it changes
        if _runs_backwards(event):  # the library would turn it round without a word
            yield Fault(
                "time-runs-backwards", where, "it ends no later than it starts; left out", "mend its DTEND"
            )
            return
        alone = Calendar()
        for part in (*calendar.walk("VTIMEZONE"), *_of_one_uid(calendar, event)):
            alone.add_component(part)
        past = self._past
        try:
            begin = past.since or _instant(event["DTSTART"].dt, past.zone) or _BEGINNING
            found = recurring_ical_events.of(alone).between(
                begin - timedelta(days=2), past.until + timedelta(days=2)
            )
        except Exception as error:  # the library raises several kinds, from its own to dateutil's
            yield Fault(
                "broken-entry",
                where,
                f"the entry cannot be followed: {error}"[:200],
                "mend its DTSTART or RRULE",
            )
            return
        for shift in sorted(found, key=lambda one: str(one["DTSTART"].dt)):
            yield from self._shift(where, shift)

    def _shift(self, where: str, shift: Any) -> Iterator[Told | Fault]:
        past = self._past
        starts, ends = _instant(shift.start, past.zone), _instant(shift.end, past.zone)
        if starts is None or ends is None:
            yield Fault(
                "time-without-zone", where, f"found {shift.start}, a time without a zone; left out",
                "give --timezone ZONE",
            )  # fmt: skip
            return
        if str(shift.get("STATUS", "")).upper() == "CANCELLED" or starts > past.until:
            return
        if past.since and ends <= past.since:
            return
        persons = list(_persons(shift))
        if not persons:
            yield Fault(
                "no-person",
                where,
                "neither ATTENDEE nor SUMMARY names anybody; left out",
                "name who is on call",
            )
        for person, accepted in persons:
            self._planned += not (accepted or past.acknowledged)
            payload = p.ShiftAcknowledged(
                team=team_name(past.team), role=past.role, person=person, starts=starts, ends=ends,
                acknowledged=accepted or past.acknowledged,
            )  # fmt: skip
            word = "acknowledged" if payload.acknowledged else "planned"
            key = (payload.team, past.role, person.lower(), starts.isoformat(), word)
            yield Told("shift.acknowledged", payload, key, starts, starts, where)


def _runs_backwards(event: Any) -> bool:
    try:
        return "DTEND" in event and bool(event["DTEND"].dt <= event["DTSTART"].dt)
    except (KeyError, TypeError):  # no start, or a day against a time: the library says so
        return False


def _of_one_uid(calendar: Any, event: Any) -> list[Any]:
    """Return an entry with the single occurrences of it that were changed."""
    uid = str(event.get("UID", ""))
    return [
        one for one in calendar.walk("VEVENT")
        if one is event or (uid and str(one.get("UID", "")) == uid and "RECURRENCE-ID" in one)
    ]  # fmt: skip


def _persons(shift: Any) -> Iterator[tuple[str, bool]]:
    """Yield who has a shift, and whether they accepted it: its attendees, else whom its summary names."""
    attendees = shift.get("ATTENDEE", [])
    for one in attendees if isinstance(attendees, list) else [attendees]:
        address = str(one).lower().removeprefix("mailto:").strip()
        status = str(getattr(one, "params", {}).get("PARTSTAT", "")).upper()
        if address and status != "DECLINED":
            yield address, status == "ACCEPTED"
    if not attendees and (name := str(shift.get("SUMMARY", "")).strip()):
        yield name, False


def _instant(value: Any, zone: Any) -> datetime | None:
    """Return a moment in UTC, or ``None`` for a wall-clock time or day where no zone is given."""
    if isinstance(value, datetime):
        if value.tzinfo is None and zone is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    assert isinstance(value, date)
    return datetime.combine(value, time(), zone).astimezone(UTC) if zone else None
