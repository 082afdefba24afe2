"""Stores of the event log: memory, SQLite, PostgreSQL, and a server's over HTTPS."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amends.application.ports import EventStore, People, Tokens
from amends.application.pushing import PushedPages
from amends.errors import StoreUnavailableError, UsageError


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A log with the tables beside its chain."""

    store: EventStore
    people: People
    tokens: Tokens
    pushes: PushedPages
    kind: str
    exists: Callable[[], bool] = lambda: True
    """Whether there is a log at all; a file or database without one reads as an empty log."""


def open_store(url: str, *, token: str = "") -> OpenStore:
    """Open the store that a path or URL names, creating a SQLite file on first write.

    ``memory:``, a path, ``sqlite:///PATH``, ``postgresql://…`` or ``https://server`` (with ``token``).
    Drivers are imported only when they are asked for. Raises ``UsageError`` for a URL of another kind and
    ``StoreUnavailableError`` when the driver is not installed.
    """
    if url == "memory:":
        return _memory()
    if url in ("memory", ":memory:"):
        raise UsageError(
            f"found the store {url!r}; did you mean memory: ?",
            remedy="write memory: for a log that ends with the process, or ./NAME for a file of this name",
        )
    scheme = url.split("://", 1)[0] if "://" in url else ""
    if scheme in ("", "sqlite"):
        return _sqlite(url.removeprefix("sqlite:///") if scheme else url)
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    if scheme in ("http", "https"):
        return _http(url, token)
    raise UsageError(
        f"found a store that begins with {scheme!r}; allowed are a path, sqlite:///PATH, postgresql://…, "
        "https://server and memory:",
        remedy="name a store with --store or AMENDS_STORE",
    )


def _memory() -> OpenStore:
    from amends.adapters.stores.memory import MemoryPeople, MemoryStore, MemoryTokens
    from amends.adapters.stores.pushes import MemoryPushes

    return OpenStore(MemoryStore(), MemoryPeople(), MemoryTokens(), MemoryPushes(), "memory")


def _sqlite(path: str) -> OpenStore:
    from amends.adapters.stores.accounts import SqlPeople, SqlTokens
    from amends.adapters.stores.pushes import SqlPushes
    from amends.adapters.stores.sql import SqlStore
    from amends.adapters.stores.sqlite import SqliteDatabase

    database = SqliteDatabase(Path(path).expanduser())
    return OpenStore(
        SqlStore(database), SqlPeople(database), SqlTokens(database), SqlPushes(database), "sqlite",
        database.exists,
    )  # fmt: skip


def _postgres(url: str) -> OpenStore:
    if importlib.util.find_spec("psycopg") is None:
        raise StoreUnavailableError(
            "the driver for PostgreSQL is not installed", remedy="pip install 'amends[postgres]'"
        )
    from sqlalchemy.exc import ArgumentError

    from amends.adapters.stores.accounts import SqlPeople, SqlTokens
    from amends.adapters.stores.postgres import PostgresDatabase
    from amends.adapters.stores.pushes import SqlPushes
    from amends.adapters.stores.sql import SqlStore

    try:
        database = PostgresDatabase(url)
    except (ArgumentError, ValueError):
        raise UsageError(
            "this is not an address of a PostgreSQL database",
            remedy="write postgresql://user:password@host:5432/database",
        ) from None
    return OpenStore(
        SqlStore(database), SqlPeople(database), SqlTokens(database), SqlPushes(database), "postgresql",
        database.exists,
    )  # fmt: skip


def _http(url: str, token: str) -> OpenStore:
    from amends.adapters.stores.http import Connection, HttpPeople, HttpPushes, HttpStore, HttpTokens

    connection = Connection(url, token=token)
    people, pushes = HttpPeople(connection), HttpPushes(connection)
    return OpenStore(HttpStore(connection), people, HttpTokens(), pushes, "http")
