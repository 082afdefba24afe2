"""What a policy would have answered about past deployments: the live evaluator over many rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amends.gates.entry import GateEntry
from amends.gates.evaluate import evaluate_gate, setting_of
from amends.gates.gate import BLOCK, PASS, GateColumn
from amends.gates.policy import Policy
from amends.gates.table import Bools, Codes, EvidenceTable, Floats

PASSED, UNDECIDED, WAITS, HELD = range(4)
"""In the order in which they count: what certainly holds a release outweighs what nobody can tell."""
WORDS = ("passed", "undecided", "held for a time", "held")
ROUNDS = 8  # a window after a soak after a window: few releases need more


@dataclass(frozen=True, slots=True)
class GateAnswers:
    """One gate's answers: a code for each row, and until when it only waits (NaN otherwise)."""

    label: str
    entry: GateEntry
    code: Codes
    until: Floats
    column: GateColumn


@dataclass(frozen=True, slots=True)
class Answers:
    """A policy's answers, a row for each deployment.

    ``code`` is the whole policy's: held when any gate blocks or waits, undecided when none does and evidence
    of one was never recorded. ``gates`` hold each gate's own.
    """

    code: Codes
    gates: tuple[GateAnswers, ...]
    listed: bool

    @property
    def held(self) -> Bools:
        """Which rows would have been held, for good or for a time."""
        return np.asarray(self.code >= WAITS)

    @property
    def unsure(self) -> Bools:
        """Which rows some gate cannot tell about, whatever the others say."""
        found = np.asarray(self.code == UNDECIDED)
        for gate in self.gates:
            found = found | (gate.code == UNDECIDED)
        return found

    def holders(self, row: int) -> list[GateAnswers]:
        """Return the gates that would have held a row, those that block first."""
        found = [gate for gate in self.gates if gate.code[row] >= WAITS]
        return sorted(found, key=lambda gate: -int(gate.code[row]))


def ask_policy(
    policy: Policy, environment: str, table: EvidenceTable, calendars: Mapping[str, Any], *,
    as_if_blocking: bool = True,
) -> Answers:  # fmt: skip
    """Ask the gates of an environment about every row of the table.

    With ``as_if_blocking`` a gate that observes counts as if it blocked: a backtest asks what it would have
    done. An environment that the policy does not list is undecided, as it is live.
    """
    setting = setting_of(policy, calendars)
    entries = policy.gates.get(environment)
    gates = []
    for label, entry in zip(policy.labels(environment), entries or [], strict=True):
        if as_if_blocking or entry.mode == "block":
            column = evaluate_gate(entry, table, setting)
            gates.append(GateAnswers(label, entry, _codes(column), column.until, column))
    code = np.full(len(table), UNDECIDED if entries is None else PASSED, dtype=np.int8)
    for gate in gates:
        np.maximum(code, gate.code, out=code)
    return Answers(code, tuple(gates), entries is not None)


def _codes(column: GateColumn) -> Codes:
    """Read a gate's decisions: what is neither pass nor block waits where it says until when."""
    waits = np.where(np.isnan(column.until), UNDECIDED, WAITS)
    rest = np.where(column.decision == BLOCK, HELD, waits)
    return np.where(column.decision == PASS, PASSED, rest).astype(np.int8)


def waiting_times(
    policy: Policy, environment: str, table: EvidenceTable, calendars: Mapping[str, Any], answers: Answers, *,
    as_if_blocking: bool = True,
) -> Floats:  # fmt: skip
    """Return for how many seconds each row would have waited: 0 where it passed, NaN where nobody can tell.

    A row that only waits is asked again at the latest moment that a gate named, with the evidence of its own
    moment and nothing but the time moved on, until it passes: a window may be closed when a soak is over.
    """
    at = table.at.copy()
    gates, code, open_ = answers.gates, answers.code, np.asarray(answers.code == WAITS)
    for _ in range(ROUNDS):
        # A gate that nobody can answer for leaves the wait unknown, however long the others ask for.
        unsure = np.zeros(len(table), dtype=np.bool_)
        for gate in gates:
            unsure |= gate.code == UNDECIDED
        open_ &= ~unsure & (code == WAITS)
        if not open_.any():
            break
        stack = np.array([gate.until for gate in gates])
        at = np.where(open_, np.fmax.reduce(stack, axis=0), at)
        moved = ask_policy(policy, environment, table.moved_to(at), calendars, as_if_blocking=as_if_blocking)
        gates, code = moved.gates, np.where(open_, moved.code, code)
    waited = (answers.code == WAITS) & (code == PASSED)
    return np.where(waited, at - table.at, np.where(answers.code == PASSED, 0.0, np.nan))
