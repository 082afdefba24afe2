"""Deployments that went around their gates, and the incidents that they open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from amends.application.dependencies import owner_of
from amends.application.incidents import incident_of_key, list_incidents, open_incident
from amends.application.log import Log
from amends.application.queries.bypasses import bypasses_of
from amends.application.record import release_names
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident
from amends.releases.bypass import Bypass

STALE_AFTER = timedelta(days=7)
"""A bypass that was recorded longer ago opens nothing by itself: it is history."""


def unopened(log: Log, service: str, environment: str, now: datetime) -> Iterator[tuple[Fact, Bypass]]:
    """Yield each recent bypass of an environment that has no incident, with the deployment that was seen."""
    moves = {
        fact.id: fact
        for fact in log.facts(
            tags=[f"env:{service}/{environment}"], kinds=("service.deployed", "service.upgraded"),
            since=now - STALE_AFTER,
        )
        if not fact.recorded.event.imported and now - fact.recorded.recorded_at <= STALE_AFTER
    }  # fmt: skip
    found = bypasses_of(log, service, moves.values()) if moves else []
    there = list_incidents(log, service=service) if found else []
    for one in sorted(found, key=lambda bypass: bypass.at):
        if incident_of_key(log, key_of(one)) is None and not _known(log, one, there):
            yield moves[one.event], one


def _known(log: Log, one: Bypass, there: list[Incident]) -> bool:
    """Whether the deployment has an incident already: its rollback's, or one that a person opened."""
    names = {one.release, *release_names(log, one.service, one.release)}
    return any(
        (one.deployment and found.opened.deployment == one.deployment) or found.opened.bypass == one.event
        or (found.service == one.service and found.environment == one.environment
            and found.release in names and found.detected_at >= one.at)
        for found in there
    )  # fmt: skip


def key_of(one: Bypass) -> str:
    """Return the identity of a bypass's incident: there is one, whoever opens it."""
    return f"bypass:{one.event}"


def open_of_bypass(
    log: Log, fact: Fact | None, one: Bypass, *, summary: str = "", role: str = "", team: str = "",
    severity: str = "",
) -> str:  # fmt: skip
    """Open the incident of a bypass and return its id; the same one again returns it.

    ``fact`` is the deployment that was seen, which says what ran before.
    """
    said = fact.payload if fact else None
    return open_incident(
        log, service=one.service, release=one.release, opened_by="bypass",
        previous=said.previous if isinstance(said, p.ServiceDeployed) else "",
        environment=one.environment, deployment=one.deployment, role=role,
        team=team or owner_of(log, one.service), severity=severity,
        summary=summary or f"{one.release} went around the gates of {one.environment}: {one.reason}",
        deployed_at=one.at, bypass=one.event, key=key_of(one),
    )  # fmt: skip
