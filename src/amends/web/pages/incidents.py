"""Incidents: the list, and one incident with its timeline, milestones and escape matrix."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from amends.application import amending
from amends.application import incidents as application
from amends.bootstrap import read_gate
from amends.incidents.factors import TAXONOMY
from amends.incidents.paging import timeline_page
from amends.web.forms import Role, Words, back_to, moment_of, required_role
from amends.web.templating import page, path_part

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=20_000)]


@router.get("/incidents")
def incidents(request: Request, service: str = "") -> Response:
    """List the incidents, newest first."""
    found = application.list_incidents(request.app.state.workspace.log, service=service.strip())
    return page(request, "incidents.html", found=found, service=service.strip())


@router.get("/incidents/{incident}")
def incident(request: Request, incident: str, number: Annotated[int, Query(alias="page")] = 1) -> Response:
    """Show one incident, with one page of its timeline."""
    workspace = request.app.state.workspace
    view = application.incident_view(workspace.log, incident, workspace.opened.people)
    return page(
        request, "incident.html", view=view, i=view.incident, record=view.record, taxonomy=TAXONOMY,
        lines=timeline_page(view.record.timeline, number),
    )  # fmt: skip


@router.post("/incidents/{incident}/notes")
def note(
    request: Request, incident: str, text: Annotated[str, Form(max_length=4000)] = "", role: Role = "",
    at: Words = "",
) -> Response:  # fmt: skip
    """Add a line to the timeline."""
    application.take_note(
        request.app.state.workspace.log, incident, text, role=required_role(role), at=moment_of(at, "when")
    )
    return back_to(f"/incidents/{path_part(incident)}#timeline")


@router.post("/incidents/{incident}/milestones")
def milestone(
    request: Request, incident: str, milestone: Words, role: Role = "", at: Words = "", earliest: Words = "",
    latest: Words = "", source: Words = "",
) -> Response:  # fmt: skip
    """State when a milestone was."""
    application.set_milestone(
        request.app.state.workspace.log, incident, milestone, at=moment_of(at, "at"),
        earliest=moment_of(earliest, "earliest"), latest=moment_of(latest, "latest"),
        role=required_role(role), source=source.strip(),
    )  # fmt: skip
    return back_to(f"/incidents/{path_part(incident)}#milestones")


@router.post("/incidents/{incident}/moves")
def move(
    request: Request, incident: str, action: Words, role: Role = "", reason: Words = "",
    lift: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Acknowledge, resolve or reopen an incident."""
    log, role = request.app.state.workspace.log, required_role(role)
    match action:
        case "acknowledge":
            application.acknowledge(log, incident, role=role, reason=reason)
        case "resolve":
            application.resolve(log, incident, role=role, reason=reason, lift_quarantine=lift)
        case _:
            application.reopen(log, incident, role=role, reason=reason)
    return back_to(f"/incidents/{path_part(incident)}")


@router.post("/incidents/{incident}/amendments")
def propose(
    request: Request, incident: str, kind: Annotated[Literal["test", "gate"], Form()], role: Role = "",
    title: Words = "", selector: Words = "", test_text: Text = "", gate: Text = "", environment: Words = "",
    good: Words = "",
) -> Response:  # fmt: skip
    """Propose a test or a gate. Proving it runs code, which the command line does in a repository."""
    proposal = amending.Proposal(
        kind, title=title.strip(), selector=selector.strip(), test_text=test_text.replace("\r\n", "\n"),
        gate=read_gate(gate, "gate") if kind == "gate" else None, environment=environment.strip(),
        good=good.strip(), role=required_role(role),
    )  # fmt: skip
    found = amending.propose(request.app.state.workspace.log, incident, proposal)
    return back_to(f"/amendments/{path_part(found.id)}")
