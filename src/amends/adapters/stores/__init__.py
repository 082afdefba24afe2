"""Stores of the event log: memory, SQLite, PostgreSQL, and a server's over HTTPS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amends.application.ports import EventStore, People, Tokens
from amends.errors import UsageError


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A log with the two tables beside its chain."""

    store: EventStore
    people: People
    tokens: Tokens
    kind: str


def open_store(url: str, *, token: str = "") -> OpenStore:  # noqa: ARG001 - a server needs it
    """Open the store that a path or URL names, creating a SQLite file on first write.

    ``memory:``, a path or ``sqlite:///PATH``. Drivers are imported only when they are asked for. Raises
    ``UsageError`` for a URL of another kind.
    """
    if url == "memory:":
        return _memory()
    scheme = url.split("://", 1)[0] if "://" in url else ""
    if scheme in ("", "sqlite"):
        return _sqlite(url.removeprefix("sqlite:///") if scheme else url)
    raise UsageError(
        f"found the store {url.split('@')[-1]!r}; allowed are a path, sqlite:///PATH and memory:",
        remedy="name a store with --store or AMENDS_STORE",
    )


def _memory() -> OpenStore:
    from amends.adapters.stores.memory import MemoryPeople, MemoryStore, MemoryTokens

    return OpenStore(MemoryStore(), MemoryPeople(), MemoryTokens(), "memory")


def _sqlite(path: str) -> OpenStore:
    from amends.adapters.stores.accounts import SqlPeople, SqlTokens
    from amends.adapters.stores.sql import SqlStore
    from amends.adapters.stores.sqlite import SqliteDatabase

    database = SqliteDatabase(Path(path).expanduser())
    return OpenStore(SqlStore(database), SqlPeople(database), SqlTokens(database), "sqlite")
