"""The watchers gate: enough people on shift, who said so, while the release goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from amends.gates.gate import (
    ERROR,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    moment,
    plural,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.table import Bools, EvidenceTable, Floats, Ints, items_of, team_name

_FAMILIES = ("shifts",)
_Count = Annotated[int, Field(ge=1)]


class Watchers(Gate):
    """Enough different people are on an acknowledged shift at the moment of the decision.

    ``at_least`` is one number, or one per tier. Too few is undecided, until the next acknowledged shift
    begins where one is known.
    """

    team: str = Field(default="", description="whose shifts count; empty: the service's own team")
    role: str = Field(default="", description="the role on shift, for example on-call; empty: any")
    at_least: _Count | dict[str, _Count] = Field(default=1, description="a number, or one for each tier")

    def wants(self) -> str:
        """Say what the gate asks for."""
        if isinstance(self.at_least, int):
            need = f"{plural(self.at_least, 'person')}".replace("persons", "people")
        else:
            need = ", ".join(f"{count} for {tier}" for tier, count in self.at_least.items()) + " people"
        whose = f" of {self.team}" if self.team else ""
        return f"{need} on acknowledged shift{whose}" + (f" as {self.role}" if self.role else "")

    def teams(self, own: str, /) -> tuple[str, ...]:
        """Return the team whose shifts count."""
        return (self.team or own,)

    def needed(self, tier: str) -> int | None:
        """Return how many people a tier needs; ``None`` when nothing is set for it."""
        return self.at_least if isinstance(self.at_least, int) else self.at_least.get(tier)

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return _FAMILIES

    def decide(self, table: EvidenceTable, setting: Setting, /) -> GateColumn:
        """Answer every row from the shifts that cover its moment."""
        need = self.needed(setting.tier)
        team = team_name(self.team or setting.team)
        mine = self._mine(table, team)
        if need is None:
            decision = np.full(len(table), ERROR, dtype=np.int8)
            until = np.full(len(table), np.nan)
        else:
            enough = self._present(table, mine) >= need
            decision = unless_undated(np.where(enough, PASS, UNDECIDED).astype(np.int8), table, *_FAMILIES)
            until = np.where(decision == UNDECIDED, _next_start(table, mine), np.nan)
        return GateColumn(
            decision,
            lambda row: self._reason(table, mine, row, setting.tier, team),
            lambda row: _events(table, mine, row),
            until,
        )

    def _mine(self, table: EvidenceTable, team: str) -> Bools:
        mine: Bools = (table.shifts.team == table.code(team)) & table.shifts.acknowledged
        if self.role:
            mine = mine & (table.shifts.role == table.code(self.role))
        return mine

    def _present(self, table: EvidenceTable, mine: Bools) -> Ints:
        shifts = table.shifts
        now = mine & _covers(table)
        pairs = np.unique(shifts.row[now] * len(table.words) + shifts.person[now])
        return np.bincount(pairs // len(table.words), minlength=len(table)).astype(np.int64)

    def _reason(self, table: EvidenceTable, mine: Bools, row: int, tier: str, team: str) -> str:
        need = self.needed(tier)
        if need is None:
            return f"at_least sets no number for the tier {tier or '(none)'}; required: {self.wants()}"
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        count = int(self._present(table, mine)[row])
        people = "1 person" if count == 1 else f"{count} people"
        role = f" as {self.role}" if self.role else ""
        required = f"required: {need} for {tier or 'any tier'}"
        text = f"{people} of {team or 'no team'} on acknowledged shift{role}; {required}"
        starts = float(_next_start(table, mine)[row])
        if count < need and not np.isnan(starts):
            text += f" (the next shift begins {moment(starts)})"
        return text


def _covers(table: EvidenceTable) -> Bools:
    at = table.at[table.shifts.row]
    covers: Bools = (table.shifts.starts <= at) & (at < table.shifts.ends)
    return covers


def _next_start(table: EvidenceTable, mine: Bools) -> Floats:
    shifts = table.shifts
    later = mine & (shifts.starts > table.at[shifts.row])
    first = np.full(len(table), np.inf)
    np.minimum.at(first, shifts.row[later], shifts.starts[later])
    return np.where(np.isinf(first), np.nan, first)


def _events(table: EvidenceTable, mine: Bools, row: int) -> tuple[str, ...]:
    where = items_of(table.shifts, row)
    now = mine[where] & _covers(table)[where]
    return table.ids(table.shifts.event[where][now])
