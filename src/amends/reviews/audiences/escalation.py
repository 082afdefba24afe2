"""Who is told when, once: the rules of ``notices.yaml`` against how an incident stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from amends.incidents.incident import Incident, Lifecycle
from amends.reviews.audiences.settings import NoticePolicy, Occasion, Rule

STALE_AFTER = timedelta(days=7)
"""An incident that was mitigated, resolved or reviewed longer ago is no news: rules that are declared on an
old log tell nobody of its past.
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an incident stands, as rules see it. A time is ``None`` while that has not happened.

    ``neighbours`` are other services that it concerns, up and down the stream: their owners are told, too.
    """

    incident: str
    service: str
    environment: str
    severity: str
    detected_at: datetime
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    reviewed_at: datetime | None = None
    neighbours: frozenset[str] = frozenset()

    @property
    def services(self) -> frozenset[str]:
        """Every service that it concerns."""
        return self.neighbours | {self.service}

    def at(self, occasion: Occasion) -> datetime | None:
        """Return when an occasion came."""
        if occasion == "opened":
            return self.detected_at
        return {"mitigated": self.ended_at, "resolved": self.resolved_at, "reviewed": self.reviewed_at}[
            occasion
        ]

    @property
    def ended_at(self) -> datetime | None:
        """When it was over for users."""
        times = [moment for moment in (self.mitigated_at, self.resolved_at) if moment]
        return min(times) if times else None


@dataclass(frozen=True, slots=True, order=True)
class Telling:
    """An audience is to be told at a moment. ``rule`` counts from 1."""

    at: datetime
    audience: str
    occasion: Occasion
    by: Literal["now", "digest"]
    rule: int


Told = Collection[tuple[str, str, str]]
"""(audience, occasion, now or digest) that are in the log already."""


def severity_of(incident: Incident) -> str:
    """Return an incident's severity as it stands."""
    return str(getattr(incident, "severity", "") or incident.opened.severity)


def standing_of(
    incident: Incident, *, mitigated_at: datetime | None, resolved_at: datetime | None,
    reviewed_at: datetime | None,
) -> Standing:  # fmt: skip
    """Return how an incident stands. One that was reopened is not resolved."""
    closed = incident.state is Lifecycle.RESOLVED
    return Standing(
        incident.id, incident.service, incident.environment, severity_of(incident), incident.detected_at,
        mitigated_at, resolved_at if closed else None, reviewed_at,
        frozenset(one.service for one in incident.neighbours),
    )  # fmt: skip


def tellings(policy: NoticePolicy, standing: Standing, told: Told, now: datetime) -> list[Telling]:
    """Return who is still to be told, soonest first; those with ``at`` after ``now`` may yet become moot.

    An audience is told once for each occasion, however many rules say so; one that was to read it in the
    digest is told at once when a sharper rule says so.
    """
    found: dict[tuple[str, Occasion], Telling] = {}
    for number, rule in enumerate(policy.escalation, 1):
        at = _due(rule, standing)
        if at is None or _is_stale(rule, standing, at, now):
            continue
        for name in rule.tell:
            telling = Telling(at, name, rule.when, rule.by, number)
            audience = policy.audiences[name]
            if not any(map(audience.concerns, standing.services)) or _is_told(telling, told):
                continue
            known = found.get((name, rule.when))
            found[name, rule.when] = telling if known is None else _sharper(known, telling, now)
    return sorted(found.values())


def due(planned: Iterable[Telling], now: datetime) -> list[Telling]:
    """Return the tellings whose time has come."""
    return [one for one in planned if one.at <= now]


def next_at(planned: Sequence[Telling], now: datetime) -> datetime | None:
    """Return when the next telling is due."""
    return min((one.at for one in planned if one.at > now), default=None)


def _due(rule: Rule, standing: Standing) -> datetime | None:
    if rule.severities and standing.severity.casefold() not in {one.casefold() for one in rule.severities}:
        return None
    if rule.services and standing.services.isdisjoint(rule.services):
        return None
    if rule.environments and standing.environment not in rule.environments:
        return None
    occasion = standing.at(rule.when)
    if occasion is None:
        return None
    at = occasion + timedelta(seconds=rule.after)
    ended = standing.ended_at
    # It did not last that long.
    return None if rule.after and ended is not None and ended < at else at


def _is_stale(rule: Rule, standing: Standing, at: datetime, now: datetime) -> bool:
    if rule.when == "opened" and standing.ended_at is None:
        return False
    latest = max(at, standing.ended_at or at) if rule.when == "opened" else at
    return now - latest > STALE_AFTER


def _is_told(telling: Telling, told: Told) -> bool:
    if (telling.audience, telling.occasion, "now") in told:
        return True
    return telling.by == "digest" and (telling.audience, telling.occasion, "digest") in told


def _sharper(known: Telling, other: Telling, now: datetime) -> Telling:
    """Take what is due, then what tells at once, then what comes sooner."""
    return min(known, other, key=lambda one: (one.at > now, one.by != "now", one.at, one.rule))
