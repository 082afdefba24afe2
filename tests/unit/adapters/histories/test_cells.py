"""Cells are read as they are written, and what is ambiguous is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from amends.adapters.histories.cells import CellError, read_count, read_text, read_time, read_truth

MOMENT = datetime(2026, 3, 20, 14, 27, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-20T14:27:05Z",
        "2026-03-20 14:27:05+00:00",
        "2026-03-20 14:27:05+00",
        "2026-03-20 14:27:05 UTC",
        "2026-03-20 15:27:05 +0100",
        "2026-03-20T15:27:05[Europe/Berlin]",
        "2026-03-20 15:27:05 Europe/Berlin",
        "2026-03-20T15:27:05+01:00[Europe/Berlin]",
        "Fri, 20 Mar 2026 14:27:05 +0000",
        "1774016825",
        "1774016825000",
        "1774016825000000",
        "1774016825.0",
        "2026-03-20T14:27:05.000000000Z",
    ],
)
def test_a_moment_is_read_however_it_is_written(text: str) -> None:
    assert read_time(text, None) == MOMENT


def test_a_time_without_a_zone_is_refused_unless_one_was_named() -> None:
    for text in ("2026-03-20T15:27:05", "2026-03-20 15:27:05", "2026-03-20"):
        with pytest.raises(CellError) as error:
            read_time(text, None)
        assert error.value.fault == "time-without-zone"
    assert read_time("2026-03-20 15:27:05", ZoneInfo("Europe/Berlin")) == MOMENT
    assert read_time("2026-03-20", ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 19, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-03-20 14:27:05 EST", "2026-03-20 14:27:05 Mars/Olympus", "2026-03-20 14:27:05 IST"]
)
def test_a_zone_that_is_unknown_or_means_several_is_refused(text: str) -> None:
    with pytest.raises(CellError) as error:
        read_time(text, UTC)
    assert error.value.fault == "unknown-time-zone"


@pytest.mark.parametrize("text", ["yesterday", "20/03/2026 14:27", "2026-13-01T00:00:00Z", "Q1 2026"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CellError) as error:
        read_time(text, UTC)
    assert error.value.fault == "not-a-time"


def test_truth_numbers_and_nothing() -> None:
    assert [read_truth(word) for word in ("TRUE", "1", "yes", "passed", "0", "No", "failure")] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip
    assert [read_count(text) for text in ("0", "12", "3.0")] == [0, 12, 3]
    assert [read_text(cell) for cell in (None, " ", "NULL", "NaN", "N/A", " x ")] == ["", "", "", "", "", "x"]
    for read, text in ((read_truth, "maybe"), (read_count, "-1"), (read_count, "2.5"), (read_count, "many")):
        with pytest.raises(CellError):
            read(text)
