"""What can be tried, as source: a call, a request to an application, a request to a service, a command.

The same expression is rehearsed while the input is reduced and stands in the written test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode

from amends.prevention import drivers
from amends.prevention.captures import Call, Request
from amends.prevention.literals import Source, call_text, flat, literal, quoted

Parts = Mapping[str, Any]

# A server or client sets these anew; sent as they were they would contradict the request.
_SET_ANEW = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-encoding"}
)
_OWN_NAMES = frozenset(
    {"pytest", "asyncio", "json", "made", "answer", "run", "found", "datetime", "Decimal", "UUID"}
)
_WRAPPERS: dict[str, tuple[str, ...]] = {
    "": (), "awaited": ("asyncio.run",), "listed": ("list",), "walked": ("asyncio.run", "listed"),
}  # fmt: skip
_LISTED = '''
async def listed(items):
    """Go through an asynchronous generator."""
    return [item async for item in items]
'''


@dataclass(frozen=True, slots=True)
class CallSubject:
    """A call of a function of the project. ``how`` is what has to be done with what it returns."""

    call: Call
    how: str = ""
    kind: Literal["call"] = "call"

    @property
    def parts(self) -> dict[str, Any]:
        """The input as it was captured."""
        return {"args": list(self.call.args), "kwargs": dict(self.call.kwargs)}

    @property
    def imports(self) -> frozenset[str]:
        """Import lines whatever the input is."""
        module, _, qualified = self.call.function.partition(":")
        first = qualified.partition(".")[0]
        own = f"import {module}" if self._by_module else f"from {module} import {first}"
        return frozenset({own, *(("import asyncio",) if self.how in ("awaited", "walked") else ())})

    @property
    def driver(self) -> str:
        """What stands below the test whatever the input is."""
        return _LISTED if self.how == "walked" else ""

    @property
    def _by_module(self) -> bool:
        first = self.call.function.partition(":")[2].partition(".")[0]
        # pytest would collect an imported test_…, and a name of the test's own would be hidden.
        return first.lower().startswith("test") or first in _OWN_NAMES

    def expression(self, parts: Parts, *, indent: int = 4, used: int = 0) -> Source:
        """Return the call."""
        module, _, qualified = self.call.function.partition(":")
        name = f"{module}.{qualified}" if self._by_module else qualified
        arguments = [*(("", value) for value in parts["args"]), *parts["kwargs"].items()]
        wrappers = _WRAPPERS[self.how]
        before = "".join(f"{wrapper}(" for wrapper in wrappers)
        found = call_text(name, arguments, indent=indent, used=used + len(before) + len(wrappers))
        if "\n" not in found.text:
            return replace(found, text=f"{before}{found.text}{')' * len(wrappers)}")
        found = call_text(name, arguments, indent=indent + 4 * len(wrappers))
        text = found.text
        for depth in reversed(range(len(wrappers))):
            pad = " " * (indent + 4 * depth)
            text = f"{wrappers[depth]}(\n{pad}    {text}\n{pad})"
        return replace(found, text=text)


@dataclass(frozen=True, slots=True)
class AppSubject:
    """A request to an application object ``module:name`` inside the test's own process."""

    request: Request
    app: str
    protocol: Literal["asgi", "wsgi"]
    kind: Literal["app"] = "app"

    @property
    def parts(self) -> dict[str, Any]:
        """The input as it was captured."""
        return _request_parts(self.request)

    @property
    def imports(self) -> frozenset[str]:
        """Import lines whatever the input is."""
        module, _, name = self.app.partition(":")
        own = drivers.ASGI_IMPORTS if self.protocol == "asgi" else drivers.WSGI_IMPORTS
        return own | {f"from {module} import {name.removesuffix('()')}"}

    @property
    def driver(self) -> str:
        """What stands below the test whatever the input is."""
        return drivers.ASGI if self.protocol == "asgi" else drivers.WSGI

    def expression(self, parts: Parts, *, indent: int = 4, used: int = 0) -> Source:
        """Return the call that sends the request."""
        return _request_source(f"answer({self.app.partition(':')[2]}, ", self.request, parts, indent, used)


