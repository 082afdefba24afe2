"""Bodies: unpacked, redacted, and still what the service failed on."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.unit.capture.services import answering, captured, failing, http

JSON = [(b"content-type", b"application/json")]


def body_of(body: bytes, *headers: tuple[bytes, bytes], **settings: Any) -> Any:
    return captured(answering(500), http(headers=list(headers)), body, **settings)["request"]["body"]


def test_json_is_json() -> None:
    value = {"n": 1.5, "s": "é", "a": [None, True, {"big": 2**63}], "": {}}
    assert body_of(json.dumps(value).encode(), *JSON) == value


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', '{"a": 1.10000000000000000001}', '{"a": ',
     '{"$type": "x"}',     "[" * 5000, '"\\ud800"'],
)  # fmt: skip
def test_json_that_its_value_would_not_say_again_is_text(text: str) -> None:
    assert body_of(text.encode(), *JSON) == {"$type": "text", "text": text}


def test_broken_json_stays_broken_in_the_same_way_without_its_secret() -> None:
    text = '{"user": "jo", "password": "hunter2", "items": [1, 2,, ]'
    found = body_of(text.encode(), *JSON)
    assert "hunter2" not in found["text"]
    assert found["text"].replace(found["text"][28:35], "hunter2") == text


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, b"gzip"), (zlib.compress, b"deflate")])
def test_an_encoding_is_undone_and_named(pack: Any, name: bytes) -> None:
    packed = pack(b"plain text, token=abc123")
    found = body_of(packed, (b"content-encoding", name))
    assert found["encoding"] == [name.decode()]
    assert found["text"].startswith("plain text, token=")
    assert "abc123" not in found["text"]


def test_what_cannot_be_opened_is_not_kept() -> None:
    assert body_of(b"\x1b\x03\x00password", (b"content-encoding", b"br")) == {"$type": "cut", "length": 11}


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    assert body_of(bomb, (b"content-encoding", b"gzip")) == {"$type": "cut", "length": len(bomb)}


def test_a_long_body_is_cut_whole() -> None:
    found = captured(answering(500), http(), b"password=" + b"x" * 2000, max_body_bytes=1000)
    assert found["request"]["body"] == {"$type": "cut", "length": 2009}
    assert "/request/body" in found["cut"]


def test_a_form_keeps_what_is_no_secret_byte_for_byte() -> None:
    text = "a=%7e+x&password=p%40ss+w%F6rd1&b=&c&a=2"
    found = body_of(text.encode(), (b"content-type", b"application/x-www-form-urlencoded"))["text"]
    assert [part for part in found.split("&") if not part.startswith("password")] == [
        "a=%7e+x",
        "b=",
        "c",
        "a=2",
    ]
    assert len(parse_qs(found)["password"][0]) == len("p@ss wörd1")


def test_multipart_and_binary() -> None:
    part = b'--b1\r\nContent-Disposition: form-data; name="pin"\r\n\r\n90210441\r\n--b1--\r\n'
    found = body_of(part, (b"content-type", b"multipart/form-data; boundary=b1"))
    assert "90210441" not in found["text"]
    assert len(found["text"]) == len(part)
    content = b"\x89PNG\x00\xff" + b"ghp_0123456789abcdefghij0123456789abcdef" + b"\x00"
    raw = base64.b64decode(body_of(content, (b"content-type", b"image/png"))["base64"])
    assert (raw[:10], raw[-1:], len(raw)) == (content[:10], b"\x00", len(content))
    assert raw != content


def test_a_redacted_input_fails_in_the_same_way() -> None:
    """Whatever the service trips over is a matter of form, which masks keep."""

    def service(body: bytes) -> None:
        order = json.loads(body)
        assert order["email"].count("@") == 1
        assert len(order["card"].replace(" ", "")) == 16
        order["password"].encode("ascii")  # the defect: nobody thought of an umlaut

    value = {"email": "jo@example.com", "card": "4111 1111 1111 1111", "password": "paßwort1"}
    found = captured(failing(service), http(headers=JSON), json.dumps(value).encode())
    assert found["request"]["body"] != value
    with pytest.raises(UnicodeEncodeError):
        service(json.dumps(found["request"]["body"]).encode())
    assert found["exception"]["type"] == "UnicodeEncodeError"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_json_that_a_parser_finds_out_to_be_wide_is_looked_through(encoding: str) -> None:
    body = '{"password": "hunter2", "count": 0}'.encode(encoding)
    found = body_of(body)
    assert found["count"] == 0
    assert found["password"] != "hunter2"


def test_what_is_compressed_and_no_text_is_looked_through() -> None:
    secret = b"ghp_0123456789abcdefghij0123456789abcdef"
    body = gzip.compress(b"\xff\xfe\x00 " + secret + b" \xff")
    found = body_of(body)
    plain = gzip.decompress(base64.b64decode(found["base64"]))
    assert secret not in plain
    assert (plain[:4], plain[-2:], len(plain)) == (b"\xff\xfe\x00 ", b" \xff", len(secret) + 6)
