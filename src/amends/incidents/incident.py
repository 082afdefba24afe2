"""An incident, folded from its stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.payloads.casework import DutyName, Relation, Visibility


class Lifecycle(StrEnum):
    """Where an incident stands. Mitigation is a milestone, not a state: it may come before anyone looks."""

    OPEN = "open"  # from incident.detected or incident.reopened; to ACKNOWLEDGED or RESOLVED
    ACKNOWLEDGED = "acknowledged"  # from OPEN, by incident.acknowledged; to RESOLVED
    RESOLVED = "resolved"  # from OPEN or ACKNOWLEDGED, by incident.resolved; to OPEN, by incident.reopened
    MERGED = (
        "merged"  # from all others, by incident.merged; to OPEN, by incident.reopened: it stands alone again
    )


_MOVES = {
    "incident.acknowledged": (Lifecycle.ACKNOWLEDGED, (Lifecycle.OPEN,)),
    "incident.resolved": (Lifecycle.RESOLVED, (Lifecycle.OPEN, Lifecycle.ACKNOWLEDGED)),
    "incident.merged": (Lifecycle.MERGED, (Lifecycle.OPEN, Lifecycle.ACKNOWLEDGED, Lifecycle.RESOLVED)),
    "incident.reopened": (Lifecycle.OPEN, (Lifecycle.RESOLVED, Lifecycle.MERGED)),
}


@dataclass(frozen=True, slots=True)
class Duty:
    """Who has a duty. ``person`` is the pseudonym of someone who chose to be named; mostly empty."""

    name: DutyName
    team: str
    person: str
    event: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another service that the incident concerns. ``stated`` is by whom, empty where the policies say so."""

    service: str
    relation: Relation
    team: str
    environment: str
    reason: str
    stated: str
    event: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """What an incident is now.

    ``opened`` is the payload it began with, ``event`` that event's id. ``names`` are all names of the escaped
    release (version, commit, digest), where the catalogue was asked for them; ``deployments`` are those that
    brought it to the environment and took it back. ``family`` are the incidents that were merged into it,
    where the log was asked; ``given`` and ``taken`` the events that splits moved away and here. ``backdated``
    is the event and the role by which the detection was moved; both empty where nobody did.
    """

    id: str
    opened: p.IncidentOpened
    event: str
    detected_at: datetime
    known_at: datetime | None
    state: Lifecycle = Lifecycle.OPEN
    version: int = 0
    revisions: int = 0
    published: int = 0
    names: frozenset[str] = frozenset()
    deployments: frozenset[str] = frozenset()
    severity: str = ""
    visibility: Visibility = "unknown"
    duties: tuple[Duty, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    merged_into: str = ""
    split_into: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    backdated: tuple[str, str] = ("", "")
    family: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        """Every incident whose facts are this one's: itself and those that were merged into it."""
        return self.family | {self.id}

    def owns(self, fact: Fact) -> bool:
        """Return whether a fact was told of this incident, or of one that was merged into it."""
        told = getattr(fact.payload, "incident", "")
        return told in self.own or fact.id in self.taken

    @property
    def service(self) -> str:
        return self.opened.service

    @property
    def environment(self) -> str:
        return self.opened.environment

    @property
    def release(self) -> str:
        return self.opened.release

    def escaped(self, release: str) -> bool:
        """Return whether this names the escaped release."""
        return bool(release) and (release == self.release or release in self.names)


def fold_incident(facts: Iterable[Fact]) -> Incident | None:
    """Fold an incident's stream; ``None`` when nothing opened it.

    A move that the state does not allow (a second acknowledgement) changes nothing and stays in the record.
    """
    incident: Incident | None = None
    for fact in facts:
        told = fact.payload
        if incident is None:
            if isinstance(told, p.IncidentOpened):
                incident = Incident(
                    told.incident, told, fact.id, fact.occurred_at, fact.known_at, version=fact.recorded.seq,
                    severity=told.severity,
                )  # fmt: skip
            continue
        incident = replace(_move(incident, fact), version=fact.recorded.seq)
    return incident


def _move(incident: Incident, fact: Fact) -> Incident:
    told = fact.payload
    match told:
        case p.ReviewRevised():
            return replace(incident, revisions=max(incident.revisions, told.revision))
        case p.ReviewPublished():
            return replace(incident, published=told.revision)
        case p.IncidentAssessed():
            severity, visibility = told.severity or incident.severity, told.visibility or incident.visibility
            return replace(incident, severity=severity, visibility=visibility)
        case p.IncidentBackdated():
            return replace(incident, detected_at=told.at, backdated=(fact.id, told.role))
        case p.IncidentSplit():
            return replace(
                incident, split_into=(*incident.split_into, told.other),
                given=incident.given | set(told.events),
            )  # fmt: skip
        case p.DutyMoved():
            return _on_duty(incident, fact, told)
        case p.NeighbourConcerned():
            return _beside(incident, fact, told)
        case p.IncidentMoved():
            return _in_state(incident, fact.kind, told)
    return incident


def _in_state(incident: Incident, kind: str, told: p.IncidentMoved) -> Incident:
    state, allowed = _MOVES.get(kind, (incident.state, ()))
    if incident.state not in allowed:
        return incident
    return replace(incident, state=state, merged_into=told.other if state is Lifecycle.MERGED else "")


def _on_duty(incident: Incident, fact: Fact, told: p.DutyMoved) -> Incident:
    others = tuple(duty for duty in incident.duties if duty.name != told.duty)
    if fact.kind == "duty.left":
        return replace(incident, duties=others)
    return replace(incident, duties=(*others, Duty(told.duty, told.team, told.person, fact.id)))


def _beside(incident: Incident, fact: Fact, told: p.NeighbourConcerned) -> Incident:
    others = tuple(one for one in incident.neighbours if one.service != told.neighbour)
    if fact.kind == "neighbour.cleared":
        return replace(incident, neighbours=others)
    found = Neighbour(
        told.neighbour, told.relation, told.team, told.environment, told.reason, told.role, fact.id,
        fact.occurred_at,
    )  # fmt: skip
    return replace(incident, neighbours=(*others, found))


def facts_in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts by when they happened, each once; the order depends on the facts alone."""
    unique = {fact.recorded.event.key: fact for fact in facts}
    return sorted(
        unique.values(),
        key=lambda f: (f.occurred_at, f.recorded.recorded_at, f.recorded.stream, f.recorded.seq, f.id),
    )
