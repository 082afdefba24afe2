"""An incident, folded from its stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from amends.events import payloads as p
from amends.events.codec import Fact


class Lifecycle(StrEnum):
    """Where an incident stands. Mitigation is a milestone, not a state: it may come before anyone looks."""

    OPEN = "open"  # from incident.detected or incident.reopened; to ACKNOWLEDGED or RESOLVED
    ACKNOWLEDGED = "acknowledged"  # from OPEN, by incident.acknowledged; to RESOLVED
    RESOLVED = "resolved"  # from OPEN or ACKNOWLEDGED, by incident.resolved; to OPEN, by incident.reopened


_MOVES = {
    "incident.acknowledged": (Lifecycle.ACKNOWLEDGED, (Lifecycle.OPEN,)),
    "incident.resolved": (Lifecycle.RESOLVED, (Lifecycle.OPEN, Lifecycle.ACKNOWLEDGED)),
    "incident.reopened": (Lifecycle.OPEN, (Lifecycle.RESOLVED,)),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """What an incident is now.

    ``opened`` is the payload it began with, ``event`` that event's id. ``names`` are all names of the escaped
    release (version, commit, digest), where the catalogue was asked for them; ``deployments`` are those that
    brought it to the environment and took it back.
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
                    told.incident, told, fact.id, fact.occurred_at, fact.known_at, version=fact.recorded.seq
                )
            continue
        incident = replace(_move(incident, fact), version=fact.recorded.seq)
    return incident


def _move(incident: Incident, fact: Fact) -> Incident:
    told = fact.payload
    if isinstance(told, p.ReviewRevised):
        return replace(incident, revisions=max(incident.revisions, told.revision))
    if isinstance(told, p.ReviewPublished):
        return replace(incident, published=told.revision)
    state, allowed = _MOVES.get(fact.kind, (incident.state, ()))
    return replace(incident, state=state) if incident.state in allowed else incident


def facts_in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts by when they happened, each once; the order depends on the facts alone."""
    unique = {fact.recorded.event.key: fact for fact in facts}
    return sorted(
        unique.values(),
        key=lambda f: (f.occurred_at, f.recorded.recorded_at, f.recorded.stream, f.recorded.seq, f.id),
    )
