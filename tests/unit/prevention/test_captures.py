"""Captures as the recorder writes them, and everything that is none."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest

from amends.errors import UsageError
from amends.events.payloads import Signature
from amends.prevention.captures import Call, Request, is_capture, read_capture
from amends.prevention.typed import DEEPEST, Instance, Lost, Member, Reference, Row, decode

BASE: dict[str, Any] = {"schema": "amends.capture/1", "id": "c-1", "release": "1.4.0", "kind": "call"}


def text(**parts: Any) -> str:
    return json.dumps({**BASE, **parts})


def call(*args: Any, function: str = "shop.price:share", **kwargs: Any) -> dict[str, Any]:
    return {"function": function, "args": list(args), "kwargs": kwargs}


def test_a_call_and_a_request_are_read() -> None:
    found = read_capture(
        text(
            call=call(1, {"$type": "tuple", "items": [2]}, who=None),
            redacted=["/call/args/0", "/exception/frames/0/locals/x"],
        )
    )
    assert found.call == Call("shop.price:share", (1, (2,)), {"who": None})
    assert (found.release, found.masked) == ("1.4.0", 1)
    request = {
        "method": "post", "path": "/share", "query": [["q", "1"]], "headers": [["x", "y"]],
        "body": {"$type": "text", "text": "a=1"},
    }  # fmt: skip
    asked = read_capture(text(request=request, response={"status": 500})).request
    assert asked == Request("POST", "/share", (("q", "1"),), (("x", "y"),), "a=1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": 1}, {"a": 1}), ("said", '"said"'), (None, None),
        ({"$type": "text", "text": "ä", "charset": "latin-1"}, b"\xe4"),
        ({"$type": "text", "text": "ä", "charset": "no-such"}, "ä"),
        ({"$type": "bytes", "base64": "AP8="}, b"\0\xff"),
    ],
)  # fmt: skip
def test_a_body_is_a_value_for_json_a_text_or_bytes(body: Any, expected: Any) -> None:
    request = {"method": "PUT", "path": "/", "body": body}
    found = read_capture(text(request=request)).request
    assert found is not None
    assert found.body == expected


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"$type": "frozenset", "items": [1]}, frozenset({1})),
        ({"$type": "datetime", "value": "2026-03-20T14:27:05+00:00"},
         datetime.datetime(2026, 3, 20, 14, 27, 5, tzinfo=datetime.UTC)),
        ({"$type": "timedelta", "value": "datetime.timedelta(seconds=90)", "seconds": 90.0},
         datetime.timedelta(seconds=90)),
        ({"$type": "decimal", "value": "1.10"}, Decimal("1.10")),
        ({"$type": "uuid", "value": "00000000-0000-0000-0000-00000000000f"}, UUID(int=15)),
        ({"$type": "float", "value": "-inf"}, float("-inf")),
        ({"$type": "int", "value": str(1 << 70)}, 1 << 70),
        ({"$type": "str", "base64": "7aCA"}, "\ud800"),
        ({"$type": "path", "value": "a/b"}, PurePosixPath("a/b")),
        ({"$type": "dict", "items": [[1, 2]]}, {1: 2}),
        ({"$type": "enum", "class": "shop:Kind", "name": "GIFT", "value": 1}, Member("shop:Kind", "GIFT")),
        ({"$type": "tuple", "items": [1], "class": "shop:Point"}, Row("shop:Point", (1,))),
        ({"$type": "object", "class": "builtins:type", "name": "shop:Cart"}, Reference("shop:Cart")),
        ({"$type": "object", "class": "shop:Cart", "attributes": {"n": {"$type": "bytes", "base64": "YQ=="}}},
         Instance("shop:Cart", {"n": b"a"})),
    ],
)  # fmt: skip
def test_typed_values_become_what_they_were(typed: Any, value: Any) -> None:
    assert decode(typed) == value


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (text(call=call())[:-20], "ends in the middle"),
        ("", "no whole capture"),
        ("[1]", "found a list"),
        ("{" * 200_000, "no whole capture|nested too deeply"),
        ("[" * 200_000, "nested too deeply"),
        (text(schema="amends.capture/2", call=call()), "capture/2; this amends reads amends.capture/1"),
        (text(schema="other", call=call()), "not a capture"),
        (text(), "neither a request nor a call"),
        (text(call=[1]), "its call is no object"),
        (text(call=call(deep(DEEPEST + 5))), "deeper than 100"),
        (text(call=call({"$type": "cut", "length": 900})), r"was cut .* \(it had a length of 900\)"),
        (text(call=call({"$type": "cycle"})), "holds itself"),
        (text(call=call({"$type": "object", "class": "shop:Socket"})), "could not be recorded"),
        (text(call=call({"$type": "quaternion"})), "quaternion"),
        (text(call=call({"$type": "bytes", "base64": "?"})), "malformed bytes"),
        (text(call=call({"$type": "enum", "class": "os:system('x')", "name": "A"})), "names no class"),
        (text(call=call(function="shop:f.<locals>.g")), "inside another function"),
        (text(call=call(function="__main__:f")), "can be imported"),
        (text(call=call(function="os:system('x')")), "can be imported"),
        (text(call={**call(), "kwargs": {"a b": 1}}), "argument name"),
        (text(request={"method": "GET", "path": "no-slash"}), "begins with /"),
        (text(request={"method": "GET", "path": "/", "headers": [["a"]]}), "no list of pairs"),
    ],
)  # fmt: skip
def test_what_is_no_usable_capture_says_why_and_where(given: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_capture(given, "c.json")
    assert caught.value.where.startswith("c.json")
    assert caught.value.remedy


def test_an_enormous_capture_is_not_even_parsed() -> None:
    with pytest.raises(UsageError, match="at most"):
        read_capture("x" * (17 * 1024 * 1024))


def test_what_was_cut_elsewhere_is_no_obstacle() -> None:
    assert decode([{"$type": "cut", "length": 3}], whole=False) == [
        Lost("was cut when it was recorded, because a bound was met (it had a length of 3)")
    ]
    cut = {"$type": "cut", "length": 3}
    frames = [{"file": "/srv/shop/price.py", "function": "Cart.share", "line": 2, "locals": {"x": cut}}]
    found = read_capture(text(call=call(1), exception={"type": "KeyError", "message": "", "frames": frames}))
    assert found.signature() == Signature(exception="KeyError", frame="/srv/shop/price.py:share")


def test_the_signature_is_the_innermost_frame_of_the_repository() -> None:
    files = ("/srv/shop/web.py:app", "/srv/shop/price.py:share", "/usr/lib/python3.11/json/decoder.py:decode")
    frames = [{"file": f.partition(":")[0], "function": f.partition(":")[2]} for f in files]
    capture = read_capture(
        text(call=call(), exception={"type": "ValueError", "message": "", "frames": frames})
    )
    assert capture.signature({"shop/price.py", "shop/web.py"}).frame == "shop/price.py:share"
    assert capture.signature({"shop/web.py"}).frame == "shop/web.py:app"


@pytest.mark.parametrize(
    ("status", "expected"), [(500, Signature(status=500, path="/a")), (200, Signature())]
)
def test_without_an_exception_the_status_is_the_signature(status: int, expected: Signature) -> None:
    request = {"method": "GET", "path": "/a"}
    assert read_capture(text(request=request, response={"status": status})).signature() == expected


def test_a_capture_is_told_from_any_other_input() -> None:
    assert is_capture(text(schema="amends.capture/9"))
    assert not is_capture('{"schema": "other"}')
    assert not is_capture("a,b\n1,2\n")
