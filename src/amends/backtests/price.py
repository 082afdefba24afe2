"""The price of a policy: what it would have stopped, what it would have held up, and for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, overload

import numpy as np

from amends.backtests.answers import HELD, PASSED, UNDECIDED, WAITS, Answers, GateAnswers
from amends.backtests.effect import Effect, Guards, guard_effect, judge, measure_effect
from amends.backtests.history import ESCAPE, GOOD, UNCERTAIN, Escaped, History
from amends.gates.table import Bools, Codes, Floats, Ints

Stopped = Literal["stopped", "not stopped", "undecided"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A gate that would have held a release, with its reason; ``until`` where it only waits (seconds)."""

    gate: str
    reason: str
    only_waits: bool


@dataclass(frozen=True, slots=True)
class IncidentAnswer:
    """One incident: whether the policy would have stopped the release that let it out, by what, and when.

    ``at`` is the moment at which its gates were asked, ``None`` where nobody recorded that. ``answers`` hold
    what each gate would have said. ``only_delayed`` is one that would have gone out later all the same.
    """

    incident: Escaped
    answer: Stopped
    at: datetime | None
    holders: tuple[Holder, ...]
    answers: Mapping[str, int]
    only_delayed: bool
    left_out: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeldRelease:
    """A good release that would have been held; ``seconds`` is ``None`` where no end can be told."""

    service: str
    release: str
    at: datetime
    seconds: float | None
    holders: tuple[Holder, ...]
    event: str


