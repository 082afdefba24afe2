"""WSGI middleware (PEP 3333): sees requests and responses go by, and changes none of them."""

from __future__ import annotations

from amends_capture.context import REQUEST
from amends_capture.failures import exception_of
from amends_capture.recorder import Raw, Recorder
from amends_capture.settings import Outcome, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WSGICapture:
    """Wraps a WSGI application. Settings are those of ``Settings``; or give a ``recorder`` to share one."""

    def __init__(self, app: App, *, recorder: Recorder | None = None, **settings: Any) -> None:
        self.app = app
        self.recorder = recorder or Recorder(Settings(**settings))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        exchange = _Exchange(self.recorder, environ, start_response)
        exchange.watch_input()
        token = REQUEST.set(environ)
        try:
            answer = self.app(environ, exchange.start_response)
        except Exception as error:
            exchange.ended(error)
            raise
        except BaseException:
            exchange.release()
            raise
        finally:
            REQUEST.reset(token)
        return exchange.watch_answer(answer)


class _Exchange:
    """One request with its response."""

    def __init__(
        self, recorder: Recorder, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> None:
        self._recorder = recorder
        self.environ = environ
        self._start_response = start_response
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.kept = False
        self.sampled = False
        self._ended = False
        self._held = 0
        self._request: list[bytes] = []
        self._request_size = 0
        self._body: list[bytes] = []
        self._size = 0

    def watch_input(self) -> None:
        """Keep what the application reads of the request's body."""
        environ = self.environ
        if environ.get("CONTENT_LENGTH") not in (None, "", "0") or environ.get("HTTP_TRANSFER_ENCODING"):
            stream = environ.get("wsgi.input")
            if stream is not None:
                environ["wsgi.input"] = _Input(stream, self.read)

    def read(self, piece: bytes) -> None:
        """Note what was read of the request's body."""
        self._request_size += len(piece)
        self._keep(self._request, piece, self._request_size)

    def wrote(self, piece: bytes) -> None:
        """Note what was written of the response's body."""
        if self.kept:
            self._size += len(piece)
            self._keep(self._body, piece, self._size)

    def _keep(self, pieces: list[bytes], piece: bytes, size: int) -> None:
        if size <= self._recorder.settings.max_body_bytes and self._recorder.hold(len(piece)):
            pieces.append(piece)
            self._held += len(piece)

    def start_response(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        """Pass the response's beginning on, as it is."""
        try:
            self.status, self.headers = int(status[:3]), headers
            self.sampled = self._recorder.examines()
            predicate = self._recorder.settings.predicate
            self.kept = self.sampled or self.status >= 500 or predicate is not None
        except Exception:
            self._recorder.stats["errors"] += 1
        return self._start_response(status, headers, *more)

    def watch_answer(self, answer: Iterable[bytes]) -> Iterable[bytes]:
        """Return the application's answer: itself where that is enough, or else one that is watched."""
        if isinstance(answer, list | tuple) and self.status:
            for piece in answer:
                self.wrote(piece)
            self.ended(None)
            return answer
        wrapper = self.environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(answer, wrapper):
            # A server may hand the file to the system, which it knows by the wrapper's class.
            self.ended(None)
            return answer
        # A server may take the length of an answer of one piece from it (wsgiref, waitress).
        return (_SizedAnswer if hasattr(answer, "__len__") else _Answer)(answer, self)

    def ended(self, error: Exception | None) -> None:
        """Record the request, if it failed or is sampled; once."""
        if self._ended:
            return
        self._ended = True
        try:
            why = "exception" if error is not None else self._why()
            if why and self._recorder.has_room():
                self._offer(why, None if error is None else exception_of(error))
        except Exception:
            self._recorder.stats["errors"] += 1
        finally:
            self.release()

    def release(self) -> None:
        """Give back what was held and not handed on."""
        self._recorder.hold(-self._held)
        self._held = 0

    def _why(self) -> str:
        if self.status >= 500:
            return "status"
        method, path = self.environ.get("REQUEST_METHOD", ""), self.environ.get("PATH_INFO", "")
        predicate = self._recorder.settings.predicate
        if predicate is not None:
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
            try:
                if predicate(Outcome(method, path, self.status, headers, b"".join(self._body))):
                    return "predicate"
            except Exception:
                self._recorder.stats["errors"] += 1
        return "sample" if self.sampled and self._recorder.samples(method, path, self.status) else ""

    def _offer(self, why: str, exception: dict[str, Any] | None) -> None:
        environ = self.environ
        raw = Raw("http", why)
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        raw.request = {
            "method": environ.get("REQUEST_METHOD", ""),
            "path": path.encode("latin-1", "replace").decode("utf-8", "replace"),
            "query": environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
            "headers": _headers(environ), "pieces": self._request, "size": self._request_size,
        }  # fmt: skip
        if self.status:
            headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in self.headers]
            raw.response = {
                "status": self.status, "headers": headers, "pieces": self._body, "size": self._size
            }  # fmt: skip
        raw.exception = exception
        raw.held, self._held = self._held, 0
        self._recorder.offer(raw)


def _headers(environ: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    named = {
        name[5:] if name.startswith("HTTP_") else name: value
        for name, value in list(environ.items())
        if isinstance(value, str) and (name.startswith("HTTP_") or (name in _WITHOUT_PREFIX and value))
    }
    return [
        (name.replace("_", "-").lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in named.items()
    ]


_WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


class _Input:
    """The request's body, as the application reads it."""

    def __init__(self, stream: Any, note: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._note = note

    def _noted(self, piece: bytes) -> bytes:
        if piece:
            self._note(piece)
        return piece

    def read(self, *size: int) -> bytes:
        return self._noted(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._noted(self._stream.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._noted(line) for line in self._stream.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._noted(line)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        return self._filling(found) if name in ("readinto", "readinto1") else found

    def _filling(self, readinto: Callable[[Any], int | None]) -> Callable[[Any], int | None]:
        def filled(buffer: Any) -> int | None:
            size = readinto(buffer)
            if size:
                self._noted(bytes(memoryview(buffer)[:size]))
            return size

        return filled


class _Answer:
    """An answer that is made while it is sent; what it raises it raises still."""

    def __init__(self, answer: Iterable[bytes], exchange: _Exchange) -> None:
        self._answer = answer
        self._pieces = iter(answer)
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = REQUEST.set(self._exchange.environ)
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._exchange.ended(None)
            raise
        except Exception as error:
            self._exchange.ended(error)
            raise
        finally:
            REQUEST.reset(token)
        self._exchange.wrote(piece)
        return piece

    def close(self) -> None:
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        except Exception as error:
            self._exchange.ended(error)
            raise
        self._exchange.ended(None)


class _SizedAnswer(_Answer):
    """An answer that knows how many pieces it has."""

    def __len__(self) -> int:
        return len(self._answer)  # type: ignore[arg-type]
