"""Times as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from amends.incidents.postmortems.entries import span_of
from amends.incidents.postmortems.times import mentions_in


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2018-01-04 07:33", "2018-01-04T07:33", ""),
        ("7:01am", "2020-05-05T07:01", ""),
        ("Jan 14, 10:18 AM PST", "2020-01-14T10:18-08:00", ""),
        ("19. April, 11:00", "2020-04-19T11:00", ""),
        ("22:30 UTC (Oct 29)", "2020-10-29T22:30+00:00", ""),
        ("~13:30-13:45", "2020-05-05T13:30", "2020-05-05T13:45"),
        ("from 23:58 to 00:46 UTC", "2020-05-05T23:58+00:00", "2020-05-06T00:46+00:00"),
        ("2025-09-29T16:54:16.154136Z", "2025-09-29T16:54:16+00:00", ""),
        ("2018-01-04T08:03-08:00", "2018-01-04T08:03-08:00", ""),
        ("1430 UTC", "2020-05-05T14:30+00:00", ""),
        ("at 15:44 UTC+1", "2020-05-05T15:44+01:00", ""),
        ("9:00 ET on July 4, 2022", "2022-07-04T09:00-04:00", ""),
        ("13/02/2021 at 10:00", "2021-02-13T10:00", ""),
    ],
)  # fmt: skip
def test_a_time_is_read_as_written(text: str, first: str, last: str) -> None:
    near = date(2020, 5, 5)
    (mention,) = mentions_in(text)
    day = mention.day.on(near) if mention.day else near
    assert day is not None
    low, high = span_of(mention, day, None)
    read = [at.isoformat(timespec="seconds" if at.second else "minutes") for at in (low, high)]
    assert read == [first, last or first]


@pytest.mark.parametrize(
    "text",
    ["1.13 to 1.14", "ratio 3:1", "http://x:8080/", "02/03/2021", "PR #12:30", "99.95%", "version 10.2.1"],
)
def test_what_is_no_time_is_not_read_as_one(text: str) -> None:
    assert mentions_in(text) == []
