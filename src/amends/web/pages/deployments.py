"""A deployment's page, its charts' data, and what tells the page that something moved."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from amends.application.queries import chart_series, deployment_view, deployments_page
from amends.application.queries.deployments import changes_since
from amends.web.live import stream_changes
from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/deployments")
def deployments(request: Request, service: str = "") -> Response:
    """List the deployments that were asked for last."""
    found = deployments_page(request.app.state.workspace.log, service=service)
    return page(request, "deployments.html", found=found, service=service)


@router.get("/deployments/{deployment_id}")
def deployment(request: Request, deployment_id: str) -> Response:
    """Show one deployment."""
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    return page(request, "deployment.html", view=view, d=view.deployment)


@router.get("/deployments/{deployment_id}/series")
def series(request: Request, deployment_id: str) -> Response:
    """Return what the charts draw."""
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    return JSONResponse(
        {"position": view.position, "metrics": [chart_series(metric) for metric in view.metrics]}
    )


@router.get("/deployments/{deployment_id}/events")
def events(request: Request, deployment_id: str, after: int = 0) -> StreamingResponse:
    """Tell the page what happens from here on."""
    log = request.app.state.workspace.log
    told = request.headers.get("last-event-id", "")

    def changes(position: int) -> tuple[int, dict[str, Any] | None]:
        return changes_since(log, deployment_id, position)

    return stream_changes(request.app, changes, int(told) if told.isdigit() else after)
