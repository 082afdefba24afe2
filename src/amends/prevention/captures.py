"""Reads a capture: one failing (or sampled) input from production, schema ``amends.capture/1``.

A capture comes from outside and its content may be anything a client sent, so nothing in it is trusted: names
that end up in source code must be names, sizes and depths are bounded, and no class is ever imported here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from amends.errors import UsageError
from amends.events.payloads import Signature
from amends.prevention.signature import in_project, is_foreign
from amends.prevention.typed import decode

SCHEMA = "amends.capture/1"
LARGEST = 16 * 1024 * 1024
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)
_METHOD = re.compile(r"[A-Z]{1,20}\Z")


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a traceback, as production had it. ``function`` may be qualified."""

    file: str
    function: str


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. ``body`` is a value that is sent as JSON, a text, bytes, or ``None`` for none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, ``package.module:qualname``."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured. One of ``request`` and ``call`` is set; ``status`` is the response's.

    ``exception`` is empty where none was raised. ``redacted`` are JSON pointers to what was replaced.
    """

    id: str
    at: str
    service: str
    release: str
    environment: str
    why: str
    request: Request | None = None
    call: Call | None = None
    status: int | None = None
    exception: str = ""
    message: str = ""
    frames: tuple[Frame, ...] = ()
    redacted: tuple[str, ...] = ()

    @property
    def masked(self) -> int:
        """How many values of the input itself were replaced, in the part of it that is used."""
        used = "/call/" if self.call is not None else "/request/"
        return sum(place.startswith(used) for place in self.redacted)

    def signature(self, files: Collection[str] = ()) -> Signature:
        """Return how the failure is recognised.

        The exception with its innermost frame among ``files`` (paths of the repository); where no file fits,
        its innermost frame outside installed libraries. Without an exception the status and the path; a
        capture of neither has an empty signature: nothing but a wrong value can be its failure.
        """
        if self.exception:
            found = Signature(exception=self.exception)
            for frame in reversed(self.frames):
                named = Signature(exception=self.exception, frame=f"{frame.file}:{_bare(frame.function)}")
                placed = in_project(named, files)
                if placed.frame.rpartition(":")[0] in files:
                    return placed
                if not found.frame and not is_foreign(frame.file):
                    found = named
            return found
        if self.request is not None and self.status is not None and self.status >= 400:
            return Signature(status=self.status, path=self.request.path)
        return Signature()


def read_capture(text: str, where: str = "") -> Capture:
    """Return the capture that a text holds.

    Raises
    ------
    UsageError
        When it is too large, no JSON (truncated, for example), of another schema, holds neither a request nor
        a call that can be made again, or a value that was cut, holds itself, or is too deep.
    """
    if len(text) > LARGEST:
        raise UsageError(
            f"the capture has {len(text):,} characters; at most {LARGEST:,} are read", where=where,
            remedy="lower the recorder's bound, or capture a function further in",
        )  # fmt: skip
    raw = _loaded(text, where)
    _check_schema(raw, where)
    try:
        return _capture(raw)
    except UsageError as error:
        place = ":".join(part for part in (where, error.where) if part)
        raise UsageError(error.message, remedy=error.remedy, where=place) from None


def is_capture(text: str) -> bool:
    """Return whether a text says that it is a capture, of whatever version."""
    return text.lstrip()[:1] == "{" and '"amends.capture/' in text[:100_000]


def _loaded(text: str, where: str) -> Mapping[str, Any]:
    remedy = "name a file that the recorder wrote; one that was cut off cannot be used, take another"
    try:
        raw = json.loads(text)
    except RecursionError:
        raise UsageError("the capture is nested too deeply to be read", where=where, remedy=remedy) from None
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        place = f"{where}:{line}" if where and line else where
        near_end = getattr(error, "pos", 0) >= len(text.rstrip()) - 1
        what = "it ends in the middle" if near_end else f"it is no JSON: {getattr(error, 'msg', error)}"
        raise UsageError(f"this is no whole capture: {what}", where=place, remedy=remedy) from None
    if not isinstance(raw, dict):
        raise UsageError(f"found a {type(raw).__name__}, not a capture", where=where, remedy=remedy)
    return raw


def _check_schema(raw: Mapping[str, Any], where: str) -> None:
    schema = raw.get("schema")
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("amends.capture/"):
        raise UsageError(
            f"this capture is of {schema}; this amends reads {SCHEMA}", where=where,
            remedy="use the amends that goes with the recorder's version",
        )  # fmt: skip
    raise UsageError(
        f"this is not a capture: its schema is {schema!r}, not {SCHEMA!r}", where=where,
        remedy="name a file that the recorder wrote; for the input of a command give --run 'cmd {input}'",
    )  # fmt: skip


def _capture(raw: Mapping[str, Any]) -> Capture:
    kind = raw.get("kind")
    request, call = _object(raw, "request"), _object(raw, "call")
    if not request and not call:
        raise UsageError(
            f"it holds neither a request nor a call (kind {kind!r})",
            remedy="capture it again with the middleware or the decorator",
        )
    error, response = _object(raw, "exception"), _object(raw, "response")
    status = response.get("status")
    return Capture(
        id=_text(raw, "id"), at=_text(raw, "at"), service=_text(raw, "service"),
        release=_text(raw, "release"), environment=_text(raw, "environment"), why=_text(raw, "why"),
        # A call inside a request is the closer look at it, and needs no server.
        request=None if call else _request(request), call=_call(call) if call else None,
        status=status if isinstance(status, int) and not isinstance(status, bool) else None,
        exception=_text(error, "type"), message=_text(error, "message"), frames=_frames(error),
        redacted=tuple(str(one) for one in raw.get("redacted") or ()),
    )  # fmt: skip


def _call(raw: Mapping[str, Any]) -> Call:
    name = _text(raw, "function")
    if "<" in name:
        raise UsageError(
            f"{name} is defined inside another function, so no test can call it", where="/call/function",
            remedy="capture the function that calls it, which a module holds",
        )  # fmt: skip
    if not _FUNCTION.match(name) or name.startswith("__main__:"):
        raise UsageError(
            f"found the function {name!r}; a test needs one that can be imported: package.module:name",
            where="/call/function",
            remedy="start the service by its module's name (python -m package) and capture it again"
            if name.startswith("__main__:") else "capture it again with the decorator",
        )  # fmt: skip
    kwargs = raw.get("kwargs") or {}
    odd = next((key for key in kwargs if not str(key).isidentifier()), None)
    if odd is not None:
        raise UsageError(f"found the argument name {odd!r}", where="/call/kwargs", remedy="capture it again")
    args = decode(list(raw.get("args") or ()), where="/call/args")
    return Call(name, tuple(args), {k: decode(v, where=f"/call/kwargs/{k}") for k, v in kwargs.items()})


def _request(raw: Mapping[str, Any]) -> Request:
    method, path = _text(raw, "method").upper(), _text(raw, "path")
    if not _METHOD.match(method) or not path.startswith("/"):
        raise UsageError(
            f"found the request {method!r} {path!r}; it needs a method and a path that begins with /",
            where="/request", remedy="capture it again",
        )  # fmt: skip
    body = _body(raw.get("body"))
    return Request(method, path, _pairs(raw, "query"), _pairs(raw, "headers"), body)


def _body(typed: Any) -> Any:
    """Return a body: a text as it is, a value for JSON; a JSON text is the text that says it."""
    if isinstance(typed, str):
        return json.dumps(typed, ensure_ascii=False)
    value = decode(typed, where="/request/body")
    charset = typed.get("charset") if isinstance(typed, dict) and typed.get("$type") == "text" else None
    if not charset:
        return value
    try:
        return str(value).encode(str(charset))
    except (LookupError, UnicodeError):
        return value


def _pairs(raw: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    found = raw.get(name) or ()
    try:
        return tuple((str(key), str(decode(value, where=f"/request/{name}"))) for key, value in found)
    except (TypeError, ValueError):
        raise UsageError(
            f"its {name} is no list of pairs", where=f"/request/{name}", remedy="capture it again"
        ) from None


def _frames(raw: Mapping[str, Any]) -> tuple[Frame, ...]:
    found = raw.get("frames") or ()
    return tuple(Frame(_text(one, "file"), _text(one, "function")) for one in found if isinstance(one, dict))


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UsageError(f"its {name} is no object", where=f"/{name}", remedy="capture it again")
    return found


def _text(raw: Mapping[str, Any], name: str) -> str:
    found = raw.get(name)
    return "" if found is None else str(found)


def _bare(function: str) -> str:
    return function.rsplit(".", 1)[-1]
