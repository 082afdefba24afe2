"""The envelope: a CloudEvent that carries a CDEvent, and the same event once it is in the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from amends.errors import InvalidEventError


@lru_cache(maxsize=16_384)  # facts are put in order by their times again and again
def parse_time(text: str) -> datetime:
    """Read an RFC 3339 timestamp as an aware UTC datetime.

    Raises ``InvalidEventError`` when it is not one, or names no offset: a time without a zone is a guess.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidEventError(
            f"found the time {text!r}; allowed is RFC 3339, for example 2026-03-20T14:27:05Z",
            remedy="write the date, a T, the time and an offset (Z for UTC)",
        ) from None
    if moment.tzinfo is None:
        raise InvalidEventError(
            f"found the time {text!r}, which names no time zone",
            remedy="add an offset: Z for UTC, or for example +02:00",
        )
    return moment.astimezone(UTC)


def format_time(moment: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC, ending in ``Z``, microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent 1.0, before it is in the log.

    ``time`` is empty where the source stated none, which CloudEvents allows: it then counts as having
    happened when it was recorded.

    ``data`` is the CDEvent (or any JSON value for events of other kinds). ``extensions`` are CloudEvents
    extension attributes, kept as they came. ``known_at`` is when the source system says that it knew the
    fact; it is given for imported events only (*asserted*) and ``None`` for live ones, which are known when
    they are recorded. An imported event whose source states no such time has ``imported`` set and
    ``known_at`` ``None``: what relies on it is undecided.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Any
    extensions: dict[str, Any] = field(default_factory=dict)
    known_at: datetime | None = None
    imported: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes the event itself: CloudEvents' (source, id)."""
        return (self.source, self.id)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in the log.

    ``stream`` and ``seq`` (from 1, without gaps) place it; ``previous`` and ``digest`` (hex SHA-256) chain
    it. ``known_at`` is what decisions compare with their moment: ``recorded_at`` for live events, the
    source's own time for imported ones, ``None`` where that was not stated. ``position`` orders events
    across streams *within one store* and is no part of what is exported.
    """

    event: Event
    stream: str
    seq: int
    recorded_at: datetime
    known_at: datetime | None
    previous: str
    digest: str
    position: int = 0

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def occurred_at(self) -> datetime:
        """When it happened, by its source's clock; when it was recorded, where the source did not say."""
        return parse_time(self.event.time) if self.event.time else self.recorded_at
