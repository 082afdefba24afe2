"""The ASGI middleware sees everything and changes nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from amends_capture import ASGICapture, Outcome, Recorder, Settings
from tests.unit.capture.services import Kept, answering, captured, failing, files_of, http, read, serve

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def boom(body: bytes) -> None:
    total = len(body)
    raise ZeroDivisionError(f"{total} by zero")


def test_an_exception_is_recorded_and_raised_still(tmp_path: Path) -> None:
    recorder = Recorder(Settings(directory=tmp_path, service="shop", release="1.4.0", environment="live"))
    app = ASGICapture(failing(boom), recorder=recorder)
    trace = (b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())
    with pytest.raises(ZeroDivisionError, match=r"^3 by zero$"):
        serve(app, http(headers=[trace], query_string=b"a=1&b="), b"[1]")
    recorder.close()
    [found] = files_of(tmp_path)
    assert {key: found[key] for key in ("service", "release", "environment", "trace_id", "kind", "why")} == {
        "service": "shop", "release": "1.4.0", "environment": "live", "trace_id": TRACE, "kind": "http",
        "why": "exception",
    }  # fmt: skip
    assert found["request"]["query"] == [["a", "1"], ["b", ""]]
    assert found["request"]["body"] == [1]
    error = found["exception"]
    assert (error["type"], error["message"]) == ("ZeroDivisionError", "3 by zero")
    assert error["frames"][-1]["file"] == "tests/unit/capture/test_asgi.py"
    assert error["frames"][-1]["function"] == "boom"
    assert error["frames"][-1]["locals"]["total"] == 3


def test_an_answer_of_500_is_recorded_with_its_body() -> None:
    found = captured(answering(503, b'{"error": "token=abc123"}'), http(), b"x")
    assert (found["why"], found["response"]["status"], found["exception"]) == ("status", 503, None)
    assert found["response"]["body"]["error"].startswith("token=")
    assert "abc123" not in str(found)


def test_an_exception_after_the_answer_began_has_both() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("late")

    found = captured(app, http())
    assert (found["why"], found["response"]["status"], found["exception"]["type"]) == (
        "exception",
        200,
        "KeyError",
    )


def test_a_predicate_says_what_else_is_a_failure() -> None:
    def wrong(outcome: Outcome) -> bool:
        return outcome.status == 200 and b'"total": -' in outcome.body

    app = answering(200, b'{"total": -3}')
    assert captured(app, http(), predicate=wrong)["why"] == "predicate"


def test_a_predicate_that_raises_says_no_and_is_counted() -> None:
    recorder = Kept(predicate=lambda outcome: 1 / 0 > 1, sample_share=0.0)
    serve(ASGICapture(answering(), recorder=recorder), http())
    assert (recorder.raws, recorder.stats["errors"]) == ([], 1)


def test_what_is_sent_and_received_is_what_it_was() -> None:
    messages = [
        {"type": "http.response.start", "status": 500, "headers": [(b"x", b"1")], "trailers": True},
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"b"},
        {"type": "http.response.trailers", "headers": []},
    ]
    heard: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append(await read(receive))
        for message in messages:
            await send(message)

    sent = serve(ASGICapture(app, recorder=Kept()), http(), [b"x", b"y"])
    assert heard == [b"xy"]
    assert all(one is other for one, other in zip(sent, messages, strict=True))


def test_a_background_task_that_fails_is_recorded_after_the_answer_was_sent() -> None:
    order: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answering()(scope, receive, send)
        order.append("background")
        raise RuntimeError("in the background")

    recorder = Kept()
    with pytest.raises(RuntimeError):
        serve(ASGICapture(app, recorder=recorder), http())
    assert order == ["background"]
    assert recorder.documents()[0]["exception"]["message"] == "in the background"


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_other_connections_go_straight_through(kind: str) -> None:
    given: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given.extend([scope, receive, send])

    async def nothing(*_: Any) -> Any:
        return {}

    scope = {"type": kind}
    asyncio.run(ASGICapture(app, recorder=Kept())(scope, nothing, nothing))
    assert given == [scope, nothing, nothing]


def test_a_client_that_goes_away_is_no_failure() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    recorder = Kept()
    with pytest.raises(asyncio.CancelledError):
        serve(ASGICapture(app, recorder=recorder), http())
    assert recorder.raws == []


def test_what_is_held_in_memory_is_bounded_and_given_back() -> None:
    recorder = Kept(max_memory_bytes=10_000)
    seen: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read(receive)
        seen.append(recorder.held)
        await answering(500)(scope, receive, send)

    serve(ASGICapture(app, recorder=recorder), http(), [b"x" * 6000, b"y" * 6000])
    assert seen == [6000]
    assert recorder.held == 0
    assert recorder.documents()[0]["request"]["body"] == {"$type": "cut", "length": 12_000}


def test_a_recorder_that_breaks_does_not_break_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Kept()
    monkeypatch.setattr(recorder, "offer", lambda raw: 1 / 0)
    app = ASGICapture(answering(500), recorder=recorder)
    assert serve(app, http())[0]["status"] == 500
    assert recorder.stats["errors"] == 1


def test_a_share_of_what_works_is_sampled_in_strata(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Kept(sample_share=0.5)
    monkeypatch.setattr(recorder, "examines", lambda: True)
    draws = iter([0.9, 0.1, 0.9])
    monkeypatch.setattr("amends_capture.recorder._draw", lambda: next(draws))
    app = ASGICapture(answering(), recorder=recorder)
    for path in ("/items/1", "/items/2", "/items/3", "/items/4", "/users/9"):
        serve(app, http("GET", path))
    # The first of each stratum, and of the others those that were drawn.
    assert [found["request"]["path"] for found in recorder.documents()] == [
        "/items/1",
        "/items/3",
        "/users/9",
    ]


def test_samples_in_a_minute_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Kept(sample_share=1.0, samples_per_minute=3.0)
    monkeypatch.setattr(recorder, "examines", lambda: True)
    app = ASGICapture(answering(), recorder=recorder)
    for number in range(10):
        serve(app, http("GET", f"/{'abcdefghij'[number]}"))
    assert len(recorder.raws) == 3


def test_a_shape_is_masked_in_headers_that_steer_the_service_too() -> None:
    app = answering(500)
    headers = [(b"user-agent", b"bot (jo.smith@example.org)"), (b"host", b"cust-12345678.example")]
    found = captured(
        app, http(headers=headers, path="/reset-password/x7f2k1"), secret_patterns=[r"cust-\d{8}"]
    )
    told = json.dumps(found)
    assert [one in told for one in ("jo.smith", "cust-12345678", "x7f2k1", "/reset-password/")] == [
        False, False, False, True,
    ]  # fmt: skip
