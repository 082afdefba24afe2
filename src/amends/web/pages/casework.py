"""What people do with an incident on its page: weigh it, take duties, merge, split and backdate it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application import casewords, casework
from amends.application.desk import Desk
from amends.errors import UsageError
from amends.web.forms import Role, Words, back_to, moment_of, required_role
from amends.web.templating import path_part

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=20_000)]


def desk_of(request: Request) -> Desk:
    """Return the desk of the workspace that is served; the incident says which service it is about."""
    workspace = request.app.state.workspace
    return Desk(workspace.log, workspace.opened.people, "")


@router.post("/incidents/{incident}/assessments")
def assess(
    request: Request, incident: str, severity: Words = "", visibility: Words = "", reason: Words = "",
    role: Role = "",
) -> Response:  # fmt: skip
    """Say how severe it is and which customers see it."""
    casework.assess(
        request.app.state.workspace.log, incident, severity=severity, visibility=visibility, reason=reason,
        role=required_role(role),
    )  # fmt: skip
    return back_to(f"/incidents/{path_part(incident)}")


@router.post("/incidents/{incident}/duties")
def duty(
    request: Request, incident: str, duty: Words = "", team: Words = "", login: Words = "",
    leave: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Take a duty or leave it."""
    if leave:
        casework.leave_duty(desk_of(request), incident, duty, role=team.strip())
    else:
        casework.take_duty(desk_of(request), incident, duty, team=team, login=login)
    return back_to(f"/incidents/{path_part(incident)}")


@router.post("/incidents/{incident}/backdating")
def backdate(
    request: Request, incident: str, to: Words = "", reason: Words = "", role: Role = ""
) -> Response:
    """Move the detection to another time."""
    moment = moment_of(to, "to")
    if moment is None:
        raise UsageError("when was it noticed?", where="to", remedy="give a time, in UTC")
    log = request.app.state.workspace.log
    casework.backdate(log, incident, moment, role=required_role(role), reason=reason)
    return back_to(f"/incidents/{path_part(incident)}#milestones")


@router.post("/incidents/{incident}/merging")
def merge(request: Request, incident: str, into: Words = "", reason: Words = "", role: Role = "") -> Response:
    """Merge it into another incident, and look at that one."""
    into = into.strip()
    log = request.app.state.workspace.log
    casework.merge(log, incident, into, role=required_role(role), reason=reason)
    return back_to(f"/incidents/{path_part(into)}")


@router.post("/incidents/{incident}/splitting")
def split(
    request: Request, incident: str, summary: Words = "", events: Text = "", service: Words = "",
    release: Words = "", role: Role = "",
) -> Response:  # fmt: skip
    """Split a part off, and look at the new incident."""
    other = casework.split(
        desk_of(request), incident, summary=summary, events=events.split(), service=service.strip(),
        release=release.strip(), role=required_role(role),
    )  # fmt: skip
    return back_to(f"/incidents/{path_part(other)}")


@router.post("/incidents/{incident}/answers")
def answer(
    request: Request, incident: str, gate: Words = "", environment: Words = "", whose: Words = "",
    words: Text = "", role: Role = "",
) -> Response:  # fmt: skip
    """Keep a team's words beside a row of the matrix."""
    log = request.app.state.workspace.log
    casewords.answer_row(
        log, incident, gate, words, role=required_role(role), environment=environment, whose=whose
    )
    return back_to(f"/incidents/{path_part(incident)}#matrix")


@router.post("/incidents/{incident}/factors")
def factor(
    request: Request, incident: str, factor: Words = "", words: Text = "", withdraw: Words = "",
    role: Role = "",
) -> Response:  # fmt: skip
    """Name a contributing factor, or take one back."""
    log = request.app.state.workspace.log
    if withdraw:
        casewords.withdraw_factor(log, incident, withdraw, role=required_role(role), reason=words)
    else:
        casewords.name_factor(log, incident, factor, words, role=required_role(role))
    return back_to(f"/incidents/{path_part(incident)}#factors")


@router.post("/incidents/{incident}/neighbours")
def neighbour(
    request: Request, incident: str, service: Words = "", relation: Words = "", team: Words = "",
    reason: Words = "", role: Role = "", no_longer: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Say that another service is concerned, or not after all."""
    log, role = request.app.state.workspace.log, required_role(role)
    if no_longer:
        casework.clear(log, incident, service, role=role, reason=reason)
    else:
        casework.concern(log, incident, service, relation=relation, role=role, team=team, reason=reason)
    return back_to(f"/incidents/{path_part(incident)}")
