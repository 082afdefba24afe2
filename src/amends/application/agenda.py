"""Reading the agenda of an incident's review from the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from amends.application.log import Log
from amends.application.queries.bypasses import bypasses_of
from amends.application.record import release_names, require_incident
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident
from amends.reviews.agenda import Agenda, agenda_of

MOST = 200
"""How many deployments are looked at: a review has no time for more, and a log may hold very many."""
_MOVES = ("service.deployed", "service.upgraded")


def read_agenda(log: Log, incident: str) -> Agenda:
    """Return the overrides and bypasses that the review of an incident talks about.

    Those of the incident's service since the review before it was published, and whenever they were, those
    of its release. Where the review itself is published, up to then: what comes later is on the next one's.
    Raises ``NotFoundError``.
    """
    found = require_incident(log, incident)
    return agenda_for(log, found, release_names(log, found.service, found.release))[0]


def agenda_for(log: Log, incident: Incident, names: frozenset[str]) -> tuple[Agenda, list[Fact]]:
    """Return the agenda of an incident whose release's names are known, and the facts that it cites."""
    tags = [f"service:{incident.service}"]
    published = log.facts(tags=tags, kinds=["review.published"])
    until = _published(published, incident.id)
    before = [
        fact
        for fact in published
        if isinstance(fact.payload, p.ReviewPublished)
        and fact.payload.incident != incident.id
        and (until is None or fact.occurred_at < until)
    ]
    last = max(before, key=lambda fact: fact.occurred_at, default=None)
    review = last.payload.incident if last and isinstance(last.payload, p.ReviewPublished) else ""
    overrides = log.facts(tags=tags, kinds=["override.granted"])
    since = last.occurred_at if last else None
    moves, cut = _deployments(log, incident.service, names)
    agenda = agenda_of(
        overrides, bypasses_of(log, incident.service, moves), names, since=since, review=review, until=until,
        most=MOST if cut else 0,
    )  # fmt: skip
    cited = {topic.event for topic in agenda.topics}
    return agenda, [fact for fact in (*overrides, *moves) if fact.id in cited]


def _deployments(log: Log, service: str, names: frozenset[str]) -> tuple[list[Fact], bool]:
    """Return the latest deployments and all of the incident's release; and whether there were more."""
    tags = [f"release:{service}@{name}" for name in sorted(names)]
    own = log.facts(tags=tags, kinds=_MOVES) if tags else []
    found = log.facts(tags=[f"service:{service}"], kinds=_MOVES, newest_first=True, limit=MOST)
    return list({fact.id: fact for fact in (*own, *found)}.values()), len(found) == MOST


def _published(published: Sequence[Fact], incident: str) -> datetime | None:
    own = [
        f for f in published if isinstance(f.payload, p.ReviewPublished) and f.payload.incident == incident
    ]
    return own[-1].occurred_at if own else None
