"""procrastinate's tables in the database of the log: made once, and brought on when the library is newer.

The library ships its whole schema and a file for each change since; it does not note which of them a database
has had. We note that in a table of ours, in the same transaction.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager

from amends.adapters.stores.postgres import explain
from amends.errors import StoreUnavailableError

_NOTE = "amends_engine"
_LOCK = (0x616D64, -2)  # -1 is the log's own


def ensure_tables(url: str, where: str) -> None:
    """Create or upgrade procrastinate's tables; nothing happens when they are as this version wants them.

    Parameters
    ----------
    url:
        The database, as libpq takes it.
    where:
        How errors name it, without the password.

    Raises
    ------
    StoreUnavailableError
        The database cannot be reached, its role may not create tables, or it has tables of another user of
        procrastinate.
    """
    try:
        with psycopg.connect(url) as connection:
            if _noted(connection) != _newest():
                _bring_up_to_date(connection, where)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreUnavailableError(
            f"the engine keeps its queue in this database, and the role may not create it: {_first(error)}",
            remedy="run `amends worker` once as the database's owner, "
            "or GRANT CREATE ON SCHEMA public TO the role",
            where=where,
        ) from None
    except psycopg.Error as error:
        raise explain(error, where) from None


def _bring_up_to_date(connection: psycopg.Connection, where: str) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", _LOCK)
    noted, newest = _noted(connection), _newest()
    if noted > newest:
        raise StoreUnavailableError(
            f"the engine's queue was made by a newer procrastinate (it has had {noted}, known is {newest})",
            remedy="update amends and procrastinate on this machine",
            where=where,
        )
    if noted:
        for change in _changes():
            if change.name > noted:
                connection.execute(change.read_bytes())
        connection.execute(f"UPDATE {_NOTE} SET latest = %s", (newest,))  # noqa: S608 - a constant
        return
    if _exists(connection, "procrastinate_jobs"):
        raise StoreUnavailableError(
            "the database has tables of procrastinate that amends did not make",
            remedy="give amends a database of its own",
            where=where,
        )
    connection.execute(SchemaManager.get_schema().encode())
    connection.execute(f"CREATE TABLE {_NOTE} (latest text NOT NULL)")
    connection.execute(f"INSERT INTO {_NOTE} VALUES (%s)", (newest,))  # noqa: S608 - a constant


def _noted(connection: psycopg.Connection) -> str:
    if not _exists(connection, _NOTE):
        return ""
    row = connection.execute(f"SELECT max(latest) FROM {_NOTE}").fetchone()  # noqa: S608 - a constant
    return str(row[0] or "") if row else ""


def _exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    return row is not None and row[0] is not None


def _changes() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"), key=lambda path: path.name)


def _newest() -> str:
    return _changes()[-1].name


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]