@dataclass(frozen=True, slots=True)
class HeldReleases(Sequence[HeldRelease]):
    """The good releases that would have been held, each made when it is looked at: there may be many."""

    history: History
    answers: Answers
    seconds: Floats
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> HeldRelease: ...
    @overload
    def __getitem__(self, place: slice) -> HeldReleases: ...
    def __getitem__(self, place: int | slice) -> HeldRelease | HeldReleases:
        if isinstance(place, slice):
            return HeldReleases(self.history, self.answers, self.seconds, self.rows[place])
        row = int(self.rows[place])
        question, time = self.history.question(row), float(self.seconds[row])
        return HeldRelease(
            question.service, question.release.version, question.at, None if np.isnan(time) else time,
            holders_of(self.answers, row), self.history.event_id(row),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeadTime:
    """Added lead time of good releases, in seconds; ``None`` where there is no release to tell it from.

    Over ``known`` releases, those that passed at once among them. ``open_ended`` are held for good, as far as
    was seen; for ``unknown`` evidence that a gate asks for was never recorded, so that nobody can tell.
    """

    median: float | None
    p90: float | None
    mean: float | None
    known: int
    open_ended: int
    unknown: int


@dataclass(frozen=True, slots=True)
class GateTotals:
    """What one gate does. ``alone`` counts what no other gate of the policy would have held."""

    label: str
    kind: str
    mode: str
    owner: str
    because: str
    stopped: int
    stopped_alone: int
    undecided_incidents: int
    held: int
    held_alone: int
    undecided_good: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """A policy priced on a history."""

    environment: str
    deployments: int
    uncertain: int
    incidents: tuple[IncidentAnswer, ...]
    good: int
    held: HeldReleases
    undecided_good: int
    lead_time: LeadTime
    gates: tuple[GateTotals, ...]
    effect: Effect
    guards: Guards
    listed: bool
    first: datetime | None
    last: datetime | None

    def count(self, answer: Stopped) -> int:
        """Return how many incidents have this answer."""
        return sum(one.answer == answer for one in self.incidents)

    @property
    def only_delayed(self) -> int:
        """How many of the stopped incidents would only have come later."""
        return sum(one.only_delayed for one in self.incidents)


def price_policy(
    history: History, answers: Answers, seconds: Floats, left_out: Sequence[str] = ()
) -> Backtest:
    """Put together what a policy's answers come to.

    ``seconds`` is how long each row would have been held: 0 where it passed, NaN where no end can be told.
    """
    judged = judge(history, answers, left_out)
    effect = measure_effect(history, judged.held, judged.counts)
    good = history.outcome == GOOD
    return Backtest(
        environment=history.environment,
        deployments=len(history),
        uncertain=int((history.outcome == UNCERTAIN).sum()),
        incidents=_incidents(history, answers, left_out),
        good=int(good.sum()),
        held=HeldReleases(history, answers, seconds, np.flatnonzero(good & answers.held)),
        undecided_good=int((good & (answers.code == UNDECIDED)).sum()),
        lead_time=_lead_time(answers, seconds, good),
        gates=tuple(_totals(history, answers, gate) for gate in answers.gates),
        effect=effect,
        guards=guard_effect(history, judged, effect, left_out),
        listed=answers.listed,
        first=history.question(0).at if len(history) else None,
        last=history.question(len(history) - 1).at if len(history) else None,
    )


def _incidents(history: History, answers: Answers, left_out: Sequence[str]) -> tuple[IncidentAnswer, ...]:
    """Answer each incident once: one that several releases share is stopped when all of them would be."""
    weakest: dict[str, Escaped] = {}
    for one in history.incidents:
        known = weakest.get(one.name)
        if known is None or _rank(answers, one) < _rank(answers, known):
            weakest[one.name] = one
    found = [_incident(history, answers, one, one.name in left_out) for one in weakest.values()]
    return tuple(sorted(found, key=lambda one: one.at.timestamp() if one.at else -math.inf))


def _rank(answers: Answers, one: Escaped) -> int:
    return UNDECIDED if one.row is None else int(answers.code[one.row])


def _incident(history: History, answers: Answers, one: Escaped, left_out: bool) -> IncidentAnswer:
    row = one.row
    if row is None:
        what = f"when {one.release} was deployed" if one.release else "which release caused it"
        return IncidentAnswer(
            one, "undecided", None, (), {}, False, left_out, note=f"nobody recorded {what}"
        )  # fmt: skip
    code = int(answers.code[row])
    answer: Stopped = "stopped" if code >= WAITS else "undecided" if code == UNDECIDED else "not stopped"
    unsure = [gate for gate in answers.gates if gate.code[row] == UNDECIDED]
    note = f"{unsure[0].label}: {unsure[0].column.reason(row)}" if answer == "undecided" and unsure else ""
    return IncidentAnswer(
        one, answer, history.question(row).at, holders_of(answers, row),
        {gate.label: int(gate.code[row]) for gate in answers.gates}, code == WAITS, left_out, note,
    )  # fmt: skip


def holders_of(answers: Answers, row: int) -> tuple[Holder, ...]:
    """Return the gates that would have held a row, with their reasons."""
    return tuple(
        Holder(gate.label, gate.column.reason(row), int(gate.code[row]) == WAITS)
        for gate in answers.holders(row)
    )


def _lead_time(answers: Answers, seconds: Floats, good: Bools) -> LeadTime:
    known = seconds[good & ~np.isnan(seconds)]
    endless = good & np.isnan(seconds)
    open_ended, unknown = int((endless & ~answers.unsure).sum()), int((endless & answers.unsure).sum())
    if not len(known):
        return LeadTime(None, None, None, 0, open_ended, unknown)
    return LeadTime(
        float(np.median(known)), float(np.quantile(known, 0.9)), float(known.mean()), len(known), open_ended,
        unknown,
    )  # fmt: skip


def _totals(history: History, answers: Answers, gate: GateAnswers) -> GateTotals:
    others = np.full(len(history), PASSED, dtype=np.int8)
    for other in answers.gates:
        if other is not gate:
            np.maximum(others, other.code, out=others)
    escape, good = history.outcome == ESCAPE, history.outcome == GOOD
    holds = gate.code >= WAITS
    alone, unsure = holds & (others < WAITS), gate.code == UNDECIDED
    entry = gate.entry
    return GateTotals(
        gate.label, entry.kind, entry.mode, entry.owner, entry.because,
        int((escape & holds).sum()), int((escape & alone).sum()), int((escape & unsure).sum()),
        int((good & holds).sum()), int((good & alone).sum()), int((good & unsure).sum()),
    )  # fmt: skip


LATER = tuple(3600.0 * 2**step for step in range(10))
"""How many seconds later a blocked release is asked about again: after 1 hour, 2, 4, …, about 3 weeks."""
HALVINGS = 3

AskLater = Callable[[Sequence[int], Sequence[float]], Codes]
"""Answers rows (of the history) as of so many seconds after their moments, with what was known by then."""


def blocked(history: History, answers: Answers) -> list[int]:
    """Return the good rows that are held by more than the time: when they would pass, later facts say."""
    rows = (history.outcome == GOOD) & (answers.code == HELD)
    return [int(row) for row in np.flatnonzero(rows)]


def with_later_passes(
    seconds: Floats, rows: Sequence[int], ask: AskLater, *, halvings: int = HALVINGS
) -> Floats:
    """Return the times with those of blocked rows filled in: when, given later facts, each would have passed.

    It is looked for at each of `LATER`, then more closely by halving; what is found errs on the long side. A
    row that passes at none of them stays open-ended.
    """
    found = seconds.copy()
    if not rows:
        return found
    codes = ask([row for row in rows for _ in LATER], [after for _ in rows for after in LATER])
    passes = codes.reshape(len(rows), len(LATER)) == PASSED
    hits = [place for place in range(len(rows)) if passes[place].any()]
    first = passes[hits].argmax(axis=1) if hits else np.zeros(0, dtype=np.int64)
    bounds = np.array([0.0, *LATER])
    low, high = bounds[first], bounds[first + 1]
    for _ in range(halvings if hits else 0):
        middle = (low + high) / 2
        pass_ = ask([rows[place] for place in hits], middle.tolist()) == PASSED
        low, high = np.where(pass_, low, middle), np.where(pass_, middle, high)
    found[[rows[place] for place in hits]] = high
    return found
