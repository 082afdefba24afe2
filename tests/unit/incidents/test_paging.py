"""A long timeline is shown in pages: nothing is lost, nothing twice, and a page stays short."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amends.incidents.paging import LINES_A_PAGE, timeline_page
from amends.incidents.timeline import Knowledge, Line
from tests.escapes import BEGAN


def lines(count: int, *, before: int = 0) -> list[Line]:
    return [
        Line(BEGAN + timedelta(seconds=n), f"line {n}", f"e{n}", "note.taken",
             Knowledge.THEN if n < before else Knowledge.AFTER, None)
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, LINES_A_PAGE, LINES_A_PAGE + 1, 10_000])
def test_every_line_is_on_exactly_one_page(count: int) -> None:
    whole = lines(count)
    first = timeline_page(whole, 1)
    pages = [timeline_page(whole, number) for number in range(1, first.pages + 1)]
    assert [line for one in pages for line in one.lines] == whole
    assert all(len(one.lines) <= LINES_A_PAGE for one in pages)
    assert pages[-1].last == count


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (2, 2), (99, 3)])
def test_a_page_that_is_not_there_gives_the_nearest(asked: int, given: int) -> None:
    assert timeline_page(lines(25), asked, size=10).number == given


def test_the_page_on_which_it_turned_is_named() -> None:
    assert timeline_page(lines(25, before=10), 1, size=10).turn == 1
    assert timeline_page(lines(25, before=11), 1, size=10).turn == 2
    assert timeline_page([], 1).turn == 0
