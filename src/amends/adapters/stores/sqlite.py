"""The log in one SQLite file: write-ahead logging, every commit synced, one writer at a time.

By the standard library's driver alone; SQLAlchemy comes in with Alembic, when there is a migration to run.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from amends.adapters.stores.database import NO_VALUES, Connection, Database, DuplicateError, first_value
from amends.adapters.stores.migrate import SCHEMA_VERSION, load_upgrade
from amends.errors import StoreUnavailableError

_APPLICATION_ID = 0x616D6E64  # "amnd": tells a log from any other SQLite file
_POLL_SECONDS = (0.01, 0.1)
_MOST_IDLE = 8


class _SqliteConnection:
    """``Connection`` on the standard library's driver."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def rows(self, statement: str, values: Mapping[str, Any] = NO_VALUES) -> list[tuple[Any, ...]]:
        return self.raw.execute(statement, values).fetchall()

    def change(self, statement: str, values: Mapping[str, Any]) -> int:
        return self.raw.execute(statement, values).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        self.raw.executemany(statement, rows)


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
        self._opening = threading.Lock()
        self._ready = False
        self._idle: list[sqlite3.Connection] = []
        self._written = threading.Condition()

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """See ``Database.reading``. A file that is missing or still empty is no log yet."""
        with self._told():
            frozen = None
            try:
                ready = self._is_ready(create=False)
            except sqlite3.OperationalError as error:
                frozen, ready = self._open_frozen(error), True
            if not ready:
                yield None
                return
            with self._begun("BEGIN", frozen) as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """See ``Database.writing``."""
        with self._told():
            self._is_ready(create=True)
            with self._begun("BEGIN IMMEDIATE") as connection:
                yield connection

    def _open_frozen(self, error: sqlite3.OperationalError) -> sqlite3.Connection:
        """Open for reading a file beside which SQLite cannot write its own, on a full or read-only disk.

        Sound only where no write-ahead log stands beside it: what that holds would be missing unseen.
        """
        name = str(getattr(error, "sqlite_errorname", ""))
        if not name.startswith(_NO_ROOM) or not self._path.is_file():
            raise error
        ahead = self._path.with_name(f"{self._path.name}-wal")
        if ahead.exists() and ahead.stat().st_size > 0:
            raise StoreUnavailableError(
                f"this disk cannot be written, and the newest events are still in {ahead.name}",
                remedy="make room or give write permission; or copy the file and its -wal elsewhere",
                where=str(self._path),
            ) from None
        address = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
        raw = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        try:
            version = self._judge(raw)
        except BaseException:
            raw.close()
            raise
        if version < SCHEMA_VERSION:
            raw.close()
            raise error
        return raw

    @contextmanager
    def _begun(self, begin: str, frozen: sqlite3.Connection | None = None) -> Iterator[Connection]:
        with closing(frozen) if frozen else self._connected() as raw:
            raw.execute(begin)
            try:
                yield _SqliteConnection(raw)
                raw.execute("COMMIT")
            finally:
                if raw.in_transaction:  # a full disk may have ended it already
                    raw.execute("ROLLBACK")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Take an idle connection or open one; back it goes, unless the database failed on it."""
        with self._lock:
            raw = self._idle.pop() if self._idle else None
        raw = raw or self._connect()
        sound = True
        try:
            yield raw
        except sqlite3.Error:
            sound = False
            raise
        finally:
            self._put_back(raw, sound)

    def _put_back(self, raw: sqlite3.Connection, sound: bool) -> None:
        with self._lock:
            keep = sound and self._ready and len(self._idle) < _MOST_IDLE
            if keep:
                self._idle.append(raw)
        if not keep:
            raw.close()

    def _connect(self) -> sqlite3.Connection:
        # Transactions are begun by us, never by the driver; threads take turns with a connection.
        raw = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            raw.execute(f"PRAGMA synchronous={self._synchronous}")
        except BaseException:
            raw.close()
            raise
        return raw

    def _is_ready(self, *, create: bool) -> bool:
        if self._ready:
            return True
        with self._opening:
            if not self._ready:
                if not self._has_content():
                    if not create:
                        return False
                    self._make_file()
                self._ready = self._prepare(create=create)
            return self._ready

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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message, remedy = _EXPLANATIONS["SQLITE_FULL"]
            return StoreUnavailableError(message, remedy=remedy, where=str(self._path))
        return StoreUnavailableError(
            f"cannot use this file as a log: {error.strerror}",
            remedy="name a file in a directory that you may write to, with --store or AMENDS_STORE",
            where=str(self._path),
        )

    def _prepare(self, *, create: bool) -> bool:
        with self._connected() as raw:
            version = self._judge(raw)
        if version < 0 and not create:
            return False
        if version < SCHEMA_VERSION:
            self._bring_up_to_date()
        return True

    def _judge(self, raw: sqlite3.Connection) -> int:
        """Return a log's schema, -1 for a file without anything; raise for what is no log, or a newer one."""
        application, version = _identity(raw)
        if application == _APPLICATION_ID and version == SCHEMA_VERSION:
            return version
        empty = not raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application not in (0, _APPLICATION_ID) or (application == 0 and not empty):
            raise StoreUnavailableError(
                "this SQLite file is not a log of amends",
                remedy="name another file with --store or AMENDS_STORE",
                where=str(self._path),
            )
        if version > SCHEMA_VERSION:
            raise StoreUnavailableError(
                f"this log has schema {version}; this amends knows schemas up to {SCHEMA_VERSION}",
                remedy="update amends",
                where=str(self._path),
            )
        return -1 if empty else version

    def _bring_up_to_date(self) -> None:
        import sqlalchemy as sa

        upgrade = load_upgrade()
        with self._connected() as raw:
            raw.execute("PRAGMA journal_mode=WAL")  # not possible inside a transaction
            engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=sa.StaticPool)
            try:
                with engine.connect() as connection, connection.begin():
                    raw.execute("BEGIN IMMEDIATE")
                    if _identity(raw)[1] < SCHEMA_VERSION:
                        upgrade(connection)
                        raw.execute(f"PRAGMA application_id={_APPLICATION_ID}")
                        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            except sa.exc.DBAPIError as error:
                raise error.orig or error from None

    def lock_streams(self, connection: Connection, streams: Collection[str]) -> None:
        """See ``Database.lock_streams``: BEGIN IMMEDIATE holds the whole log."""

    def reserve(self, connection: Connection, count: int) -> list[int]:
        """See ``Database.reserve``. Positions of deleted rows are not given out again."""
        last = int(first_value(connection.rows("SELECT seq FROM sqlite_sequence WHERE name = 'events'")) or 0)
        return list(range(last + 1, last + count + 1))

    def gaps(self, connection: Connection) -> list[tuple[int, int]]:
        """See ``Database.gaps``: positions are drawn in the transaction that writes them."""
        return [(int(first), int(last)) for first, last in connection.rows(_GAPS)]

    def settled(self, connection: Connection) -> int:
        """See ``Database.settled``: writers come one after the other, so whatever is seen is settled."""
        return int(first_value(connection.rows("SELECT max(position) FROM events")) or 0)

    def wait(self, timeout: float) -> None:
        """See ``Database.wait``: own threads are told, other processes are noticed by ``data_version``."""
        deadline = time.monotonic() + timeout
        pause, longest = _POLL_SECONDS
        with self._told():
            if not self._is_ready(create=False):
                with self._written:
                    self._written.wait(min(timeout, longest))
                return
            with self._connected() as raw:
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
            idle, self._idle, self._ready = self._idle, [], False
        for raw in idle:
            with suppress(sqlite3.Error):
                raw.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise DuplicateError(str(error)) from None
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def _explain(self, error: sqlite3.Error) -> StoreUnavailableError:
        name = str(getattr(error, "sqlite_errorname", ""))
        for prefix, (message, remedy) in _EXPLANATIONS.items():
            if name.startswith(prefix):
                return StoreUnavailableError(message, remedy=remedy, where=str(self._path))
        return StoreUnavailableError(
            f"SQLite says: {error}",
            remedy="check that the file is a whole log of amends on a local disk",
            where=str(self._path),
        )


_GAPS = """
    SELECT before + 1, position - 1
    FROM (SELECT position, lag(position, 1, 0) OVER (ORDER BY position) AS before FROM events)
    WHERE position > before + 1
    UNION ALL
    SELECT coalesce((SELECT max(position) FROM events), 0) + 1, seq FROM sqlite_sequence
    WHERE name = 'events' AND seq > coalesce((SELECT max(position) FROM events), 0)
"""
_NO_ROOM = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR")
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


def _identity(raw: sqlite3.Connection) -> tuple[int, int]:
    application = raw.execute("PRAGMA application_id").fetchone()[0]
    version = raw.execute("PRAGMA user_version").fetchone()[0]
    return int(application), int(version)


def _data_version(raw: sqlite3.Connection) -> int:
    return int(raw.execute("PRAGMA data_version").fetchone()[0])
