"""The escape matrix: how what escaped got past each gate, computed, with its evidence.

A row for each gate of the policy that held for the escaped release, and for each standard gate that the
policy does not have. Nothing here says what anyone ought to have done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident, facts_in_order
from amends.incidents.milestones import exposure_began
from amends.incidents.sight import Escape, Recogniser, Seen, Sight, failing_inputs, sight_of
from amends.incidents.wording import say_time, short


class EscapeState(StrEnum):
    """How a release got past a gate."""

    NOT_IN_PLACE = "not in place"  # the policy has no such gate
    NOT_RUN = "not run"  # the policy has it, and no run of it is recorded
    RAN_BLIND = "ran blind"  # it ran; records show that it never met the failing input or frame
    SIGHT_UNKNOWN = "ran, sight unknown"  # it ran; records do not show what it could see
    SAW_AND_PASSED = "saw and passed"  # its own records hold the failure's signature
    UNDECIDED = "undecided"  # it had not made up its mind, and the release went on
    ERROR = "error"  # it could not be evaluated, and the release went on
    OVERRIDDEN = "overridden"  # an override let the release through
    NOT_RECORDED = "not recorded"  # nobody recorded which policy applied, so nobody can say
    BYPASSED = "bypassed"  # the release was deployed without the gate's pass


STANDARD_GATES = {
    "review": "review by another person",
    "tests": "automated tests of the exact version",
    "sign_off": "a manual test by a role",
    "soak": "time and traffic in a lower environment",
    "window": "allowed times of deployment",
    "watchers": "people on shift",
    "edge_cases": "documented edge cases, each with its test",
    "replay": "recorded production inputs, replayed",
    "watch": "candidate compared with baseline during the rollout",
}
_SAME = {"canary": "watch"}

QUESTIONS = {
    EscapeState.NOT_IN_PLACE: "Is there something here for such a gate to look at, and what does it cost?",
    EscapeState.NOT_RUN: "What does this gate need so that it runs on every release?",
    EscapeState.RAN_BLIND: "Which input does it need in order to meet this failure?",
    EscapeState.SIGHT_UNKNOWN: "What did it look at, and how can that be recorded next time?",
    EscapeState.SAW_AND_PASSED: "What made this signal look harmless at the time?",
    EscapeState.UNDECIDED: "What was it waiting for, and who can provide that?",
    EscapeState.ERROR: "What kept it from being evaluated, and how is that noticed sooner?",
    EscapeState.OVERRIDDEN: "What was weighed when the override was granted, and what was known then?",
    EscapeState.NOT_RECORDED: "Was there anything of the kind, and where is its answer kept?",
    EscapeState.BYPASSED: "What made the way around the gates the practical one that day?",
}


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """A gate of the policy in force. ``suites`` are the suites that it names, if any.

    ``in_force`` is false where the policy was only found in a file: nobody recorded that amends used it.
    """

    gate: str
    kind: str
    environment: str
    mode: Literal["observe", "block"] = "block"
    suites: tuple[str, ...] = ()
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class EscapeRow:
    """One gate: its state, one sentence that explains it, its evidence and the question to the team.

    ``answer`` is the gate's recorded decision, if any; ``observing`` marks a gate that could hold nothing.
    """

    gate: str
    kind: str
    environment: str
    state: EscapeState
    reason: str
    events: tuple[str, ...]
    question: str
    answer: str = ""
    observing: bool = False


@dataclass(frozen=True, slots=True)
class EscapeMatrix:
    """All rows; how the failure was caught in the end, and whether the gates were gone around."""

    rows: tuple[EscapeRow, ...]
    caught: str
    caught_events: tuple[str, ...]
    bypassed: bool


def escape_matrix(
    incident: Incident, facts: Iterable[Fact], planned: Sequence[PlannedGate], recogniser: Recogniser
) -> EscapeMatrix:
    """Compute the matrix.

    Parameters
    ----------
    incident:
        With ``names``, all names of the escaped release.
    facts:
        Everything recorded about the release, its deployment and the incident.
    planned:
        The gates of the policy in force for the release; empty when no policy is known.
    recogniser:
        How signatures are read and compared.
    """
    ordered = facts_in_order(facts)
    began, _ = exposure_began(incident, ordered)
    context = _Context(
        incident, ordered, began or incident.detected_at, planned, _escape(incident, ordered, recogniser)
    )
    rows = [*context.policy_rows(), *context.watch_rows()]
    have = {_SAME.get(row.kind, row.kind) for row in rows} | ({"watch"} if context.looks() else set())
    rows += [
        _absent(kind, incident, bool(planned or context.decisions))
        for kind in STANDARD_GATES
        if kind not in have
    ]
    caught, events = _caught(incident, ordered)
    return EscapeMatrix(tuple(rows), caught, events, context.bypassed)


def _escape(incident: Incident, facts: Sequence[Fact], recogniser: Recogniser) -> Escape:
    # One failure may be captured thousands of times; its first capture tells all that a gate could have seen.
    alike: dict[object, Fact] = {}
    for f in facts:
        if isinstance(f.payload, p.FailureCaptured) and f.payload.environment == incident.environment:
            alike.setdefault((f.payload.signature, f.payload.line, failing_inputs(f)), f)
    failures = tuple(alike.values())
    exercises = tuple(
        f for f in facts if isinstance(f.payload, p.ExerciseRecorded) and incident.escaped(f.payload.release)
    )
    return Escape(failures, exercises, {f.id: f for f in facts}, recogniser)


@dataclass(frozen=True, slots=True)
class _Context:
    incident: Incident
    facts: Sequence[Fact]
    deployed_at: datetime
    planned: Sequence[PlannedGate]
    escape: Escape

    @property
    def decisions(self) -> dict[str, Fact]:
        """The last decision about the release before it was deployed, for each environment."""
        found: dict[str, Fact] = {}
        for fact in self.facts:
            told = fact.payload
            if (
                isinstance(told, p.GatesDecided)
                and self.incident.escaped(told.release)
                and told.at <= self.deployed_at
            ):
                found[told.environment] = fact
        return found

    @property
    def bypassed(self) -> bool:
        """Deployed without a pass, though a policy was in force."""
        fact = self.decisions.get(self.incident.environment)
        if fact is None:
            return any(gate.in_force for gate in self._planned_here())
        assert isinstance(fact.payload, p.GatesDecided)
        return fact.payload.decision != "pass"

    def _planned_here(self) -> list[PlannedGate]:
        return [gate for gate in self.planned if gate.environment == self.incident.environment]

    def policy_rows(self) -> list[EscapeRow]:
        """Rows of the incident's environment first, then of those that the release came through."""
        decisions = self.decisions
        here = self.incident.environment
        names = sorted(
            {*decisions, *(gate.environment for gate in self.planned)}, key=lambda e: (e != here, e)
        )
        rows: list[EscapeRow] = []
        for environment in names:
            fact = decisions.get(environment)
            told = fact.payload if fact else None
            answered = told.gates if isinstance(told, p.GatesDecided) else ()
            rows += [self._answered(row, fact, environment) for row in answered if fact and _counts(row)]
            known = {row.gate for row in answered}
            # A lower environment that the release never asked for is no gate that it got past.
            if fact or environment == here:
                rows += [
                    self._unanswered(gate, fact)
                    for gate in self.planned
                    if gate.environment == environment and gate.gate not in known
                ]
        return rows

    def _answered(self, row: p.GateRow, fact: Fact, environment: str) -> EscapeRow:
        observing = row.mode == "observe"
        state, reason, events = self._state(row, fact, environment)
        if observing:
            reason = f"In place, observing: it answered {row.decision} and could hold nothing. {reason}"
        return EscapeRow(
            row.gate, row.kind, environment, state, reason, tuple(dict.fromkeys((fact.id, *events))),
            QUESTIONS[state], answer=row.decision, observing=observing,
        )  # fmt: skip

    def _state(
        self, row: p.GateRow, fact: Fact, environment: str
    ) -> tuple[EscapeState, str, tuple[str, ...]]:
        if row.overridden_by:
            evidence = (row.overridden_by, *row.events)
            return (
                EscapeState.OVERRIDDEN,
                f"It answered {row.decision}; an override let the release through.",
                evidence,
            )
        if not row.applies:
            reason = f"The policy has it for other releases; for this one it {row.reason}."
            return EscapeState.NOT_IN_PLACE, reason, row.events
        if row.decision == "undecided":
            return EscapeState.UNDECIDED, f"It was undecided: {row.reason}", row.events
        if row.decision == "error":
            return EscapeState.ERROR, f"It could not be evaluated: {row.reason}", row.events
        if row.decision == "block" and row.mode == "block":
            reason = f"It answered block ({row.reason}), and the release was deployed all the same."
            return EscapeState.BYPASSED, reason, row.events
        seen = self._seen(row, fact, environment)
        state = {
            Sight.SAW: EscapeState.SAW_AND_PASSED, Sight.BLIND: EscapeState.RAN_BLIND,
            Sight.UNKNOWN: EscapeState.SIGHT_UNKNOWN,
        }[seen.sight]  # fmt: skip
        return state, seen.reason, (*row.events, *seen.events)

    def _seen(self, row: p.GateRow, fact: Fact, environment: str) -> Seen:
        planned = [g for g in self.planned if g.gate == row.gate and g.environment == environment]
        suites = [suite for gate in planned for suite in gate.suites]
        suites += [] if row.kind == "tests" else [row.gate, row.kind]
        return sight_of(row.kind, row, suites, self._lower_failures(row, fact), self.escape)

    def _lower_failures(self, row: p.GateRow, fact: Fact) -> list[Fact]:
        """Failures captured below, known when the gate decided; they belong to gates that look there."""
        if row.kind not in ("soak", "sign_off", "watch", "canary"):
            return []
        told = fact.payload
        assert isinstance(told, p.GatesDecided)
        return [
            f for f in self.facts
            if isinstance(f.payload, p.FailureCaptured)
            and f.payload.environment != self.incident.environment
            and self.incident.escaped(f.payload.release)
            and f.known_at is not None
            and f.known_at <= told.at
        ]  # fmt: skip

    def _unanswered(self, gate: PlannedGate, decision: Fact | None) -> EscapeRow:
        events = (decision.id,) if decision else ()
        if decision is None and gate.in_force:
            state = EscapeState.BYPASSED
            when = say_time(self.deployed_at)
            reason = f"The release met {gate.environment} at {when} without a decision of the gates."
        elif decision is None:
            state = EscapeState.NOT_RUN
            reason = "Not recorded: the policy file names this gate, and nobody recorded a run of it."
        else:
            state = EscapeState.NOT_RUN
            reason = "The policy has this gate, and the recorded decision holds no answer of it."
        return EscapeRow(
            gate.gate, gate.kind, gate.environment, state, reason, events, QUESTIONS[state],
            observing=gate.mode == "observe",
        )  # fmt: skip

    def looks(self) -> list[Fact]:
        """The watch's looks at this deployment."""
        own = self.incident.deployments | {self.incident.opened.deployment}
        return [
            f for f in self.facts if isinstance(f.payload, p.WatchAssessed) and f.payload.deployment in own
        ]  # fmt: skip

    def watch_rows(self) -> list[EscapeRow]:
        """A row for the watch if it let the release through; none if it is what caught it."""
        looks = self.looks()
        verdicts = [f.payload.verdict for f in looks if isinstance(f.payload, p.WatchAssessed)]
        if not looks or "roll_back" in verdicts:
            return []
        last = looks[-1]
        told = last.payload
        assert isinstance(told, p.WatchAssessed)
        row = p.GateRow(gate="watch", kind="watch", decision="pass", reason=told.reason, events=(last.id,))
        seen = sight_of("watch", row, ("watch",), (), self.escape)
        state = EscapeState.SAW_AND_PASSED if seen.sight is Sight.SAW else EscapeState.SIGHT_UNKNOWN
        if verdicts[-1] in ("inconclusive", "watching"):
            state = EscapeState.UNDECIDED
        reason = f"Its last word after {len(looks)} looks was {told.verdict.replace('_', ' ')}: {told.reason}"
        return [
            EscapeRow("watch", "watch", self.incident.environment, state, reason, (last.id, *seen.events),
                      QUESTIONS[state], answer=told.verdict)
        ]  # fmt: skip


