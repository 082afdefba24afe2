"""Tags: the few keys under which an event is found again without reading the whole log."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from amends.events import payloads as p
from amends.events.codec import Fact


class Tag(NamedTuple):
    """A tag as stores index it.

    ``moment`` is what a read ``since`` and ``until`` goes by: under ``env:S/E`` when it happened, under
    ``team:T`` when the shift ends. Other tags have none.
    """

    name: str
    moment: datetime | None = None


def index_tags(fact: Fact) -> tuple[Tag, ...]:
    """Return the tags under which a store indexes a fact.

    They are those of the payload and, where nobody said when the fact was known, ``undated:S``: such facts
    leave gates undecided, however long ago they happened.
    """
    tags = tuple(Tag(name, _moment(name, fact)) for name in tags_of(fact.payload))
    service = str(getattr(fact.payload, "service", "") or "")
    return (*tags, Tag(f"undated:{service}")) if service and fact.known_at is None else tags


def _moment(name: str, fact: Fact) -> datetime | None:
    if name.startswith("env:"):
        return fact.occurred_at
    if name.startswith("team:") and isinstance(fact.payload, p.ShiftAcknowledged):
        return fact.payload.ends
    return None


def tags_of(payload: p.Payload | None) -> tuple[str, ...]:
    """Return the tags of a payload.

    ``service:S``, ``release:S@NAME`` (NAME as the event names it: version, commit or digest),
    ``restored:S@NAME`` (what a rollback went back to), ``env:S/E``, ``change:S/ID``, ``team:T``,
    ``deployment:ID``, ``incident:ID`` (of a merge or a split, both), ``amendment:ID``. What concerns a
    neighbour carries the neighbour's ``service:S`` too.
    """
    if payload is None:
        return ()
    service = str(getattr(payload, "service", "") or "")
    found = [f"service:{service}"] if service else []
    for field in ("release", "version", "commit", "digest"):
        value = getattr(payload, field, "")
        if service and value and (field == "release" or isinstance(payload, p.ReleaseDeclared)):
            found.append(f"release:{service}@{value}")
    if isinstance(payload, p.ServiceRolledBack) and service:
        found.append(f"restored:{service}@{payload.restored}")
    environment = getattr(payload, "environment", "")
    if service and environment:
        found.append(f"env:{service}/{environment}")
    if service and getattr(payload, "change", ""):
        found.append(f"change:{service}/{getattr(payload, 'change')}")  # noqa: B009
    if isinstance(payload, p.ShiftAcknowledged):
        found.append(f"team:{payload.team}")
    for field in ("deployment", "incident", "amendment"):
        value = getattr(payload, field, "")
        if value:
            found.append(f"{field}:{value}")
    found += _of_others(payload)
    return tuple(dict.fromkeys(found))


def _of_others(payload: p.Payload) -> list[str]:
    if isinstance(payload, p.NeighbourConcerned):
        return [f"service:{payload.neighbour}"]
    if isinstance(payload, p.IncidentMoved | p.IncidentSplit) and payload.other:
        return [f"incident:{payload.other}"]
    return []
