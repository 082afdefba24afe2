"""A deployment's page, its charts' data, and what tells the page that something moved."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response, StreamingResponse

from amends.application.deploying import Word, request_rollback, steer
from amends.application.deployments import list_deployments
from amends.application.forecasting import kept_forecast
from amends.application.queries import changes_since, deployment_view
from amends.application.queries.bypasses import bypass_of
from amends.bootstrap.watchreports import ReportFormat, deployment_report, forecast_beside, plan_of
from amends.errors import UsageError
from amends.watch.report import report_of
from amends.web.forms import Role, Words, back_to, required_role
from amends.web.live import stream_changes
from amends.web.templating import page, path_part

router = APIRouter(include_in_schema=False)
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MEDIA = {
    ReportFormat.HTML: "text/html; charset=utf-8", ReportFormat.SVG: "image/svg+xml",
    ReportFormat.JSON: "application/json",
}  # fmt: skip
WORDS: dict[str, Word] = {
    "approve": "approved",
    "pause": "paused",
    "resume": "resumed",
    "abort": "aborted",
}


@router.get("/deployments")
def deployments(request: Request, service: str = "") -> Response:
    """List the deployments that were asked for last."""
    found = list_deployments(request.app.state.workspace.log, service=service.strip(), limit=50)
    bypasses = request.app.state.follower.bypasses(50)
    return page(
        request, "deployments.html", found=found, service=service,
        bypasses=[one for one in bypasses if service.strip() in ("", one.service)],
    )  # fmt: skip


@router.get("/deployments/{deployment_id}")
def deployment(request: Request, deployment_id: str) -> Response:
    """Show one deployment."""
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    bypass = bypass_of(workspace.log, view.deployment.candidate, deployment_id)
    foreseen = kept_forecast(view.deployment.forecast)
    report = report_of(view.watched, plan_of(view.deployment), forecast_beside(view))
    return page(
        request, "deployment.html", view=view, d=view.deployment, bypass=bypass, report=report,
        foreseen=foreseen,
    )  # fmt: skip


@router.post("/deployments/{deployment_id}/steer")
def say(
    request: Request, deployment_id: str, action: Annotated[str, Form()], role: Role = "", reason: Words = ""
) -> Response:  # fmt: skip
    """Approve, pause, resume or abort a deployment."""
    word = WORDS.get(action)
    if word is None:
        raise UsageError(f"found the action {action!r}; allowed are {', '.join(WORDS)}", where="action")
    steer(
        request.app.state.workspace.log, deployment_id, word, role=required_role(role), reason=reason.strip()
    )
    return back_to(f"/deployments/{path_part(deployment_id)}")


@router.post("/rollback")
def roll_back(
    request: Request, service: Words, environment: Words, reason: Words = "", role: Role = ""
) -> Response:
    """Return an environment to the last good release, whatever runs there now."""
    found = request_rollback(
        request.app.state.workspace.log, service, environment, reason=reason, role=required_role(role)
    )
    return back_to(f"/deployments/{path_part(found)}")


@router.get("/deployments/{deployment_id}/watch.{kind}")
def watch_report(request: Request, deployment_id: str, kind: ReportFormat) -> Response:
    """Return the report of a deployment's watch as one file."""
    text = deployment_report(request.app.state.workspace, deployment_id, kind)
    name = f"watch-{_SAFE.sub('-', deployment_id)}.{kind.value}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"
    }  # fmt: skip
    return Response(text, media_type=_MEDIA[kind], headers=headers)


@router.get("/deployments/{deployment_id}/events")
def events(request: Request, deployment_id: str, after: int = 0) -> StreamingResponse:
    """Tell the page what happens from here on."""
    log = request.app.state.workspace.log
    told = request.headers.get("last-event-id", "")

    def changes(position: int) -> tuple[int, dict[str, Any] | None]:
        return changes_since(log, deployment_id, position)

    return stream_changes(request.app, changes, int(told) if told.isdigit() else after)
