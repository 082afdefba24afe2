"""The log as commands, queries and workflows use it: typed facts in, typed facts out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amends.application.ports import Clock, EventStore
from amends.errors import NotFoundError
from amends.events import codec
from amends.events.payloads import Payload


class Facts(Protocol):
    """Where facts are read from: the log, or a part of it that is held in memory."""

    def facts(self, *, tags: Collection[str] = (), kinds: Collection[str] = ()) -> list[codec.Fact]:
        """Return facts by position that carry any of ``tags`` and are of any of ``kinds``."""

    def stream(self, name: str) -> list[codec.Fact]:
        """Return the facts of one stream, in order."""


@dataclass(frozen=True, slots=True)
class Log:
    """An event store with the clock, the ids and the source under which this process records.

    ``source`` is the CloudEvents source of what is recorded here, for example ``/amends/cli``.
    """

    store: EventStore
    clock: Clock
    new_id: Callable[[], str]
    source: str = "/amends"

    def record(
        self, name: str, payload: Payload, *, id: str = "", source: str = "", at: datetime | None = None,
        expected: int | None = None, imported: bool = False, known_at: datetime | None = None,
    ) -> codec.Fact:  # fmt: skip
        """Append one event and return it as a fact.

        ``at`` is when it happened (now, if not given). ``id`` makes a retry idempotent. ``expected`` is the
        version of the event's stream that the caller decided on; see ``EventStore.append`` for the errors.
        """
        now = self.clock.now()
        stream, event = codec.make_event(
            name, payload, id=id or self.new_id(), source=source or self.source, at=at or now,
            imported=imported, known_at=known_at,
        )  # fmt: skip
        return codec.decode(self.store.append(stream, [event], recorded_at=now, expected=expected)[0])

    def record_together(
        self, items: Sequence[tuple[str, Payload, str]], *, source: str = "", expected: int | None = None,
        at: datetime | None = None,
    ) -> list[codec.Fact]:  # fmt: skip
        """Append several events (kind, payload, id) of *one* stream at once, on the version ``expected``.

        All or nothing; see ``EventStore.append`` for the errors. An empty id is replaced by a fresh one.
        """
        now = self.clock.now()
        made = [
            codec.make_event(
                name, payload, id=id or self.new_id(), source=source or self.source, at=at or now
            )
            for name, payload, id in items
        ]
        streams = {stream for stream, _ in made}
        if len(streams) != 1:
            raise ValueError(f"record_together takes events of one stream, not of {sorted(streams)}")
        events = [event for _, event in made]
        return [
            codec.decode(r)
            for r in self.store.append(streams.pop(), events, recorded_at=now, expected=expected)
        ]

    def record_all(
        self, items: Sequence[tuple[str, Payload]], *, at: datetime | None = None
    ) -> list[codec.Fact]:
        """Append several events, of any streams, in one transaction."""
        now = self.clock.now()
        events = [
            codec.make_event(name, payload, id=self.new_id(), source=self.source, at=at or now)
            for name, payload in items
        ]
        return [codec.decode(r) for r in self.store.append_many(events, recorded_at=now)]

    def facts(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False, since: datetime | None = None,
        until: datetime | None = None, before: int | None = None,
    ) -> list[codec.Fact]:  # fmt: skip
        """Return facts that carry any of ``tags`` and are of any of ``kinds``; see ``EventStore.read``."""
        found = self.store.read(
            tags=tags, kinds=kinds, after=after, limit=limit, newest_first=newest_first, since=since,
            until=until, before=before,
        )  # fmt: skip
        return [codec.decode(record) for record in found]

    def stream(self, name: str, *, after: int = 0) -> list[codec.Fact]:
        """Return the facts of one stream, in order."""
        return [codec.decode(record) for record in self.store.read_stream(name, after=after)]

    def event(self, event_id: str) -> codec.Fact:
        """Return the fact with this event id. Raises ``NotFoundError``."""
        found = self.store.find(event_id)
        if not found:
            raise NotFoundError(
                f"the log has no event {event_id}", remedy="see `amends log show` for what it has"
            )
        return codec.decode(found[0])
