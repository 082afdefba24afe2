"""What people say about an incident while they handle it and look back on it: each word an event."""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Moment, Payload

Visibility = Literal["unknown", "none", "some", "all"]
DutyName = Literal["commander", "scribe", "communications"]
Relation = Literal["upstream", "downstream", "beside"]


class IncidentAssessed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """How severe an incident is, and which customers see it. What is empty stays as it was."""

    incident: str
    service: str
    severity: str = ""
    visibility: Literal["", "unknown", "none", "some", "all"] = ""
    role: str = ""
    reason: str = ""


class DutyMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A team takes or leaves a duty in an incident; the event's kind says which.

    ``person`` is a pseudonym, and only there where that person chose to be named.
    """

    incident: str
    service: str
    duty: DutyName
    team: str = ""
    person: str = ""
    role: str = ""


class IncidentSplit(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Part of an incident is another one: ``events`` belong to ``other`` from here on."""

    incident: str
    service: str
    other: str
    events: tuple[str, ...] = ()
    role: str = ""
    reason: str = ""


class IncidentBackdated(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """It was detected ``at``, not when the log says; ``was`` is what counted until then."""

    incident: str
    service: str
    at: Moment
    was: Moment
    role: str = ""
    reason: str = ""


class NeighbourConcerned(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An incident concerns another service, or no longer does; the event's kind says which.

    ``neighbour`` is the other service and ``team`` its owner, who is to be told: this is the intent, and
    notices go by it. ``role`` is empty where it follows from the policies' ``depends_on``. ``evidence`` are
    the events that it rests on.
    """

    incident: str
    service: str
    neighbour: str
    relation: Relation
    team: str = ""
    environment: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    role: str = ""


class RowAnswered(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A team's own words about one gate of the escape matrix.

    ``whose`` is the service whose gate it is, where that is not the incident's. ``state`` and ``question``
    are what the row said when they were asked.
    """

    incident: str
    service: str
    gate: str
    environment: str
    words: str
    role: str
    question: str = ""
    state: str = ""
    whose: str = ""


class FactorNamed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A condition that made the defect or its escape more likely; or one that was withdrawn, by its kind.

    ``factor`` is a word of the taxonomy in docs/reference/contributing-factors.md. ``evidence`` are events
    that show it, ``withdraws`` the event of the factor that is withdrawn.
    """

    incident: str
    service: str
    factor: str
    words: str
    role: str
    evidence: tuple[str, ...] = ()
    withdraws: str = ""


class DurationStated(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody states how long something took: kept as it was said, and compared with the milestones.

    ``begins`` and ``ends`` are milestones; ``precision`` is how many seconds the last digit stands for.
    """

    incident: str
    service: str
    begins: str
    ends: str
    seconds: float
    precision: float = 60.0
    source: str = ""
    role: str = ""
