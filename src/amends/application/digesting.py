"""The learning digest, read from published reviews and what was changed after them."""

from __future__ import annotations

from datetime import datetime

from amends.amendments.amendment import fold_amendments
from amends.application.log import Log
from amends.application.record import read_record
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.redaction import redact
from amends.incidents.escape import EscapeState
from amends.learning.digest import Changed, Digest, Lesson, learned_part, newest_first
from amends.reviews.revisions import fold_revisions

MOST = 100
"""How many lessons a digest holds at most; the newest."""
_TELLING = frozenset(EscapeState) - {EscapeState.NOT_RECORDED, EscapeState.NOT_IN_PLACE}


def read_digest(
    log: Log, *, service: str = "", since: datetime | None = None, until: datetime | None = None
) -> Digest:
    """Return what was published between two moments (up to now, if ``until`` is not given)."""
    end = until or log.clock.now()
    tags = [f"service:{service}"] if service else []
    published: dict[str, Fact] = {}
    for fact in log.facts(tags=tags, kinds=["review.published"]):
        if fact.occurred_at <= end and isinstance(fact.payload, p.ReviewPublished):
            published[fact.payload.incident] = fact
    asked = [one for one in published.values() if since is None or one.occurred_at >= since]
    asked.sort(key=lambda one: one.occurred_at, reverse=True)
    return Digest(end, since, service, newest_first([_lesson(log, one) for one in asked[:MOST]]))


def _lesson(log: Log, published: Fact) -> Lesson:
    told = published.payload
    assert isinstance(told, p.ReviewPublished)
    record = read_record(log, told.incident)
    own = log.facts(tags=[f"incident:{told.incident}"])
    text = next((one.text for one in fold_revisions(own) if one.number == told.revision), "")
    edge_cases = {
        fact.payload.edge_case: redact(fact.payload.words) for fact in own
        if isinstance(fact.payload, p.EdgeCaseDocumented)
    }  # fmt: skip
    return Lesson(
        incident=told.incident, service=told.service, summary=redact(record.incident.opened.summary),
        published_at=published.occurred_at, event=published.id,
        past_gates=tuple(
            f"{row.gate} ({row.environment}): {row.state.value}. {redact(row.reason)}"
            for row in record.matrix.rows if row.state in _TELLING
        ),
        caught=redact(record.matrix.caught),
        changed=tuple(
            Changed(one.id, redact(one.proposed.title), str(one.state), one.proposed.kind)
            for one in fold_amendments(own)
        ),
        edge_cases=tuple(edge_cases.values()), learned=learned_part(text),
    )  # fmt: skip
