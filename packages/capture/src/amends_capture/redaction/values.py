"""Redaction of a whole capture: its headers, bodies, arguments, messages and local variables."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from amends_capture.redaction.encodings import changed_bytes
from amends_capture.redaction.jsontext import HOLDS_VALUE, SAYS_NAME
from amends_capture.redaction.masking import is_card
from amends_capture.redaction.names import ADDRESS_HEADERS, PLAIN_HEADERS
from amends_capture.redaction.texts import Texts, is_measure

Json = Any
_INSIDE = {"set": "items", "frozenset": "items", "object": "attributes"}
_PLAIN_TYPES = {"datetime", "date", "time", "timedelta", "float", "decimal", "uuid", "cut", "complex"}


def redact_value(texts: Texts, value: Json, name: str = "", *, secret: bool = False) -> Json:
    """Return a typed value without secrets; ``name`` is that under which it stands."""
    secret = secret or bool(name and texts.names.is_secret(name))
    if isinstance(value, str):
        return (
            texts.under(name, value)
            if secret and not is_measure(texts.names, name, value)
            else texts.redact(value)
        )
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return _number(texts, value, name, secret)
    if isinstance(value, list):
        return _list(texts, value, name, secret)
    return _typed(texts, value, name, secret) if "$type" in value else _object(texts, value, secret)


def _number(texts: Texts, value: int | float, name: str, secret: bool) -> int | float:
    if isinstance(value, int):
        hides = secret and texts.names.hides_number(name)
        return int(texts.number(str(value))) if hides or is_card(str(value)) else value
    return value


def _list(texts: Texts, items: list[Json], name: str, secret: bool) -> list[Json]:
    if len(items) == 2 and not secret and texts.names.is_secret(_said(items[0])):
        return [redact_value(texts, items[0]), redact_value(texts, items[1], _said(items[0]))]
    return [redact_value(texts, item, name, secret=secret) for item in items]


def _object(texts: Texts, found: dict[str, Json], secret: bool) -> dict[str, Json]:
    names = [value for key, value in found.items() if key.lower() in SAYS_NAME and isinstance(value, str)]
    named = any(texts.names.is_secret(one) for one in names)
    return {
        texts.redact(key): redact_value(
            texts, value, key, secret=secret or (named and key.lower() in HOLDS_VALUE)
        )
        for key, value in found.items()
    }


def _typed(texts: Texts, found: dict[str, Json], name: str, secret: bool) -> dict[str, Json]:
    kind = found["$type"]
    if kind in ("bytes", "str") and "base64" in found:
        return {**found, "base64": _base64(texts, found["base64"], name, secret)}
    if kind == "dict":
        pairs = [
            [redact_value(texts, key), redact_value(texts, value, _said(key), secret=secret)]
            for key, value in found["items"]
        ]
        return {**found, "items": pairs}
    if kind == "tuple":
        return {**found, "items": _list(texts, found["items"], name, secret)}
    if kind in _INSIDE and _INSIDE[kind] in found:
        inside = _INSIDE[kind]
        return {**found, inside: redact_value(texts, found[inside], name, secret=secret)}
    if kind in _PLAIN_TYPES and "head" not in found:
        return found
    changed = {
        key: redact_value(texts, value, name, secret=secret) for key, value in found.items() if key in _TEXTS
    }
    return {**found, **changed}


_TEXTS = ("text", "head", "value", "text_of")


def _base64(texts: Texts, text: str, name: str, secret: bool) -> str:
    content = base64.b64decode(text)
    change = (lambda inner: texts.under(name, inner)) if secret else texts.redact
    made = changed_bytes(content, change)
    if made is None:
        # Not UTF-8: one character for each byte finds what is ASCII in it and keeps the rest.
        one_each = change(content.decode("latin-1"))
        made = one_each.encode("latin-1", "replace")
    return base64.b64encode(made).decode("ascii")


def _said(value: Json) -> str:
    """Return the name that a text or bytes says, as in ``("authorization", …)`` or ``(b"cookie", …)``."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.get("$type") == "bytes":
        return base64.b64decode(value.get("base64", "")).decode("latin-1")
    return ""


def redact_headers(
    texts: Texts, headers: Iterable[list[str]], secret_headers: frozenset[str]
) -> list[list[str]]:
    """Return headers without secrets; names stay."""
    return [[name, _header(texts, name.lower(), value, secret_headers)] for name, value in headers]


def _header(texts: Texts, name: str, value: str, secret_headers: frozenset[str]) -> str:
    if name in secret_headers:
        return texts.secret(value)
    if name in ("cookie", "set-cookie"):
        return texts.cookies(value)
    if name in ("authorization", "proxy-authorization"):
        return texts.credentials(value)
    if name in ADDRESS_HEADERS:
        return texts.addresses(value)
    if name in PLAIN_HEADERS:
        return texts.without_known(value)
    return texts.named(name, value)
