"""Events from outside: what makes them acceptable, and which stream they belong to.

Sources: CloudEvents 1.0.2 (spec.md, JSON event format, HTTP protocol binding) and the CloudEvents binding of
CDEvents 0.5.1 (cloudevents-binding.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from amends.errors import InvalidEventError
from amends.events import chain, codec, kinds
from amends.events.event import Event, Recorded, parse_time

MOST_BYTES = 1024 * 1024
DEEPEST = 64
LONGEST_NAME = 1024

_REMEDY = "send a CloudEvent 1.0 as JSON, or a CDEvent"
_ENVELOPE = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"})
_EXTENSION = re.compile(r"[a-z0-9]{1,64}")
_JSON_TYPE = re.compile(r"application/(json|[a-z0-9.!#$&^_+-]*\+json)(\s*;.*)?", re.IGNORECASE)
_CDEVENTS = ("dev.cdevents.", "dev.cdeventsx.")
_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)


def read_event(value: Any, *, imported: bool = False) -> Event:
    """Read a CloudEvent in structured JSON, or a bare CDEvent, which is then wrapped.

    ``imported`` marks events of another system's past: they are known when their ``knownat`` says, and
    never when they carry none. A live event may leave out its ``time``, as CloudEvents
    allows; none is made up for it, so that sending it again is the same event.

    Raises ``InvalidEventError`` naming the field, what was found and what is
    allowed.
    """
    if not isinstance(value, dict):
        raise _refuse("event", _kind_of(value), "a JSON object")
    _check_depth(value)
    if "specversion" not in value and isinstance(value.get("context"), dict):
        value = _wrap(value)
    event = _read_envelope(value, imported)
    _check_context(event)
    size = len(chain.canonical(chain.attributes(event)))
    if size > MOST_BYTES:
        raise _refuse(
            "event", f"{size} bytes", f"at most {MOST_BYTES} bytes", remedy="keep large data elsewhere"
        )
    codec.check_payload(event)
    return event


def read_binary(headers: Mapping[str, str], data: Any) -> Event:
    """Read a CloudEvent in HTTP's binary mode: attributes in ``ce-`` headers, the data as the body."""
    found: dict[str, Any] = {
        name.lower().removeprefix("ce-"): unquote(text)
        for name, text in headers.items()
        if name.lower().startswith("ce-")
    }
    if "knownasserted" in found:
        found["knownasserted"] = found["knownasserted"] == "true"
    content_type = next((text for name, text in headers.items() if name.lower() == "content-type"), "")
    if content_type:
        found["datacontenttype"] = content_type
    found.setdefault("specversion", "")
    return read_event({**found, "data": data})


def route(event: Event) -> str:
    """Return the stream that an event belongs to: its payload's, or ``intake/<source>``."""
    nowhere = Recorded(event, "", 0, _MIDNIGHT, _MIDNIGHT, "", "")
    fact = codec.decode(nowhere)
    if fact.payload is None:
        return f"intake/{event.source}"
    return codec.stream_of(kinds.BY_NAME[fact.kind], fact.payload)


def _read_envelope(found: dict[str, Any], imported: bool) -> Event:
    if found.get("specversion") != "1.0":
        raise _refuse("specversion", repr(found.get("specversion")), "'1.0'")
    _check_data(found)
    for name in found:
        if name in chain.RESERVED and name not in ("knownat", "knownasserted"):
            raise _refuse(
                name, "an attribute that the log itself sets", "an event as its source made it",
                remedy="use `amends log import` for what `amends log export` wrote",
            )  # fmt: skip
    asserted = imported or found.get("knownasserted") is True
    known_at = _text(found, "knownat") if asserted and "knownat" in found else ""
    extensions = {
        name: _extension(name, item)
        for name, item in found.items()
        if name not in _ENVELOPE and name not in chain.RESERVED and item is not None
    }
    return Event(
        id=_text(found, "id"), source=_text(found, "source"), type=_text(found, "type"),
        subject=_text(found, "subject") if found.get("subject") is not None else "",
        time=_event_time(found, asserted), data=found.get("data"), extensions=extensions, imported=asserted,
        known_at=parse_time(known_at) if known_at else None,
    )  # fmt: skip


