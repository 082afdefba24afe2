"""What a SQL database must offer so that one implementation of the log serves all of them.

Nothing here imports SQLAlchemy: that takes as long as all else that ``amends gate`` does, and on SQLite only
a migration needs it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NO_VALUES: Mapping[str, Any] = {}


class DuplicateError(Exception):
    """A unique constraint refused a row; the log answers by looking again."""


class Connection(Protocol):
    """A transaction under way. Statements name their values ``:name``, on every database."""

    def rows(self, statement: str, values: Mapping[str, Any] = NO_VALUES) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    def change(self, statement: str, values: Mapping[str, Any]) -> int:
        """Run a statement that writes and return how many rows it touched."""

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert many rows, values in the order of ``columns``, the fastest way that the driver has."""


class Database(ABC):
    """Connections, transactions and the few things that databases do differently.

    Every error of the driver leaves as ``StoreUnavailableError`` with its remedy, except a broken unique
    constraint, which is a ``DuplicateError``.
    """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection | None]:
        """Open a read transaction; ``None`` when there is no log yet."""

    def exists(self) -> bool:
        """Return whether there is a log: a file or database without our tables is none."""
        with self.reading() as connection:
            return connection is not None

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """Open a write transaction, creating the log when there is none; commits unless it raises."""

    @abstractmethod
    def lock_streams(self, connection: Connection, streams: Collection[str]) -> None:
        """Let no other writer place events in these streams until this transaction ends."""

    @abstractmethod
    def reserve(self, connection: Connection, count: int) -> list[int]:
        """Return ``count`` fresh positions, rising."""

    def gaps(self, connection: Connection) -> list[tuple[int, int]]:  # noqa: ARG002 - see below
        """Return ranges of positions whose events were taken out; nothing, where gaps come by themselves."""
        return []

    @abstractmethod
    def settled(self, connection: Connection) -> int:
        """Return the position below or at which nothing will appear any more."""

    @abstractmethod
    def wait(self, timeout: float) -> None:
        """Return when something may have been written, or after ``timeout`` seconds."""

    @abstractmethod
    def announce(self) -> None:
        """Wake those who wait; called after a commit that wrote events."""

    @abstractmethod
    def close(self) -> None:
        """Release connections."""


def first_value(rows: Sequence[tuple[Any, ...]]) -> Any:
    """Return the first column of the first row, or ``None``."""
    return rows[0][0] if rows else None


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Return the moment of ``to_micros``."""
    return _EPOCH + count * _MICROSECOND
