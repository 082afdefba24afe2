"""What pages show, as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from amends.application.amending import list_amendments, require_amendment
from amends.application.deployments import list_deployments
from amends.application.incidents import incident_view, list_incidents
from amends.application.queries import (
    chart_series,
    deployment_view,
    release_view,
    releases_list,
)
from amends.application.reviewing import list_revisions, read_revision
from amends.incidents.incident import Incident
from amends.releases.deployment import Deployment
from amends.watch.looks import metrics_of

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
                        "bypass": _plain(cell.bypass),
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
        "bypasses": _plain(view.bypasses),
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
        "can": view.can, "problems": view.problems, "looks": len(view.watched),
        "orders": [
            {"token": o.token, "outcome": o.outcome, "event": o.intended.id, **_plain(o.intended.payload)}
            for o in view.orders
        ],
        "metrics": [
            {"metric": name, "last": _plain(seen[-1].row), "event": seen[-1].look.event}
            for name, seen in metrics_of(view.watched).items()
        ],
        "moved": view.watched[-1].moved if view.watched else (),
    }  # fmt: skip


@router.get("/deployments/{deployment_id}/series")
def series(request: Request, deployment_id: str) -> list[dict[str, Any]]:
    """Return each watched metric's evidence (base-10 logarithm), rates and effect with its bounds over time.

    The first has an empty name: the evidence of all metrics together, which decides.
    """
    workspace = request.app.state.workspace
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    return chart_series(view.watched)


@router.get("/incidents")
def incidents(request: Request, service: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Return incidents, newest first."""
    found = list_incidents(request.app.state.workspace.log, service=service, limit=min(max(limit, 1), 500))
    return [_incident(i) for i in found]


@router.get("/incidents/{incident}")
def incident(request: Request, incident: str) -> dict[str, Any]:
    """Return an incident with its timeline, milestones, durations and escape matrix."""
    view = incident_view(request.app.state.workspace.log, incident)
    record = view.record
    return {
        **_incident(view.incident),
        "quarantined": view.quarantined,
        "impact": _plain(record.impact), "timeline": _plain(record.timeline), "matrix": _plain(record.matrix),
        "milestones": _plain(record.milestones), "durations": _plain(record.durations),
        "amendments": [{"id": a.id, "state": a.state, "title": a.proposed.title} for a in view.amendments],
        "revisions": len(view.revisions),
    }  # fmt: skip


@router.get("/incidents/{incident}/review")
def review(request: Request, response: Response, incident: str, revision: int = 0) -> dict[str, Any]:
    """Return a revision of the review, the latest for 0. Its ``ETag`` goes into ``If-Match``."""
    found = read_revision(request.app.state.workspace.log, incident, revision)
    response.headers["ETag"] = f'"{found.number}"'
    return dict(_plain(found))


@router.get("/incidents/{incident}/review/revisions")
def revisions(request: Request, incident: str) -> list[dict[str, Any]]:
    """Return the revisions without their texts, oldest first."""
    found = list_revisions(request.app.state.workspace.log, incident)
    return [{k: v for k, v in _plain(r).items() if k != "text"} for r in found]


@router.get("/amendments")
def amendments(request: Request, service: str = "", state: str = "") -> list[dict[str, Any]]:
    """Return amendments, newest first."""
    found = list_amendments(request.app.state.workspace.log, service=service, state=state)
    return [_plain(a) for a in found]


@router.get("/amendments/{amendment}")
def amendment(request: Request, amendment: str) -> dict[str, Any]:
    """Return an amendment with its runs and its price."""
    return dict(_plain(require_amendment(request.app.state.workspace.log, amendment)))


def _incident(i: Incident) -> dict[str, Any]:
    return {
        "id": i.id, "state": i.state, "service": i.service, "environment": i.environment,
        "release": i.release, "previous": i.opened.previous, "summary": i.opened.summary,
        "severity": i.opened.severity, "opened_by": i.opened.opened_by, "detected_at": i.detected_at,
        "deployment": i.opened.deployment, "revisions": i.revisions, "published": i.published,
        "event": i.event,
    }  # fmt: skip


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
