"""A capture as a document: the recorder's raw parts, redacted, in the form that ``schema.json`` describes."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from amends_capture.recorder import Raw
from amends_capture.redaction.bodies import body_of
from amends_capture.redaction.masking import Unmasked
from amends_capture.redaction.texts import Texts
from amends_capture.redaction.values import redact_headers, redact_value
from amends_capture.settings import Settings

SCHEMA = "amends.capture/1"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")

Json = Any


def document_of(raw: Raw, settings: Settings, texts: Texts) -> dict[str, Json]:
    """Return the redacted capture. It is made twice: the first time finds the secrets that the second masks.

    So a password that the body names is masked in an exception's text, too.
    """
    _redacted(raw, settings, texts)
    made = _redacted(raw, settings, texts)
    found: dict[str, Json] = {
        "schema": SCHEMA,
        "id": str(uuid.uuid4()),
        "at": datetime.fromtimestamp(raw.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "service": settings.service,
        "release": settings.release,
        "environment": settings.environment,
        "trace_id": _trace_id(raw),
        "kind": raw.kind,
        "why": raw.why,
        "key": texts.redact(raw.key),
        **made,
    }
    found["redacted"] = sorted(_differences(_unredacted(raw, settings, texts), made, ""))
    found["cut"] = sorted(_cuts(made, ""))
    return found


def _trace_id(raw: Raw) -> str:
    named = [v for n, v in raw.request["headers"] if n == b"traceparent"] if raw.request else []
    told = named[0].decode("latin-1") if named else raw.trace
    found = _TRACEPARENT.fullmatch(told.strip())
    return found[1] if found else ""


def _redacted(raw: Raw, settings: Settings, texts: Texts) -> dict[str, Json]:
    return {
        "request": _request(raw.request, settings, texts) if raw.request else None,
        "call": _call(raw.call, texts) if raw.call else None,
        "response": _response(raw.response, settings, texts) if raw.response else None,
        "exception": _exception(raw.exception, texts) if raw.exception else None,
    }


def _request(found: dict[str, Any], settings: Settings, texts: Texts) -> dict[str, Json]:
    headers = _decoded(found["headers"])
    query = parse_qsl(found["query"].decode("latin-1"), keep_blank_values=True)
    return {
        "method": found["method"],
        "path": texts.path(found["path"]),
        "query": [[texts.redact(name), texts.named(name, value)] for name, value in query],
        "headers": redact_headers(texts, headers, settings.secret_headers),
        "body": body_of(found["pieces"], found["size"], dict(headers), texts),
    }


def _response(found: dict[str, Any], settings: Settings, texts: Texts) -> dict[str, Json]:
    headers = _decoded(found["headers"])
    return {
        "status": found["status"],
        "headers": redact_headers(texts, headers, settings.secret_headers),
        "body": body_of(found["pieces"], found["size"], dict(headers), texts),
    }


def _decoded(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    return [
        [bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")] for name, value in headers
    ]


def _call(found: dict[str, Any], texts: Texts) -> dict[str, Json]:
    named = [*found["names"], *[""] * len(found["args"])]
    return {
        "function": found["function"],
        "file": found["file"],
        "args": [redact_value(texts, value, name) for name, value in zip(named, found["args"], strict=False)],
        "kwargs": {name: redact_value(texts, value, name) for name, value in found["kwargs"].items()},
    }


def _exception(found: dict[str, Any], texts: Texts) -> dict[str, Json]:
    frames = [
        {**frame, "locals": {name: redact_value(texts, v, name) for name, v in frame["locals"].items()}}
        for frame in found["frames"]
    ]
    return {"type": found["type"], "message": texts.redact(found["message"]), "frames": frames}


def _differences(before: Json, after: Json, where: str) -> Iterator[str]:
    """Yield a JSON pointer (RFC 6901) to each leaf that was redacted."""
    if type(before) is not type(after):
        yield where
    elif isinstance(before, dict):
        if list(before) != list(after):
            yield where
        else:
            for key in before:
                yield from _differences(before[key], after[key], f"{where}/{_escaped(key)}")
    elif isinstance(before, list):
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from _differences(one, other, f"{where}/{number}")
    elif before != after:
        yield where


def _cuts(value: Json, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("$type") == "cut":
            yield where
        for key, part in value.items():
            yield from _cuts(part, f"{where}/{_escaped(key)}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _cuts(part, f"{where}/{number}")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _unredacted(raw: Raw, settings: Settings, texts: Texts) -> dict[str, Json]:
    return _redacted(raw, settings, Texts(Unmasked(b""), texts.names))


def leaks(text: str, secrets: set[str]) -> bool:
    """Return whether a document's text still holds a secret of eight characters or more.

    The last look before a file is written: what it stops is our fault, and no file is better than a leak.
    """
    if not secrets:
        return False
    plain = unquote_plus(text)
    forms = {form for one in secrets if len(one) >= 8 for form in (one, json.dumps(one)[1:-1])}
    return any(form in text or form in plain for form in forms)
