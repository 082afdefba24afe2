"""The log on PostgreSQL, for many machines.

Writers of different streams do not wait for each other; writers of one stream take turns by an advisory
lock on the stream's hash. A position is drawn from a sequence before its transaction commits, so that a
follower could step over a lower position that commits later. Against that every writer first announces, by
a shared advisory lock that carries the sequence's value, the floor above which all its positions will lie;
a reader takes the sequence's value, then the lowest floor announced, and reads no further than the lower
of the two. Comparing transaction ids instead would stall behind any long transaction of the whole cluster
and still miss events, for ids and positions are not drawn in the same order.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from amends.adapters.stores import schema
from amends.adapters.stores.database import NO_VALUES, Connection, Database, DuplicateError, first_value
from amends.adapters.stores.migrate import SCHEMA_VERSION, VERSION_TABLE, load_upgrade
from amends.errors import InvalidEventError, StoreUnavailableError

_SPACE = 0x616D64  # "amd": keeps our advisory locks apart from those of others
_FLOOR_BITS = 40
_BUCKETS = 1024
_PATIENCE_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.002
_LONGEST_LISTEN_SECONDS = 5.0
_IDLE_SECONDS = 1.0
_CHANNEL = "amends_events"

_SEQUENCE = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_position_seq"
# Every row that draws a position needs the row of the subquery first: the floor stands before the draw.
_DRAW = f"""
SELECT nextval('events_position_seq') FROM generate_series(1, :count), (
    SELECT pg_advisory_xact_lock_shared({_SPACE << _FLOOR_BITS}
        + CASE WHEN is_called THEN last_value ELSE 0 END) FROM events_position_seq OFFSET 0
) AS floor
"""  # noqa: S608 - numbers of our own
_LOWEST_FLOOR = f"""
SELECT min(((CAST(classid AS bigint) << 32) | CAST(objid AS bigint)) & {(1 << _FLOOR_BITS) - 1}) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND CAST(classid AS bigint) >> {_FLOOR_BITS - 32} = {_SPACE}
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - numbers of our own
_LOCK_STREAMS = (
    f"SELECT pg_advisory_xact_lock({_SPACE}, bucket) FROM unnest(CAST(:buckets AS integer[])) AS t(bucket)"  # noqa: S608 - a number of our own
)
# The news needs no sync to disk: who missed it looks again by itself.
_NOTIFY = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{_CHANNEL}', '')"


_NAME = re.compile(r"(?<!:):([a-z]\w*)")


@lru_cache(maxsize=256)
def _native(statement: str) -> bytes:
    """Write a statement as the driver takes it: ``%(name)s`` for ``:name``."""
    return _NAME.sub(r"%(\1)s", statement.replace("%", "%%")).encode()


