"""The tests gate: named suites succeeded for this release's exact version."""

from __future__ import annotations

from collections.abc import Sequence

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
from amends.gates.table import SUITE_OUTCOMES, EvidenceTable, items_of

_FAMILIES = ("releases", "suites")
_MEANS = np.array([PASS, BLOCK, ERROR, UNDECIDED], dtype=np.int8)  # in the order of SUITE_OUTCOMES


class Tests(Gate):
    """The latest run of each named suite, against this very release, succeeded.

    A failed suite blocks; one that did not run, was cancelled or only skipped is undecided; one that broke
    before it could tell (outcome ``error``) is an error.
    """

    __test__ = False

    suites: list[str] = Field(min_length=1, description="names of suites, as recorded")

    def wants(self) -> str:
        """Say what the gate asks for."""
        return f"{_listing(self.suites)} succeeded for this version"

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return _FAMILIES

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the latest run of each suite."""
        runs = table.suites
        meaning = _MEANS[runs.outcome]
        idle = (meaning == PASS) & (runs.passed == 0) & (runs.skipped > 0)
        meaning = np.where(idle, np.int8(UNDECIDED), meaning)
        decision = np.full(len(table), PASS, dtype=np.int8)
        for suite in self.suites:
            mine = runs.suite == table.code(suite)
            answer = np.full(len(table), UNDECIDED, dtype=np.int8)
            answer[runs.row[mine]] = meaning[mine]
            decision = np.maximum(decision, answer)
        decision = unless_undated(decision, table, *_FAMILIES)
        return GateColumn(
            decision,
            lambda row: self._reason(table, row),
            lambda row: self._events(table, row),
            no_time(table),
        )

    def _found(self, table: EvidenceTable, row: int) -> dict[str, int]:
        where = items_of(table.suites, row)
        found = {table.word(table.suites.suite[i]): i for i in range(where.start, where.stop)}
        return {suite: found[suite] for suite in self.suites if suite in found}

    def _events(self, table: EvidenceTable, row: int) -> tuple[str, ...]:
        return table.ids(table.suites.event[list(self._found(table, row).values())])

    def _reason(self, table: EvidenceTable, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        found = self._found(table, row)
        said = [_say(table, suite, found.get(suite)) for suite in self.suites]
        return f"{'; '.join(said)}; required: {self.wants()}"


def _say(table: EvidenceTable, suite: str, item: int | None) -> str:
    if item is None:
        return f"{suite} did not run"
    runs = table.suites
    outcome = SUITE_OUTCOMES[int(runs.outcome[item])]
    if outcome == "failure":
        names = table.word(runs.detail[item])
        count = plural(int(runs.failed[item]), "test") + " " if runs.failed[item] else ""
        return f"{suite}: {count}failed" + (f" ({names})" if names else "")
    if outcome == "error":
        return f"{suite} broke before it could tell"
    if outcome == "cancel":
        return f"{suite} was cancelled"
    if runs.passed[item] == 0 and runs.skipped[item] > 0:
        return f"{suite} skipped everything"
    return (
        f"{suite}: {plural(int(runs.passed[item]), 'test')} passed"
        if runs.passed[item]
        else f"{suite} succeeded"
    )


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
