"""A deployment is the fold of its events: nothing about it is kept anywhere else.

Its events are in its lane (the stream ``lane/{service}/{environment}``, shared with the lane's other
deployments) and, for the watch's looks, in ``watch/{deployment}``. The fold tolerates any prefix of a history
and any fact that comes twice, so whoever stopped half-way can go on from what the log holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import Action, ReleaseRef
from amends.releases.course import Course


class Phase(StrEnum):
    """Where a deployment is. Beside each phase: the event that leads to it."""

    GATING = (
        "gating"  # deployment.requested; gates.decided other than pass; deployment.approved before a start
    )
    APPROVAL = "approval"  # gates.decided pass, where the plan asks for a person's approval
    READY = "ready"  # gates.decided pass, with the approval there or not asked for
    STARTING = "starting"  # actuation.intended start
    SHIFTING = "shifting"  # actuation.done start; step.concluded promote; deployment.approved when asked
    STEPPING = "stepping"  # step.started; step.concluded extend
    ASKING = "asking"  # step.concluded ask: the watch showed neither harm nor health, a person decides
    PROMOTING = "promoting"  # after the last step, as SHIFTING after each other one
    RETREATING = "retreating"  # watch.assessed roll_back, deployment.aborted, step.concluded roll_back,
    # too many failed actuations, or deployment.requested of kind rollback
    FINISHED = "finished"  # deployment.finished; nothing but its aftermath is left


class Cause(StrEnum):
    """Why a deployment retreats."""

    WORSE = "worse"  # the watch: provably worse, a broken limit, or a dead candidate
    INCONCLUSIVE = "inconclusive"  # a step's end without proof of health, and the policy says rollback
    ABORTED = "aborted"  # a person
    FAILED = "failed"  # the deployer could not start, shift or promote it
    ORDERED = "ordered"  # `amends rollback`


@dataclass(frozen=True, slots=True)
class Retreat:
    """Why it goes back, for programs and for people."""

    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class Intent:
    """An intended actuation. ``token`` fences it; ``failures`` counts how often the deployer could not."""

    action: Action
    token: int
    step: int
    weight: int
    reason: str
    at: datetime
    failures: int = 0
    failed_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The last look of the watch. ``state`` continues its e-process; ``candidate_alive`` may be unknown."""

    tick: int
    step: int
    at: datetime
    verdict: str
    reason: str
    state: Mapping[str, Any]
    candidate_alive: bool | None = None


