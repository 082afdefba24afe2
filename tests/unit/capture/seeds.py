"""Generated secrets, and every place from which one could reach the disk."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from amends_capture.redaction.masking import luhn

ALNUM = string.ascii_letters + string.digits


def drawn(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def card(rng: random.Random) -> str:
    body = "4" + drawn(rng, string.digits, 14)
    return body + str(-luhn(body + "0") % 10)


def jwt(rng: random.Random) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": drawn(rng, ALNUM, 12), "exp": 1_900_000_000}]
    texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*texts, drawn(rng, ALNUM, 43)])


# By shape: known for what they are wherever they stand.
SHAPES: dict[str, Callable[[random.Random], str]] = {
    "github": lambda r: "ghp_" + drawn(r, ALNUM, 36),
    "stripe": lambda r: "sk_live_" + drawn(r, ALNUM, 24),
    "aws": lambda r: "AKIA" + drawn(r, string.ascii_uppercase + string.digits, 16),
    "slack": lambda r: f"xoxb-{drawn(r, string.digits, 11)}-{drawn(r, ALNUM, 24)}",
    "jwt": jwt,
    "email": lambda r: f"{drawn(r, string.ascii_lowercase, 9)}@{drawn(r, string.ascii_lowercase, 8)}.com",
    "card": card,
}
# By name: nothing tells them from other text but the name they stand under.
NAMED: dict[str, Callable[[random.Random], str]] = {
    "password": lambda r: drawn(r, ALNUM + "!#$%&*+?", 14),
    "pass_word": lambda r: drawn(r, string.ascii_lowercase, 10),
    "pin": lambda r: drawn(r, string.digits, 8),
    "client_secret": lambda r: drawn(r, ALNUM + "~_-", 32),
    "unicode": lambda r: drawn(r, "åäöéüßñçжбд", 6) + drawn(r, ALNUM, 6),
    "quoted": lambda r: drawn(r, ALNUM, 8) + '"\\' + drawn(r, ALNUM, 6),
}
NAMES = (
    "password",
    "apiKey",
    "X-Api-Key",
    "db_password",
    "client_secret",
    "sessionToken",
    "PIN",
    "card_number",
)


class Place:
    """Where a secret is put: a request's parts, an exception and a local variable."""

    def __init__(self, **parts: Any) -> None:
        self.path: str = parts.get("path", "/pay")
        self.query: bytes = parts.get("query", b"")
        self.headers: list[tuple[bytes, bytes]] = parts.get("headers", [])
        self.body: bytes = parts.get("body", b"")
        self.message: str = parts.get("message", "it failed")
        self.locals: dict[str, Any] = parts.get("locals", {})


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def wrapped(value: bytes) -> str:
    return base64.b64encode(value).decode()


def kind(name: str) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", name.encode())]


ZIPPED = [*kind("application/json"), (b"content-encoding", b"gzip")]
FORM = kind("application/x-www-form-urlencoded")


def multipart(name: str, secret: str) -> Place:
    text = f'--x9\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--x9--\r\n'
    return Place(headers=kind("multipart/form-data; boundary=x9"), body=text.encode())


def basic(secret: str) -> bytes:
    return f"Basic {wrapped(f'jo:{secret}'.encode())}".encode()


def blob(value: bytes) -> bytes:
    return f"blob={quote_plus(value)}".encode()


class Held:
    """An object of a service, with an attribute."""

    def __init__(self, name: str, secret: str) -> None:
        setattr(self, name, secret)


