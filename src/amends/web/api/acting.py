"""What forms and commands do, over the API: gates, deployments, incidents, reviews, amendments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from amends.application import amending, incidents, reviewing
from amends.application.deploying import Wish, adopt_policy, request_deployment, request_rollback, steer
from amends.application.gating import decide_gates
from amends.application.recording import find_release
from amends.bootstrap import open_policy
from amends.reviews.revisions import RevisionConflictError
from amends.web.pages.deployments import WORDS

router = APIRouter(prefix="/api/v1", tags=["acting"])

Text = Annotated[str, Field(min_length=1, max_length=500)]


class Body(BaseModel):
    """What requests send. A field that is not known is a mistake, not something to ignore."""

    model_config = ConfigDict(extra="forbid")


class GateQuestion(Body):
    """May a release go to an environment? With ``at``, as of then and not recorded."""

    release: Text
    to: Text
    service: str = ""
    at: datetime | None = None
    record: bool = True


class DeploymentWish(Body):
    """Bring a release to an environment, by the policy that the server reads."""

    release: Text
    to: Text
    role: Text
    service: str = ""
    reason: str = Field(default="", max_length=500)


class Words(Body):
    """A person's word about a deployment."""

    role: Text
    reason: str = Field(default="", max_length=500)


class RollbackWish(Body):
    """Return an environment to its last good release, or to ``release``."""

    service: Text
    environment: Text
    reason: Text
    role: Text
    release: str = ""


class IncidentReport(Body):
    """Something needed intervention. ``release`` is what escaped, ``previous`` what it replaced."""

    service: Text
    release: Text
    summary: Text
    environment: str = "production"
    previous: str = ""
    severity: str = ""
    role: str = ""
    deployed_at: datetime | None = None
    rolled_back_at: datetime | None = None


class IncidentMove(Body):
    """Acknowledge, resolve or reopen."""

    action: Literal["acknowledge", "resolve", "reopen"]
    role: Text
    reason: str = Field(default="", max_length=500)
    lift_quarantine: bool = False


class Note(Body):
    """A line for the timeline."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    role: Text
    at: datetime | None = None


class MilestoneStatement(Body):
    """When a milestone was: ``at``, or between ``earliest`` and ``latest``."""

    milestone: Literal["started", "detected", "acknowledged", "mitigated", "cause_found", "resolved"]
    role: Text
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None


class ReviewText(Body):
    """A new revision. ``based_on`` may come as ``If-Match`` instead."""

    text: str
    role: Text
    note: str = Field(default="", max_length=500)
    based_on: int | None = Field(default=None, ge=0)


class ReviewPublication(Body):
    """Publish a revision; 0 is the latest."""

    role: Text
    revision: int = Field(default=0, ge=0)


class AmendmentProposal(Body):
    """A test by its command, or a gate by its policy entry."""

    kind: Literal["test", "gate"]
    title: str = ""
    selector: str = ""
    gate: dict[str, Any] = {}
    environment: str = ""
    good: str = ""
    role: str = ""


@router.post("/gates")
def gates(request: Request, asked: GateQuestion) -> dict[str, Any]:
    """Ask every gate of the policy that the server reads."""
    workspace = request.app.state.workspace
    loaded = open_policy(str(workspace.settings.policy), service=asked.service)
    said = decide_gates(
        workspace.log, loaded, asked.release, asked.to, at=asked.at,
        record=asked.record and asked.at is None,
    )  # fmt: skip
    return {
        "decision": said.decision, "service": loaded.policy.service, "release": said.release,
        "environment": said.environment, "at": said.at, "until": said.until, "policy": loaded.digest,
        "gates": msgspec.to_builtins(said.rows),
    }  # fmt: skip


@router.post("/deployments", status_code=201)
def deploy(request: Request, asked: DeploymentWish) -> dict[str, str]:
    """Ask for a deployment; the server's loop or a worker carries it on."""
    workspace = request.app.state.workspace
    loaded = open_policy(str(workspace.settings.policy), service=asked.service)
    adopt_policy(workspace.log, loaded)
    wish = Wish(
        release=find_release(workspace.log, loaded.policy.service, asked.release), environment=asked.to,
        environments=loaded.policy.environments, plan=loaded.policy.snapshot(), policy=loaded.digest,
        role=asked.role, reason=asked.reason,
    )  # fmt: skip
    return {"deployment": request_deployment(workspace.log, wish)}


