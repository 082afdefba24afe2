"""The log on a SQL database, by SQLAlchemy Core; what differs between databases is in ``Database``."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from amends.adapters.stores import schema
from amends.adapters.stores.database import Database, from_micros, to_micros
from amends.adapters.stores.placing import (
    Entry,
    Key,
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

_BATCH = 1000
_ATTEMPTS = 20
_MOST_BRANCHES = 64

_E = schema.events.c
_COLUMNS = (_E.position, _E.source, _E.event_id, _E.stream, _E.seq, _E.previous, _E.digest, _E.body)
_FIND = sa.select(*_COLUMNS).where(_E.event_id == sa.bindparam("id")).order_by(_E.position)
_KEPT = sa.select(*_COLUMNS, _E.fingerprint).where(_E.event_id.in_(sa.bindparam("ids", expanding=True)))
_KEPT_ONE = sa.select(*_COLUMNS, _E.fingerprint).where(_E.event_id == sa.bindparam("id"))
_HEAD = (
    sa.select(_E.seq, _E.digest).where(_E.stream == sa.bindparam("stream")).order_by(_E.seq.desc()).limit(1)
)
_STREAM = (
    sa.select(*_COLUMNS)
    .where(_E.stream == sa.bindparam("stream"), _E.seq > sa.bindparam("after"))
    .order_by(_E.seq)
)
_PAGE = (
    sa.select(*_COLUMNS)
    .where(_E.position > sa.bindparam("after"), _E.position <= sa.bindparam("upto"))
    .order_by(_E.position)
    .limit(_BATCH)
)
_LAST = sa.select(_E.seq, _E.stream, _E.digest).where(
    sa.tuple_(_E.stream, _E.seq).in_(sa.select(_E.stream, sa.func.max(_E.seq)).group_by(_E.stream))
)


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
            except IntegrityError:
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

    def _write(self, connection: sa.Connection, entries: Sequence[Entry]) -> list[Entry]:
        if not entries:
            return []
        positions = self._database.reserve(connection, len(entries))
        placed = [entry.at(position) for entry, position in zip(entries, positions, strict=True)]
        self._database.insert(connection, schema.events, [_row(entry) for entry in placed])
        tags = [(tag, entry.record.position, entry.kind) for entry in placed for tag in entry.tags]
        if tags:
            self._database.insert(connection, schema.event_tags, tags)
        return placed

    def version(self, stream: str) -> int:
        """See ``EventStore.version``."""
        with self._database.reading() as connection:
            if connection is None:
                return 0
            row = connection.execute(_HEAD, {"stream": stream}).first()
            return int(row.seq) if row else 0

    def read_stream(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        return self._records(_STREAM, {"stream": stream, "after": after})

    def read(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False,
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.read``."""
        if limit is not None and limit <= 0:
            return []
        with self._database.reading() as connection:
            upto = self._database.settled(connection) if connection is not None else 0
        if upto <= after:
            return []
        names = sorted({indexed_kind(kind) for kind in kinds})
        query = _read_query(sorted(set(tags)), names, after, upto, limit, newest_first)
        return self._records(query, {})

    def find(self, event_id: str) -> list[Recorded]:
        """See ``EventStore.find``."""
        return self._records(_FIND, {"id": event_id})

    def _records(self, query: sa.Select[Any], values: Mapping[str, Any]) -> list[Recorded]:
        with self._database.reading() as connection:
            rows = [] if connection is None else connection.execute(query, values).all()
        return [read_row(row) for row in rows]

    def streams(self) -> Mapping[str, tuple[int, str]]:
        """See ``EventStore.streams``."""
        with self._database.reading() as connection:
            rows = [] if connection is None else connection.execute(_LAST).all()
        return {row.stream: (int(row.seq), row.digest) for row in sorted(rows, key=lambda r: r.stream)}

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
            for batch in in_batches(records, _BATCH):
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
            with self._database.reading() as connection:
                values = {"after": after, "upto": upto}
                rows = [] if connection is None else connection.execute(_PAGE, values).all()
            if not rows:
                return
            for row in rows:
                yield read_row(row, lenient=True)
            after = int(rows[-1].position)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See ``EventStore.save_checkpoint``."""
        table = schema.checkpoints
        with self._database.writing() as connection:
            if connection.scalar(sa.select(table.c.number).where(table.c.root == checkpoint.root)) is None:
                row = {
                    "at": to_micros(checkpoint.at), "position": checkpoint.position,
                    "heads": chain.canonical(checkpoint.heads), "previous": checkpoint.previous,
                    "root": checkpoint.root,
                }  # fmt: skip
                connection.execute(sa.insert(table), row)

    def checkpoints(self) -> list[Checkpoint]:
        """See ``EventStore.checkpoints``."""
        table = schema.checkpoints
        with self._database.reading() as connection:
            query = sa.select(table).order_by(table.c.number)
            rows = [] if connection is None else connection.execute(query).all()
        heads_type = dict[str, tuple[int, str]]
        return [
            Checkpoint(
                from_micros(row.at), row.position, msgspec.json.decode(row.heads, type=heads_type),
                row.previous, row.root,
            )
            for row in rows
        ]  # fmt: skip

    def close(self) -> None:
        """See ``EventStore.close``."""
        self._database.close()


def _kept(connection: sa.Connection, keys: Sequence[Key]) -> dict[Key, tuple[str, Recorded]]:
    wanted = set(keys)
    ids = sorted({event_id for _, event_id in keys})
    if len(ids) == 1:
        rows = list(connection.execute(_KEPT_ONE, {"id": ids[0]}))
    else:
        pages = (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
        rows = [row for page in pages for row in connection.execute(_KEPT, {"ids": page})]
    return {
        (row.source, row.event_id): (row.fingerprint, read_row(row))
        for row in rows
        if (row.source, row.event_id) in wanted
    }


def _heads(connection: sa.Connection, streams: Sequence[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for stream in streams:
        row = connection.execute(_HEAD, {"stream": stream}).first()
        if row is not None:
            found[stream] = (int(row.seq), str(row.digest))
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
    """Return an entry's values in the order of the columns of ``schema.events``."""
    record = entry.record
    known_at = to_micros(record.known_at) if record.known_at else None
    return (
        record.position, record.event.source, record.event.id, entry.kind, record.stream, record.seq,
        to_micros(record.recorded_at), known_at, record.previous, record.digest, entry.fingerprint,
        entry.body,
    )  # fmt: skip