@dataclass(frozen=True, slots=True)
class ServiceSubject:
    """A request to a service that a command starts; ``{port}`` and ``{python}`` are replaced then."""

    request: Request
    start: tuple[str, ...]
    url: str = "http://127.0.0.1:{port}"
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""
    seconds: float = 30.0
    kind: Literal["service"] = "service"

    @property
    def parts(self) -> dict[str, Any]:
        """The input as it was captured."""
        return _request_parts(self.request)

    @property
    def imports(self) -> frozenset[str]:
        """Import lines whatever the input is."""
        return drivers.SERVICE_IMPORTS

    @property
    def driver(self) -> str:
        """What stands below the test whatever the input is."""
        return drivers.SERVICE

    def started(self, *, indent: int = 0) -> str:
        """Return the expression that starts the service."""
        arguments = [
            ("", list(self.start)), ("url", self.url), ("env", dict(self.env)), ("ready", self.ready),
            ("seconds", self.seconds),
        ]  # fmt: skip
        return call_text("Service", arguments, indent=indent, used=len("with  as service:")).text

    def expression(self, parts: Parts, *, indent: int = 4, used: int = 0) -> Source:
        """Return the call that sends the request."""
        return _request_source("service.answer(", self.request, parts, indent, used)


@dataclass(frozen=True, slots=True)
class CommandSubject:
    """A command whose word ``{input}`` is replaced by the path of a file that holds the input."""

    command: tuple[str, ...]
    text: str
    suffix: str = ""
    kind: Literal["command"] = "command"

    @property
    def parts(self) -> dict[str, Any]:
        """The input as it was captured."""
        return {"text": self.text}

    @property
    def imports(self) -> frozenset[str]:
        """Import lines whatever the input is."""
        return drivers.COMMAND_IMPORTS

    @property
    def driver(self) -> str:
        """What stands below the test whatever the input is."""
        return drivers.COMMAND


Rehearsed = CallSubject | AppSubject | ServiceSubject
Subject = Rehearsed | CommandSubject


def preparation(subject: Rehearsed, root: str = "'.'") -> str:
    """Return what a rehearsal runs once: imports, driver and, for a service, its start."""
    lines = [*sorted(subject.imports), f"ROOT = {root}", subject.driver, drivers.MADE]
    if isinstance(subject, ServiceSubject):
        lines.append(f"service = {subject.started()}")
    return "\n".join(lines) + "\n"


def attempt_source(subject: Rehearsed, parts: Parts) -> str:
    """Return the source of one attempt with an input."""
    found = subject.expression(parts)
    lines = [*sorted(found.imports), "def attempt():"]
    if isinstance(subject, ServiceSubject):
        # What the service prints holds its traceback, often a moment after the reply.
        lines += [
            "    before = service.printed()", f"    status, text = {found.text}",
            "    time.sleep(0.1 if status >= 500 else 0)", "    print(service.output(before))",
            "    return status, text",
        ]  # fmt: skip
    else:
        lines.append(f"    return {found.text}")
    return "\n".join(lines) + "\n"


def _request_parts(request: Request) -> dict[str, Any]:
    headers = [pair for pair in request.headers if pair[0].lower() not in _SET_ANEW]
    return {"query": list(request.query), "headers": headers, "body": request.body}


def _request_source(opening: str, request: Request, parts: Parts, indent: int, used: int) -> Source:
    """Write a request; what it does not have is left out."""
    name, _, first = opening.partition("(")
    rows = [f"{first}{quoted(request.method)}, {quoted(request.path)}"]
    imports: set[str] = set()
    makes = False
    if parts["query"]:
        rows.append(f"query={quoted(urlencode(parts['query']))}")
    for key, value in (("headers", parts["headers"]), ("body", parts["body"])):
        if value is None or (key == "headers" and not value):
            continue
        found = literal(value, indent=indent + 4, used=len(key) + 24)
        imports |= found.imports
        makes = makes or found.makes
        text = found.text
        if key == "body" and isinstance(value, str):
            text = f"{text}.encode()"
        elif key == "body" and not isinstance(value, bytes):
            imports.add("import json")
            text = f"json.dumps({text}).encode()"
        rows.append(f"{key}={text}")
    one = f"{name}({', '.join(rows)})"
    if "\n" in one or indent + used + len(one) > 88:
        pad = " " * (indent + 4)
        split = [part for row in rows[:1] for part in row.split(", ")] + rows[1:]
        one = "\n".join([f"{name}(", *(f"{pad}{row}," for row in split), " " * indent + ")"])
    return Source(one, frozenset(imports), makes)


def input_text(subject: Subject, parts: Parts) -> str:
    """Return an input on one line, for people."""
    if isinstance(subject, CommandSubject):
        return flat(parts["text"])
    if isinstance(subject, CallSubject):
        arguments = [flat(value) for value in parts["args"]]
        arguments += [f"{name}={flat(value)}" for name, value in parts["kwargs"].items()]
        return f"{subject.call.function.partition(':')[2]}({', '.join(arguments)})"
    query = f"?{urlencode(parts['query'])}" if parts["query"] else ""
    body = f" {flat(parts['body'])}" if parts["body"] is not None else ""
    return f"{subject.request.method} {subject.request.path}{query}{body}"
