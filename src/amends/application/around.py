"""What happened around an incident: the services that its service needs and those that need it.

Which release began it follows from the policies' ``depends_on`` and from the watches. The owners of the
services that it concerns are to be told: an event states that intent, and notices go by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from amends.application.dependencies import Dependencies, owner_of, read_dependencies
from amends.application.log import Log
from amends.application.record import RECOGNISER, concerning, gates_in_force, named
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.escape import EscapeMatrix, EscapeRow, EscapeState, escape_matrix
from amends.incidents.incident import Incident
from amends.incidents.neighbourhood import Near, around
from amends.incidents.origin import LOOKBACK, Origin, Suspect, origin_of, suspects_of

MOST = 25
"""How many services around an incident are looked at; the nearest first."""
_REQUESTED_BEFORE = LOOKBACK + timedelta(days=7)  # a deployment may wait long between its request and traffic
_LANE = (
    "service.deployed", "service.upgraded", "service.rolledback", "deployment.requested", "step.started",
    "actuation.done", "watch.assessed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """A service around the incident: its release then, and how its own gates stood to that release."""

    near: Near
    team: str
    release: str
    began: bool
    rows: tuple[EscapeRow, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where it began, and the services around it; both empty where no policy names a dependency."""

    origin: Origin | None = None
    beside: tuple[Beside, ...] = ()

    def rows_of(self, service: str) -> tuple[EscapeRow, ...]:
        """Return the rows of a service's gates."""
        return next((one.rows for one in self.beside if one.near.service == service), ())


def read_surroundings(log: Log, incident: Incident) -> Surroundings:
    """Return what happened around an incident, by the policies that were known when it was opened."""
    graph = read_dependencies(log, _known(incident))
    near = around(graph.edges, incident.service, incident.environment)
    if not near:
        return Surroundings()
    origin = _origin(log, incident, near)
    shown = _concerned(graph, incident, near, origin)
    return Surroundings(origin, tuple(_beside(log, incident, one, origin) for one in shown[:MOST]))


def intents(log: Log, incident: Incident) -> list[p.NeighbourConcerned]:
    """Return which owners are to be told of an incident and have not been thought of yet."""
    graph = read_dependencies(log, _known(incident))
    near = around(graph.edges, incident.service, incident.environment)
    if not near:
        return []
    origin = _origin(log, incident, near)
    thought_of = {one.service for one in incident.neighbours}
    return [
        p.NeighbourConcerned(
            incident=incident.id, service=incident.service, neighbour=one.service, relation=one.relation,
            team=owner_of(log, one.service), environment=one.environment, evidence=one.events,
            reason=_why(incident, one, origin),
        )
        for one in _concerned(graph, incident, near, origin)[:MOST]
        if one.service not in thought_of
    ]  # fmt: skip


def _known(incident: Incident) -> datetime:
    return max(incident.detected_at, incident.known_at or incident.detected_at)


def _origin(log: Log, incident: Incident, near: Sequence[Near]) -> Origin:
    places: list[tuple[str, str, Literal["itself", "upstream"]]] = [
        (incident.service, incident.environment, "itself")
    ]
    places += [(one.service, one.environment, "upstream") for one in near if one.relation == "upstream"]
    suspects: list[Suspect] = []
    detected = incident.detected_at
    for service, environment, relation in places[:MOST]:
        lane = log.facts(
            tags=[f"env:{service}/{environment}"], kinds=_LANE, since=detected - _REQUESTED_BEFORE,
            until=detected + LOOKBACK,
        )  # fmt: skip
        ordered = sorted(lane, key=lambda f: (f.occurred_at, f.recorded.position))
        suspects += suspects_of(service, environment, relation, ordered, detected)
    return origin_of(incident.service, suspects)


def _concerned(graph: Dependencies, incident: Incident, near: Sequence[Near], origin: Origin) -> list[Near]:
    """Return whom it concerns: the direct neighbours, who may have begun it, and who else needs that one.

    Attention is what notices cost, so services further away are left alone until they are.
    """
    suspected = {one.service for one in origin.suspects}
    found = [one for one in near if one.direct or one.service in suspected]
    known = {incident.service, *(one.service for one in found)}
    if origin.begun and origin.upstream and origin.shown:
        beside = around(graph.edges, origin.begun.service, origin.begun.environment)
        found += [
            replace(one, relation="beside") for one in beside
            if one.relation == "downstream" and one.direct and one.service not in known
        ]  # fmt: skip
    return found


def _why(incident: Incident, one: Near, origin: Origin) -> str:
    if origin.begun and origin.begun.service == one.service:
        return origin.sentence.removesuffix(".")
    way = f" by way of {', '.join(one.path)}" if one.path else ""
    if one.relation == "upstream":
        return f"{incident.service} needs it{way}"
    needed = origin.begun.service if one.relation == "beside" and origin.begun else incident.service
    return f"it needs {needed}{way}"


def _beside(log: Log, incident: Incident, near: Near, origin: Origin) -> Beside:
    begun = origin.begun
    began = begun is not None and begun.service == near.service
    suspected = [one for one in origin.suspects if one.service == near.service]
    release = suspected[0].release if suspected else ""
    release = release or _running(log, near.service, near.environment, incident.detected_at)
    rows: tuple[EscapeRow, ...] = ()
    if release:
        matrix = _matrix_of(log, incident, near, release)
        rows = matrix.rows if began else tuple(row for row in matrix.rows if _own(row))
    return Beside(near, owner_of(log, near.service), release, began, rows)


def _running(log: Log, service: str, environment: str, at: datetime) -> str:
    """Return the release that ran somewhere at a moment; empty where nobody recorded it."""
    kinds = ("service.deployed", "service.upgraded", "service.rolledback")
    facts = log.facts(tags=[f"env:{service}/{environment}"], kinds=kinds, until=at)
    found = ""
    for fact in sorted(facts, key=lambda f: (f.occurred_at, f.recorded.position)):
        told = fact.payload
        if isinstance(told, p.ServiceDeployed):
            found = told.release
        elif isinstance(told, p.ServiceRolledBack):
            found = told.restored
    return found


def _matrix_of(log: Log, incident: Incident, near: Near, release: str) -> EscapeMatrix:
    """Compute the matrix of a neighbour's gates, as if the incident were about its release."""
    opened = p.IncidentOpened(
        incident=incident.id, service=near.service, environment=near.environment, release=release,
        summary=incident.opened.summary, opened_by=incident.opened.opened_by,
    )  # fmt: skip
    theirs = named(log, replace(incident, opened=opened, names=frozenset(), deployments=frozenset()))
    tags = [f"release:{near.service}@{name}" for name in sorted(theirs.names)]
    own = {
        fact.payload.incident for fact in log.facts(tags=tags, kinds=("incident.detected",))
        if isinstance(fact.payload, p.IncidentOpened)
    }  # fmt: skip
    facts: tuple[Fact, ...] = concerning(log, replace(theirs, family=frozenset(own)))
    return escape_matrix(theirs, facts, gates_in_force(log, theirs, facts), RECOGNISER)


def _own(row: EscapeRow) -> bool:
    """Return whether a row is of a gate that the service has; standard ones that it lacks are left out."""
    return bool(row.answer) or row.state not in (EscapeState.NOT_IN_PLACE, EscapeState.NOT_RECORDED)
