"""What a gate is: parameters from the policy, and one function over the columns of the evidence table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from amends.gates.shape import Strict
from amends.gates.table import FAMILIES, Bools, Codes, EvidenceTable, Floats
from amends.verdicts import Decision

ORDER = (Decision.PASS, Decision.UNDECIDED, Decision.ERROR, Decision.BLOCK)
PASS, UNDECIDED, ERROR, BLOCK = range(4)  # worst last, so that the worst of several is their maximum


@dataclass(frozen=True, slots=True)
class Intervals:
    """Stretches of time, sorted by start: seconds since the epoch, end excluded. They may overlap.

    ``labels`` say what each is (a holiday's name, a freeze's summary). Where ``local`` is set the times are
    wall-clock times without a zone (whole days, floating times), written as if they were UTC: the gate reads
    them in its own zone.
    """

    starts: Floats
    ends: Floats
    labels: tuple[str, ...] = ()
    local: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


Calendars = Mapping[str, Intervals]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a gate knows beside its own parameters and the evidence.

    ``calendars`` holds the intervals of every calendar that the policy names, under the key that the gate's
    ``calendar_keys()`` gives; they cover ``horizon`` seconds beyond the last moment asked about.
    """

    tier: str = ""
    team: str = ""
    calendars: Calendars = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateColumn:
    """A gate's answers, one per row.

    ``decision`` holds ``PASS``, ``UNDECIDED``, ``ERROR`` or ``BLOCK``; ``reason`` and ``events`` are made
    for the rows that someone looks at; ``until`` is when the answer may change at the earliest, NaN when
    unknown. ``applies`` is false where the gate is not for the row and passes for that; ``None``: everywhere.
    """

    decision: Codes
    reason: Callable[[int], str]
    events: Callable[[int], tuple[str, ...]]
    until: Floats
    applies: Bools | None = None

    def at(self, row: int) -> Decision:
        """Return one row's decision."""
        return ORDER[int(self.decision[row])]


class Gate(Strict):
    """One condition that a release meets before an environment.

    A new gate is a subclass with its parameters as fields and ``decide``, and one line in ``gates.entry``.
    """

    @abstractmethod
    def decide(self, table: EvidenceTable, setting: Setting, /) -> GateColumn:
        """Answer every row. Reads nothing but its arguments."""

    @abstractmethod
    def wants(self) -> str:
        """Say in one sentence what the gate asks for."""

    def families(self) -> Sequence[str]:
        """Return the families of facts (``gates.table.FAMILIES``) that the gate reads; all, unless it says.

        In bulk nothing else is put into the table, so a gate that reads more than it names is wrong there.
        """
        return FAMILIES

    def environments(self) -> Sequence[str]:
        """Return the environments whose past the gate looks at."""
        return ()

    def teams(self, own: str, /) -> Sequence[str]:  # noqa: ARG002 - for gates that do
        """Return the teams whose shifts the gate looks at; ``own`` is the service's team."""
        return ()

    def neighbours(self) -> Sequence[tuple[str, str]]:
        """Return the other services that the gate looks at, each with an environment, empty for its own."""
        return ()

    def calendar_keys(self) -> Sequence[str]:
        """Return the keys of the calendars that the gate needs: ``file:PATH`` or ``holidays:DE/BE``."""
        return ()


def no_time(table: EvidenceTable) -> Floats:
    """Return a column of unknown times."""
    return np.full(len(table), np.nan)


def unless_undated(decision: Codes, table: EvidenceTable, *families: str) -> Codes:
    """Make every row undecided that rests on facts whose ``known_at`` nobody stated.

    Such a fact may not have been known yet, and may have changed the answer either way.
    """
    if table.all_dated(*families):
        return decision.astype(np.int8, copy=False)
    return np.where(table.unknown_times(*families) > 0, np.int8(UNDECIDED), decision).astype(np.int8)


def undated_reason(table: EvidenceTable, row: int, *families: str) -> str:
    """Say how many facts have no time, or nothing when all have."""
    count = int(table.unknown_times(*families)[row])
    if not count:
        return ""
    facts = "1 recorded fact does" if count == 1 else f"{count} recorded facts do"
    return f"{facts} not say when it was known ({', '.join(families)}), so it cannot be relied on"


def moment(epoch: float) -> str:
    """Write a time for a sentence: ``2026-03-20 14:27 UTC``."""
    return datetime.fromtimestamp(float(epoch), UTC).strftime("%Y-%m-%d %H:%M UTC")


def plural(count: int, thing: str) -> str:
    """Write a count with its thing: ``1 approval``, ``2 approvals``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
