"""The review gate: every change of the release was approved by enough people other than its author."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    plural,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.table import APPROVED, CHANGES_REQUESTED, Bools, Codes, EvidenceTable, Ints, items_of

_FAMILIES = ("releases", "changes", "reviews")


@dataclass(frozen=True, slots=True)
class _PerChange:
    """For each change of the table: what counts, and what is wrong with it."""

    approvals: Ints
    counted: Bools
    refused: Bools
    unowned: Bools
    state: Codes


class Review(Gate):
    """Each change of the release needs approvals by people other than its author.

    A reviewer's latest verdict counts: an approval followed by a request for changes blocks. With
    ``owners``, each touched path also needs an approval by one of its owners, as CODEOWNERS named them when
    it was merged. Too few approvals block; a release whose changes nobody recorded is undecided, and so is a
    change of which nobody recorded whether it was reviewed.
    """

    approvals: int = Field(default=1, ge=1, description="approvals that each change needs")
    not_author: bool = Field(default=True, description="the author's own approval does not count")
    owners: bool = Field(default=False, description="an owner of each touched path must have approved")

    def wants(self) -> str:
        """Say what the gate asks for."""
        text = f"every change has {plural(self.approvals, 'approval')}"
        text += " by people other than its author" if self.not_author else ""
        return text + (", one of them by an owner of each touched path" if self.owners else "")

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return _FAMILIES

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from its changes and the latest verdicts on them."""
        per = self._per_change(table)
        decision = np.full(len(table), UNDECIDED, dtype=np.int8)
        known = np.bincount(table.changes.row, minlength=len(table)) > 0
        decision[known] = PASS
        np.maximum.at(decision, table.changes.row, per.state)
        decision = unless_undated(decision, table, *_FAMILIES)
        return GateColumn(
            decision,
            lambda row: self._reason(table, per, row),
            lambda row: _events(table, row),
            no_time(table),
        )

    def _per_change(self, table: EvidenceTable) -> _PerChange:
        changes, verdicts = table.changes, table.verdicts
        items = len(changes.row)
        counted = (verdicts.verdict == APPROVED) & (verdicts.reviewer > 0)
        if self.not_author:
            counted &= verdicts.reviewer != changes.author[verdicts.item]
        approvals = np.bincount(verdicts.item[counted], minlength=items).astype(np.int64)
        refusals = verdicts.item[verdicts.verdict == CHANGES_REQUESTED]
        refused = np.bincount(refusals, minlength=items) > 0
        unowned = self._unowned(table, counted)
        unsure = ~changes.merged
        if self.not_author:
            unsure |= changes.author == 0
        if self.owners:
            unsure |= ~changes.owned
        lacking = refused | (approvals < self.approvals) | unowned
        state = np.where(lacking, BLOCK, PASS)
        # With no author on record, approvals may be the author's own; what is lacking anyway still blocks,
        # unless the change itself was never recorded.
        state = np.where(unsure & (~lacking | ~changes.merged) & ~refused, UNDECIDED, state)
        state = np.where(~changes.reviews_known & lacking & ~refused, UNDECIDED, state)
        return _PerChange(approvals, counted, refused, unowned, state.astype(np.int8))

    def _unowned(self, table: EvidenceTable, counted: Bools) -> Bools:
        """Find changes of which some group of owners has given no counted approval."""
        owners, verdicts = table.owners, table.verdicts
        items = len(table.changes.row)
        if not self.owners or not len(owners.row):
            return np.zeros(items, dtype=np.bool_)
        width = len(table.words)
        item = verdicts.item[counted]
        given = np.concatenate(
            [item * width + verdicts.team[counted], item * width + verdicts.reviewer[counted]]
        )
        met = np.isin(owners.item * width + owners.owner, given)
        group = owners.item * (int(owners.group.max()) + 1) + owners.group
        missing = ~np.isin(group, group[met])
        return np.bincount(owners.item[missing], minlength=items) > 0

    def _reason(self, table: EvidenceTable, per: _PerChange, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        where = items_of(table.changes, row)
        total = where.stop - where.start
        if not total:
            return f"no change of {table.word(table.version[row])} is recorded; required: {self.wants()}"
        for state in (BLOCK, UNDECIDED):
            for item in range(where.start, where.stop):
                if per.state[item] == state:
                    return f"{self._complaint(table, per, item)}; required: {self.wants()}"
        fewest = int(per.approvals[where].min())
        teams = _teams(table, per, where)
        by = f" (by {teams})" if teams else ""
        noun = "the change has" if total == 1 else f"each of {total} changes has at least"
        return f"{noun} {plural(fewest, 'approval')}{by}; required: {self.wants()}"

    def _complaint(self, table: EvidenceTable, per: _PerChange, item: int) -> str:
        change = table.word(table.changes.change[item])[:12]
        if per.refused[item]:
            return f"a reviewer's latest word on change {change} asks for changes"
        if not table.changes.merged[item]:
            return f"change {change} belongs to the release but was never recorded"
        if not table.changes.reviews_known[item] and per.approvals[item] < self.approvals:
            return f"nobody recorded whether change {change} was reviewed"
        if per.approvals[item] < self.approvals:
            others = " by others than its author" if self.not_author else ""
            return f"change {change} has {plural(int(per.approvals[item]), 'approval')}{others}"
        if per.unowned[item]:
            return f"change {change} has no approval by {_missing_owners(table, per, item)}"
        if self.owners and not table.changes.owned[item]:
            return f"the owners of what change {change} touches were not recorded"
        return f"the author of change {change} was not recorded"


def _teams(table: EvidenceTable, per: _PerChange, where: slice) -> str:
    verdicts = table.verdicts
    here = per.counted & (verdicts.item >= where.start) & (verdicts.item < where.stop)
    names = sorted({table.word(team) for team in verdicts.team[here] if team > 0})
    return ", ".join(names)


def _missing_owners(table: EvidenceTable, per: _PerChange, item: int) -> str:
    """Name the teams of the first group that has not approved; an owner who is a person is not named."""
    verdicts, owners = table.verdicts, table.owners
    mine = per.counted & (verdicts.item == item)
    given = {*verdicts.team[mine].tolist(), *verdicts.reviewer[mine].tolist()}
    groups: dict[int, list[int]] = {}
    for index in np.flatnonzero(owners.item == item):
        groups.setdefault(int(owners.group[index]), []).append(int(index))
    for group in groups.values():
        if not given & set(owners.owner[group].tolist()):
            teams = [table.word(owners.owner[index]) for index in group if owners.team[index]]
            return "an owner" + (f" ({' or '.join(teams)})" if teams else "")
    return "an owner"


def _events(table: EvidenceTable, row: int) -> tuple[str, ...]:
    changes, verdicts = items_of(table.changes, row), items_of(table.verdicts, row)
    return table.ids([*table.changes.event[changes], *table.verdicts.event[verdicts]])