def _counts(row: p.GateRow) -> bool:
    """Leave out what no policy lists: the quarantine that every policy has, while it lets through."""
    return row.kind != "quarantine" or row.decision != "pass"


def _absent(kind: str, incident: Incident, known: bool) -> EscapeRow:
    if known:
        state = EscapeState.NOT_IN_PLACE
        reason = f"The policy of {incident.service} has no such gate ({STANDARD_GATES[kind]})."
    else:
        state = EscapeState.NOT_RECORDED
        reason = "Not recorded: nobody recorded which policy applied."
    question = QUESTIONS[state]
    if not known:
        question = f"Was there {STANDARD_GATES[kind]}, or anything of the kind? Where is that kept?"
    return EscapeRow(kind, kind, incident.environment, state, reason, (), question)


def _caught(incident: Incident, facts: Sequence[Fact]) -> tuple[str, tuple[str, ...]]:
    for fact in facts:
        told = fact.payload
        if (
            isinstance(told, p.WatchAssessed)
            and told.verdict == "roll_back"
            and told.deployment == incident.opened.deployment
        ):
            return f"The watch caught it at step {told.step}: {told.reason}", (fact.id,)
    by = {
        "alert": "An alert caught it", "rollback": "It was rolled back",
        "bypass": "A bypass of the gates was seen", "person": "A person reported it",
    }[incident.opened.opened_by]  # fmt: skip
    release = f" (release {short(incident.release)})" if incident.release else ""
    return f"{by}{release}: {incident.opened.summary}", (incident.event,)
