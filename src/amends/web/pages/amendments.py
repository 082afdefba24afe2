"""Amendments: the list, and one amendment with its proof, price and diff."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amends.amendments.amendment import AmendmentState
from amends.application.amending import list_amendments, require_amendment
from amends.application.holding import last_checks
from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/amendments")
def amendments(request: Request, state: str = "", service: str = "") -> Response:
    """List the amendments, newest first."""
    found = list_amendments(request.app.state.workspace.log, state=state, service=service.strip())
    states = [str(name) for name in AmendmentState]
    checks = last_checks(request.app.state.workspace.log, service=service.strip())
    return page(
        request, "amendments.html", found=found, states=states, state=state, service=service.strip(),
        checks=checks,
    )  # fmt: skip


@router.get("/amendments/{amendment}")
def amendment(request: Request, amendment: str) -> Response:
    """Show one amendment."""
    log = request.app.state.workspace.log
    found = require_amendment(log, amendment)
    check = last_checks(log, service=found.proposed.service).get(found.id)
    return page(request, "amendment.html", a=found, check=check)
