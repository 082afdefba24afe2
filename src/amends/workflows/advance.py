"""One step of a deployment: load, fold, decide, do, record. The log is the workflow.

``advance`` may be called at any time, any number of times, by anyone. What keeps that safe:

- an intent is appended on exactly the version of the lane that it was decided on, before the deployer is
  called; whoever comes second gets a conflict, loads again and decides anew;
- the intent's place in the lane is its fencing token; it only rises, over all deployments of the lane, and a
  deployer refuses what is older than what it has accepted;
- an intent without an outcome is carried out again under its own token, which changes nothing that was done;
- every event that may exist once only has an id made from what it says, not from who says it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from amends.errors import AmendsError, EventConflictError, StoreUnavailableError, VersionConflictError
from amends.events import payloads as p
from amends.releases.deployment import Deployment, Phase
from amends.releases.strategy import (
    CarryOut,
    ConcludeStep,
    DraftReview,
    EvaluateGates,
    Finish,
    Intend,
    OpenIncident,
    Quarantine,
    StartStep,
    Wait,
    Watch,
    next_action,
    next_try,
)
from amends.releases.wording import watch_of
from amends.workflows.actuating import carry_out, intend
from amends.workflows.cutoff import carry_on_cut_off, report_spool, roll_back_cut_off
from amends.workflows.sighting import load, note
from amends.workflows.toolbox import SOURCE, Progress, Sight, Toolbox, event_id
from amends.workflows.watching import conclude_step, record_look, take_look

_CONFLICTS_IN_A_ROW = 20
_AFTER_CONFLICTS = timedelta(seconds=1)
_AFTER_AN_ERROR = timedelta(seconds=60)
_GATES_STILL_SHUT = timedelta(seconds=30)


def advance(tools: Toolbox, deployment: str) -> Progress:
    """Do the next thing that a deployment needs, and say when to call again.

    While the log cannot be reached, a deployment that this process was watching is watched on from memory;
    the one thing that is then done to it is rolling it back.

    Raises
    ------
    NotFoundError
        The log has no such deployment.
    """
    try:
        report_spool(tools)
        return _advance(tools, deployment)
    except StoreUnavailableError as error:
        return carry_on_cut_off(tools, deployment, error)


def _advance(tools: Toolbox, deployment: str) -> Progress:
    gates_fresh = False
    for _ in range(_CONFLICTS_IN_A_ROW):
        sight = load(tools, deployment)
        do = next_action(sight.deployment, tools.clock.now(), gates_fresh=gates_fresh)
        if isinstance(do, Wait):
            return _waiting(tools, sight.deployment, do)
        try:
            if isinstance(do, EvaluateGates):
                _ask_gates(tools, sight.deployment)
                gates_fresh = True
                continue
            return Progress(tools.clock.now(), False, _DOING[type(do)](tools, sight, do))
        except (VersionConflictError, EventConflictError):
            continue
        except StoreUnavailableError:
            raise
        except AmendsError as error:
            due = _after_an_error(tools, sight.deployment)
            return Progress(due, False, f"{_named(do)} did not work and is tried again: {error}")
    due = tools.clock.now() + _AFTER_CONFLICTS
    return Progress(due, False, "others keep writing in its lane; tries again")


def _after_an_error(tools: Toolbox, d: Deployment) -> datetime:
    """What goes wrong beside a roll-back that is to be tried again must not delay it."""
    due = tools.clock.now() + _AFTER_AN_ERROR
    again = next_try(d) if d.retreat is not None else None
    return due if again is None else min(due, again)


def _named(do: object) -> str:
    return {
        EvaluateGates: "asking the gates",
        OpenIncident: "opening the incident",
        DraftReview: "drafting the review",
    }.get(type(do), "the next step")


def _waiting(tools: Toolbox, d: Deployment, wait: Wait) -> Progress:
    if d.finished:
        return Progress(None, True, wait.why)
    until, now = wait.until, tools.clock.now()
    if wait.person:
        return Progress(until, False, wait.why, "person")
    if d.started_at is None and d.gates is not None:
        if d.gates.decision == "error":
            until = min(until or now + _AFTER_AN_ERROR, now + _AFTER_AN_ERROR)
        if until is not None and until <= now:
            until = now + _GATES_STILL_SHUT
        return Progress(until, False, wait.why, "gates")
    return Progress(until, False, wait.why)


def _ask_gates(tools: Toolbox, d: Deployment) -> None:
    """Ask the gates as of now; record what they say where it differs from what they said or opens the way."""
    at = tools.clock.now()
    said = tools.decide_gates(d, at, False)
    answers = [(row.gate, row.decision, row.mode, row.until, row.overridden_by) for row in said.rows]
    before = d.gates.gates if d.gates is not None else ()
    known = [(row.gate, row.decision, row.mode, row.until, row.overridden_by) for row in before]
    unchanged = d.gates is not None and d.gates.decision == said.decision.value and known == answers
    if not unchanged or (said.decision.value == "pass" and d.phase is Phase.GATING):
        tools.decide_gates(d, at, True)


def _intend(tools: Toolbox, sight: Sight, do: Intend) -> str:
    sight = intend(tools, sight, do)
    intent = sight.deployment.pending
    assert intent is not None
    return carry_out(tools, sight, intent)[1]


def _carry_out(tools: Toolbox, sight: Sight, do: CarryOut) -> str:
    return carry_out(tools, sight, do.intent)[1]


def _start_step(tools: Toolbox, sight: Sight, do: StartStep) -> str:
    d = sight.deployment
    payload = p.StepStarted(
        deployment=d.id, service=d.service, environment=d.environment, step=do.step, weight=do.weight,
        seconds=do.seconds,
    )  # fmt: skip
    _record(tools, sight, "step.started", payload, "step", do.step, "started")
    return f"step {do.step} of {len(d.course.steps)}: {do.weight}% of the traffic for {do.seconds:g} s"


def _watch(tools: Toolbox, sight: Sight, _: Watch) -> str:
    looked = take_look(tools, sight)
    try:
        record_look(tools, sight, looked)
    except StoreUnavailableError:
        kept = replace(sight, watch=looked.state)
        tools.memory[sight.deployment.id] = kept
        if looked.roll_back:
            return roll_back_cut_off(tools, kept, looked).did
        raise
    return f"watch: {looked.payload.verdict}, {looked.payload.reason}"


def _conclude(tools: Toolbox, sight: Sight, do: ConcludeStep) -> str:
    d = sight.deployment
    outcome, reason, verdict = conclude_step(d, tools.clock.now())
    payload = p.StepConcluded(
        deployment=d.id, service=d.service, environment=d.environment, step=do.step,
        outcome=outcome, reason=reason, verdict=verdict,  # type: ignore[arg-type]
    )  # fmt: skip
    _record(tools, sight, "step.concluded", payload, "step", do.step, "concluded", d.extensions)
    return f"step {do.step} ends: {outcome}, {reason}"


def _quarantine(tools: Toolbox, sight: Sight, do: Quarantine) -> str:
    d = sight.deployment
    payload = p.QuarantineSet(
        service=d.service, release=d.candidate.version, reason=do.reason, deployment=d.id
    )  # fmt: skip
    fact = tools.log.record("quarantine.set", payload, id=event_id(d.id, "quarantine"), source=SOURCE)
    note(tools, sight, fact)
    return f"quarantine: {d.candidate}"


def _finish(tools: Toolbox, sight: Sight, do: Finish) -> str:
    d = sight.deployment
    finished = p.DeploymentFinished(
        deployment=d.id, service=d.service, environment=d.environment, release=d.candidate.version,
        outcome=do.outcome, reason=do.reason, watch=watch_of(d) if do.outcome == "promoted" else "",
    )  # fmt: skip
    standing = _new_standing(d, do)
    items = [(name, payload, event_id(d.id, name)) for name, payload in standing]
    facts = tools.log.record_together(
        [*items, ("deployment.finished", finished, event_id(d.id, "finished"))],
        source=SOURCE, expected=sight.lane_seq,
    )  # fmt: skip
    note(tools, sight, *facts)
    return f"finished: {do.outcome.replace('_', ' ')}, {do.reason}"


def _new_standing(d: Deployment, do: Finish) -> list[tuple[str, p.Payload]]:
    if do.outcome == "promoted":
        deployed = p.ServiceDeployed(
            service=d.service, release=d.candidate.version, environment=d.environment, deployment=d.id,
            previous=d.baseline.version if d.baseline else "",
        )  # fmt: skip
        return [("service.upgraded" if d.baseline else "service.deployed", deployed)]
    if not d.served:
        return []
    back = p.ServiceRolledBack(
        service=d.service, release=d.candidate.version, environment=d.environment, deployment=d.id,
        restored=d.baseline.version if d.baseline else "", reason=do.reason,
    )  # fmt: skip
    return [("service.rolledback", back)]


def _open_incident(tools: Toolbox, sight: Sight, _: OpenIncident) -> str:
    incident = tools.open_incident(sight.deployment)
    after = replace(sight, deployment=replace(sight.deployment, incident=incident))
    tools.memory[sight.deployment.id] = after
    return f"incident: {incident}"


def _draft_review(tools: Toolbox, sight: Sight, do: DraftReview) -> str:
    tools.draft_review(do.incident)
    after = replace(sight, deployment=replace(sight.deployment, reviewed=True))
    tools.memory[sight.deployment.id] = after
    return f"review: drafted for {do.incident}"


def _record(tools: Toolbox, sight: Sight, kind: str, payload: p.Payload, *identity: object) -> None:
    fact = tools.log.record(
        kind, payload, id=event_id(sight.deployment.id, *identity), source=SOURCE, expected=sight.lane_seq
    )  # fmt: skip
    note(tools, sight, fact)


_DOING: dict[type, Callable[[Toolbox, Sight, Any], str]] = {
    Intend: _intend,
    CarryOut: _carry_out,
    StartStep: _start_step,
    Watch: _watch,
    ConcludeStep: _conclude,
    Quarantine: _quarantine,
    Finish: _finish,
    OpenIncident: _open_incident,
    DraftReview: _draft_review,
}
