from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amends.adapters.clocks import AcceleratedClock, StillClock
from amends.errors import UsageError

MARCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_an_accelerated_clock_begins_where_it_is_told(tmp_path: Path) -> None:
    clock = AcceleratedClock.start(tmp_path / "clock", at=MARCH, factor=1.0)
    assert MARCH <= clock.now() < MARCH + timedelta(minutes=1)


def test_changing_the_pace_never_moves_the_time_backwards(tmp_path: Path) -> None:
    clock = AcceleratedClock.start(tmp_path / "clock", at=MARCH, factor=100_000)
    before = clock.now()
    clock.set_pace(1)
    assert clock.now() >= before


def test_another_process_sees_the_new_pace(tmp_path: Path) -> None:
    clock = AcceleratedClock.start(tmp_path / "clock", at=MARCH)
    other = AcceleratedClock(tmp_path / "clock")
    clock.set_pace(1_000_000)
    other.wait(86_400)
    assert other.now() >= MARCH + timedelta(days=1)


@pytest.mark.parametrize("text", ["", "{}", '{"started": "x", "origin": "y", "factor": 1}'])
def test_a_file_that_holds_no_clock_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock").write_text(text)
    with pytest.raises(UsageError, match="holds no clock"):
        AcceleratedClock(tmp_path / "clock")


def test_a_still_clock_moves_only_when_told() -> None:
    clock = StillClock(MARCH)
    clock.wait(60)
    assert clock.now() == MARCH + timedelta(minutes=1)
