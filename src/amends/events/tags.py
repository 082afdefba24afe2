"""Tags: the few keys under which an event is found again without reading the whole log."""

from __future__ import annotations

from amends.events import payloads as p


def tags_of(payload: p.Payload | None) -> tuple[str, ...]:
    """Return the tags of a payload.

    ``service:S``, ``release:S@NAME`` (NAME as the event names it: version, commit or digest), ``env:S/E``,
    ``change:S/ID``, ``team:T``, ``deployment:ID``, ``incident:ID``, ``amendment:ID``.
    """
    if payload is None:
        return ()
    service = str(getattr(payload, "service", "") or "")
    found = [f"service:{service}"] if service else []
    for field in ("release", "version", "commit", "digest"):
        value = getattr(payload, field, "")
        if service and value and (field == "release" or isinstance(payload, p.ReleaseDeclared)):
            found.append(f"release:{service}@{value}")
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
    return tuple(dict.fromkeys(found))