def _event_time(found: dict[str, Any], asserted: bool) -> str:
    """Read ``time``, or the same from a CDEvent's context; empty for a live event of another kind."""
    if found.get("time") is not None:
        return _time(found, "time")
    if asserted:
        raise _refuse(
            "time", "nothing", "when it happened: the past of another system has no time of receipt",
            remedy="give each imported event its time (RFC 3339)",
        )  # fmt: skip
    data, context = found.get("data"), None
    if str(found.get("type")).startswith(_CDEVENTS) and isinstance(data, dict):
        context = data.get("context")
    return _time(context, "timestamp", "data.context.") if isinstance(context, dict) else ""


def _check_data(found: dict[str, Any]) -> None:
    if "data_base64" in found:
        raise _refuse("data_base64", "binary data", "JSON in `data`")
    content_type = found.get("datacontenttype")
    if content_type is not None and not _JSON_TYPE.fullmatch(str(content_type)):
        raise _refuse("datacontenttype", repr(content_type), "'application/json'")


def _check_context(event: Event) -> None:
    """Hold a CDEvent's context against its envelope."""
    if not event.type.startswith(_CDEVENTS):
        return
    context = event.data.get("context") if isinstance(event.data, dict) else None
    if not isinstance(context, dict):
        raise _refuse("data.context", _kind_of(context), "the CDEvent's context, an object")
    if not isinstance(event.data.get("subject"), dict):
        raise _refuse("data.subject", _kind_of(event.data.get("subject")), "the CDEvent's subject, an object")
    for name, said in (("id", event.id), ("source", event.source), ("type", event.type)):
        if context.get(name) != said:
            raise _refuse(f"data.context.{name}", repr(context.get(name)), f"{said!r}, as in the envelope")


def _wrap(cdevent: dict[str, Any]) -> dict[str, Any]:
    context = cdevent["context"]
    subject = cdevent.get("subject")
    if not isinstance(subject, dict):
        raise _refuse("subject", _kind_of(subject), "the CDEvent's subject, an object")
    for name in ("id", "source", "type"):
        _text(context, name, "context.")
    if not context["type"].startswith(_CDEVENTS):
        raise _refuse("context.type", repr(context["type"]), "a type that begins with dev.cdevents")
    return {
        "specversion": "1.0", "id": context["id"], "source": context["source"], "type": context["type"],
        "subject": _text(subject, "id", "subject."), "time": _time(context, "timestamp", "context."),
        "data": cdevent,
    }  # fmt: skip


def _text(found: Mapping[str, Any], name: str, within: str = "") -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise _refuse(within + name, repr(value) if name in found else "nothing", "a text that is not empty")
    if len(value) > LONGEST_NAME or any(not character.isprintable() for character in value):
        raise _refuse(within + name, repr(value[:40]), f"at most {LONGEST_NAME} printable characters")
    return value


def _time(found: Mapping[str, Any], name: str, within: str = "") -> str:
    text = _text(found, name, within)
    try:
        parse_time(text)
    except InvalidEventError as error:
        raise InvalidEventError(error.message, remedy=error.remedy, where=within + name) from None
    return text


def _extension(name: str, value: Any) -> Any:
    if not _EXTENSION.fullmatch(name):
        raise _refuse(name[:80], "an attribute of this name", "names of small letters and digits")
    if not isinstance(value, bool | int | str):
        raise _refuse(name, _kind_of(value), "a text, a whole number or a truth value")
    return value


def _check_depth(value: Any) -> None:
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEEPEST:
            raise _refuse("event", f"more than {DEEPEST} levels", f"at most {DEEPEST} levels of nesting")
        if isinstance(item, float) and not math.isfinite(item):
            raise _refuse("event", str(item), "numbers that JSON has")
        if isinstance(item, dict):
            waiting.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            waiting.extend((child, depth + 1) for child in item)


def _kind_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "nothing", bool: "a truth value"}
    return names.get(type(value), "a number")


def _refuse(field: str, found: str, allowed: str, remedy: str = _REMEDY) -> InvalidEventError:
    return InvalidEventError(f"found {found}; allowed is {allowed}", remedy=remedy, where=field)
