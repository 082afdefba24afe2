"""Incidents: opened by a rollback, an alert or a person, and moved on by people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from amends.application.log import Log
from amends.errors import EventConflictError, NotFoundError, VersionConflictError
from amends.events.payloads import IncidentOpened

# Under one source and one id for a deployment, two processes that open at once meet in the store.
SOURCE = "/amends/incidents"
_ATTEMPTS = 50


def open_incident(
    log: Log, *, service: str, release: str, previous: str, environment: str, summary: str,
    opened_by: Literal["rollback", "alert", "bypass", "person"], deployment: str = "", team: str = "",
    severity: str = "", role: str = "", deployed_at: datetime | None = None,
    rolled_back_at: datetime | None = None, alert: dict[str, Any] | None = None, at: datetime | None = None,
    key: str = "",
) -> str:  # fmt: skip
    """Open an incident and return its id, ``INC-1``, ``INC-2``…

    Idempotent per deployment (or per ``key``, for alerts): the same one again returns the incident that is
    there. ``at`` is when it was detected; now, if not given.

    Raises ``VersionConflictError`` when many writers take one number after the other, which a retry mends.
    """
    identity = key or (f"deployment:{service}/{deployment}" if deployment else "")
    for _ in range(_ATTEMPTS):
        known = incident_of_key(log, identity) if identity else None
        if known:
            return known
        incident = _next_id(log)
        payload = IncidentOpened(
            incident=incident, service=service, environment=environment, summary=summary,
            opened_by=opened_by, release=release, previous=previous, deployment=deployment, team=team,
            severity=severity, role=role, deployed_at=deployed_at, rolled_back_at=rolled_back_at,
            alert=alert or {},
        )  # fmt: skip
        try:
            log.record(
                "incident.detected", payload, id=f"incident:{identity}" if identity else "",
                source=SOURCE if identity else "", at=at, expected=0,
            )  # fmt: skip
        except (VersionConflictError, EventConflictError):
            continue
        return incident
    raise VersionConflictError(
        f"{_ATTEMPTS} other writers took the next incident's number first", remedy="try again"
    )


def incident_of_key(log: Log, identity: str) -> str | None:
    """Return the incident that was opened under this identity, if any."""
    for record in log.store.find(f"incident:{identity}"):
        if record.event.source == SOURCE:
            return record.stream.removeprefix("incident/")
    return None


def _next_id(log: Log) -> str:
    numbers = [0]
    for fact in log.facts(kinds=("incident.detected",)):
        tail = fact.recorded.stream.removeprefix("incident/INC-")
        if tail.isdigit():
            numbers.append(int(tail))
    return f"INC-{max(numbers) + 1}"


def require_incident(log: Log, incident: str) -> IncidentOpened:
    """Return what an incident was opened with. Raises ``NotFoundError``, naming those there are."""
    for fact in log.stream(f"incident/{incident}"):
        if isinstance(fact.payload, IncidentOpened):
            return fact.payload
    recent = log.facts(kinds=("incident.detected",), newest_first=True, limit=5)
    names = ", ".join(fact.recorded.stream.removeprefix("incident/") for fact in recent) or "none yet"
    raise NotFoundError(
        f"found no incident {incident!r}; the latest are: {names}",
        remedy="see `amends incident list`",
    )
