"""The log on a SQL database: its SQL is in ``statements``, what databases do differently in ``Database``."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from amends.adapters.stores import statements as sql
from amends.adapters.stores.database import (
    NO_VALUES,
    Connection,
    Database,
    DuplicateError,
    first_value,
    from_micros,
    to_micros,
)  # fmt: skip
from amends.adapters.stores.placing import (
    Entry,
    Key,
    check_follows,
    check_range,
    check_restored,
    conflict,
    entry_of,
    in_batches,
    indexed_kind,
    plan_append,
)
from amends.application.ports import Checkpoint
from amends.errors import InvalidEventError, StoreUnavailableError, TamperedLogError
from amends.events import chain
from amends.events.event import Event, Recorded

_ATTEMPTS = 20
_CHECKPOINTS = "checkpoints"  # what writers of checkpoints lock, in the place of a stream


class SqlStore:
    """An ``EventStore`` on a database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        if not items:
            return []
        for _ in range(_ATTEMPTS):
            try:
                return self._append_once(items, recorded_at, expected)
            except DuplicateError:
                continue  # another writer took the key or the place meanwhile: look again
        raise StoreUnavailableError(
            f"other writers came first {_ATTEMPTS} times in a row", remedy="try again"
        )

    def _append_once(
        self, items: Sequence[tuple[str, Event]], recorded_at: datetime, expected: int | None
    ) -> list[Recorded]:
        streams = list(dict.fromkeys(stream for stream, _ in items))
        with self._database.writing() as connection:
            self._database.lock_streams(connection, streams)
            plan = plan_append(
                items, _kept(connection, [event.key for _, event in items]), _heads(connection, streams),
                recorded_at=recorded_at, expected=expected,
            )  # fmt: skip
            written = self._write(connection, plan.new)
        if written:
            self._database.announce()
        return plan.answer(written)

    def _write(self, connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
        if not entries:
            return []
        positions = self._database.reserve(connection, len(entries))
        placed = [entry.at(position) for entry, position in zip(entries, positions, strict=True)]
        connection.insert("events", sql.EVENT_COLUMNS, [_row(entry) for entry in placed])
        tags = [
            (tag.name, entry.record.position, entry.kind, to_micros(tag.moment) if tag.moment else None)
            for entry in placed
            for tag in entry.tags
        ]
        if tags:
            connection.insert("event_tags", sql.TAG_COLUMNS, tags)
        return placed

    def version(self, stream: str) -> int:
        """See ``EventStore.version``."""
        with self._database.reading() as connection:
            if connection is None:
                return 0
            return int(first_value(connection.rows(sql.HEAD, {"stream": stream})) or 0)

    def read_stream(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        return self._records(sql.STREAM, {"stream": stream, "after": after})

    def read(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False, since: datetime | None = None,
        until: datetime | None = None, before: int | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.read``."""
        check_range(tags, since, until)
        if limit is not None and limit <= 0:
            return []
        with self._database.reading() as connection:
            if connection is None:
                return []
            upto = self._database.settled(connection)
            if before is not None:
                upto = min(upto, before - 1)
            if upto <= after:
                return []
            reading = sql.Reading(
                tags=sorted(set(tags)), kinds=sorted({indexed_kind(kind) for kind in kinds}), after=after,
                upto=upto, limit=limit, newest_first=newest_first,
                since=to_micros(since) if since else None, until=to_micros(until) if until else None,
            )  # fmt: skip
            rows = connection.rows(*reading.statement())
        return _read_rows(rows)

    def find(self, event_id: str) -> list[Recorded]:
        """See ``EventStore.find``."""
        return self._records(sql.FIND, {"id": event_id})

    def _records(self, statement: str, values: Mapping[str, Any]) -> list[Recorded]:
        return _read_rows(self._rows(statement, values))

    def _rows(self, statement: str, values: Mapping[str, Any] = NO_VALUES) -> list[tuple[Any, ...]]:
        with self._database.reading() as connection:
            return [] if connection is None else connection.rows(statement, values)

    def streams(self) -> Mapping[str, tuple[int, str]]:
        """See ``EventStore.streams``."""
        rows = self._rows(sql.LAST_OF_STREAMS)
        return {stream: (int(seq), digest) for seq, stream, digest in sorted(rows, key=lambda row: row[1])}

    def last_position(self) -> int:
        """See ``EventStore.last_position``."""
        with self._database.reading() as connection:
            return 0 if connection is None else self._database.settled(connection)

    def wait(self, after: int, timeout: float) -> bool:
        """See ``EventStore.wait``."""
        deadline = time.monotonic() + timeout
        while self.last_position() <= after:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._database.wait(left)
        return True

    def restore(self, records: Iterable[Recorded]) -> int:
        """See ``EventStore.restore``. One transaction: all records or none."""
        count = 0
        with self._database.writing() as connection:
            heads: dict[str, tuple[int, str]] = {}
            for batch in in_batches(records, sql.PAGE):
                streams = {record.stream for record in batch}
                self._database.lock_streams(connection, streams)
                heads |= _heads(connection, [s for s in streams if s not in heads])
                kept = _kept(connection, [record.event.key for record in batch])
                fresh = _fresh(batch, kept, heads)
                count += len(self._write(connection, fresh))
        if count:
            self._database.announce()
        return count

    def records(self) -> Iterator[Recorded]:
        """See ``EventStore.records``. A body that cannot be read any more comes back without its data."""
        after, upto = 0, self.last_position()
        while after < upto:
            rows = self._rows(sql.PAGE_OF_LOG, {"after": after, "upto": upto})
            if not rows:
                return
            for row in rows:
                yield read_row(sql.Row._make((*row, "")), lenient=True)
            after = int(rows[-1][0])

    def gaps(self) -> list[tuple[int, int]]:
        """See ``EventStore.gaps``."""
        with self._database.reading() as connection:
            return [] if connection is None else self._database.gaps(connection)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See ``EventStore.save_checkpoint``."""
        with self._database.writing() as connection:
            self._database.lock_streams(connection, [_CHECKPOINTS])
            if not connection.rows(sql.CHECKPOINT_WITH_ROOT, {"root": checkpoint.root}):
                check_follows(checkpoint, str(first_value(connection.rows(sql.LAST_CHECKPOINT)) or ""))
                row = (
                    to_micros(checkpoint.at), checkpoint.position, chain.canonical(checkpoint.heads),
                    checkpoint.previous, checkpoint.root,
                )  # fmt: skip
                connection.insert("checkpoints", sql.CHECKPOINT_COLUMNS, [row])

    def checkpoints(self) -> list[Checkpoint]:
        """See ``EventStore.checkpoints``."""
        heads_type = dict[str, tuple[int, str]]
        return [
            Checkpoint(from_micros(at), position, msgspec.json.decode(heads, type=heads_type), previous, root)
            for at, position, heads, previous, root in self._rows(sql.CHECKPOINTS)
        ]

    def close(self) -> None:
        """See ``EventStore.close``."""
        self._database.close()


def _kept(connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[str, Recorded]]:
    wanted = set(keys)
    ids = sorted({event_id for _, event_id in keys})
    pages = (ids[start : start + sql.PAGE] for start in range(0, len(ids), sql.PAGE))
    rows = (sql.Row._make(row) for page in pages for row in connection.rows(*sql.kept(page)))
    return {
        (row.source, row.event_id): (row.fingerprint, read_row(row))
        for row in rows
        if (row.source, row.event_id) in wanted
    }


def _heads(connection: Connection, streams: Sequence[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for stream in streams:
        for seq, digest in connection.rows(sql.HEAD, {"stream": stream}):
            found[stream] = (int(seq), str(digest))
    return found


def _fresh(
    batch: Sequence[Recorded], kept: dict[Key, tuple[str, Recorded]], heads: dict[str, tuple[int, str]]
) -> list[Entry]:
    fresh = []
    for record in batch:
        known = kept.get(record.event.key)
        if known is not None:
            if known[1].digest != record.digest:
                raise conflict(record.event)
            continue
        check_restored(record, heads.get(record.stream))
        heads[record.stream] = (record.seq, record.digest)
        entry = entry_of(record)
        kept[record.event.key] = (entry.fingerprint, record)
        fresh.append(entry)
    return fresh


def _row(entry: Entry) -> tuple[Any, ...]:
    """Return an entry's values in the order of ``EVENT_COLUMNS``."""
    record = entry.record
    known_at = to_micros(record.known_at) if record.known_at else None
    return (
        record.position, record.event.source, record.event.id, entry.kind, record.stream, record.seq,
        to_micros(record.recorded_at), known_at, record.previous, record.digest, entry.fingerprint,
        entry.body,
    )  # fmt: skip


def _read_rows(rows: Iterable[Sequence[Any]]) -> list[Recorded]:
    return [read_row(sql.Row._make((*row, ""))) for row in rows]


def read_row(row: sql.Row, *, lenient: bool = False) -> Recorded:
    """Read a record; where its columns and its body differ, the columns win, so that ``verify`` sees it.

    Raises ``TamperedLogError`` when the body cannot be read, unless ``lenient``.
    """
    try:
        record = chain.read_body(row.body, digest=row.digest, position=int(row.position))
        whole = record.event.key == (row.source, row.event_id)
    except (InvalidEventError, KeyError) as error:
        if not lenient:
            raise TamperedLogError(
                f"event {row.event_id} cannot be read: {error}", remedy="run `amends log verify`",
                where=f"{row.stream}#{row.seq}",
            ) from None  # fmt: skip
        return _shell(row)
    if not whole:
        record = replace(record, event=replace(record.event, id=row.event_id, source=row.source))
    if (record.stream, record.seq, record.previous) != (row.stream, row.seq, row.previous):
        record = replace(record, stream=row.stream, seq=int(row.seq), previous=row.previous)
    return record


def _shell(row: sql.Row) -> Recorded:
    event = Event(
        id=row.event_id, source=row.source, type="unreadable", subject="", time="1970-01-01T00:00:00Z",
        data=None,
    )  # fmt: skip
    moment = from_micros(0)
    return Recorded(
        event, row.stream, int(row.seq), moment, moment, row.previous, row.digest, int(row.position)
    )
