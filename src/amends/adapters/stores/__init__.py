"""Stores of the event log: memory, SQLite, PostgreSQL, and a server's over HTTPS."""

from __future__ import annotations

from dataclasses import dataclass

from amends.application.ports import EventStore, People, Tokens


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A log with the two tables beside its chain."""

    store: EventStore
    people: People
    tokens: Tokens
    kind: str


def open_store(url: str, *, token: str = "") -> OpenStore:
    """Open the store that a path or URL names, creating a SQLite file on first write."""
    raise NotImplementedError(url, token)
