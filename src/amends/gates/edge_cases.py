"""The edge_cases gate: what the service must cope with is tested in this release."""

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

_FAMILIES = ("releases", "suites", "edge_cases")
_MEANS = {PASSED: PASS, FAILED: BLOCK, BROKEN: ERROR, SKIPPED: UNDECIDED, UNSEEN: UNDECIDED}


class DocumentedEdgeCases(Gate):
    """Every documented edge case of the service has a test that passed in this release.

    The edge cases are those that were known at the moment asked about; a service without any passes, and the
    reason says so. A failed test blocks, and so does an edge case for which no test is named: there is
    nothing to wait for. A test that was skipped or is in no suite's latest run is undecided: nobody has
    looked. With `suites`, once all of them ran, a test that none of them names is gone, and blocks.
    """

    suites: list[str] = Field(
        default_factory=list, description="suites that hold the tests; once all ran, a missing test blocks"
    )

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def wants(self) -> str:
        """Say what the gate asks for."""
        return "the test of every documented edge case passed for this version"

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the outcome of each edge case's test."""
        cases = table.edge_cases
        meaning = meanings(cases.outcome, _MEANS)
        gone = all_listed(table, self.suites)[cases.row] & (cases.outcome == UNSEEN)
        meaning[gone | (cases.test == 0)] = BLOCK
        decision = unless_undated(worst_of(cases.row, meaning, len(table)), table, *_FAMILIES)
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
        where = items_of(table.edge_cases, row)
        total = where.stop - where.start
        if not total:
            return f"{table.word(table.service[row])} has no documented edge case"
        order = sorted(range(where.start, where.stop), key=lambda item: -int(meaning[item]))
        lacking = [str(item) for item in order if meaning[item] != PASS]
        if not lacking:
            covered = "the test of" if total == 1 else "the tests of"
            return f"{covered} {plural(total, 'documented edge case')} passed"
        return told(total, lacking, "edge case", "not covered", lambda item: self._say(table, int(item)))

    def _say(self, table: EvidenceTable, item: int) -> str:
        cases = table.edge_cases
        name, test = table.word(cases.case[item]), table.word(cases.test[item])
        if not test:
            return f"{name} (no test is named for it)"
        by = f" in {table.word(cases.suite[item])}" if cases.suite[item] else ""
        return f"{name} ({test} {SAID[int(cases.outcome[item])]}{by})"


def _events(table: EvidenceTable, meaning: Codes, row: int) -> tuple[str, ...]:
    where = items_of(table.edge_cases, row)
    lacking = table.edge_cases.documented[where][meaning[where] != PASS]
    return table.ids(np.concatenate([table.edge_cases.event[where], lacking]))
