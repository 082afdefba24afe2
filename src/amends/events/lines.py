"""A record as one line of JSON: a CloudEvent whose extensions say its place, its times and its digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from amends.errors import InvalidEventError
from amends.events import chain
from amends.events.event import Recorded

PLACE = "amendsstream"


def to_line(record: Recorded) -> bytes:
    """Return a record's canonical line, without a newline. The same record gives the same bytes."""
    return chain.canonical(to_object(record))


def to_object(record: Recorded) -> dict[str, Any]:
    """Return what ``to_line`` writes, as an object."""
    found: dict[str, Any] = msgspec.json.decode(chain.body_of(record))
    found["amendsdigest"] = record.digest
    return found


def from_object(found: dict[str, Any], *, position: int = 0) -> Recorded:
    """Read a record back. Raises ``InvalidEventError`` when it is none; does not check its digest."""
    found = dict(found)
    digest = found.pop("amendsdigest", None)
    if not isinstance(digest, str):
        raise InvalidEventError(
            "this is not a record of a log: it has no amendsdigest",
            remedy="give what `amends log export` wrote, unchanged",
        )
    try:
        record = chain.read_body(chain.canonical(found), digest=digest)
    except KeyError as error:
        raise InvalidEventError(f"this is not a record of a log: it has no {error}") from None
    return replace(record, position=position)


def decode_line(line: bytes) -> dict[str, Any]:
    """Read a line as a JSON object. Raises ``InvalidEventError``."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidEventError(
            f"this is not JSON: {error}", remedy="give one CloudEvent a line, as a JSON object"
        ) from None
    if not isinstance(found, dict):
        raise InvalidEventError(
            f"found {type(found).__name__}; allowed is a JSON object", remedy="give one CloudEvent a line"
        )
    return found
