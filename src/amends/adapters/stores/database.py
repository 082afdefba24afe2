"""What a SQL database must offer so that one implementation of the log serves all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Database(ABC):
    """Connections, transactions and the few things that databases do differently.

    Every error of the driver leaves as ``StoreUnavailableError`` with its remedy, except a broken unique
    constraint (``sqlalchemy.exc.IntegrityError``), which the log answers by trying again.
    """

    @abstractmethod
    def reading(self) -> AbstractContextManager[sa.Connection | None]:
        """Open a read transaction; ``None`` when there is no log yet."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Open a write transaction, creating the log when there is none; commits unless it raises."""

    @abstractmethod
    def lock_streams(self, connection: sa.Connection, streams: Collection[str]) -> None:
        """Let no other writer place events in these streams until this transaction ends."""

    @abstractmethod
    def reserve(self, connection: sa.Connection, count: int) -> list[int]:
        """Return ``count`` fresh positions, rising."""

    @abstractmethod
    def insert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows (values in the order of the table's columns) by the driver's own statement.

        SQLAlchemy's handling of parameters takes as long as the insert itself.
        """

    @abstractmethod
    def settled(self, connection: sa.Connection) -> int:
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


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Return the moment of ``to_micros``."""
    return _EPOCH + count * _MICROSECOND
