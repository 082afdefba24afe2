from __future__ import annotations

import base64
from typing import Any

import pytest

from amends.errors import UsageError
from amends.prevention.replay.choosing import choose
from amends.prevention.replay.recorded import Recorded, read_capture


def capture(**request: Any) -> dict[str, Any]:
    whole = {"method": "GET", "path": "/x", "query": [], "headers": [], "body": None, **request}
    return {"schema": "amends.capture/1", "kind": "http", "request": whole, "response": {"status": 404}}


def read(**request: Any) -> Recorded:
    found = read_capture(capture(**request), "a.json")
    assert found
    return found


def test_a_request_is_read_without_what_belongs_to_its_connection() -> None:
    headers = [["Host", "prod"], ["Accept", "*/*"], ["traceparent", "00-…"], ["Content-Length", "3"]]
    found = read(query=[["a", "1"], ["a", "2"]], headers=headers)
    assert found.headers == (("Accept", "*/*"),)
    assert found.query == (("a", "1"), ("a", "2"))
    assert found.status == 404
    assert found.safe


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ({"n": 1, "at": {"$type": "datetime", "value": "2026-01-01T00:00:00Z"}}, "application/json",
         b'{"n":1,"at":"2026-01-01T00:00:00Z"}'),
        ({"$type": "text", "text": "a=1&b=2"}, "application/x-www-form-urlencoded", b"a=1&b=2"),
        ("word", "text/plain", b'"word"'),
        ({"$type": "text", "text": "{broken"}, "application/json", b"{broken"),
        ({"$type": "text", "text": "é", "charset": "latin-1"}, "text/plain", b"\xe9"),
        ("é", "application/json; charset=iso-8859-1", b'"\xe9"'),
        ({"$type": "dict", "items": [["n", {"$type": "int", "value": "9" * 20}]]}, "application/json",
         b'{"n":' + b"9" * 20 + b"}"),
        ({"$type": "bytes", "base64": base64.b64encode(b"\x00\x01").decode()}, "image/png", b"\x00\x01"),
        (None, "", b""),
    ],
)  # fmt: skip
def test_a_body_is_sent_as_it_came(body: Any, kind: str, sent: bytes) -> None:
    assert read(method="POST", headers=[["content-type", kind]], body=body).body == sent


def test_a_packed_body_that_was_unpacked_loses_its_header() -> None:
    headers = [["content-encoding", "gzip"], ["content-type", "application/json"]]
    assert read(method="POST", headers=headers, body={"a": 1}).headers == (
        ("content-type", "application/json"),
    )
    packed = {"$type": "bytes", "base64": "H4s="}
    assert len(read(method="POST", headers=headers, body=packed).headers) == 2
    unpacked = {**packed, "encoding": ["gzip"]}
    assert len(read(method="POST", headers=headers, body=unpacked).headers) == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "no `schema`"),
        ({"schema": "amends.capture/9"}, "only amends.capture/1"),
        (capture(path="//evil.example/x"), "begins with one /"),
        (capture(path="http://evil.example/x"), "begins with one /"),
        (capture(method="CONNECT"), "method 'CONNECT'"),
        (capture(headers=[["X", "a\r\nY: b"]]), "line break"),
        (capture(query="a=1"), "no list of pairs"),
        (capture(query=[["a", {"$type": "cut", "length": 9}]]), "cut within its query"),
        (capture(body={"a": {"$type": "cut", "length": 9}}), "cut within its body"),
        (capture(body={"$type": "bytes", "base64": "%"}), "no base64"),
    ],
)
def test_what_cannot_be_sent_as_it_was_is_refused(value: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        read_capture(value, "a.json")
    assert refused.value.where == "a.json"


def test_a_call_of_a_function_has_no_request() -> None:
    assert read_capture({"schema": "amends.capture/1", "kind": "call", "request": None}, "a") is None


def requests(*lines: str) -> list[Recorded]:
    return [Recorded(f"{n}.json", *line.split()) for n, line in enumerate(lines)]


def test_only_safe_methods_are_sent_unless_a_sandbox_is_declared() -> None:
    found = requests("GET /a", "POST /a", "DELETE /a", "HEAD /a")
    assert [one.method for one in choose(found, sandbox=False, most=9).inputs] == ["GET", "HEAD"]
    assert len(choose(found, sandbox=True, most=9).inputs) == 4


def test_the_same_question_is_asked_once_and_every_route_has_its_turn() -> None:
    chosen = choose(requests("GET /a/1", "GET /a/2", "GET /a/1", "GET /a/3", "GET /b"), sandbox=False, most=2)
    assert [one.path for one in chosen.inputs] == ["/a/1", "/b"]
    assert dict(chosen.left_out) == {"asks the same as another": 1, "beyond --limit 2": 2}
