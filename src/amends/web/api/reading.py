"""What pages show, as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request

from amends.application.deployments import list_deployments
from amends.application.queries import (
    chart_series,
    deployment_view,
    release_view,
    releases_list,
)
from amends.releases.deployment import Deployment

router = APIRouter(prefix="/api/v1", tags=["reading"])


@router.get("/board")
def board(request: Request) -> dict[str, Any]:
    """Return services × environments: what is where since when, and what waits for what."""
    state = request.app.state
    found = state.follower.read(state.workspace.clock.now())
    return {
        "environments": found.environments,
        "services": [
            {
                "service": row.service,
                "team": row.team,
                "environments": [
                    {
                        "environment": cell.environment,
                        "release": cell.standing.release if cell.standing else "",
                        "since": cell.standing.since if cell.standing else None,
                        "deployment": cell.underway.deployment.id if cell.underway else "",
                        "waiting": _plain(cell.waiting),
                    }
                    for cell in row.cells
                ],
            }
            for row in found.rows
        ],
        "deployments": [
            {"id": w.deployment.id, "waits_for": w.sentence, "until": w.until, "person": w.person}
            for w in found.deployments
        ],
        "incidents": [{"id": i.id, "summary": i.opened.summary, "state": i.state} for i in found.incidents],
        "overrides": _plain(found.overrides),
        "quarantines": [
            {"service": service, **_plain(quarantined)} for service, quarantined in found.quarantines
        ],
    }


@router.get("/releases/{service}")
def releases(request: Request, service: str) -> list[dict[str, Any]]:
    """Return the releases of a service, newest first."""
    return [_plain(release) for release in releases_list(request.app.state.workspace.log, service)]


@router.get("/releases/{service}/{version:path}")
def release(request: Request, service: str, version: str) -> dict[str, Any]:
    """Return a release by any of its names, with its gates, its changes and where it has been."""
    view = release_view(request.app.state.workspace.log, service, version)
    return {
        "service": view.service, "version": view.version, "release": _plain(view.release),
        "gates": _plain(view.gates), "stays": _plain(view.stays), "quarantine": _plain(view.quarantine),
        "changes": [
            {"change": c.change, "title": c.merged.title if c.merged else "", "approvals": c.approvals,
             "event": c.event}
            for c in view.changes
        ],
        "tests": [{"event": f.id, **_plain(f.payload)} for f in view.tests],
        "sign_offs": [{"event": f.id, **_plain(f.payload)} for f in view.sign_offs],
        "incidents": [getattr(f.payload, "incident", "") for f in view.incidents],
    }  # fmt: skip


@router.get("/deployments")
def deployments(request: Request, service: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """Return the deployments that were asked for last, newest first."""
    log = request.app.state.workspace.log
    return [_summary(d) for d in list_deployments(log, service=service, limit=min(max(limit, 1), 200))]


@router.get("/deployments/{deployment_id}")
def deployment(request: Request, deployment_id: str) -> dict[str, Any]:
    """Return a deployment: where it is and why, its orders, and the watch's last look."""
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    return {
        **_summary(view.deployment),
        "why": view.why, "waits_for": view.now.sentence, "until": view.now.until, "person": view.now.person,
        "can": view.can, "problems": view.problems, "looks": view.looks,
        "orders": [
            {"token": o.token, "outcome": o.outcome, "event": o.intended.id, **_plain(o.intended.payload)}
            for o in view.orders
        ],
        "metrics": [
            {"metric": m.name, "last": m.last, "event": m.points[-1].event} for m in view.metrics
        ],
    }  # fmt: skip


@router.get("/deployments/{deployment_id}/series")
def series(request: Request, deployment_id: str) -> list[dict[str, Any]]:
    """Return each watched metric's evidence (base-10 logarithm) and rates over time."""
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    return [chart_series(metric) for metric in view.metrics]


def _summary(d: Deployment) -> dict[str, Any]:
    return {
        "id": d.id, "service": d.service, "environment": d.environment, "release": d.candidate.version,
        "previous": d.baseline.version if d.baseline else "", "kind": d.kind, "phase": d.phase,
        "step": d.step, "weight": d.weight, "outcome": d.outcome, "reason": d.outcome_reason,
        "requested_at": d.requested_at, "finished_at": d.finished_at, "incident": d.incident,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Return frozen values as JSON holds them."""
    return msgspec.to_builtins(value)
