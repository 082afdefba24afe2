"""The desk where facts are taken: who is asked for what, and how a retry stays harmless."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from amends.application.log import Log
from amends.application.ports import People
from amends.errors import EventConflictError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact, decode
from amends.events.event import format_time


@dataclass(frozen=True, slots=True)
class Desk:
    """Where facts about one service are taken.

    ``team`` owns the service and ``environments`` are its policy's, where that is known. ``policy`` is the
    file that might name them.
    """

    log: Log
    people: People
    service: str
    team: str = ""
    policy: str = "amends.yaml"
    environments: tuple[str, ...] = ()

    def require_service(self) -> Desk:
        """Return this desk. Raises ``UsageError`` when nobody said which service is meant."""
        if self.service:
            return self
        raise UsageError(
            f"which service? {self.policy} names none, or is not there",
            remedy="give --service NAME, set AMENDS_SERVICE, or run `amends init`",
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something happened (now, if not given), and the id that makes a retry harmless.

    Without an id one is derived from the content where that is natural, and is random elsewhere.
    """

    at: datetime | None = None
    id: str = ""

    def beside(self, suffix: str) -> Stamp:
        """Return the stamp of a fact that is recorded together with this one's."""
        return Stamp(self.at, f"{self.id}-{suffix}" if self.id else "")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a fact. ``fresh`` is false when the log had it; ``notes`` are for who told it."""

    fact: Fact
    fresh: bool = True
    notes: tuple[str, ...] = field(default=())


NOW = Stamp()


def derived_id(kind: str, *parts: str) -> str:
    """Return an id that is the same for the same content, so that a CI job may be run again."""
    text = "\0".join((kind, *parts))
    return str(uuid.UUID(hashlib.sha256(text.encode()).hexdigest()[:32]))


def record_once(
    log: Log, kind: str, payload: p.Payload, stamp: Stamp = NOW, *, notes: tuple[str, ...] = ()
) -> Receipt:
    """Record a fact, or find that the log has it.

    Raises ``EventConflictError`` when the id is taken by another content, or by another time that was given.
    """
    known = _known(log, kind, payload, stamp)
    if known is not None:
        return Receipt(known, fresh=False, notes=notes)
    try:
        return Receipt(log.record(kind, payload, id=stamp.id, at=stamp.at), notes=notes)
    except EventConflictError:
        # Another process may have recorded the same fact a moment ago, at its own "now".
        known = _known(log, kind, payload, stamp)
        if known is None:
            raise
        return Receipt(known, fresh=False, notes=notes)


def _known(log: Log, kind: str, payload: p.Payload, stamp: Stamp) -> Fact | None:
    for record in log.store.find(stamp.id) if stamp.id else ():
        fact = decode(record)
        same_time = stamp.at is None or fact.occurred_at == stamp.at
        if record.event.source == log.source and fact.kind == kind and fact.payload == payload and same_time:
            return fact
    return None


def content_id(kind: str, payload: p.Payload, stamp: Stamp) -> Stamp:
    """Give a stamp the id of its content (and time, where one was given), unless it has one."""
    if stamp.id:
        return stamp
    time = format_time(stamp.at) if stamp.at else ""
    return Stamp(stamp.at, derived_id(kind, msgspec.json.encode(payload, order="sorted").decode(), time))
