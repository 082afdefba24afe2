"""What is replayed and what comes back: requests out of captures (``amends.capture/1``), and replies."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amends.errors import UsageError
from amends.prevention.captures import SCHEMA

_CHARSET = re.compile(r"charset=\"?([\w.:-]{1,40})", re.IGNORECASE)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
# Of one connection, or made anew by whoever sends; a recorded trace id would join the replay to that trace.
_NOT_SENT = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "forwarded", "host", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "trailer", "traceparent", "tracestate",
    "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded request. ``path`` is decoded (``/a b`` was asked for as ``/a%20b``), ``status`` is what
    production answered then, where that is known."""

    name: str
    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    status: int | None = None

    @property
    def safe(self) -> bool:
        """Whether sending it changes nothing (RFC 9110, section 9.2.1)."""
        return self.method in SAFE_METHODS

    @property
    def key(self) -> str:
        """The same for requests that ask the same; who asked and when has no part in it."""
        asked = [self.method, self.path, sorted(self.query), hashlib.sha256(self.body).hexdigest()]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``failure`` says in a few words why nothing did; ``status`` is then ``None``.

    ``cut`` means that the body was longer than the limit and ``body`` is its beginning.
    """

    status: int | None
    headers: Pairs = ()
    body: bytes = b""
    cut: bool = False
    failure: str = ""


def read_capture(value: Any, name: str) -> Recorded | None:
    """Return the request of a decoded capture; ``None`` for one of a function call, which has none.

    Raises ``UsageError``, which says what is wrong with it.
    """
    if not isinstance(value, Mapping) or "schema" not in value:
        raise _unfit(name, "is no capture: it has no `schema`")
    if value["schema"] != SCHEMA:
        raise _unfit(name, f"has the schema {str(value['schema'])[:60]!r}; only {SCHEMA} can be read")
    request = value.get("request")
    if request is None:
        return None
    if not isinstance(request, Mapping):
        raise _unfit(name, "has a request that is no object")
    method = str(request.get("method", "")).upper()
    if method not in _METHODS:
        raise _unfit(name, f"asks with the method {method[:20]!r}; allowed: {', '.join(sorted(_METHODS))}")
    path = _path(request.get("path"), name)
    headers = tuple((k, v) for k, v in _pairs(request, "headers", name) if k.lower() not in _NOT_SENT)
    body, as_it_was = _body(request.get("body"), headers, name)
    if not as_it_was:
        headers = tuple((k, v) for k, v in headers if k.lower() != "content-encoding")
    return Recorded(name, method, path, _pairs(request, "query", name), headers, body, _status(value))


def _unfit(name: str, what: str) -> UsageError:
    return UsageError(f"this capture {what}", where=name, remedy="record it anew, or take it out")


def _path(value: Any, name: str) -> str:
    """Return a decoded path that stays on the host: ``//elsewhere/x`` might be another one's address."""
    if not isinstance(value, str) or not value.startswith("/") or value.startswith("//"):
        raise _unfit(name, f"has the path {str(value)[:60]!r}; a path begins with one /")
    return value


def _pairs(request: Mapping[str, Any], part: str, name: str) -> Pairs:
    found = request.get(part) or []
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise _unfit(name, f"has {part} that are no list of pairs")
    pairs = []
    for one in found:
        if not isinstance(one, Sequence) or isinstance(one, str) or len(one) != 2:
            raise _unfit(name, f"has {part} that are no list of pairs")
        if _was_cut(one[1]):
            raise _unfit(name, f"was cut within its {part}, and would ask something else")
        pairs.append((str(one[0]), str(one[1])))
    if part == "headers" and any("\n" in text or "\r" in text for pair in pairs for text in pair):
        raise _unfit(name, "has a header with a line break")
    return tuple(pairs)


def _status(value: Mapping[str, Any]) -> int | None:
    response = value.get("response")
    status = response.get("status") if isinstance(response, Mapping) else None
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _was_cut(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("$type") == "cut"


def _body(value: Any, headers: Pairs, name: str) -> tuple[bytes, bool]:
    """Return the bytes to send, and whether they are those that came over the wire, packed or not."""
    if value is None:
        return b"", False
    kind = value.get("$type") if isinstance(value, Mapping) else None
    if kind == "bytes":
        return _bytes(value, name), "encoding" not in value
    declared = next((v for k, v in headers if k.lower() == "content-type"), "")
    if kind == "text":
        charset = f"charset={value['charset']}" if value.get("charset") else declared
        return _encoded(str(value.get("text", "")), charset), False
    plain = _plain(value, name)
    return _encoded(json.dumps(plain, ensure_ascii=False, separators=(",", ":")), declared), False


def _encoded(text: str, declared: str) -> bytes:
    """Return a text in its charset, where that is one and has all its characters; else in UTF-8."""
    charset = _CHARSET.search(declared)
    try:
        return text.encode(charset[1] if charset else "utf-8")
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "surrogatepass")


def _bytes(value: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(value.get("base64", "")), validate=True)
    except (binascii.Error, ValueError):
        raise _unfit(name, "has a body that is no base64") from None


def _plain(value: Any, name: str, depth: int = 0) -> Any:
    """Return a typed value as it goes over the wire in JSON; what JSON has no word for goes as its text."""
    if depth > 100:
        raise _unfit(name, "has a body nested more than 100 deep")
    if isinstance(value, Mapping):
        if _was_cut(value):
            raise _unfit(name, "was cut within its body, and would ask something else")
        if isinstance(value.get("$type"), str):
            return _special(value, name, depth)
        return {str(key): _plain(one, name, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, name, depth + 1) for one in value]
    return value


def _special(value: Mapping[str, Any], name: str, depth: int) -> Any:
    kind, found = value["$type"], value.get("value", value.get("items"))
    if kind == "int" and isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,4000}", found):
        return int(found)
    if kind == "dict" and isinstance(found, list):
        pairs = [one for one in found if isinstance(one, list) and len(one) == 2]
        return {str(key): _plain(one, name, depth + 1) for key, one in pairs}
    return _plain(found, name, depth + 1)
