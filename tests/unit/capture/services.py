"""Small services that are captured, and what was captured of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from amends_capture import ASGICapture, Recorder, Settings
from amends_capture.recorder import Raw
from amends_capture.writing import Writer


class Kept(Recorder):
    """A recorder that keeps what it is offered, as the writer would write it."""

    def __init__(self, settings: Settings | None = None, **more: Any) -> None:
        super().__init__(settings or Settings(service="shop", release="1.4.0", writer_share=1.0, **more))
        self.raws: list[Raw] = []

    def offer(self, raw: Raw) -> None:
        self.raws.append(raw)
        self.hold(-raw.held)

    def documents(self) -> list[dict[str, Any]]:
        writer = Writer(self.settings, self.stats)
        found = [writer.redacted(raw) for raw in self.raws]
        return [json.loads(text) for _, text in filter(None, found)]


def http(method: str = "POST", path: str = "/pay", **more: Any) -> dict[str, Any]:
    body = more.pop("body", b"")
    headers = [(b"content-length", str(len(body)).encode()), *more.pop("headers", [])]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, **more}


def serve(app: Any, scope: dict[str, Any], body: bytes | Iterable[bytes] = b"") -> list[dict[str, Any]]:
    """Run one request; return what was sent. What the application raises is raised."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


async def read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def answering(status: int = 200, body: bytes = b"{}", kind: bytes = b"application/json") -> Any:
    """Return a service that reads the request and answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read(receive)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})

    return app


def failing(fail: Callable[[bytes], None]) -> Any:
    """Return a service that reads the request and lets ``fail`` have it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        fail(await read(receive))

    return app


def captured(app: Any, scope: dict[str, Any], body: bytes = b"", **settings: Any) -> dict[str, Any]:
    """Return the one capture that a request leaves."""
    recorder = Kept(**settings)
    with suppress(Exception):
        serve(ASGICapture(app, recorder=recorder), scope, body)
    [found] = recorder.documents()
    return found


def files_of(directory: Path) -> list[dict[str, Any]]:
    """Return the captures of a directory, in the order in which they were written."""
    return [json.loads(path.read_text()) for path in sorted(directory.glob("capture-*.json"))]
