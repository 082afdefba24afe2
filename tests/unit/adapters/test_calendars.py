"""iCalendar files and public holidays as intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from amends.adapters.calendars.ical import check_calendar, expand_calendar
from amends.adapters.calendars.public import holiday_intervals, holidays_content
from amends.errors import PolicyError

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(*lines: str, uid: str = "a@shop") -> str:
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


WEEKEND = (
    "DTSTART;TZID=Europe/Berlin:20260306T160000",
    "DTEND;TZID=Europe/Berlin:20260309T080000",
    "RRULE:FREQ=WEEKLY",
    "EXDATE;TZID=Europe/Berlin:20260313T160000",
    "SUMMARY:weekend",
)


def expand(text: str, start: datetime, days: int) -> list[tuple[datetime, datetime, str]]:
    found = expand_calendar(text, "f.ics", start.timestamp(), (start + timedelta(days=days)).timestamp())
    moments = [[datetime.fromtimestamp(t, UTC) for t in edge] for edge in (found.starts, found.ends)]
    return list(zip(*moments, found.labels, strict=True))


def test_a_rule_follows_its_zone_through_a_clock_change_and_keeps_its_exceptions() -> None:
    text = calendar(*WEEKEND)
    check_calendar(text, "f.ics")
    found = expand(text, datetime(2026, 3, 5, tzinfo=UTC), 26)
    local = [(start.astimezone(BERLIN).strftime("%d %H:%M"), end.astimezone(BERLIN).strftime("%d %H:%M"))
             for start, end, _ in found]  # fmt: skip
    assert local == [("06 16:00", "09 08:00"), ("20 16:00", "23 08:00"), ("27 16:00", "30 08:00")]


def test_whole_days_are_local_and_cancelled_events_are_left_out() -> None:
    day = calendar("DTSTART;VALUE=DATE:20260317", "DTEND;VALUE=DATE:20260318")
    start = datetime(2026, 3, 16, tzinfo=UTC).timestamp()
    found = expand_calendar(day, "f.ics", start, start + 3 * 86400)
    assert found.local.tolist() == [True]
    gone = calendar("DTSTART;VALUE=DATE:20260317", "DTEND;VALUE=DATE:20260318", "STATUS:CANCELLED")
    assert len(expand_calendar(gone, "f.ics", start, start + 3 * 86400).starts) == 0


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=XX", 7),
        ("RRULE:FREQ=SOMETIMES", 7),
        ("RRULE:nonsense", 7),
        ("RRULE:FREQ=DAILY;COUNT=many", 7),
    ],
)
def test_a_broken_rule_is_told_with_its_event_and_line(broken: str, line: int) -> None:
    text = calendar("DTSTART:20260306T160000Z", "DTEND:20260306T170000Z", broken)
    with pytest.raises(PolicyError) as caught:
        check_calendar(text, "f.ics")
    assert caught.value.where == f"f.ics:{line}"
    assert "event a@shop" in caught.value.message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("DTSTART:20260306T160000Z",), "lasts no time"),
        (("SUMMARY:never",), "no DTSTART"),
        (
            ("DTSTART;TZID=Nowhere/X:20260306T160000", "DTEND;TZID=Nowhere/X:20260306T170000"),
            "time zone 'Nowhere/X'",
        ),
    ],
)
def test_an_event_that_closes_nothing_is_refused(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        check_calendar(calendar(*lines), "f.ics")


@pytest.mark.parametrize(
    "text", ["", "hello", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nEND:VEVENT\r\n"]
)
def test_what_is_no_calendar_says_so(text: str) -> None:
    with pytest.raises(PolicyError, match="not an iCalendar file"):
        check_calendar(text, "f.ics")


def test_holidays_of_a_subdivision() -> None:
    day = datetime(2026, 3, 8, tzinfo=UTC).timestamp()  # women's day: a holiday in Berlin only
    berlin, bavaria = (holiday_intervals(name, day, day) for name in ("DE/BE", "DE/BY"))
    assert day in berlin.starts
    assert day not in bavaria.starts
    assert np.all(berlin.local)


def test_an_unknown_subdivision_names_those_there_are() -> None:
    with pytest.raises(PolicyError, match=r"allowed: .*BE"):
        holidays_content("DE/XX", "amends.yaml:3")