class _PostgresConnection:
    """``Connection`` on SQLAlchemy's pool. Statements go straight to the driver: they are text already, and
    SQLAlchemy's execution of one costs as much as the driver's.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.own = connection
        self._driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]

    def rows(self, statement: str, values: Mapping[str, Any] = NO_VALUES) -> list[tuple[Any, ...]]:
        return self._driver.execute(_native(statement), values).fetchall()

    def change(self, statement: str, values: Mapping[str, Any]) -> int:
        return self._driver.execute(_native(statement), values).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        # One statement for all rows, an array for each column.
        types = (schema.metadata.tables[table].c[name].type for name in columns)
        arrays = ", ".join(f"%s::{type_.compile(self.own.dialect)}[]" for type_ in types)
        statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own
        self._driver.execute(statement.encode(), [list(column) for column in zip(*rows, strict=True)])


class PostgresDatabase(Database):
    """A PostgreSQL database that holds one log.

    Parameters
    ----------
    url:
        ``postgresql://user:password@host:port/database?options``, as libpq takes it.
    """

    def __init__(self, url: str) -> None:
        plain, self._where = plain_url(url)
        self._plain = plain
        parsed = sa.make_url(plain).set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(
            parsed, pool_size=10, max_overflow=20, isolation_level="READ COMMITTED"
        )
        self._quick = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        sa.event.listen(self._engine, "connect", _on_connect)
        sa.event.listen(self._engine, "checkin", _on_checkin)
        sa.event.listen(self._engine, "checkout", _on_checkout)
        self._ready = False
        self._lock = threading.Lock()
        self._listeners: list[psycopg.Connection[Any]] = []

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """See ``Database.reading``. A database without our tables is no log yet."""
        with self._told():
            if not self._prepare(create=False):
                yield None
                return
            # Each statement sees what is committed anyway: a transaction only costs two more round trips.
            with self._quick.connect() as connection:
                yield _PostgresConnection(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """See ``Database.writing``."""
        with self._told():
            self._prepare(create=True)
            with self._engine.begin() as connection:
                yield _PostgresConnection(connection)

    def _prepare(self, *, create: bool) -> bool:
        if self._ready:
            return True
        with self._lock:
            with self._engine.connect() as connection:
                version = self._version(connection)
            if version == 0 and not create:
                return False
            if version < SCHEMA_VERSION:
                self._bring_up_to_date()
            self._ready = True
        return True

    def _bring_up_to_date(self) -> None:
        upgrade = load_upgrade()
        with self._engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:space, -1)"), {"space": _SPACE})
            if self._version(connection) < SCHEMA_VERSION:  # nobody did it while this one waited
                upgrade(connection)

    def _version(self, connection: sa.Connection) -> int:
        known = connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": VERSION_TABLE})
        query = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a constant
        version = int(connection.scalar(sa.text(query)) or 0) if known else 0
        if version > SCHEMA_VERSION:
            raise StoreUnavailableError(
                f"this log has schema {version}; this amends knows schemas up to {SCHEMA_VERSION}",
                remedy="update amends",
                where=self._where,
            )
        return version

    def lock_streams(self, connection: Connection, streams: Collection[str]) -> None:
        """See ``Database.lock_streams``. In the same order everywhere, so that nobody waits in a ring."""
        buckets = sorted({zlib.crc32(stream.encode()) % _BUCKETS for stream in streams})
        connection.rows(_LOCK_STREAMS, {"buckets": buckets})

    def reserve(self, connection: Connection, count: int) -> list[int]:
        """See ``Database.reserve``."""
        return sorted(int(position) for (position,) in connection.rows(_DRAW, {"count": count}))

    def settled(self, connection: Connection) -> int:
        """See ``Database.settled``. Waits a moment for writers under way, so that one reads one's own."""
        drawn = int(first_value(connection.rows(_SEQUENCE)) or 0)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            floor = first_value(connection.rows(_LOWEST_FLOOR))
            if floor is None or floor >= drawn:
                return drawn
            if time.monotonic() >= deadline:
                return int(floor)
            time.sleep(_LOOK_AGAIN_SECONDS)

    def wait(self, timeout: float) -> None:
        """See ``Database.wait``, by LISTEN. Returns at once when it has only just begun to listen."""
        with self._told_plainly():
            try:
                listener = self._listeners.pop()
            except IndexError:
                self._listeners.append(self._listen())
                return
            for _ in listener.notifies(timeout=min(timeout, _LONGEST_LISTEN_SECONDS), stop_after=1):
                pass
            self._listeners.append(listener)

    def _listen(self) -> psycopg.Connection[Any]:
        listener = psycopg.connect(self._plain, autocommit=True)
        listener.execute(f"LISTEN {_CHANNEL}")
        return listener

    def announce(self) -> None:
        """See ``Database.announce``. Outside the write: NOTIFY makes transactions commit one by one."""
        try:
            with self._quick.connect() as connection:
                connection.exec_driver_sql(_NOTIFY)
        except DBAPIError:
            return  # the events are committed; those who wait look again by themselves

    def close(self) -> None:
        """See ``Database.close``."""
        while self._listeners:
            self._listeners.pop().close()
        self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._meant(error.orig) from None
        except psycopg.Error as error:
            raise self._meant(error) from None

    def _meant(self, error: BaseException | None) -> Exception:
        if isinstance(error, psycopg.IntegrityError):
            return DuplicateError(_first_line(error))
        if isinstance(error, psycopg.DataError):
            return InvalidEventError(
                f"PostgreSQL cannot keep this: {_first_line(error)}",
                remedy="leave out NUL characters from ids, sources and names",
            )
        return self._explain(error)

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._explain(error) from None

    def _explain(self, error: BaseException | None) -> StoreUnavailableError:
        return explain(error, self._where)


_EXPLANATIONS = {
    "53100": ("the server's disk is full; nothing of this was written", "free some space and try again"),
    "53300": ("the server takes no more connections", "raise max_connections or stop idle clients"),
    "55P03": ("another process holds the log and did not let go in time", "try again"),
    "40": ("the database ended this transaction in favour of another", "try again"),
    "25006": ("the database may be read and not written", "name the primary server, not a replica"),
    "42501": ("the user may not do this", "let the user own the database of the log"),
    "42P07": (
        "the database already has tables of these names that are not ours",
        "give amends a database of its own",
    ),
    "42": (
        "this database is not a log of amends, or only half of one",
        "give amends a database of its own, or restore this one",
    ),
}


# A machine that is gone says nothing: libpq is to notice within some ten seconds, not within hours.
_PATIENCE = {
    "connect_timeout": "10", "tcp_user_timeout": "10000", "keepalives_idle": "5",
    "keepalives_interval": "2", "keepalives_count": "3",
}  # fmt: skip


def plain_url(url: str) -> tuple[str, str]:
    """Return a database's address as libpq takes it, and without secrets, as errors name it.

    What the address does not say of timeouts is added.

    Raises
    ------
    sqlalchemy.exc.ArgumentError, ValueError
        It is no address.
    """
    parsed = sa.make_url(url).set(drivername="postgresql")
    parsed = parsed.update_query_dict({k: v for k, v in _PATIENCE.items() if k not in parsed.query})
    where = parsed.set(query={}).render_as_string(hide_password=True)
    return parsed.render_as_string(hide_password=False), where


def explain(error: BaseException | None, where: str) -> StoreUnavailableError:
    """Say what a driver's error means, and what mends it."""
    state = str(getattr(error, "sqlstate", "") or "")
    for prefix, (message, remedy) in _EXPLANATIONS.items():
        if state.startswith(prefix):
            return StoreUnavailableError(message, remedy=remedy, where=where)
    return StoreUnavailableError(
        f"the database does not answer: {_first_line(error)}",
        remedy="check that the server runs and that address, user and password are right",
        where=where,
    )


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _on_connect(connection: Any, _record: Any) -> None:
    # A writer that was frozen must not hold back everybody who reads.
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '30s'")
    connection.commit()


def _on_checkin(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection that has been idle whether it still lives; one just used costs no round trip."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < _IDLE_SECONDS:
        return
    try:
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = False
    except psycopg.Error:
        raise sa.exc.DisconnectionError from None
