"""A release's page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amends.application.queries import release_view, releases_list
from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/releases/{service}")
def releases(request: Request, service: str) -> Response:
    """List a service's releases."""
    found = releases_list(request.app.state.workspace.log, service)
    return page(request, "releases.html", service=service, releases=found)


@router.get("/releases/{service}/{version:path}")
def release(request: Request, service: str, version: str) -> Response:
    """Show a release: its gates, changes, tests, and where it has been."""
    return page(request, "release.html", view=release_view(request.app.state.workspace.log, service, version))
