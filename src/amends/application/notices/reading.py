"""Who has been told: the outbox and the history of notices, for pages and commands."""

from __future__ import annotations

from datetime import datetime

from amends.application.log import Log
from amends.application.notices.office import Office, read_statements
from amends.application.record import read_record
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident
from amends.reviews.audiences.escalation import Standing, Telling, standing_of, tellings
from amends.reviews.notices.outbox import Notice, Thread, fold_thread

KINDS = (
    "notice.intended", "notice.deferred", "notice.attempted", "notice.sent", "notice.failed",
    "notice.retried",
)  # fmt: skip


def threads(log: Log, *, incident: str = "") -> dict[tuple[str, str], Thread]:
    """Return every thread, or those of one incident, by topic and audience."""
    tags = [f"incident:{incident}"] if incident else []
    grouped: dict[tuple[str, str], list[Fact]] = {}
    for fact in log.facts(tags=tags, kinds=KINDS):
        key = (getattr(fact.payload, "topic", ""), getattr(fact.payload, "audience", ""))
        grouped.setdefault(key, []).append(fact)
    return {key: fold_thread(facts) for key, facts in grouped.items()}


def notices(log: Log, *, incident: str = "", audience: str = "", limit: int = 200) -> list[Notice]:
    """Return notices, the newest first."""
    found = [
        notice
        for (_, name), thread in threads(log, incident=incident).items()
        if not audience or name == audience
        for notice in thread.notices
    ]
    return sorted(found, key=lambda one: (one.at, one.said.revision), reverse=True)[:limit]


def outbox(log: Log) -> list[Notice]:
    """Return what is still on its way or was refused for good, oldest first."""
    undone = [
        one for one in notices(log, limit=1_000_000) if any(d.state != "sent" for d in one.deliveries)
    ]  # fmt: skip
    return undone[::-1]


def standing(log: Log, incident: str) -> Standing:
    """Return how an incident stands, as escalation rules see it. Raises ``NotFoundError``."""
    record = read_record(log, incident)
    named = {one.name: one for one in record.milestones}
    return standing_of(
        record.incident, mitigated_at=named["mitigated"].high, resolved_at=named["resolved"].high,
        reviewed_at=_reviewed_at(log, record.incident),
    )  # fmt: skip


def _reviewed_at(log: Log, incident: Incident) -> datetime | None:
    if not incident.published:
        return None
    facts = [f for f in log.stream(f"incident/{incident.id}") if isinstance(f.payload, p.ReviewPublished)]
    return facts[0].occurred_at if facts else None


def told_about(log: Log, incident: str) -> set[tuple[str, str, str]]:
    """Return who was told on which occasion. For customers, that a statement was drafted counts as told."""
    found: set[tuple[str, str, str]] = set()
    for thread in threads(log, incident=incident).values():
        found |= thread.told()
    return found


def plan(office: Office, incident: str) -> list[Telling]:
    """Return who is to be told by the rules and has not been, soonest first. Raises ``NotFoundError``."""
    told = told_about(office.log, incident)
    if read_statements(office.log, incident):
        customers = [n for n, one in office.policy.audiences.items() if one.kind == "customers"]
        told |= {(n, o, "now") for n in customers for o in ("opened", "mitigated", "resolved", "reviewed")}
    return tellings(office.policy, standing(office.log, incident), told, office.log.clock.now())
