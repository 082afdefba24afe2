"""The sign-off gate: a role tried the release by hand and granted it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from amends.gates.gate import (
    BLOCK,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    no_time,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.table import Bools, EvidenceTable, items_of

_FAMILIES = ("releases", "sign_offs")


class SignOff(Gate):
    """A role signed the release off; its latest word counts.

    Refused blocks; not yet given is undecided. Without ``environment`` a sign-off in any environment counts,
    and one refusal among them blocks.
    """

    role: str = Field(min_length=1, description="the role that signs, for example qa")
    environment: str = Field(default="", description="where it was tried; empty: anywhere")

    def wants(self) -> str:
        """Say what the gate asks for."""
        return f"sign-off by {self.role}" + (f" in {self.environment}" if self.environment else "")

    def environments(self) -> tuple[str, ...]:
        """Return the environment of the sign-off, if one is set."""
        return (self.environment,) if self.environment else ()

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return _FAMILIES

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the role's latest word."""
        given = table.sign_offs
        mine = self._mine(table)
        decision = np.full(len(table), UNDECIDED, dtype=np.int8)
        decision[given.row[mine & given.granted]] = PASS
        decision[given.row[mine & ~given.granted]] = BLOCK
        decision = unless_undated(decision, table, *_FAMILIES)
        return GateColumn(
            decision,
            lambda row: self._reason(table, mine, row),
            lambda row: table.ids(given.event[items_of(given, row)][mine[items_of(given, row)]]),
            no_time(table),
        )

    def _mine(self, table: EvidenceTable) -> Bools:
        mine: Bools = table.sign_offs.role == table.code(self.role)
        if self.environment:
            mine = mine & (table.sign_offs.environment == table.code(self.environment))
        return mine

    def _reason(self, table: EvidenceTable, mine: Bools, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        where = items_of(table.sign_offs, row)
        words = table.sign_offs.granted[where][mine[where]]
        place = f" in {self.environment}" if self.environment else ""
        if not len(words):
            return f"{self.role} has not signed off{place} yet; required: {self.wants()}"
        if not words.all():
            return f"{self.role} refused the release{place}; required: {self.wants()}"
        return f"{self.role} signed off{place}; required: {self.wants()}"
