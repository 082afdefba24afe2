"""What was learned: the digest as a page and as a feed; and thanks, on the review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application import thanking
from amends.application.digesting import read_digest
from amends.learning.digest import as_atom
from amends.web.forms import Role, Words, back_to, moment_of, required_role
from amends.web.templating import page, path_part

router = APIRouter(include_in_schema=False)


@router.get("/learning")
def learning(request: Request, service: str = "", since: str = "") -> Response:
    """Show what published reviews taught."""
    digest = read_digest(
        request.app.state.workspace.log, service=service.strip(), since=moment_of(since, "since")
    )
    return page(request, "learning.html", digest=digest, service=service.strip(), since=since.strip())


@router.get("/learning.atom")
def feed(request: Request, service: str = "") -> Response:
    """Return the same as an Atom feed; a reader signs in with a token as the password of HTTP Basic."""
    digest = read_digest(request.app.state.workspace.log, service=service.strip())
    text = as_atom(digest, str(request.base_url))
    return Response(text, media_type="application/atom+xml; charset=utf-8")


@router.post("/incidents/{incident}/thanks")
def thank(
    request: Request, incident: str, name: Words = "", role: Role = "",
    text: Annotated[str, Form(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """Thank somebody by name."""
    workspace = request.app.state.workspace
    thanking.thank(
        workspace.log, workspace.opened.people, incident, name, text, role=required_role(role)
    )  # fmt: skip
    return back_to(f"/incidents/{path_part(incident)}/review#thanks")


@router.post("/incidents/{incident}/thanks/withdraw")
def withdraw(request: Request, incident: str, thanks: Words) -> Response:
    """Take a thanks back."""
    thanking.withdraw(request.app.state.workspace.log, incident, thanks)
    return back_to(f"/incidents/{path_part(incident)}/review#thanks")
