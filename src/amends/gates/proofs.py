"""The proofs gate: what was proven after an escape still guards."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from amends.gates.gate import (
    BLOCK,
    ERROR,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    no_time,
    plural,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.named_tests import SAID, all_listed, meanings, told, worst_of
from amends.gates.table import (
    BROKEN,
    FAILED,
    PASSED,
    SKIPPED,
    UNSEEN,
    Codes,
    EvidenceTable,
    items_of,
)

_FAMILIES = ("releases", "suites", "amendments")
_MEANS = {PASSED: PASS, FAILED: BLOCK, BROKEN: ERROR, SKIPPED: BLOCK, UNSEEN: UNDECIDED}


class Proofs(Gate):
    """The guard of every proven or active amendment of the service still holds: its test passed in this
    release.

    Guards are the tests of amendments; a gate that is an amendment stands in the policy itself. A service
    without any passes, and the reason says so. A guard that failed blocks. One that was skipped blocks too:
    somebody switched off what is known to catch an escape, which is more than not having looked. A guard that
    is in no suite's latest run is undecided, as the suite that holds it may not have run yet; never a pass,
    as absence of evidence is no health. With `suites`, once all of them ran, a guard that none of them names
    is gone, and blocks.
    """

    suites: list[str] = Field(
        default_factory=list, description="suites that hold the guards; once all ran, a missing guard blocks"
    )

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def wants(self) -> str:
        """Say what the gate asks for."""
        return "the test of every proven amendment is there, is not skipped, and passed for this version"

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the outcome of each guard."""
        guards = table.guards
        meaning = meanings(guards.outcome, _MEANS)
        meaning[all_listed(table, self.suites)[guards.row] & (guards.outcome == UNSEEN)] = BLOCK
        decision = unless_undated(worst_of(guards.row, meaning, len(table)), table, *_FAMILIES)
        return GateColumn(
            decision,
            lambda row: self._reason(table, meaning, row),
            lambda row: _events(table, meaning, row),
            no_time(table),
        )

    def _reason(self, table: EvidenceTable, meaning: Codes, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        return f"{self._observed(table, meaning, row)}; required: {self.wants()}"

    def _observed(self, table: EvidenceTable, meaning: Codes, row: int) -> str:
        where = items_of(table.guards, row)
        total = where.stop - where.start
        if not total:
            return f"no amendment of {table.word(table.service[row])} is proven yet"
        order = sorted(range(where.start, where.stop), key=lambda item: -int(meaning[item]))
        lacking = [str(item) for item in order if meaning[item] != PASS]
        if not lacking:
            return f"{plural(total, 'guard')} of proven amendments passed"
        return told(total, lacking, "guard", "not holding", lambda item: _say(table, int(item)))


def _say(table: EvidenceTable, item: int) -> str:
    guards = table.guards
    name, test = table.word(guards.amendment[item]), table.word(guards.selector[item])
    return f"{name} ({test} {SAID[int(guards.outcome[item])]})"


def _events(table: EvidenceTable, meaning: Codes, row: int) -> tuple[str, ...]:
    where = items_of(table.guards, row)
    lacking = table.guards.proven[where][meaning[where] != PASS]
    return table.ids(np.concatenate([table.guards.event[where], lacking]))
