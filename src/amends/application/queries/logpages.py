"""The log for people: newest first, filtered, and one event with its place in the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from amends.application.log import Log
from amends.errors import NotFoundError
from amends.events.chain import attributes, body_of, digest_of
from amends.events.codec import Fact, decode
from amends.events.tags import tags_of

PAGE = 50
_CITING = (
    "gates.decided", "amendment.proven", "amendment.disproven", "amendment.unreplayable",
    "amendment.proposed", "review.revised",
)  # fmt: skip
_CITING_READ = 500


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log, newest first."""

    facts: tuple[Fact, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, its CloudEvent, its place in the chain, and the events that cite it.

    ``intact`` says whether its digest is that of what the store holds; the whole chain is for
    `amends log verify`.
    """

    fact: Fact
    envelope: dict[str, Any]
    tags: tuple[str, ...]
    intact: bool
    cited_by: tuple[Fact, ...]


def log_page(log: Log, *, service: str = "", kind: str = "", tag: str = "", page: int = 1) -> LogPage:
    """Return a page of events, newest first, restricted by service, kind and tag together."""
    tags = (tag,) if tag else ((f"service:{service}",) if service else ())
    kinds = (kind,) if kind else ()
    both = bool(tag and service)
    # With a tag and a service the store narrows by the tag; the service is looked at here.
    limit = None if both else page * PAGE + 1
    found = log.store.read(tags=tags, kinds=kinds, limit=limit, newest_first=True)
    if both:
        found = [r for r in found if f"service:{service}" in tags_of(decode(r).payload)]
    shown = found[(page - 1) * PAGE : page * PAGE]
    return LogPage(tuple(decode(record) for record in shown), page, len(found) > page * PAGE)


def event_view(log: Log, event_id: str, source: str = "") -> EventView:
    """Return one event by its id (and source, where several used that id). Raises ``NotFoundError``."""
    found = [r for r in log.store.find(event_id) if not source or r.event.source == source]
    if not found:
        raise NotFoundError(f"the log has no event {event_id}", remedy="look for it in the log")
    fact = decode(found[0])
    record = fact.recorded
    tags = tags_of(fact.payload)
    return EventView(
        fact, attributes(record.event), tags, digest_of(body_of(record)) == record.digest,
        _cited_by(log, event_id, tags),
    )  # fmt: skip


def _cited_by(log: Log, event_id: str, tags: tuple[str, ...]) -> tuple[Fact, ...]:
    service = [tag for tag in tags if tag.startswith("service:")]
    if not service:
        return ()
    near = log.facts(tags=service, kinds=_CITING, newest_first=True, limit=_CITING_READ)
    return tuple(
        fact
        for fact in near
        if fact.payload is not None and event_id in _strings(msgspec.to_builtins(fact.payload))
    )


def _strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return set()
    return {text for part in value for text in _strings(part)}
