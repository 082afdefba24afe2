"""A policy's answer: every gate over every row of the evidence table, and what counts of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from amends.events.payloads import GateRow
from amends.gates.entry import GateEntry
from amends.gates.gate import BLOCK, PASS, UNDECIDED, GateColumn, Setting, no_time, undated_reason
from amends.gates.policy import Policy
from amends.gates.table import EvidenceTable, Ints, items_of
from amends.gates.when import When
from amends.verdicts import Decision, combine

QUARANTINE = "quarantine"
POLICY = "policy"
_OF_EVERY_POLICY = ("releases", "overrides", "quarantines")


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """What a policy says about one release, environment and moment.

    ``rows`` hold each gate's own answer, whatever its mode and whatever was overridden; ``decision`` is what
    counts.
    """

    decision: Decision
    rows: tuple[GateRow, ...]
    release: str
    environment: str
    at: datetime

    @property
    def until(self) -> datetime | None:
        """When it may become a pass at the earliest: the latest moment that a gate waits for."""
        if self.decision is not Decision.UNDECIDED:
            return None
        return max((row.until for row in self.rows if row.until and effective(row) != "pass"), default=None)


def effective(row: GateRow) -> Decision:
    """Return what counts of a row: gates that observe and gates that were overridden hold nothing up."""
    if row.mode == "observe" or row.overridden_by:
        return Decision.PASS
    return Decision(row.decision)


def evaluate_gate(entry: GateEntry, table: EvidenceTable, setting: Setting) -> GateColumn:
    """Return one gate's answers, a row each. The same function for a live decision and for a backtest.

    A row that the entry's ``when`` leaves out passes, with the reason that the gate does not apply.
    """
    if entry.when is None:
        return entry.gate.decide(table, setting)
    return _where_it_applies(entry, entry.when, table, setting)


def _where_it_applies(entry: GateEntry, when: When, table: EvidenceTable, setting: Setting) -> GateColumn:
    applies = when.applies(table, setting)
    if not applies.any():
        everywhere = np.full(len(table), PASS, dtype=np.int8)
        return GateColumn(
            everywhere, lambda _: when.why_not(setting), lambda row: when.events(table, row), no_time(table),
            applies,
        )  # fmt: skip
    told = entry.gate.decide(table, setting)
    return GateColumn(
        np.where(applies, told.decision, PASS).astype(np.int8),
        lambda row: told.reason(row) if applies[row] else when.why_not(setting),
        lambda row: told.events(row) if applies[row] else when.events(table, row),
        np.where(applies, told.until, np.nan),
        applies,
    )


def families_of(entries: Iterable[GateEntry]) -> frozenset[str]:
    """Return the families of facts that gates read, with those that every policy reads."""
    return frozenset({*_OF_EVERY_POLICY, *(family for entry in entries for family in entry.families())})


def setting_of(policy: Policy, calendars: Any = None) -> Setting:
    """Return what a policy's gates know beside their evidence."""
    return Setting(tier=policy.tier, team=policy.team, calendars=calendars or {})


def evaluate_policy(
    policy: Policy, environment: str, table: EvidenceTable, calendars: Any = None
) -> list[PolicyDecision]:
    """Evaluate a policy for one environment and every row of the table.

    ``calendars`` are those that ``LoadedPolicy.resolve`` gives for the span of the table's moments; a gate
    that needs one which is not there is an error. Pure: the same arguments give the same decisions.
    """
    setting = setting_of(policy, calendars)
    entries = policy.gates.get(environment)
    columns = [_Answers(QUARANTINE, QUARANTINE, _quarantine(table))]
    if entries is None:
        columns.append(_Answers(POLICY, POLICY, _unlisted(environment, table)))
    for label, entry in zip(policy.labels(environment), entries or [], strict=True):
        answers = evaluate_gate(entry, table, setting)
        columns.append(_Answers(label, entry.kind, answers, entry.mode, entry.owner, entry.because))
    overrides = {
        told.label: _overridden(table, told.label, told.kind) for told in columns[1:] if told.kind != POLICY
    }
    return [
        _decide(
            environment, table, row, columns, {label: int(codes[row]) for label, codes in overrides.items()}
        )
        for row in range(len(table))
    ]


@dataclass(frozen=True, slots=True)
class _Answers:
    """One gate's answers, with what the policy says of it."""

    label: str
    kind: str
    column: GateColumn
    mode: Literal["observe", "block"] = "block"
    owner: str = ""
    because: str = ""


def _decide(
    environment: str, table: EvidenceTable, row: int, columns: list[_Answers], overrides: dict[str, int]
) -> PolicyDecision:
    rows = []
    for told in columns:
        column = told.column
        decision = column.at(row)
        override = overrides.get(told.label, 0) if decision is not Decision.PASS else 0
        until = float(column.until[row])
        rows.append(
            GateRow(
                gate=told.label, kind=told.kind, decision=decision.value, reason=column.reason(row),
                mode=told.mode, overridden_by=table.word(override), events=column.events(row),
                until=None if np.isnan(until) else datetime.fromtimestamp(until, UTC),
                owner=told.owner, because=told.because,
                applies=column.applies is None or bool(column.applies[row]),
            )
        )  # fmt: skip
    return PolicyDecision(
        decision=combine(effective(found) for found in rows),
        rows=tuple(rows),
        release=table.word(table.version[row]),
        environment=environment,
        at=datetime.fromtimestamp(float(table.at[row]), UTC),
    )


def _overridden(table: EvidenceTable, label: str, kind: str) -> Ints:
    """Return for each row the event of the override that names this gate (or every gate), 0 without one."""
    overrides = table.overrides
    found = np.zeros(len(table), dtype=np.int64)
    mine = np.isin(overrides.gate, [0, table.code(label), table.code(kind)])
    found[overrides.row[mine]] = overrides.event[mine]
    return found


def _quarantine(table: EvidenceTable) -> GateColumn:
    """Block every release that was rolled back and not cleared since. All policies have it."""
    held = table.quarantines
    decision = np.full(len(table), PASS, dtype=np.int8)
    decision[table.unknown_times("quarantines") > 0] = UNDECIDED
    decision[held.row] = BLOCK

    def reason(row: int) -> str:
        incidents = [table.word(code) for code in held.incident[items_of(held, row)]]
        version = table.word(table.version[row])
        if incidents:
            named = ", ".join(word for word in incidents if word)
            others = {table.word(code) for code in held.name[items_of(held, row)]} - {""}
            same = f", as the same build as {', '.join(sorted(others))}" if others else ""
            return f"{version} is quarantined{same}" + (f" until {named} says otherwise" if named else "")
        return undated_reason(table, row, "quarantines") or f"{version} is not quarantined"

    return GateColumn(
        decision, reason, lambda row: table.ids(held.event[items_of(held, row)]), no_time(table)
    )


def _unlisted(environment: str, table: EvidenceTable) -> GateColumn:
    """Leave an environment undecided for which the policy says nothing at all."""
    return GateColumn(
        np.full(len(table), UNDECIDED, dtype=np.int8),
        lambda _: (
            f"the policy sets no gates for {environment}; list them under gates, or write "
            f"`{environment}: []` if every release may go there"
        ),
        lambda _: (),
        no_time(table),
    )
