"""The attestation gate: the artifact that goes out is the one that was tested."""

from __future__ import annotations

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
from amends.gates.table import EvidenceTable, items_of

_FAMILIES = ("releases", "suites")
_SHOWN = 12


class Attestation(Gate):
    """The release's digest is the one that each named suite tested in its latest run.

    Another digest blocks: what was tested is not what goes out, though it has the same version. A release
    declared without a digest, a suite that did not run, and a run that does not say which artifact it tested
    are undecided. Whether the suites succeeded is the question of the gate `tests`.
    """

    suites: list[str] = Field(min_length=1, description="names of suites, as recorded")

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def wants(self) -> str:
        """Say what the gate asks for."""
        names = self.suites
        all_ = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
        return f"{all_} tested this very artifact"

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row by comparing digests."""
        runs = table.suites
        known = (table.digest[runs.row] > 0) & (runs.digest > 0)
        same = table.digest[runs.row] == runs.digest
        meaning = np.where(known, np.where(same, PASS, BLOCK), UNDECIDED).astype(np.int8)
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
            lambda row: table.ids(table.suites.event[list(self._found(table, row).values())]),
            no_time(table),
        )

    def _found(self, table: EvidenceTable, row: int) -> dict[str, int]:
        where = items_of(table.suites, row)
        found = {table.word(table.suites.suite[i]): i for i in range(where.start, where.stop)}
        return {suite: found[suite] for suite in self.suites if suite in found}

    def _reason(self, table: EvidenceTable, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        digest = table.word(table.digest[row])
        if not digest:
            version = table.word(table.version[row])
            return f"{version} was declared without a digest; required: {self.wants()}"
        found = self._found(table, row)
        said = [_say(table, suite, found.get(suite), digest) for suite in self.suites]
        return f"{'; '.join(said)}; required: {self.wants()}"


def _say(table: EvidenceTable, suite: str, item: int | None, digest: str) -> str:
    if item is None:
        return f"{suite} did not run"
    tested = table.word(table.suites.digest[item])
    if not tested:
        return f"the run of {suite} does not say which artifact it tested"
    if tested == digest:
        return f"{suite} tested {digest[:_SHOWN]}"
    return f"{suite} tested {tested[:_SHOWN]}, and the release is {digest[:_SHOWN]}"
