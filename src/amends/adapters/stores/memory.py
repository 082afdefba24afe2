"""A log in this process's memory, for tests and scratch work. It is gone when the process ends."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from amends.adapters.stores.placing import (
    Entry,
    Key,
    check_follows,
    check_range,
    check_restored,
    conflict,
    entry_of,
    indexed_kind,
    plan_append,
)
from amends.application.ports import Checkpoint
from amends.events.event import Event, Recorded


class MemoryStore:
    """The reference for what a store does; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[Entry] = []
        self._keys: dict[Key, Entry] = {}
        self._streams: dict[str, list[Entry]] = {}
        self._tags: dict[str, list[tuple[int, datetime | None]]] = {}
        self._checkpoints: list[Checkpoint] = []

    def append(
        self, stream: str, events: Sequence[Event], *, recorded_at: datetime, expected: int | None = None
    ) -> list[Recorded]:
        """See ``EventStore.append``."""
        return self._append([(stream, event) for event in events], recorded_at, expected)

    def append_many(self, items: Sequence[tuple[str, Event]], *, recorded_at: datetime) -> list[Recorded]:
        """See ``EventStore.append_many``."""
        return self._append(items, recorded_at, None)

    def _append(
        self, items: Sequence[tuple[str, Event]], recorded_at: datetime, expected: int | None
    ) -> list[Recorded]:
        with self._changed:
            kept = {
                event.key: (entry.fingerprint, entry.record)
                for _, event in items
                if (entry := self._keys.get(event.key))
            }
            heads = {stream: self._head(stream) for stream, _ in items if stream in self._streams}
            plan = plan_append(items, kept, heads, recorded_at=recorded_at, expected=expected)
            return plan.answer([self._add(entry) for entry in plan.new])

    def _head(self, stream: str) -> tuple[int, str]:
        last = self._streams[stream][-1].record
        return (last.seq, last.digest)

    def _add(self, entry: Entry) -> Entry:
        entry = entry.at(len(self._entries) + 1)
        record = entry.record
        self._entries.append(entry)
        self._keys[record.event.key] = entry
        self._streams.setdefault(record.stream, []).append(entry)
        for tag in entry.tags:
            self._tags.setdefault(tag.name, []).append((record.position, tag.moment))
        self._changed.notify_all()
        return entry

    def version(self, stream: str) -> int:
        """See ``EventStore.version``."""
        with self._changed:
            return len(self._streams.get(stream, ()))

    def read_stream(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        with self._changed:
            return [entry.record for entry in self._streams.get(stream, [])[max(0, after) :]]

    def read(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False, since: datetime | None = None,
        until: datetime | None = None, before: int | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.read``."""
        check_range(tags, since, until)
        wanted = {indexed_kind(kind) for kind in kinds}
        with self._changed:
            found = [
                entry.record
                for entry in self._candidates(tags, since, until)
                if entry.record.position > after
                and (before is None or entry.record.position < before)
                and (not wanted or entry.kind in wanted)
            ]
        if newest_first:
            found.reverse()
        return found if limit is None else found[:limit]

    def _candidates(
        self, tags: Collection[str], since: datetime | None, until: datetime | None
    ) -> list[Entry]:
        if not tags:
            return self._entries
        positions = {
            position
            for tag in tags
            for position, moment in self._tags.get(tag, ())
            if (since is None or (moment is not None and moment >= since))
            and (until is None or (moment is not None and moment <= until))
        }
        return [self._entries[position - 1] for position in sorted(positions)]

    def find(self, event_id: str) -> list[Recorded]:
        """See ``EventStore.find``."""
        with self._changed:
            return [entry.record for entry in self._entries if entry.record.id == event_id]

    def streams(self) -> Mapping[str, tuple[int, str]]:
        """See ``EventStore.streams``."""
        with self._changed:
            return {stream: self._head(stream) for stream in sorted(self._streams)}

    def last_position(self) -> int:
        """See ``EventStore.last_position``."""
        with self._changed:
            return len(self._entries)

    def wait(self, after: int, timeout: float) -> bool:
        """See ``EventStore.wait``."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._entries) > after, timeout)

    def restore(self, records: Iterable[Recorded]) -> int:
        """See ``EventStore.restore``."""
        fresh: list[Entry] = []
        keys: dict[Key, Entry] = {}
        heads: dict[str, tuple[int, str]] = {}
        with self._changed:
            for record in records:
                known = keys.get(record.event.key) or self._keys.get(record.event.key)
                if known is not None:
                    if known.record.digest != record.digest:
                        raise conflict(record.event)
                    continue
                head = heads.get(record.stream)
                if head is None and record.stream in self._streams:
                    head = self._head(record.stream)
                check_restored(record, head)
                heads[record.stream] = (record.seq, record.digest)
                keys[record.event.key] = entry = entry_of(record)
                fresh.append(entry)
            for entry in fresh:
                self._add(entry)
        return len(fresh)

    def records(self) -> Iterator[Recorded]:
        """See ``EventStore.records``."""
        with self._changed:
            entries = list(self._entries)
        return (entry.record for entry in entries)

    def gaps(self) -> list[tuple[int, int]]:
        """See ``EventStore.gaps``."""
        return []

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See ``EventStore.save_checkpoint``."""
        with self._changed:
            if all(kept.root != checkpoint.root for kept in self._checkpoints):
                check_follows(checkpoint, self._checkpoints[-1].root if self._checkpoints else "")
                self._checkpoints.append(checkpoint)

    def checkpoints(self) -> list[Checkpoint]:
        """See ``EventStore.checkpoints``."""
        with self._changed:
            return list(self._checkpoints)

    def close(self) -> None:
        """Nothing to release."""


class MemoryPeople:
    """Who a pseudonym is, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pseudonyms: dict[str, str] = {}

    def pseudonym(self, login: str) -> str:
        """See ``People.pseudonym``."""
        with self._lock:
            return self._pseudonyms.setdefault(login, new_pseudonym())

    def pseudonyms(self, logins: Collection[str]) -> dict[str, str]:
        """See ``People.pseudonyms``."""
        return {login: self.pseudonym(login) for login in logins}

    def login(self, pseudonym: str) -> str | None:
        """See ``People.login``."""
        with self._lock:
            return next((login for login, known in self._pseudonyms.items() if known == pseudonym), None)

    def forget(self, login: str) -> bool:
        """See ``People.forget``."""
        with self._lock:
            return self._pseudonyms.pop(login, None) is not None


class MemoryTokens:
    """Hashes of access tokens, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}

    def issue(self, label: str, *, at: datetime) -> str:  # noqa: ARG002 - a database keeps the moment
        """See ``Tokens.issue``. A label may have several; ``revoke`` forgets all of them."""
        token = new_token()
        with self._lock:
            self._digests[token_digest(token)] = label
        return token

    def check(self, token: str) -> str | None:
        """See ``Tokens.check``."""
        with self._lock:
            return self._digests.get(token_digest(token))

    def revoke(self, label: str) -> bool:
        """See ``Tokens.revoke``."""
        with self._lock:
            before = len(self._digests)
            self._digests = {digest: kept for digest, kept in self._digests.items() if kept != label}
            return len(self._digests) < before

    def any(self) -> bool:
        """See ``Tokens.any``."""
        with self._lock:
            return bool(self._digests)


def new_pseudonym() -> str:
    """Make a pseudonym that says nothing about its login: random, so that nobody can try logins on it."""
    return f"p-{secrets.token_hex(6)}"


def new_token() -> str:
    """Make a token of 256 random bits."""
    return f"amends_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> str:
    """Return what is kept of a token; plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
