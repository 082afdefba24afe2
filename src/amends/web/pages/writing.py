"""A test for an incident, written while one looks on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amends.application import incidents as application
from amends.bootstrap.testwriting import write_incident_test
from amends.web.forms import Role, Words, back_to, required_role
from amends.web.templating import page, path_part
from amends.web.writing import Writings
from amends.workflows.testasking import Asked

router = APIRouter(include_in_schema=False)


@router.post("/incidents/{incident}/test")
def begin(
    request: Request, incident: str, role: Role = "", capture: Words = "", words: Words = "", good: Words = ""
) -> Response:
    """Begin to write a test from one of the incident's captures; the working tree stays as it is."""
    workspace = request.app.state.workspace
    writings: Writings = request.app.state.writings
    application.incident_view(workspace.log, incident)  # one that nobody knows is not found here
    asked = Asked(
        words=words.strip(), good=good.strip(), role=required_role(role), into_tree=False, seconds=60.0
    )
    repo = workspace.settings.policy.absolute().parent
    writings.begin(
        incident,
        lambda report: write_incident_test(
            workspace, repo, incident, asked, capture=capture.strip(), report=report
        ),
    )
    return back_to(f"/incidents/{path_part(incident)}/test")


@router.get("/incidents/{incident}/test")
def look(request: Request, incident: str) -> Response:
    """Show how far the incident's test is, or what came of it."""
    view = application.incident_view(request.app.state.workspace.log, incident)
    writing = request.app.state.writings.of(incident)
    return page(request, "writing.html", view=view, i=view.incident, w=writing)
