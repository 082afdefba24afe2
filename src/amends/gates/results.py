"""The gates watch and replay: what other parts of amends found out about the release, as evidence."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from amends.gates.gate import (
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    no_time,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.table import Bools, EvidenceTable, items_of

_FAMILIES = ("releases", "results")


class Watched(Gate):
    """The release's own watched deployment to `environment` ended promoted.

    Its last deployment there that began counts. Rolled back blocks; one that failed to start is an error. No
    deployment, one that was aborted, and a promotion that no watch stands behind (nothing was compared, the
    watch was inconclusive, nobody recorded which) are undecided.
    """

    environment: str = Field(min_length=1, description="where it was watched")

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def environments(self) -> tuple[str, ...]:
        """Return the environment of the watch."""
        return (self.environment,)

    def wants(self) -> str:
        """Say what the gate asks for."""
        return f"a watched deployment to {self.environment} that ended promoted"

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from how the deployment ended."""
        mine = _of_part(table, "watch") & (table.results.environment == table.code(self.environment))
        none = f"no deployment of {{version}} to {self.environment} has ended"
        return _answer(table, mine, none, f" in {self.environment}", self.wants())


class Replayed(Gate):
    """Recorded requests were replayed to the release, and its last replay's own decision was a pass.

    What the replay decided counts as it is: block, undecided and error, too. No replay is undecided.
    """

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def wants(self) -> str:
        """Say what the gate asks for."""
        return "a replay of recorded requests that passes"

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the last replay."""
        return _answer(
            table, _of_part(table, "replay"), "nothing was replayed to {version} yet", "", self.wants()
        )


def _of_part(table: EvidenceTable, part: str) -> Bools:
    mine: Bools = table.results.part == table.code(part)
    return mine


def _answer(table: EvidenceTable, mine: Bools, none: str, place: str, wants: str) -> GateColumn:
    """Answer from at most one result a row."""
    results = table.results
    decision = np.full(len(table), UNDECIDED, dtype=np.int8)
    decision[results.row[mine]] = results.decision[mine]
    decision = unless_undated(decision, table, *_FAMILIES)

    def item_of(row: int) -> int | None:
        where = items_of(results, row)
        hits = np.flatnonzero(mine[where])
        return where.start + int(hits[0]) if len(hits) else None

    def reason(row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        item, version = item_of(row), table.word(table.version[row])
        if item is None:
            return f"{none.format(version=version)}; required: {wants}"
        return f"{version} {table.word(results.detail[item])}{place}; required: {wants}"

    def events(row: int) -> tuple[str, ...]:
        item = item_of(row)
        return () if item is None else table.ids([results.event[item]])

    return GateColumn(decision, reason, events, no_time(table))
