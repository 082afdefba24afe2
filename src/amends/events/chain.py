"""Canonical bytes and the per-stream SHA-256 chain that makes a changed log visible.

Each recorded event's digest covers the digest before it in its stream and its own canonical bytes, which
hold its place, its times and everything that its source said. Changing, dropping or reordering an event
inside a stream breaks the chain at that event; cutting a stream's tail is invisible to the chain alone and
is what checkpoints are for.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from amends.errors import InvalidEventError
from amends.events.event import Event, Recorded, format_time, parse_time

GENESIS = "0" * 64
_PLACE = ("amendsstream", "amendsseq", "amendsprevious", "recordedat")
_DIGEST = "amendsdigest"
_KNOWN = ("knownat", "knownasserted")
RESERVED = frozenset((*_PLACE, _DIGEST, *_KNOWN))


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys, no white space, UTF-8: the same value gives the same bytes."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except (TypeError, OverflowError, ValueError) as error:
        raise InvalidEventError(f"the event holds a value that JSON cannot: {error}") from None


def attributes(event: Event) -> dict[str, Any]:
    """Return the CloudEvent as its source gave it, with what it asserted about its knowledge."""
    found: dict[str, Any] = {
        "specversion": "1.0", "id": event.id, "source": event.source, "type": event.type,
        "datacontenttype": "application/json", **event.extensions, "data": event.data,
    }  # fmt: skip
    if event.time:
        found["time"] = event.time
    if event.subject:
        found["subject"] = event.subject
    if event.imported:
        found["knownasserted"] = True
        if event.known_at:
            found["knownat"] = format_time(event.known_at)
    return found


def fingerprint(event: Event) -> str:
    """Return what identifies an event's body, whenever and wherever it is recorded."""
    return hashlib.sha256(canonical(attributes(event))).hexdigest()


def body_of(record: Recorded) -> bytes:
    """Return the canonical bytes that a record's digest covers and that a store keeps."""
    found = attributes(record.event)
    found |= {
        "amendsstream": record.stream, "amendsseq": record.seq, "amendsprevious": record.previous,
        "recordedat": format_time(record.recorded_at),
    }  # fmt: skip
    if record.known_at:
        found["knownat"] = format_time(record.known_at)
    return canonical(found)


def digest_of(body: bytes) -> str:
    """Return the digest of a record's body (which names the digest before it)."""
    return hashlib.sha256(body).hexdigest()


def link(event: Event, *, stream: str, seq: int, previous: str, recorded_at: datetime) -> Recorded:
    """Place an event at the end of a stream."""
    return link_body(event, stream=stream, seq=seq, previous=previous, recorded_at=recorded_at)[0]


def link_body(
    event: Event, *, stream: str, seq: int, previous: str, recorded_at: datetime
) -> tuple[Recorded, bytes]:
    """Place an event at the end of a stream; return it with the bytes that its digest covers."""
    known_at = event.known_at if event.imported else recorded_at
    body = body_of(Recorded(event, stream, seq, recorded_at, known_at, previous, ""))
    return Recorded(event, stream, seq, recorded_at, known_at, previous, digest_of(body)), body


def read_body(body: bytes, *, digest: str, position: int = 0) -> Recorded:
    """Read a record back from the bytes that a store or an export holds.

    Raises ``InvalidEventError`` when they are not a record.
    """
    try:
        found = msgspec.json.decode(body)
        stream, seq = str(found.pop("amendsstream")), int(found.pop("amendsseq"))
        previous, recorded_at = str(found.pop("amendsprevious")), parse_time(found.pop("recordedat"))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidEventError(f"these bytes are not a record of the log: {error!r}") from None
    known_at = parse_time(found["knownat"]) if "knownat" in found else None
    return Recorded(read_cloudevent(found), stream, seq, recorded_at, known_at, previous, digest, position)


_ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data")


def read_cloudevent(found: dict[str, Any]) -> Event:
    """Read an already validated CloudEvent (see ``intake.read_event`` for one from outside)."""
    imported = bool(found.get("knownasserted", False))
    extensions = {k: v for k, v in found.items() if k not in _ENVELOPE and k not in RESERVED}
    return Event(
        id=found["id"], source=found["source"], type=found["type"], subject=found.get("subject", ""),
        time=found.get("time", ""), data=found.get("data"), extensions=extensions, imported=imported,
        known_at=parse_time(found["knownat"]) if imported and "knownat" in found else None,
    )  # fmt: skip
