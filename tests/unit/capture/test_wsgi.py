"""The WSGI middleware sees everything and changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from amends_capture import WSGICapture
from tests.unit.capture.services import Kept


def call(app: Callable[..., Any], body: bytes = b"", **more: Any) -> tuple[list[tuple[Any, ...]], Any]:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/pay", "QUERY_STRING": "a=1", **more}
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    setup_testing_defaults(environ)
    started: list[tuple[Any, ...]] = []

    def start_response(*given: Any) -> Callable[[bytes], None]:
        started.append(given)
        return lambda data: None

    return started, app(environ, start_response)


def answering(status: str, answer: Iterable[bytes]) -> Callable[..., Any]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        start_response(status, [("Content-Type", "text/plain")])
        return answer

    return app


def test_an_exception_is_recorded_and_raised_still() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        raise KeyError(environ["wsgi.input"].readline())

    recorder = Kept()
    with pytest.raises(KeyError):
        call(
            WSGICapture(app, recorder=recorder),
            b'{"a": 1}',
            HTTP_X_API_KEY="abc12345",
            CONTENT_TYPE="application/json",
        )
    [found] = recorder.documents()
    assert (found["why"], found["request"]["body"], found["request"]["query"]) == (
        "exception",
        {"a": 1},
        [["a", "1"]],
    )
    assert "abc12345" not in str(found)
    assert ["content-type", "application/json"] in found["request"]["headers"]


def test_a_list_is_answered_as_it_is() -> None:
    answer = [b"a", b"b"]
    recorder = Kept()
    started, given = call(WSGICapture(answering("502 Bad Gateway", answer), recorder=recorder), b"in")
    assert given is answer
    assert started == [("502 Bad Gateway", [("Content-Type", "text/plain")])]
    found = recorder.documents()[0]
    assert (found["response"]["status"], found["response"]["body"]) == (502, {"$type": "text", "text": "ab"})
    assert found["request"]["body"] == {"$type": "text", "text": "in"}


def test_a_file_is_left_to_the_server() -> None:
    wrapper = FileWrapper(io.BytesIO(b"file"))
    _, given = call(
        WSGICapture(answering("200 OK", wrapper), recorder=Kept()), **{"wsgi.file_wrapper": FileWrapper}
    )
    assert given is wrapper


def test_an_answer_that_fails_while_it_is_sent_is_recorded_and_closed() -> None:
    closed: list[bool] = []

    class Answer:
        def __iter__(self) -> Any:
            yield b"first"
            raise OSError("cut off")

        def close(self) -> None:
            closed.append(True)

    recorder = Kept()
    _, given = call(WSGICapture(answering("200 OK", Answer()), recorder=recorder))
    pieces = iter(given)
    assert next(pieces) == b"first"
    with pytest.raises(OSError, match="cut off"):
        next(pieces)
    given.close()
    assert closed == [True]
    assert [found["exception"]["message"] for found in recorder.documents()] == ["cut off"]


def test_it_keeps_to_the_protocol() -> None:
    """``wsgiref.validate`` on both sides: as a server sees it, and as an application does."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["wsgi.input"].read(2)
        start_response("500 No", [("Content-Type", "text/plain")])
        return (piece for piece in [b"a", b"b"])

    recorder = Kept()
    _, given = call(
        validator(WSGICapture(validator(app), recorder=recorder)), b"hi", SCRIPT_NAME="", SERVER_PORT="80"
    )
    assert list(given) == [b"a", b"b"]
    given.close()
    assert recorder.documents()[0]["response"]["body"] == {"$type": "text", "text": "ab"}


def test_what_is_held_is_given_back_when_a_process_is_told_to_end() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"].read()
        raise SystemExit

    recorder = Kept()
    with pytest.raises(SystemExit):
        call(WSGICapture(app, recorder=recorder), b"x" * 100)
    assert (recorder.held, recorder.raws) == (0, [])


def test_an_input_that_is_read_into_a_buffer_is_seen() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        buffer = bytearray(16)
        raise ValueError(bytes(buffer[: environ["wsgi.input"].readinto(buffer)]))

    recorder = Kept()
    with pytest.raises(ValueError, match="shoes"):
        call(WSGICapture(app, recorder=recorder), b"shoes")
    assert recorder.documents()[0]["request"]["body"]["text"] == "shoes"


class Sized:
    """An answer of one piece, whose length a server may ask for."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[bytes]:
        yield b"x"


@pytest.mark.parametrize(("answer", "sized"), [(Sized(), True), (iter([b"x"]), False)])
def test_an_answer_has_a_length_when_it_had_one(answer: Iterable[bytes], sized: bool) -> None:
    _, found = call(WSGICapture(answering("200 OK", answer), recorder=Kept()))
    assert hasattr(found, "__len__") is sized
    assert b"".join(found) == b"x"
