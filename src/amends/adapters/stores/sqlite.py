"""The log in one SQLite file: write-ahead logging, every commit synced, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from amends.adapters.stores import schema
from amends.adapters.stores.database import Database
from amends.adapters.stores.migrate import load_upgrade
from amends.errors import StoreUnavailableError

_APPLICATION_ID = 0x616D6E64  # "amnd": tells a log from any other SQLite file
_POLL_SECONDS = (0.01, 0.1)


class SqliteDatabase(Database):
    """A SQLite file, created with its parent directory and mode 0600 on first write.

    Parameters
    ----------
    path:
        The file.
    busy_timeout:
        How many seconds a writer waits for another one.
    synchronous:
        SQLite's ``synchronous`` pragma. ``FULL`` survives a power cut; ``NORMAL`` may lose the last commits.
    """

    def __init__(self, path: Path, *, busy_timeout: float = 5.0, synchronous: str = "FULL") -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None
        self._written = threading.Condition()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection | None]:
        """See ``Database.reading``. A file that is missing or still empty is no log yet."""
        with self._told():
            engine = self._open(create=False)
            if engine is None:
                yield None
                return
            with engine.connect() as connection:
                connection.begin()
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """See ``Database.writing``."""
        with self._told():
            engine = self._open(create=True)
            if engine is None:
                raise AssertionError("a log opened for writing exists")
            with _writer(engine) as connection, connection.begin():
                yield connection

    def _open(self, *, create: bool) -> sa.Engine | None:
        if self._engine is not None:
            return self._engine
        with self._lock:
            if self._engine is None:
                if not self._has_content():
                    if not create:
                        return None
                    self._make_file()
                engine = self._make_engine()
                try:
                    ready = self._prepare(engine, create=create)
                except BaseException:
                    engine.dispose()
                    raise
                if not ready:
                    engine.dispose()
                    return None
                self._engine = engine
            return self._engine

    def _has_content(self) -> bool:
        try:
            return self._path.stat().st_size > 0
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from None

    def _make_file(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"cannot use this file as a log: {error.strerror}",
            remedy="name a file in a directory that you may write to, with --store or AMENDS_STORE",
            where=str(self._path),
        )

    def _make_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self._path)),
            connect_args={"timeout": self._busy_timeout},
        )
        sa.event.listen(engine, "connect", self._on_connect)
        sa.event.listen(engine, "begin", _on_begin)
        return engine

    def _on_connect(self, connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by _on_begin, never by the driver
        connection.execute(f"PRAGMA synchronous={self._synchronous}")

    def _prepare(self, engine: sa.Engine, *, create: bool) -> bool:
        with engine.connect() as connection:
            application, version = _identity(connection)
            if application == _APPLICATION_ID and version == schema.SCHEMA_VERSION:
                return True
            empty = not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        if application not in (0, _APPLICATION_ID) or (application == 0 and not empty):
            raise StoreUnavailableError(
                "this SQLite file is not a log of amends",
                remedy="name another file with --store or AMENDS_STORE",
                where=str(self._path),
            )
        if version > schema.SCHEMA_VERSION:
            raise StoreUnavailableError(
                f"this log has schema {version}; this amends knows schemas up to {schema.SCHEMA_VERSION}",
                remedy="update amends",
                where=str(self._path),
            )
        if empty and not create:
            return False
        self._bring_up_to_date(engine)
        return True

    def _bring_up_to_date(self, engine: sa.Engine) -> None:
        upgrade = load_upgrade()
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL")  # not possible inside a transaction
        finally:
            raw.close()
        with _writer(engine) as connection, connection.begin():
            if _identity(connection)[1] < schema.SCHEMA_VERSION:
                upgrade(connection)
                connection.exec_driver_sql(f"PRAGMA application_id={_APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")

    def lock_streams(self, connection: sa.Connection, streams: Collection[str]) -> None:
        """See ``Database.lock_streams``: BEGIN IMMEDIATE holds the whole log."""

    def reserve(self, connection: sa.Connection, count: int) -> list[int]:
        """See ``Database.reserve``. Positions of deleted rows are not given out again."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
        last = int(connection.exec_driver_sql(query).scalar() or 0)
        return list(range(last + 1, last + count + 1))

    def insert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """See ``Database.insert``."""
        names, marks = ", ".join(table.c.keys()), ", ".join("?" for _ in table.c)
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, list(rows))

    def settled(self, connection: sa.Connection) -> int:
        """See ``Database.settled``: writers come one after the other, so whatever is seen is settled."""
        return int(connection.exec_driver_sql("SELECT max(position) FROM events").scalar() or 0)

    def wait(self, timeout: float) -> None:
        """See ``Database.wait``: own threads are told, other processes are noticed by ``data_version``."""
        deadline = time.monotonic() + timeout
        pause, longest = _POLL_SECONDS
        with self._told():
            engine = self._open(create=False)
            if engine is None:
                with self._written:
                    self._written.wait(min(timeout, longest))
                return
            with engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                if raw is None:
                    return
                seen = _data_version(raw)
                while (left := deadline - time.monotonic()) > 0:
                    with self._written:
                        told = self._written.wait(min(left, pause))
                    if told or _data_version(raw) != seen:
                        return
                    pause = min(longest, pause * 2)

    def announce(self) -> None:
        """See ``Database.announce``."""
        with self._written:
            self._written.notify_all()

    def close(self) -> None:
        """See ``Database.close``."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise self._explain(error.orig) from None

    def _explain(self, error: BaseException | None) -> StoreUnavailableError:
        name = str(getattr(error, "sqlite_errorname", ""))
        for prefix, (message, remedy) in _EXPLANATIONS.items():
            if name.startswith(prefix):
                return StoreUnavailableError(message, remedy=remedy, where=str(self._path))
        return StoreUnavailableError(
            f"SQLite says: {error}",
            remedy="check that the file is a whole log of amends on a local disk",
            where=str(self._path),
        )


_EXPLANATIONS = {
    "SQLITE_BUSY": (
        "another process holds the log and did not let go in time",
        "try again; if it stays so, find who holds the file (`fuser FILE`)",
    ),
    "SQLITE_LOCKED": ("another connection holds the log", "try again"),
    "SQLITE_FULL": (
        "the disk is full; nothing of this was written",
        "free some space and run the same again",
    ),
    "SQLITE_NOTADB": (
        "this file is not a log of amends",
        "name another file with --store or AMENDS_STORE",
    ),
    "SQLITE_CORRUPT": (
        "the file is damaged",
        "restore it from a backup, or `amends log import` an export into a new file",
    ),
    "SQLITE_READONLY": (
        "the log may be read and not written",
        "give yourself write permission on the file and its directory",
    ),
    "SQLITE_CANTOPEN": (
        "the file cannot be opened",
        "check that it and its directory exist and that you may read and write them",
    ),
    "SQLITE_IOERR": ("the disk gave an error", "check the disk and its free space, then try again"),
}


def _writer(engine: sa.Engine) -> sa.Connection:
    return engine.connect().execution_options(amends_writes=True)


def _on_begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("amends_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _identity(connection: sa.Connection) -> tuple[int, int]:
    application = connection.exec_driver_sql("PRAGMA application_id").scalar()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar()
    return int(application or 0), int(version or 0)


def _data_version(connection: Any) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
