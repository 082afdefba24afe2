"""The window gate by example, clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from amends.gates.window import Window, parse_days
from tests.unit.gates.record import NOW, ask, intervals

OFFICE = {"window": {"days": ["mon..thu"], "hours": "09:00-16:00", "time_zone": "Europe/Berlin"}}
FROZEN = {"window": {**OFFICE["window"], "freezes": "freezes.ics"}}


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (at(18, 8), None),  # Wednesday, 09:00 in Berlin: the window has just opened
        (at(18, 14, 59), None),
        (at(18, 15), at(19, 8)),  # 16:00: closed, opens on Thursday
        (at(19, 15), at(23, 8)),  # Thursday evening: opens on Monday
        (at(27, 12), at(30, 7)),  # Friday before summer time: 09:00 in Berlin is then 07:00 UTC
    ],
)
def test_open_or_when_it_opens(moment: datetime, opens: datetime | None) -> None:
    row = ask(OFFICE, at=moment)
    assert (row.decision, row.until) == ("undecided" if opens else "pass", opens)


def test_hours_may_run_into_the_next_day() -> None:
    night = {"window": {"days": ["fri"], "hours": "22:00-04:00"}}
    assert ask(night, at=at(21, 3)).decision == "pass"  # Saturday morning belongs to Friday's window
    assert ask(night, at=at(20, 3)).decision == "undecided"


def test_a_freeze_is_named_and_waited_for() -> None:
    freeze = intervals((at(17, 0), at(20, 0), "spring sale"))
    row = ask(FROZEN, calendars={"file:freezes.ics": freeze})
    assert row.decision == "undecided"
    assert "in the freeze 'spring sale'" in row.reason
    assert row.until == at(23, 8)


def test_a_local_day_is_closed_in_the_gates_own_zone() -> None:
    entry = {"window": {"time_zone": "Europe/Berlin", "holidays": {"country": "DE"}}}
    day = {"holidays:DE": intervals((at(18, 0), at(19, 0), "a holiday"), local=True)}
    assert ask(entry, at=at(17, 22, 59), calendars=day).decision == "pass"
    row = ask(entry, at=at(17, 23), calendars=day)
    assert (row.decision, row.until) == ("undecided", at(18, 23))


def test_a_freeze_without_an_end_in_sight_says_so() -> None:
    forever = intervals((at(1, 0), datetime(2030, 1, 1, tzinfo=UTC), "for good"))
    row = ask(FROZEN, calendars={"file:freezes.ics": forever})
    assert (row.decision, row.until) == ("undecided", None)
    assert "no opening within 400 days" in row.reason


def test_overlapping_freezes_do_not_open_a_gap() -> None:
    two = intervals((at(17, 0), at(24, 9), "a"), (at(18, 0), at(19, 0), "b"))
    assert ask(FROZEN, calendars={"file:freezes.ics": two}).until == at(24, 9)


def test_a_calendar_that_was_not_read_is_an_error() -> None:
    assert ask(FROZEN, at=NOW).decision == "error"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("days", [], "never opens"),
        ("days", ["mon..xyz"], "is no day"),
        ("hours", "09:00-09:00", "never opens"),
        ("hours", "9-17", "09:00-16:00"),
        ("hours", "09:00-25:00", "no day has"),
        ("time_zone", "Berlin", "is no time zone"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(field: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Window.model_validate({field: value})


def test_a_range_of_days_may_run_over_the_weekend() -> None:
    assert parse_days(["sat..mon"]) == ["mon", "sat", "sun"]
