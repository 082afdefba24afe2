"""Looks for seeded secrets in captures, through every encoding in which one could be left."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from amends_capture import Settings
from amends_capture.failures import exception_of
from amends_capture.recorder import Raw
from amends_capture.writing import Writer
from tests.unit.capture.seeds import Place, seeded

_RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")


class Leaks(NamedTuple):
    """How many secrets were seeded; labels of those that were left, or that kept a capture from the disk."""

    seeded: int
    leaked: list[str]
    withheld: list[str]


def leaks_among(number: int, seed: int) -> Leaks:
    """Capture ``number`` secrets and look for them in what would be written."""
    writer = Writer(Settings(service="shop", release="1"), {})
    leaked, withheld = [], []
    for label, secret, place in seeded(number, seed):
        found = writer.redacted(raw_of(place))
        if found is None:
            withheld.append(label)
        elif holds(found[1].decode(), secret):
            leaked.append(label)
    return Leaks(number, leaked, withheld)


def holds(text: str, secret: str) -> bool:
    """Return whether a secret is in a text, as it is or encoded."""
    return any(secret in form or json.dumps(secret)[1:-1] in form for form in forms(text))


def forms(text: str, depth: int = 0) -> Iterator[str]:
    """Yield a text and all that is encoded in it."""
    yield text
    if depth > 4:
        return
    plain = unquote_plus(text)
    if plain != text:
        yield plain
    for run in _RUN.findall(text):
        for content in decoded(run):
            yield from forms(content.decode("latin-1"), depth + 1)
            yield content.decode("utf-8", "replace")


def decoded(run: str) -> Iterator[bytes]:
    with suppress(binascii.Error, OSError, EOFError):
        content = base64.b64decode(run.replace("-", "+").replace("_", "/") + "==")
        yield gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    with suppress(ValueError):
        yield bytes.fromhex(run)


def raw_of(place: Place) -> Raw:
    """Return the capture of a request that failed with what is at a place."""
    raw = Raw("http", "exception")
    raw.request = {
        "method": "POST", "path": place.path, "query": place.query, "pieces": [place.body],
        "headers": [(b"content-length", b"1"), *place.headers], "size": len(place.body),
    }  # fmt: skip
    raw.exception = failure_of(place)
    return raw


def failure_of(place: Place) -> dict[str, Any]:
    held = ", ".join(place.locals)
    lines = [f"def handle({held}):", "    raise ValueError(message)", "handle(**values)"]
    names = {"message": place.message, "values": place.locals}
    try:
        exec(compile("\n".join(lines), "shop/pay.py", "exec"), names)
    except ValueError as error:
        error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
        return exception_of(error)
    raise AssertionError("it did not fail")
