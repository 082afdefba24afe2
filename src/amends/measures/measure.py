"""What a measure is: figures that name their definition, and the rows that they were counted from.

There is no row or figure for a person or a team, and nothing is put in order of merit: a measure that ranks
people changes what gets recorded, and then measures nothing (Goodhart; DORA's guide warns of it, too).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from amends.events import payloads as p
from amends.incidents.escape import EscapeRow
from amends.incidents.incident import Incident
from amends.incidents.milestones import Duration, Milestone

FEWEST = 5
"""Of fewer ended cases no quantile is told: it would say more about chance than about the service."""

Unit = Literal["count", "seconds", "share", "per week"]
Cell = str | float | int | datetime | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: a service (all, if empty) in an environment, from ``since`` until ``until``.

    ``until`` is also the moment up to which an open case has been waiting.
    """

    until: datetime
    since: datetime | None = None
    service: str = ""
    environment: str = "production"

    def holds(self, at: datetime) -> bool:
        """Return whether a moment lies in it (the end included)."""
        return (self.since is None or at >= self.since) and at <= self.until

    def about(self, service: str) -> bool:
        """Return whether a service is meant."""
        return not self.service or service == self.service


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as measures see it. ``failures`` are the signatures that production showed of it."""

    incident: Incident
    milestones: tuple[Milestone, ...]
    durations: tuple[Duration, ...]
    gates: tuple[EscapeRow, ...]
    failures: tuple[p.Signature, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``None`` is *undecided*, and ``note`` says why.

    ``low`` and ``high`` bound it (a share by a 95% interval, a duration by uncertain times); ``bounds`` says
    which. ``where`` picks its rows: column and value, each as in the measure's rows.
    """

    label: str
    value: float | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    bounds: str = ""
    note: str = ""
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Strips:
    """Counts over time, a line for each label, to be drawn as columns side by side."""

    periods: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Spans:
    """Durations in seconds, a line for each label: ``(low, high)``; a case without ``high`` is still open."""

    lines: tuple[tuple[str, tuple[tuple[float, float | None], ...]], ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: the variant of its definition, its figures, and the rows behind them.

    ``source`` is where the definition comes from, ``caveats`` what its reader has to know.
    """

    key: str
    title: str
    definition: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    figures: tuple[Figure, ...]
    chart: Strips | Spans | None = None
    caveats: tuple[str, ...] = ()

    def rows_where(self, where: Mapping[str, str]) -> tuple[Mapping[str, Cell], ...]:
        """Return the rows whose columns hold these values; a column that there is not is passed over."""
        asked = {column: value for column, value in where.items() if column in self.columns}
        return tuple(
            row for row in self.rows
            if all(text_of(row.get(column)) == value for column, value in asked.items())
        )  # fmt: skip


def text_of(cell: Cell) -> str:
    """Write a cell as text: times as RFC 3339, several values with blanks between, empty for none."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, tuple):
        return " ".join(cell)
    return f"{cell:g}" if isinstance(cell, float) and abs(cell) < 1e6 else str(cell)


_LONGEST_BY_WEEK = timedelta(weeks=26)


def periods_of(moments: Iterable[datetime], scope: Scope) -> tuple[tuple[str, ...], list[int]]:
    """Return the periods that a scope falls into, and for each moment the place of its period.

    ISO weeks (``2026-W09``) up to half a year, months beyond. Periods without a moment are there, too.
    """
    found = list(moments)
    begin = scope.since or min(found, default=scope.until)
    weekly = scope.until - begin <= _LONGEST_BY_WEEK
    names: list[str] = []
    day = begin
    while day <= scope.until + timedelta(days=1):
        name = period_of(min(day, scope.until), weekly=weekly)
        if not names or names[-1] != name:
            names.append(name)
        day += timedelta(days=1)
    place = {name: index for index, name in enumerate(names)}
    return tuple(names), [place[period_of(at, weekly=weekly)] for at in found]


def period_of(at: datetime, *, weekly: bool) -> str:
    """Return the name of a moment's period, in UTC."""
    if weekly:
        year, week, _ = at.isocalendar()
        return f"{year}-W{week:02}"
    return f"{at:%Y-%m}"


def count_strips(labelled: Iterable[tuple[str, datetime]], scope: Scope) -> Strips:
    """Count moments by label and period; labels come in the order in which they are met first."""
    items = list(labelled)
    periods, places = periods_of((at for _, at in items), scope)
    counts: dict[str, list[int]] = {}
    for (label, _), place in zip(items, places, strict=True):
        counts.setdefault(label, [0] * len(periods))[place] += 1
    return Strips(periods, tuple((label, tuple(line)) for label, line in counts.items()))
