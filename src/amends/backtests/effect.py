"""Whether a policy tells the releases that let a defect out from the others, and how sure that is.

The effect is the share of escapes that it would have held less the share of good releases that it would have
held, within strata of service and time, so that neither a service that is riskier nor a year that was worse
passes for foresight. What is undecided counts on neither side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from amends.backtests.answers import UNDECIDED, WAITS, Answers, GateAnswers
from amends.backtests.history import ESCAPE, UNCERTAIN, History
from amends.gates.policy import Policy
from amends.gates.table import Bools
from amends.stats.stratified import RiskDifference, Stratum, risk_difference

Verdict = Literal["helps", "no evidence", "harms"]
SMALLEST_STRATUM = 10
MOST_STRATA = 20  # of one service: a twentieth of the history is a time in which little drifts
MOST_MISSING = 0.5  # the share of deployments about which a gate may be unable to tell
MANY_ESCAPES = 50  # beyond these no single one carries a verdict


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its verdict: ``helps`` or ``harms`` where its 95% interval leaves out 0."""

    difference: RiskDifference
    verdict: Verdict
    rows: int

    @property
    def interval(self) -> tuple[float, float]:
        return self.difference.low, self.difference.high


@dataclass(frozen=True, slots=True)
class Guards:
    """What guards a reader against deceiving themselves.

    ``left_out`` are incidents for whose sake a gate was written (its ``because`` names them), ``set_aside``
    gates whose evidence is missing for most deployments, so that they have no part in it. ``early`` and
    ``late`` are the effects in the two halves of the history. ``carried_by`` is the incident without which
    there would be no verdict. ``held_share`` is the share of all deployments that count that would have been
    held.
    """

    left_out: tuple[str, ...]
    set_aside: tuple[str, ...]
    early: Effect
    late: Effect
    carried_by: str
    held_share: float | None


def measure_effect(history: History, held: Bools, counts: Bools) -> Effect:
    """Return the effect of holding ``held`` rows, over the rows that ``counts`` (both in order of time)."""
    difference = risk_difference(_strata(history, held, counts))
    verdict: Verdict = "no evidence"
    if difference.estimate is not None and difference.low > 0:
        verdict = "helps"
    elif difference.estimate is not None and difference.high < 0:
        verdict = "harms"
    return Effect(difference, verdict, int(counts.sum()))


def _strata(history: History, held: Bools, counts: Bools) -> list[Stratum]:
    case = history.outcome == ESCAPE
    service = history.questions.service
    found = []
    for code in np.unique(service[counts]):
        rows = np.flatnonzero(counts & (service == code))
        size = max(SMALLEST_STRATUM, -(-len(rows) // MOST_STRATA))
        for part in np.array_split(rows, max(1, len(rows) // size)):
            found.append(Stratum(case[part], held[part]))
    return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What an effect is measured on: which rows were held, and which count.

    ``set_aside`` are gates whose evidence is missing for most deployments; the effect is that of the others.
    """

    held: Bools
    counts: Bools
    set_aside: tuple[str, ...]


def judge(history: History, answers: Answers, left_out: Sequence[str] = ()) -> Judged:
    """Return the rows that count for an effect: those that are certain and about which every gate can tell.

    A row that one gate holds while another cannot tell does not count: were it in, rows with missing evidence
    would be in only when they are held, and missing evidence would pass for foresight. Rows of incidents that
    are left out do not count either.
    """
    certain = history.outcome != UNCERTAIN
    telling: list[GateAnswers] = []
    aside: list[GateAnswers] = []
    for gate in answers.gates:
        missing = float((gate.code[certain] == UNDECIDED).mean()) if certain.any() else 0.0
        (aside if missing > MOST_MISSING else telling).append(gate)
    counts = certain & answers.listed
    held = np.zeros(len(history), dtype=np.bool_)
    for gate in telling:
        counts &= gate.code != UNDECIDED
        held |= gate.code >= WAITS
    for incident in history.incidents:
        if incident.row is not None and incident.name in left_out:
            counts[incident.row] = False
    if aside and not telling:
        counts[:] = False
    return Judged(held, counts, tuple(gate.label for gate in aside))


def named_incidents(policy: Policy, environment: str, history: History) -> tuple[str, ...]:
    """Return the incidents of the history that a gate of the policy says it was added after."""
    reasons = " ".join(entry.because for entry in policy.gates.get(environment, []))
    names = dict.fromkeys(one.name for one in history.incidents)
    return tuple(name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reasons))


def guard_effect(history: History, judged: Judged, effect: Effect, left_out: Sequence[str]) -> Guards:
    """Look at an effect from the sides from which it may deceive."""
    held, counts = judged.held, judged.counts
    rows = np.flatnonzero(counts)
    early = np.zeros(len(history), dtype=np.bool_)
    early[rows[: len(rows) // 2]] = True
    return Guards(
        left_out=tuple(left_out),
        set_aside=judged.set_aside,
        early=measure_effect(history, held, early),
        late=measure_effect(history, held, counts & ~early),
        carried_by=_carried_by(history, held, counts, effect),
        held_share=float(held[rows].mean()) if len(rows) else None,
    )


def _carried_by(history: History, held: Bools, counts: Bools, effect: Effect) -> str:
    """Return the incident without which there is no verdict; empty where there is none such."""
    if effect.verdict == "no evidence" or effect.difference.cases > MANY_ESCAPES:
        return ""
    speaking = held if effect.verdict == "helps" else ~held
    for incident in history.incidents:
        row = incident.row
        if row is None or not counts[row] or not speaking[row]:
            continue
        without = counts.copy()
        without[row] = False
        if measure_effect(history, held, without).verdict == "no evidence":
            return incident.name
    return ""
