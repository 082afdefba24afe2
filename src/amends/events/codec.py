"""Between payloads and CDEvents in CloudEvents envelopes.

Encoding follows the CloudEvents binding of CDEvents 0.5.1 (cloudevents-binding.md): envelope ``id``,
``source``, ``type``, ``subject`` and ``time`` repeat the CDEvent's context. Decoding never guesses: an event
of a kind that amends does not speak is kept and has no payload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from amends.errors import InvalidEventError
from amends.events import kinds
from amends.events import payloads as p
from amends.events.event import Event, Recorded, format_time
from amends.events.foreign import translate


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded event with what it says. ``kind`` is a short name; ``payload`` is ``None`` if unknown."""

    recorded: Recorded
    kind: str
    payload: p.Payload | None

    @property
    def id(self) -> str:
        return self.recorded.event.id

    @property
    def occurred_at(self) -> datetime:
        return self.recorded.occurred_at

    @property
    def known_at(self) -> datetime | None:
        return self.recorded.known_at


def purl(service: str, release: str) -> str:
    """Name a release as a package URL (https://github.com/package-url/purl-spec, type ``generic``)."""
    return f"pkg:generic/{quote(service, safe='')}@{quote(release, safe='')}"


def stream_of(kind: kinds.Kind, payload: p.Payload) -> str:
    """Return the stream that a payload belongs to."""
    fields = {name: str(getattr(payload, name)) for name in payload.__struct_fields__}
    return kind.stream.format_map(fields)


def make_event(
    name: str, payload: p.Payload, *, id: str, source: str, at: datetime, known_at: datetime | None = None,
    imported: bool = False,
) -> tuple[str, Event]:  # fmt: skip
    """Wrap a payload as a CDEvent; return its stream and the event.

    ``at`` is when it happened. For imported facts give ``imported=True`` and, where the source states it,
    ``known_at``.
    """
    kind = kinds.BY_NAME[name]
    if type(payload) is not kind.payload:
        raise TypeError(f"{name} takes {kind.payload.__name__}, not {type(payload).__name__}")
    body = msgspec.to_builtins(payload, str_keys=True)
    subject = _subject(kind, payload)
    time = format_time(at)
    content = body if kind.custom else _CONTENT[name](payload)
    data: dict[str, Any] = {
        "context": {
            "specversion": kinds.SPEC_VERSION, "id": id, "source": source,
            "type": kind.cdtype, "timestamp": time,
        },
        "subject": {"id": subject, "content": content},
    }  # fmt: skip
    if not kind.custom:
        data["customData"] = {"amends": body}
        data["customDataContentType"] = "application/json"
    event = Event(
        id=id, source=source, type=kind.cdtype, subject=subject, time=time, data=data, known_at=known_at,
        imported=imported,
    )  # fmt: skip
    return stream_of(kind, payload), event


def decode(recorded: Recorded) -> Fact:
    """Read what a recorded event says; unknown kinds and shapes come back with payload ``None``."""
    event = recorded.event
    kind = kinds.BY_TYPE.get(kinds.unversioned(event.type))
    if kind is None:
        return Fact(recorded, event.type, None)
    body = _body(kind, event.data)
    if body is None:
        return Fact(recorded, kind.name, translate(kind.name, event.data))
    try:
        return Fact(recorded, kind.name, msgspec.convert(body, kind.payload))
    except msgspec.ValidationError:
        return Fact(recorded, kind.name, None)


def check_payload(event: Event) -> None:
    """Raise ``InvalidEventError`` when an event claims to be of ours but does not hold its payload.

    Foreign CDEvents of standard kinds, without our ``customData``, are fine.
    """
    kind = kinds.BY_TYPE.get(kinds.unversioned(event.type))
    body = _body(kind, event.data) if kind else None
    if kind is None or body is None:
        return
    try:
        msgspec.convert(body, kind.payload)
    except msgspec.ValidationError as error:
        raise InvalidEventError(
            f"an event of type {event.type} holds a payload that does not fit: {error}",
            remedy=f"send the fields of {kind.payload.__name__} (docs/reference/events.md)",
        ) from None


def _body(kind: kinds.Kind, data: Any) -> dict[str, Any] | None:
    if not isinstance(data, dict):
        return None
    where, inside = ("subject", "content") if kind.custom else ("customData", "amends")
    place = data.get(where)
    body = place.get(inside) if isinstance(place, dict) else None
    return body if isinstance(body, dict) else None


_SUBJECT_FIELDS = ("amendment", "incident", "deployment", "change", "release", "version", "team", "service")


def _subject(kind: kinds.Kind, payload: p.Payload) -> str:
    if kind.name.startswith("service."):
        return str(getattr(payload, "service"))  # noqa: B009 - payloads of this family all have it
    for field in _SUBJECT_FIELDS:
        value = getattr(payload, field, "")
        if value:
            return str(value)
    return kind.name


def _deployed(payload: Any) -> dict[str, Any]:
    return {"environment": {"id": payload.environment}, "artifactId": purl(payload.service, payload.release)}


def _rolled_back(payload: Any) -> dict[str, Any]:
    return {"environment": {"id": payload.environment}, "artifactId": purl(payload.service, payload.restored)}


def _change(payload: Any) -> dict[str, Any]:
    return {"repository": {"id": payload.repository}} if payload.repository else {}


def _packaged(payload: Any) -> dict[str, Any]:
    return {"change": {"id": payload.commit or payload.version}}


def _suite(payload: Any) -> dict[str, Any]:
    return {
        "outcome": payload.outcome, "environment": {"id": payload.environment},
        "testSuite": {"id": payload.suite},
    }  # fmt: skip


def _incident(payload: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"environment": {"id": payload.environment or "production"}}
    if payload.service:
        content["service"] = {"id": payload.service}
    if getattr(payload, "release", ""):
        content["artifactId"] = purl(payload.service, payload.release)
    if getattr(payload, "summary", ""):
        content["description"] = payload.summary
    return content


_CONTENT: dict[str, Callable[[Any], dict[str, Any]]] = {
    "change.merged": _change,
    "change.reviewed": _change,
    "artifact.packaged": _packaged,
    "testsuiterun.finished": _suite,
    "service.deployed": _deployed,
    "service.upgraded": _deployed,
    "service.rolledback": _rolled_back,
    "incident.detected": _incident,
    "incident.resolved": _incident,
}
