"""A long timeline in pages: each line on exactly one, and the page on which things turned easy to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amends.incidents.timeline import Knowledge, Line

LINES_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some lines of a timeline. Pages are numbered from 1.

    ``first`` is the number of its first line, ``total`` how many lines there are on all ``pages``. ``turn``
    is the page of the rollback or, without one, of the detection; 0 where neither is recorded.
    """

    lines: tuple[Line, ...]
    number: int
    pages: int
    first: int
    total: int
    turn: int

    @property
    def last(self) -> int:
        """The number of its last line."""
        return self.first + len(self.lines) - 1


def timeline_page(lines: Sequence[Line], number: int, *, size: int = LINES_A_PAGE) -> TimelinePage:
    """Return one page of a timeline; a number that is too small or too large gives the nearest page."""
    pages = max(1, -(-len(lines) // size))
    number = min(max(number, 1), pages)
    start = (number - 1) * size
    after = next((n for n, line in enumerate(lines) if line.knowledge is Knowledge.AFTER), 0)
    turn = (after - 1) // size + 1 if after else 0
    return TimelinePage(tuple(lines[start : start + size]), number, pages, start + 1, len(lines), turn)
