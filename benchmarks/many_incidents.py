"""Measures, search and similar incidents on a log of many made-up incidents.

    .venv/bin/python benchmarks/many_incidents.py [--incidents 10000] [--store postgresql://…]

Each figure is of one process; "first" includes reading the log, later ones do not. The log is made by
``tests/many.py``: six services, about eleven events for each incident.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amends.adapters.search import FullTextIndex
from amends.application.measuring import CaseBook, measure_all
from amends.application.searching import Search
from amends.measures.measure import Scope
from tests.many import tell_many
from tests.story import Story

ASKED = (
    "coupon negative",
    "emoji",
    "INC-77",
    "1.500.1",
    '"sent twice" invoice',
    "valueerror",
    "nothing such",
)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Return how many seconds work takes, and what it gives."""
    began = time.perf_counter()
    given = work()
    return time.perf_counter() - began, given


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--store", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        story = Story(store=asked.store or f"{folder}/log.db")
        end = tell_many(story.log, asked.incidents)
        print(f"{asked.incidents:,} incidents, {story.log.store.last_position():,} events")
        search = Search(story.log, FullTextIndex(Path(folder) / "search.db"))
        print(f"search, first, index built: {timed(search.catch_up)[0]:.1f} s")
        again = Search(story.log, FullTextIndex(Path(folder) / "search.db"))
        print(f"search, another process later: {timed(lambda: again.find('coupon'))[0] * 1000:.0f} ms")
        for words in ASKED:
            times = [timed(lambda words=words: search.find(words))[0] for _ in range(20)]
            print(
                f"  {words!r}: {search.find(words).total:,} found, median "
                f"{statistics.median(times) * 1e3:.1f} ms"
            )
        names = [f"INC-{number}" for number in range(1, asked.incidents, max(1, asked.incidents // 20))]
        times = [timed(lambda name=name: search.similar(name))[0] for name in names]
        print(
            f"similar incidents: median {statistics.median(times) * 1e3:.0f} ms, most "
            f"{max(times) * 1e3:.0f} ms"
        )
        book = CaseBook(story.log)
        print(f"incidents for measures, first: {timed(book.read)[0]:.1f} s")
        print(f"the same again: {timed(book.read)[0] * 1e3:.2f} ms")
        print(f"all nine measures: {timed(lambda: measure_all(book.read(), Scope(end)))[0]:.1f} s")
        story.opened.store.close()


if __name__ == "__main__":
    main()
