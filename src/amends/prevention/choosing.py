"""Which subject a capture and the user's words come to."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from amends.errors import UsageError
from amends.prevention.captures import Capture
from amends.prevention.subjects import (
    AppSubject,
    CallSubject,
    CommandSubject,
    ServiceSubject,
    Subject,
)

_APP = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\(\))?\Z", re.ASCII)

# Their commands name the application; elsewhere such a word may be anything, an image's tag for example.
_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress-serve"})


@dataclass(frozen=True, slots=True)
class Ways:
    """How an input reaches the code: as the user says, or as the policy's ``deploy.process`` does.

    ``app`` is an application object, ``start`` a command that starts the service, ``url`` where it answers
    then, ``ready`` a path that answers once it can take requests, ``seconds`` how long it may take to.
    """

    app: str = ""
    start: str = ""
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""
    seconds: float = 30.0


def subject_of(capture: Capture, ways: Ways) -> Subject:
    """Return what is tried for a capture.

    Raises ``UsageError`` for a request when nothing says how to reach the service.
    """
    if capture.call is not None:
        return CallSubject(capture.call)
    assert capture.request is not None
    app = ways.app or ("" if ways.url else _app_in(ways.start))
    if app:
        if not _APP.match(app):
            raise UsageError(
                f"found the application {app!r}", remedy="write it as module:name, for example shop.web:app"
            )
        return AppSubject(capture.request, app, "asgi")
    if not ways.start:
        raise UsageError(
            "the capture is a request, and nothing says how to reach the service",
            remedy="name its ASGI or WSGI application with --app module:name, or its command with "
            "--start 'command --port {port}'; the policy's deploy.process.run is taken where there is one",
        )
    words = _words(ways.start, "--start")
    url = ways.url or "http://127.0.0.1:{port}"
    return ServiceSubject(
        capture.request, words, url=url, env=ways.env, ready=ways.ready, seconds=ways.seconds
    )  # fmt: skip


def command_subject(
    command: str, text: str, *, capture: Capture | None = None, suffix: str = ""
) -> CommandSubject:
    """Return what is tried for a command: its input is a text, or what a capture holds as one.

    Raises ``UsageError`` when the command has no place for the input or the capture no text.
    """
    words = _words(command, "--run")
    if not any("{input}" in word for word in words):
        raise UsageError(
            f"the command {command!r} has no place for the input", remedy="write --run 'command {input}'"
        )
    return CommandSubject(words, _text_of(capture) if capture else text, suffix)


def _text_of(capture: Capture) -> str:
    held = capture.request.body if capture.request else None
    if capture.call is not None:
        held = capture.call.args[0] if capture.call.args else next(iter(capture.call.kwargs.values()), None)
    if isinstance(held, bytes):
        held = held.decode("utf-8", "replace")
    if held is None:
        raise UsageError("the capture holds no input for a command", remedy="give the input's own file")
    return held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)


def _app_in(command: str) -> str:
    """Return the application that a Python server's command names: ``uvicorn shop.web:app``."""
    words = _words(command, "--start") if command else ()
    if not any(word.rpartition("/")[2] in _SERVERS for word in words):
        return ""
    return next((word for word in words if _APP.match(word)), "")


def _words(command: str, option: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{option} {command!r} cannot be read: {error}", remedy="close the quote") from None
    if not words:
        raise UsageError(f"{option} is empty", remedy="say what to run")
    return words