def read_row(row: Any, *, lenient: bool = False) -> Recorded:
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


def _shell(row: Any) -> Recorded:
    event = Event(
        id=row.event_id, source=row.source, type="unreadable", subject="", time="1970-01-01T00:00:00Z",
        data=None,
    )  # fmt: skip
    moment = from_micros(0)
    return Recorded(
        event, row.stream, int(row.seq), moment, moment, row.previous, row.digest, int(row.position)
    )


def _read_query(
    tags: Sequence[str], kinds: Sequence[str], after: int, upto: int, limit: int | None, newest_first: bool
) -> sa.Select[Any]:
    position = _E.position.desc() if newest_first else _E.position.asc()
    query = sa.select(*_COLUMNS).order_by(position)
    if limit is not None:
        query = query.limit(limit)
    if not tags and not kinds:
        return query.where(_E.position > after, _E.position <= upto)
    return query.where(_E.position.in_(_positions(tags, kinds, after, upto, limit, newest_first)))


def _positions(
    tags: Sequence[str], kinds: Sequence[str], after: int, upto: int, limit: int | None, newest_first: bool
) -> sa.Select[Any]:
    """Find positions from an index alone.

    With a limit each (tag, kind) gives its own first few, so that a tag with a million events costs no more
    than one with ten.
    """
    source = schema.event_tags.c if tags else schema.events.c

    def within(tag: Sequence[str], kind: Sequence[str]) -> sa.Select[Any]:
        query = sa.select(source.position).where(source.position > after, source.position <= upto)
        if tag:
            query = query.where(schema.event_tags.c.tag.in_(tag))
        return query.where(source.kind.in_(kind)) if kind else query

    pairs = [(tag, kind) for tag in (tags or [""]) for kind in (kinds or [""])]
    if limit is None or len(pairs) > _MOST_BRANCHES:
        return within(tags, kinds)
    order = source.position.desc() if newest_first else source.position.asc()
    branches = [
        within([tag] if tag else [], [kind] if kind else []).order_by(order).limit(limit).subquery()
        for tag, kind in pairs
    ]
    return sa.select(sa.union_all(*(sa.select(b.c.position) for b in branches)).subquery().c.position)
