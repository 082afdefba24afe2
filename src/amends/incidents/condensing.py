"""A timeline made shorter: runs of the same automatic entry become one line that cites them all.

What people wrote, decided or moved always keeps its own line, and so does what was learned at another time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from amends.incidents.timeline import Knowledge, Line
from amends.incidents.wording import say_time

SHORTEST = 3
"""Fewer lines of a kind in a row are shown one by one."""
_COUNTED: Mapping[str, str] = {
    "watch.assessed": "looks of the watch", "failure.captured": "failures captured",
    "testsuiterun.finished": "suite runs", "gates.decided": "answers of the gates",
    "exercise.recorded": "records of what suites exercised", "actuation.intended": "orders given",
    "actuation.done": "orders carried out", "change.merged": "changes merged",
    "change.reviewed": "reviews of changes", "policy.adopted": "policies first used",
    "replay.finished": "replays", "edgecase.documented": "edge cases documented",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """One line of a condensed timeline. ``events`` are all that it cites, oldest first.

    ``text`` holds the span where it stands for several lines.
    """

    at: datetime
    text: str
    events: tuple[str, ...]
    knowledge: Knowledge


def condense(lines: Iterable[Line], *, full: bool = False) -> list[Stretch]:
    """Return a timeline with its runs of automatic entries as one line each; ``full`` leaves all."""
    found: list[Stretch] = []
    for (kind, _), run in groupby(lines, key=lambda line: (line.kind, line.knowledge)):
        own = list(run)
        if full or kind not in _COUNTED or len(own) < SHORTEST:
            found += [Stretch(line.at, line.text, (line.event,), line.knowledge) for line in own]
        else:
            found.append(_together(own, _COUNTED[kind]))
    return found


def _together(run: Sequence[Line], what: str) -> Stretch:
    first, last = run[0], run[-1]
    text = f"{len(run)} {what}, {_span(first.at, last.at)}; the last: {last.text}"
    return Stretch(first.at, text, tuple(line.event for line in run), first.knowledge)


def _span(first: datetime, last: datetime) -> str:
    if first.date() != last.date():
        return f"{say_time(first)} to {say_time(last)}"
    return f"{first:%H:%M}" if f"{first:%H:%M}" == f"{last:%H:%M}" else f"{first:%H:%M} to {last:%H:%M}"