# Under a name that says so, any secret is found.
UNDER_A_NAME: dict[str, Callable[[str, str], Place]] = {
    "header": lambda n, s: Place(headers=[(b"x-api-key", s.encode("latin-1", "ignore") or b"x")]),
    "basic": lambda n, s: Place(headers=[(b"authorization", basic(s))]),
    "cookie": lambda n, s: Place(headers=[(b"cookie", f"a=1; session={quote(s)}".encode())]),
    "query": lambda n, s: Place(query=f"a=1&{n}={quote_plus(s)}".encode()),
    "form": lambda n, s: Place(headers=FORM, body=f"a=1&{n}={quote_plus(s)}&b=2".encode()),
    "multipart": multipart,
    "json": lambda n, s: Place(headers=kind("application/json"), body=dumped({"a": [{"b": {n: s}}]})),
    "escaped json": lambda n, s: Place(body=json.dumps({n: s}, ensure_ascii=False).encode()),
    "everything below": lambda n, s: Place(body=dumped({n: {"value": [s, {"x": s}]}})),
    "named beside": lambda n, s: Place(body=dumped([{"value": s, "name": n}, {"key": n, "value": s}])),
    "broken json": lambda n, s: Place(headers=kind("application/json"), body=dumped({"a": 1, n: s})[:-1]),
    "gzip": lambda n, s: Place(headers=ZIPPED, body=gzip.compress(dumped({n: s}))),
    "gzip within base64": lambda n, s: Place(body=dumped({"blob": wrapped(gzip.compress(dumped({n: s})))})),
    "base64 twice": lambda n, s: Place(body=dumped({"blob": wrapped(wrapped(dumped({n: s})).encode())})),
    "hexadecimal": lambda n, s: Place(body=dumped({"blob": dumped({n: s}).hex()})),
    "json within json": lambda n, s: Place(body=dumped({"blob": json.dumps({n: s})})),
    "json within a form": lambda n, s: Place(headers=FORM, body=blob(dumped({n: s}))),
    "exception's repr": lambda n, s: Place(message=f"no account for {({n: s})!r}"),
    "told in the body": lambda n, s: Place(body=dumped({n: s}), message=f"cannot log in with {s}."),
    "local": lambda n, s: Place(locals={n.replace("-", "_"): s}, message=f"bad value {s}"),
    "local bytes": lambda n, s: Place(locals={"raw": dumped({n: s}), n.replace("-", "_"): s.encode()}),
    "local object": lambda n, s: Place(locals={"user": Held(n, s), "row": (1, {n: s})}),
    "local pairs": lambda n, s: Place(locals={"pairs": [(n, s)], "raw": [(n.encode(), s.encode())]}),
}  # fmt: skip
# A secret with a shape of its own is found where nothing names it.
ANYWHERE: dict[str, Callable[[str, str], Place]] = {
    "path": lambda n, s: Place(path=f"/reset/{s}/now"),
    "query value": lambda n, s: Place(query=f"next={quote_plus(s)}".encode()),
    "any header": lambda n, s: Place(headers=[(b"referer", f"https://a.example/?x={quote(s)}".encode())]),
    "text": lambda n, s: Place(headers=kind("text/plain"), body=f"call me: {s}, please".encode()),
    "key of a dictionary": lambda n, s: Place(body=dumped({"by": {s: 1}}), locals={"by": {s: 1}}),
    "binary": lambda n, s: Place(
        headers=kind("application/octet-stream"), body=b"\xff\xfe\x00" + s.encode() + b"\xff"
    ),
    "message": lambda n, s: Place(message=f"unknown: {s}"),
    "in base64": lambda n, s: Place(body=dumped({"blob": wrapped(f"x {s} y".encode())})),
    "list": lambda n, s: Place(locals={"rows": [[s, 1], {"x": {s, "y"}}]}),
}


def seeded(number: int, seed: int) -> Iterator[tuple[str, str, Place]]:
    """Yield ``number`` secrets, each with its label and a place."""
    rng = random.Random(seed)
    cases = [
        (f, p)
        for p in (*UNDER_A_NAME, *ANYWHERE)
        for f in (*SHAPES, *NAMED)
        if p in UNDER_A_NAME or f in SHAPES
    ]
    for n in range(number):
        form, place = cases[n % len(cases)]
        secret = (SHAPES.get(form) or NAMED[form])(rng)
        make = UNDER_A_NAME.get(place) or ANYWHERE[place]
        if place in ("header",):
            secret = secret.encode("latin-1", "ignore").decode("latin-1")
        yield f"{form} in {place}", secret, make(rng.choice(NAMES), secret)
