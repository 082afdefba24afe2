"""Loose ends: escapes whose release never took over the environment, or which nobody tied to a deployment.

A candidate that its watch rolls back within minutes never takes over, so that no deployment is on record;
its gates had let it in all the same, and that is what a backtest asks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.backtests.deployments import REVERT, Deployments
from amends.backtests.names import ReleaseNames
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import releases_of


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """An incident (or a rollback, where ``incident`` is empty) that belongs to no deployment on record.

    ``release`` is ``None`` where nobody said which it was, ``at`` where nobody recorded when it was let in.
    """

    service: str
    incident: str
    release: ReleaseRef | None
    at: datetime | None
    happened: datetime
    event: str


def loose_facts(found: Deployments, facts: Sequence[Fact], environment: str) -> list[Fact]:
    """Return the incidents and rollbacks of an environment that came of none of its deployments."""
    of = found.outcomes
    words = found.questions.words
    known = {words[int(code)] for code in of.event[of.kind != REVERT]}
    passed_by = bypasses(facts)
    return [
        fact
        for fact in facts
        if fact.id not in known
        and isinstance(fact.payload, p.IncidentOpened | p.ServiceRolledBack)
        and fact.payload.environment == environment
        and getattr(fact.payload, "incident", "") not in passed_by
    ]


def bypasses(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the names of incidents that say that a gate was passed by: no defect of the release."""
    return frozenset(
        fact.payload.incident
        for fact in facts
        if isinstance(fact.payload, p.IncidentOpened) and fact.payload.opened_by == "bypass"
    )


def loose_ends(loose: Iterable[Fact], known: Sequence[Fact], environment: str) -> list[LooseEnd]:
    """Place loose facts in time, by what is known of their releases: declarations, requests, decisions."""
    names = ReleaseNames(releases_of(known))
    return [_placed(fact, known, names, environment) for fact in loose]


def _placed(fact: Fact, known: Sequence[Fact], names: ReleaseNames, environment: str) -> LooseEnd:
    told = fact.payload
    assert isinstance(told, p.IncidentOpened | p.ServiceRolledBack)
    incident = told.incident if isinstance(told, p.IncidentOpened) else ""
    if not told.release:
        return LooseEnd(told.service, incident, None, None, fact.occurred_at, fact.id)
    release = names.find(told.service, told.release)
    at = _let_in(known, names, release, environment, before=fact.occurred_at)
    if at is None:
        at = told.deployed_at if isinstance(told, p.IncidentOpened) else fact.occurred_at
    return LooseEnd(told.service, incident, release, at, fact.occurred_at, fact.id)


def _let_in(
    known: Sequence[Fact], names: ReleaseNames, release: ReleaseRef, environment: str, *, before: datetime
) -> datetime | None:
    """Return when a release was decided on last: by its gates, else when it was asked for."""
    for kind in (p.GatesDecided, p.DeploymentRequested):
        moments = [
            fact.payload.at if isinstance(fact.payload, p.GatesDecided) else fact.occurred_at
            for fact in known
            if isinstance(fact.payload, kind)
            and fact.payload.environment == environment
            and names.find(fact.payload.service, fact.payload.release) == release
        ]
        moments = [at for at in moments if at <= before]
        if moments:
            return max(moments)
    return None
