"""Action items: what is left after incidents, one item with its history, and what people say about it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application import actions as application
from amends.application.actions import Moved, Wanted
from amends.application.approving import read_progress
from amends.application.notices.reminding import sent_reminders
from amends.application.reminding import read_reminders
from amends.web.forms import Role, Words, back_to, moment_of, required_role
from amends.web.templating import page, path_part

router = APIRouter(include_in_schema=False)
_SHOWN = 20
Priority = Annotated[Literal["", "high", "medium", "low"], Form()]
OwnerKind = Annotated[Literal["team", "role"], Form()]


def _wanted(title: str, owner: str, kind: str, due: str, priority: str, guard: str = "") -> Wanted:
    team, role = (owner, "") if kind == "team" else ("", owner)
    return Wanted(
        title.strip(), team.strip(), role.strip(), moment_of(due, "due"), priority or None, guard.strip()  # type: ignore[arg-type]
    )  # fmt: skip


@router.get("/actions")
def actions(request: Request, owner: str = "", service: str = "", every: bool = False) -> Response:
    """List the action items that are left, what is late first; and the reminders that are due."""
    log = request.app.state.workspace.log
    found = application.list_actions(log, owner=owner.strip(), service=service.strip(), left=not every)
    reminders = read_reminders(log, service=service.strip())
    return page(
        request, "actions.html", found=found, reminders=reminders, owner=owner.strip(),
        service=service.strip(), every=every, sent=sent_reminders(log, service=service.strip())[:_SHOWN],
    )  # fmt: skip


@router.get("/actions/{action}")
def action(request: Request, action: str) -> Response:
    """Show one action item."""
    log = request.app.state.workspace.log
    found = application.require_action(log, action)
    return page(request, "action.html", a=found, progress=read_progress(log, found.incident))


@router.post("/incidents/{incident}/actions")
def add(
    request: Request, incident: str, title: Words = "", owner: Role = "", owner_kind: OwnerKind = "team",
    due: Words = "", priority: Priority = "", guard: Words = "", role: Role = "",
) -> Response:  # fmt: skip
    """Add an action item."""
    wanted = _wanted(title, owner, owner_kind, due, priority, guard)
    application.add_action(
        request.app.state.workspace.log, incident, wanted, role=required_role(role)
    )  # fmt: skip
    return back_to(f"/incidents/{path_part(incident)}/review#actions")


@router.post("/actions/{action}")
def change(
    request: Request, action: str, title: Words = "", owner: Role = "", owner_kind: OwnerKind = "team",
    due: Words = "", priority: Priority = "", role: Role = "", reason: Words = "",
) -> Response:  # fmt: skip
    """Change an action item."""
    wanted = _wanted(title, owner, owner_kind, due, priority)
    log = request.app.state.workspace.log
    application.change_action(log, action, wanted, role=required_role(role), reason=reason)
    return back_to(f"/actions/{path_part(action)}")


@router.post("/actions/{action}/moves")
def move(
    request: Request, action: str, word: Words = "", role: Role = "", reason: Words = "",
    evidence: Words = "", until: Words = "",
) -> Response:  # fmt: skip
    """Begin an action item, or say what became of it."""
    said = Moved(required_role(role), reason, evidence, moment_of(until, "until"))
    application.move_action(request.app.state.workspace.log, action, word, said)
    return back_to(f"/actions/{path_part(action)}")