Outcome = Literal["promoted", "rolled_back", "aborted", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The state of one deployment.

    ``seq`` is the place in its lane of the last of its own events. ``weight`` is the candidate's confirmed
    share of the traffic, ``served`` whether it was ever meant to have any. ``step`` counts from 1.
    ``refusals`` counts orders in a row that the deployer refused as stale. ``grounds`` say of each step why
    it went on, ``unseen`` whether one did though the watch had not seen it to be well. ``reviewed`` is filled
    in by who reads the incident too.
    """

    id: str
    service: str
    environment: str
    kind: Literal["rollout", "rollback"]
    candidate: ReleaseRef
    baseline: ReleaseRef | None
    plan: Mapping[str, Any]
    course: Course
    policy: str
    requested_at: datetime
    role: str = ""
    reason: str = ""
    seq: int = 0
    phase: Phase = Phase.GATING
    step: int = 0
    weight: int = 0
    step_started_at: datetime | None = None
    step_ends_at: datetime | None = None
    extensions: int = 0
    pending: Intent | None = None
    done: Intent | None = None
    done_at: datetime | None = None
    refusals: int = 0
    refused_at: datetime | None = None
    started_at: datetime | None = None
    served: bool = False
    approvals: tuple[str, ...] = ()
    paused: str = ""
    retreat: Retreat | None = None
    look: Look | None = None
    gates: p.GatesDecided | None = None
    gates_event: str = ""
    gates_seq: int = 0
    question: str = ""
    grounds: tuple[tuple[int, str], ...] = ()
    unseen: bool = False
    outcome: Outcome | None = None
    outcome_reason: str = ""
    finished_at: datetime | None = None
    quarantined: bool = False
    incident: str = ""
    reviewed: bool = False
    forecast: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lane(self) -> str:
        """The stream that its events are in."""
        return f"lane/{self.service}/{self.environment}"

    @property
    def finished(self) -> bool:
        return self.phase is Phase.FINISHED

    @property
    def watching(self) -> bool:
        """Whether the candidate has traffic that is to be watched."""
        return self.step_started_at is not None and not self.finished and not self.rolled_back

    @property
    def rolled_back(self) -> bool:
        """Whether going back was confirmed."""
        return self.done is not None and self.done.action is Action.ROLL_BACK

    @property
    def last_step(self) -> bool:
        return self.step >= len(self.course.steps)

    def apply(self, fact: Fact) -> Deployment:
        """Return the state after one more fact; one seen before or of another deployment changes nothing."""
        payload = fact.payload
        if payload is None or getattr(payload, "deployment", "") != self.id:
            return self
        if fact.recorded.stream != self.lane:
            beside = _BESIDE.get(fact.kind)
            return beside(self, fact) if beside else self
        if fact.recorded.seq <= self.seq:
            return self
        after = replace(self, seq=fact.recorded.seq)
        change = _IN_LANE.get(fact.kind)
        return change(after, fact) if change and not self.finished else after


def fold_deployment(facts: Iterable[Fact]) -> Deployment:
    """Fold the facts of one deployment, in the order of the log.

    Raises
    ------
    NotFoundError
        When no ``deployment.requested`` is among them.
    """
    state: Deployment | None = None
    for fact in facts:
        if state is not None:
            state = state.apply(fact)
        elif isinstance(fact.payload, p.DeploymentRequested):
            state = begin(fact, fact.payload)
    if state is None:
        raise NotFoundError(
            "the log has no request of this deployment", remedy="see `amends deployment list` for their ids"
        )
    return state


def begin(fact: Fact, asked: p.DeploymentRequested) -> Deployment:
    """Return a deployment that was asked for and has seen nothing else."""
    baseline = None
    if asked.previous:
        baseline = ReleaseRef(asked.service, asked.previous, asked.previous_commit, asked.previous_digest)
    course = Course.of(asked.plan)
    back = asked.kind == "rollback"
    return Deployment(
        id=asked.deployment, service=asked.service, environment=asked.environment, kind=asked.kind,
        candidate=ReleaseRef(asked.service, asked.release, asked.commit, asked.digest), baseline=baseline,
        plan=asked.plan, course=course if baseline else course.without_baseline(), policy=asked.policy,
        requested_at=fact.occurred_at, role=asked.role, reason=asked.reason, seq=fact.recorded.seq,
        phase=Phase.RETREATING if back else Phase.GATING, served=back,
        retreat=Retreat(Cause.ORDERED, asked.reason) if back else None, forecast=asked.forecast,
    )  # fmt: skip


def _approved(d: Deployment, fact: Fact) -> Deployment:
    role = getattr(fact.payload, "role", "")
    said = (*d.approvals, role or "a person")
    if d.phase is Phase.ASKING:
        ground = "a person decided so" + (f" ({role})" if role else "")
        return _went_on(replace(d, approvals=said, question="", unseen=True), ground)
    if d.phase in (Phase.GATING, Phase.APPROVAL, Phase.READY):
        return replace(d, approvals=said, phase=Phase.GATING)
    return d


def _paused(d: Deployment, fact: Fact) -> Deployment:
    return replace(d, paused=getattr(fact.payload, "reason", "") or "paused by a person")


def _resumed(d: Deployment, _: Fact) -> Deployment:
    return replace(d, paused="")


def _aborted(d: Deployment, fact: Fact) -> Deployment:
    return _go_back(d, Cause.ABORTED, getattr(fact.payload, "reason", "") or "aborted by a person")


def _go_back(d: Deployment, cause: Cause, reason: str) -> Deployment:
    if d.retreat is not None:
        return d
    return replace(d, retreat=Retreat(cause, reason), phase=Phase.RETREATING, question="")


def _intended(d: Deployment, fact: Fact) -> Deployment:
    asked = fact.payload
    assert isinstance(asked, p.ActuationIntended)
    action = Action(asked.action)
    intent = Intent(action, fact.recorded.seq, asked.step, asked.weight, asked.reason, fact.occurred_at)
    after = replace(
        d, pending=intent, started_at=d.started_at or fact.occurred_at,
        served=d.served or action in (Action.SHIFT, Action.PROMOTE),
    )  # fmt: skip
    if action is Action.START:
        return replace(after, phase=Phase.STARTING)
    if action is Action.ROLL_BACK and d.retreat is None:
        # A worker cut off from the log may roll back first and say why later, in the intent itself.
        return _go_back(after, Cause.WORSE, asked.reason)
    return after


def _actuated(d: Deployment, fact: Fact) -> Deployment:
    said = fact.payload
    assert isinstance(said, p.ActuationDone)
    if d.pending is None or (said.token, said.action) != (d.pending.token, d.pending.action.value):
        return d
    if said.outcome == "refused":
        return replace(d, pending=None, refusals=d.refusals + 1, refused_at=fact.occurred_at)
    if said.outcome == "failed":
        return _failed(d, d.pending, fact.occurred_at, said.detail)
    after = replace(d, pending=None, done=d.pending, done_at=fact.occurred_at, refusals=0)
    if d.pending.action is Action.START:
        return replace(after, phase=d.phase if d.retreat else _onward(d))
    return replace(after, weight=0 if d.pending.action is Action.ROLL_BACK else d.pending.weight)


def _failed(d: Deployment, intent: Intent, at: datetime, detail: str) -> Deployment:
    again = replace(intent, failures=intent.failures + 1, failed_at=at, problem=detail)
    after = replace(d, pending=again)
    if intent.action is Action.ROLL_BACK or again.failures < d.course.attempts:
        return after
    what = f"{intent.action} failed {again.failures} times: {_first_line(detail)}"
    return _go_back(after, Cause.FAILED, what)


def _step_started(d: Deployment, fact: Fact) -> Deployment:
    step = fact.payload
    assert isinstance(step, p.StepStarted)
    return replace(
        d, step=step.step, phase=d.phase if d.retreat else Phase.STEPPING, extensions=0,
        step_started_at=fact.occurred_at, step_ends_at=fact.occurred_at + timedelta(seconds=step.seconds),
    )  # fmt: skip


def _step_concluded(d: Deployment, fact: Fact) -> Deployment:
    said = fact.payload
    assert isinstance(said, p.StepConcluded)
    if said.outcome == "roll_back":
        return _go_back(d, Cause.INCONCLUSIVE, said.reason)
    if d.retreat is not None:
        return d
    if said.outcome == "ask":
        return replace(d, phase=Phase.ASKING, question=said.reason)
    if said.outcome == "extend":
        seconds = d.course.steps[d.step - 1].seconds if 0 < d.step <= len(d.course.steps) else 0.0
        ends = fact.occurred_at + timedelta(seconds=seconds)
        return replace(d, extensions=d.extensions + 1, step_ends_at=ends)
    return _went_on(replace(d, unseen=d.unseen or said.verdict != "promote"), said.reason)


def _finished(d: Deployment, fact: Fact) -> Deployment:
    said = fact.payload
    assert isinstance(said, p.DeploymentFinished)
    return replace(
        d, phase=Phase.FINISHED, outcome=said.outcome, outcome_reason=said.reason,
        finished_at=fact.occurred_at, pending=None, question="", paused="",
    )  # fmt: skip


def _gates_decided(d: Deployment, fact: Fact) -> Deployment:
    said = fact.payload
    assert isinstance(said, p.GatesDecided)
    if fact.recorded.seq <= d.gates_seq:
        return d
    after = replace(d, gates=said, gates_event=fact.id, gates_seq=fact.recorded.seq)
    if d.phase not in (Phase.GATING, Phase.APPROVAL, Phase.READY):
        return after
    if said.decision != "pass":
        return replace(after, phase=Phase.GATING)
    return replace(after, phase=Phase.APPROVAL if d.course.approval and not d.approvals else Phase.READY)


def _assessed(d: Deployment, fact: Fact) -> Deployment:
    said = fact.payload
    assert isinstance(said, p.WatchAssessed)
    if d.look is not None and said.tick <= d.look.tick:
        return d
    look = Look(
        said.tick, said.step, fact.occurred_at, said.verdict, said.reason, said.state, said.candidate_alive
    )
    after = replace(d, look=look)
    if said.verdict == "roll_back" and not d.finished:
        return _go_back(after, Cause.WORSE, said.reason)
    return after


def _quarantined(d: Deployment, _: Fact) -> Deployment:
    return replace(d, quarantined=True)


def _incident(d: Deployment, fact: Fact) -> Deployment:
    return replace(d, incident=d.incident or getattr(fact.payload, "incident", ""))


def _went_on(d: Deployment, ground: str) -> Deployment:
    return replace(d, phase=_onward(d), grounds=(*d.grounds, (d.step, ground)))


def _onward(d: Deployment) -> Phase:
    return Phase.PROMOTING if d.last_step else Phase.SHIFTING


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "it said nothing"


_Change = Callable[[Deployment, Fact], Deployment]

_IN_LANE: dict[str, _Change] = {
    "deployment.approved": _approved,
    "deployment.paused": _paused,
    "deployment.resumed": _resumed,
    "deployment.aborted": _aborted,
    "deployment.finished": _finished,
    "actuation.intended": _intended,
    "actuation.done": _actuated,
    "step.started": _step_started,
    "step.concluded": _step_concluded,
}

_BESIDE: dict[str, _Change] = {
    "gates.decided": _gates_decided,
    "watch.assessed": _assessed,
    "quarantine.set": _quarantined,
    "incident.detected": _incident,
}
