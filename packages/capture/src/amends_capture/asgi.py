"""ASGI middleware: sees requests and responses go by, and changes none of them."""

from __future__ import annotations

from amends_capture import context
from amends_capture.recorder import Raw, Recorder
from amends_capture.settings import Outcome, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from typing import Any

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Any, Receive, Send], Awaitable[None]]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# Bodies up to this are not counted, since counting takes a lock: a server holds as much for each connection.
_SMALL = 2_000
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class ASGICapture:
    """Wraps an ASGI application. Settings are those of ``Settings``; or give a ``recorder`` to share one.

    Websockets and lifespan go straight through. What the application raises, it raises still.
    """

    def __init__(self, app: App, *, recorder: Recorder | None = None, **settings: Any) -> None:
        self.app = app
        self.recorder = recorder or Recorder(Settings(**settings))

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self.recorder, send)
        if context.is_wanted:
            context.REQUEST.set(scope)
        if scope["method"] in _WITH_BODY or has_body(scope["headers"]):
            receive = exchange.receiving(receive)
        try:
            await self.app(scope, receive, exchange.send)
        except Exception as error:
            exchange.failed(scope, error)
            raise
        else:
            if exchange.kept:
                exchange.finished(scope)
        finally:
            if exchange.held:
                exchange.release()


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a request with these headers has a body (RFC 9112, 6)."""
    return any(header[0] in _BODY_HEADERS for header in headers)


class _Exchange:
    """One request with its response. On the way of a request that does not fail, it only looks.

    What it finds out is kept in attributes that most requests never set, so that they cost nothing.
    """

    kept = sampled = False
    held = size = request_size = 0
    start: Message | None = None
    request: list[bytes] | None = None
    body: list[bytes] | None = None

    def __init__(self, recorder: Recorder, send: Send) -> None:
        self._recorder = recorder
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, as it is."""
        kind = message["type"]
        if kind == "http.response.start":
            self.start = message
            recorder = self._recorder
            if message["status"] >= 500 or recorder.keeps_all:
                self.kept = True
            elif recorder.examines():
                self.kept = self.sampled = True
        elif self.kept and kind == "http.response.body":
            piece = message.get("body")
            if piece:
                self.size += len(piece)
                if self.body is None:
                    self.body = []
                self._keep(self.body, piece, self.size)
        return self._send(message)

    def receiving(self, receive: Receive) -> Receive:
        """Return a ``receive`` that keeps what goes by."""

        pieces = self.request = []

        async def received() -> Message:
            message = await receive()
            piece = message.get("body")
            if piece:
                size = self.request_size = self.request_size + len(piece)
                if size <= _SMALL:
                    pieces.append(bytes(piece))
                else:
                    self._keep(pieces, piece, size)
            return message

        return received

    def _keep(self, pieces: list[bytes], piece: bytes, size: int) -> None:
        if size <= self._recorder.settings.max_body_bytes and self._recorder.hold(len(piece)):
            pieces.append(piece if type(piece) is bytes else bytes(piece))
            self.held += len(piece)

    def release(self) -> None:
        """Give back what was held and not handed on."""
        self._recorder.hold(-self.held)
        self.held = 0

    def failed(self, scope: Any, error: Exception) -> None:
        """Record a request that ended in an exception."""
        try:
            if self._recorder.has_room():
                from amends_capture.failures import exception_of

                self._offer(scope, "exception", exception_of(error))
        except Exception:
            self._recorder.stats["errors"] += 1

    def finished(self, scope: Any) -> None:
        """Record a request that was answered, if its answer is a failure or it is sampled."""
        try:
            why = self._why(scope)
            if why and self._recorder.has_room():
                self._offer(scope, why, None)
        except Exception:
            self._recorder.stats["errors"] += 1

    def _why(self, scope: Any) -> str:
        start = self.start or {}
        status = start.get("status", 0)
        if status >= 500:
            return "status"
        if self._is_failure(scope, start):
            return "predicate"
        wanted = self.sampled and self._recorder.samples(scope["method"], scope["path"], status)
        return "sample" if wanted else ""

    def _is_failure(self, scope: Any, start: Any) -> bool:
        predicate = self._recorder.settings.predicate
        if predicate is None:
            return False
        body = b"".join(self.body or ())
        headers = list(start.get("headers", ()))
        try:
            return bool(
                predicate(Outcome(scope["method"], scope["path"], start.get("status", 0), headers, body))
            )
        except Exception:
            self._recorder.stats["errors"] += 1
            return False

    def _offer(self, scope: Any, why: str, exception: dict[str, Any] | None) -> None:
        raw = Raw("http", why)
        raw.request = {
            "method": scope["method"], "path": scope["path"], "query": scope.get("query_string", b""),
            "headers": list(scope["headers"]), "pieces": self.request or [], "size": self.request_size,
        }  # fmt: skip
        if self.start is not None:
            raw.response = {
                "status": self.start["status"], "headers": list(self.start.get("headers", ())),
                "pieces": self.body or [], "size": self.size,
            }  # fmt: skip
        raw.exception = exception
        raw.held, self.held = self.held, 0
        self._recorder.offer(raw)