@router.post("/deployments/{deployment_id}/{action}")
def say(
    request: Request, deployment_id: str, action: Literal["approve", "pause", "resume", "abort"], said: Words
) -> dict[str, str]:
    """Approve, pause, resume or abort a deployment."""
    after = steer(
        request.app.state.workspace.log, deployment_id, WORDS[action], role=said.role, reason=said.reason
    )
    return {"deployment": after.id, "phase": str(after.phase)}


@router.post("/rollbacks", status_code=201)
def roll_back(request: Request, asked: RollbackWish) -> dict[str, str]:
    """Roll back, at any time; no gate can hold it up."""
    found = request_rollback(
        request.app.state.workspace.log, asked.service, asked.environment, reason=asked.reason,
        role=asked.role, to=asked.release,
    )  # fmt: skip
    return {"deployment": found}


@router.post("/incidents", status_code=201)
def open_incident(request: Request, told: IncidentReport) -> dict[str, str]:
    """Open an incident."""
    found = incidents.open_incident(
        request.app.state.workspace.log, service=told.service, release=told.release, opened_by="person",
        previous=told.previous, environment=told.environment, summary=told.summary, severity=told.severity,
        role=told.role, deployed_at=told.deployed_at, rolled_back_at=told.rolled_back_at,
    )  # fmt: skip
    return {"incident": found}


@router.post("/incidents/{incident}/moves")
def move(request: Request, incident: str, told: IncidentMove) -> dict[str, str]:
    """Acknowledge, resolve or reopen an incident."""
    log = request.app.state.workspace.log
    match told.action:
        case "acknowledge":
            fact = incidents.acknowledge(log, incident, role=told.role, reason=told.reason)
        case "resolve":
            fact = incidents.resolve(
                log, incident, role=told.role, reason=told.reason, lift_quarantine=told.lift_quarantine
            )
        case _:
            fact = incidents.reopen(log, incident, role=told.role, reason=told.reason)
    return {"event": fact.id}


@router.post("/incidents/{incident}/notes", status_code=201)
def note(request: Request, incident: str, told: Note) -> dict[str, str]:
    """Add a line to the timeline."""
    log = request.app.state.workspace.log
    return {"event": incidents.take_note(log, incident, told.text, role=told.role, at=told.at).id}


@router.post("/incidents/{incident}/milestones", status_code=201)
def milestone(request: Request, incident: str, told: MilestoneStatement) -> dict[str, str]:
    """State when a milestone was."""
    fact = incidents.set_milestone(
        request.app.state.workspace.log, incident, told.milestone, at=told.at, role=told.role,
        earliest=told.earliest, latest=told.latest,
    )  # fmt: skip
    return {"event": fact.id}


@router.post("/incidents/{incident}/review", status_code=201, response_model=None)
def revise(
    request: Request, incident: str, told: ReviewText, if_match: Annotated[str, Header()] = ""
) -> dict[str, int] | JSONResponse:
    """Save a revision. When there is a newer one: 409 with both texts, so that none is lost."""
    based_on = told.based_on
    if based_on is None and if_match.strip('"').isdigit():
        based_on = int(if_match.strip('"'))
    try:
        saved = reviewing.save_revision(
            request.app.state.workspace.log, incident, told.text, based_on=based_on or 0, role=told.role,
            note=told.note,
        )  # fmt: skip
    except RevisionConflictError as conflict:
        problem = {"message": conflict.message, "remedy": conflict.remedy, "where": "text"}
        texts = {"mine": conflict.mine, "theirs": conflict.theirs, "latest": conflict.latest}
        return JSONResponse({"error": {**problem, **texts}}, status_code=409)
    return {"revision": saved.number}


@router.post("/incidents/{incident}/review/publication", status_code=201)
def publish(request: Request, incident: str, told: ReviewPublication) -> dict[str, str]:
    """Publish a revision."""
    log = request.app.state.workspace.log
    return {"event": reviewing.publish(log, incident, number=told.revision, role=told.role).id}


@router.post("/incidents/{incident}/amendments", status_code=201)
def propose(request: Request, incident: str, told: AmendmentProposal) -> dict[str, str]:
    """Propose an amendment. Proving it runs code, which the command line does in a repository."""
    proposal = amending.Proposal(
        kind=told.kind, title=told.title, selector=told.selector, gate=told.gate or None,
        environment=told.environment, good=told.good, role=told.role,
    )  # fmt: skip
    return {"amendment": amending.propose(request.app.state.workspace.log, incident, proposal).id}
