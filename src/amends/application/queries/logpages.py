"""The log for people: newest first, filtered, and one event with its place in the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from amends.application.log import Log
from amends.errors import NotFoundError
from amends.events.chain import attributes, body_of, digest_of
from amends.events.codec import Fact, decode
from amends.events.tags import tags_of
from amends.incidents.timeline import sentence_of

PAGE = 50
_CITING = (
    "gates.decided", "amendment.proven", "amendment.disproven", "amendment.unreplayable",
    "amendment.proposed", "review.revised",
)  # fmt: skip
_CITING_READ = 500


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log, newest first.

    ``older`` and ``newer`` are the positions before and after which the next pages are; ``None`` where
    there is none.
    """

    facts: tuple[Fact, ...]
    older: int | None = None
    newer: int | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, its CloudEvent, its place in the chain, and the events that cite it.

    ``sentence`` says it for people, where there is one. ``intact`` says whether its digest is that of what
    the store holds; the whole chain is for `amends log verify`.
    """

    fact: Fact
    envelope: dict[str, Any]
    tags: tuple[str, ...]
    sentence: str
    intact: bool
    cited_by: tuple[Fact, ...]


def log_page(
    log: Log, *, service: str = "", kind: str = "", tag: str = "", before: int | None = None,
    after: int | None = None,
) -> LogPage:  # fmt: skip
    """Return a page of events, newest first, restricted by service, kind and tag together.

    ``before`` asks for the page below a position, ``after`` for the one above it; without them it is the
    newest. However far back a page is, it costs no more than the first.
    """
    asked = _Asked(service, kind, tag)
    if after is not None:
        found = list(islice(asked.read(log, after=after), PAGE + 1))
        if len(found) > PAGE:
            shown = tuple(found[PAGE - 1 :: -1])
            return LogPage(shown, shown[-1].recorded.position, shown[0].recorded.position)
        before = None  # what is left to show fits on the newest page
    found = list(islice(asked.read(log, before=before, newest_first=True), PAGE + 1))
    shown = tuple(found[:PAGE])
    return LogPage(
        shown, shown[-1].recorded.position if len(found) > PAGE else None,
        shown[0].recorded.position if shown and before is not None else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    service: str
    kind: str
    tag: str

    def read(
        self, log: Log, *, after: int = 0, before: int | None = None, newest_first: bool = False
    ) -> Iterator[Fact]:
        """Read on in batches, for as long as the caller wants more."""
        own = f"service:{self.service}" if self.service else ""
        tags = [name for name in (self.tag or own,) if name]
        while True:
            batch = log.facts(
                tags=tags, kinds=[self.kind] if self.kind else (), after=after, before=before,
                limit=PAGE + 1, newest_first=newest_first,
            )  # fmt: skip
            # The store narrows by one tag; a second one is looked at here.
            yield from (f for f in batch if not (self.tag and own) or own in tags_of(f.payload))
            if len(batch) <= PAGE:
                return
            last = batch[-1].recorded.position
            after, before = (after, last) if newest_first else (last, before)


def event_view(log: Log, event_id: str, source: str = "") -> EventView:
    """Return one event by its id (and source, where several used that id). Raises ``NotFoundError``."""
    found = [r for r in log.store.find(event_id) if not source or r.event.source == source]
    if not found:
        raise NotFoundError(f"the log has no event {event_id}", remedy="look for it in the log")
    fact = decode(found[0])
    record = fact.recorded
    tags = tags_of(fact.payload)
    return EventView(
        fact, attributes(record.event), tags, sentence_of(fact), digest_of(body_of(record)) == record.digest,
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
