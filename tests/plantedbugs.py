"""A generated repository whose release 1.4.0 has one planted bug of each kind, mended in 1.4.1, and captures.

Bugs: an exception on a call, on an ASGI and on a WSGI request, through a running service and through a
command; a wrong value; a flaky failure; one that is only a missing import; a hang; one that needs setup.
"""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

from tests.repositories import Repo

BAD, GOOD = "v1.4.0", "v1.4.1"
ZERO = {"type": "ZeroDivisionError", "message": "division by zero"}

# Proofs start pytest often; these plugins take most of its start.
QUICK = "[pytest]\naddopts = -p no:playwright -p no:hypothesispytest -p no:xdist -p no:anyio\n"

PRICE = '''"""Prices."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Cart:
    items: list
    people: tuple = ()

    def share(self):
        return sum(self.items) / {people}


def describe(basket, currency="EUR", note=""):
    amounts = [line["amount"] for line in basket["lines"] if line.get("kind") != "gift"]
    return f"{{sum(amounts) / {amounts}}} {{currency}}"


async def fetch(basket):
    return describe(basket)


def walk(basket):
    yield describe(basket)


def vat(order):
    return {{"net": order["net"], "gross": order["net"] + {vat}, "lines": len(order["lines"])}}


def refuse(text):
    {refuse}return int(text)
'''
MENDED = {"people": "(len(self.people) or 1)", "amounts": "(len(amounts) or 1)", "vat": 'order["net"] // 5'}
BROKEN = {"people": "len(self.people)", "amounts": "len(amounts)", "vat": 'order["net"] // 4'}
REFUSING = "if not text.isdigit():\n        raise OverflowError(text)\n    "

WEB = '''"""The shop as an ASGI and as a WSGI application."""

import json
import logging
import traceback

from shop.price import describe

started = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        started.append(True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    assert started, "the lifespan was not run"
    body = (await receive())["body"]
    text = describe(json.loads(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text})


def wsgi(environ, start_response):
    try:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        text, status = describe(json.loads(body)), "200 OK"
    except Exception:
        logging.getLogger("shop").exception("failed")
        text, status = "broken", "500 Internal Server Error"
    start_response(status, [])
    return [text.encode()]
'''
SERVER = '''"""The shop as a service of its own: python -m shop.server PORT."""

import sys
from wsgiref.simple_server import make_server

from shop.web import wsgi


def served(environ, start_response):
    if environ["PATH_INFO"] == "/healthz":
        start_response("200 OK", [])
        return [b"ok"]
    {broken}return wsgi(environ, start_response)


make_server("127.0.0.1", int(sys.argv[1]), served).serve_forever()
'''
NOTHING_WORKS = 'start_response("500 Internal Server Error", [])\n    return [b"no database"]\n    '

COMMAND = '''"""Read a price list."""

import sys

from shop.price import describe

lines = open(sys.argv[1]).read().splitlines()
if any("%%" in line for line in lines):
    sys.exit("parse error in " + sys.argv[1] + ": stray percent at column 17") if {strict} else None
if "explode" in lines:
    describe({{"lines": []}})
print("ok", len(lines))
'''
ODD = '''"""What should not be trusted."""

import os
import time


def sometimes(word):
    if os.urandom(1)[0] % 2:
        raise KeyError(word)


def forever(word):
    time.sleep(600)


def dies(word):
    os._exit(3)


def forks(word):
    os.fork()
    time.sleep(600)
'''
TRAP = '''"""Only importable where a package is that nobody has."""

from no_such_package_anywhere import share


def total(items):
    return share(items)
'''
RATES = '''"""Needs a module that setting up makes."""

from shop.made_by_setup import RATES


def rate(name):
    return RATES[name]{rate}
'''


def planted_repository(path: Path) -> Repo:
    """Make the repository: v1.4.0 with every bug, v1.4.1 without."""
    repo = Repo(path)
    for version, parts, more in ((BAD, BROKEN, {"refuse": ""}), (GOOD, MENDED, {"refuse": REFUSING})):
        fixed = version == GOOD
        repo.commit(
            f"Version {version}",
            **{
                "shop__price.py": PRICE.format(**parts, **more),
                "shop__web.py": WEB,
                "shop__server.py": SERVER.format(broken=""),
                "shop__down.py": SERVER.format(broken=NOTHING_WORKS),
                "shop__command.py": COMMAND.format(strict=not fixed),
                "shop__odd.py": ODD,
                "shop__trap.py": TRAP,
                "shop__rates.py": RATES.format(rate="" if fixed else "[0]"),
                "shop__rates.txt": "RATES = {'a': 1}\n",
                "tests__.keep": "",
                "pytest.ini": QUICK,
            },
        )
        repo.git("tag", version)
    return repo


def setup_command() -> str:
    """Return a setup that makes the module and gives the new environment this one's packages (pytest)."""
    own = sysconfig.get_paths()["purelib"]
    site = "$(python -c 'import sysconfig; print(sysconfig.get_paths()[\"purelib\"])')"
    return f"cp shop/rates.txt shop/made_by_setup.py && echo {own} > {site}/other.pth"


def capture(path: Path, **parts: Any) -> Path:
    """Write a capture by hand; what is given replaces or adds to an empty one."""
    empty: dict[str, Any] = {
        "schema": "amends.capture/1", "id": "c-1", "at": "2026-03-20T14:27:05Z", "service": "shop",
        "release": "1.4.0", "environment": "production", "trace_id": "", "kind": "call", "why": "exception",
        "request": None, "call": None, "response": None, "exception": None, "redacted": [], "cut": [],
    }  # fmt: skip
    path.write_text(json.dumps({**empty, **parts}))
    return path


def call(function: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return a call as a capture has it."""
    return {"function": function, "file": "", "args": list(args), "kwargs": kwargs}


def raised(kind: str, *frames: str) -> dict[str, Any]:
    """Return an exception as a capture has it; a frame is ``path:function``."""
    told = [{"file": "/srv/app/" + f.partition(":")[0], "function": f.partition(":")[2]} for f in frames]
    return {"type": kind, "message": "it broke", "frames": [{**one, "line": 1, "locals": {}} for one in told]}


def request(path: str, body: Any, **more: Any) -> dict[str, Any]:
    """Return a request as a capture has it."""
    headers = [["content-type", "application/json"], ["host", "shop.example"], ["x-trace", "abc"]]
    return {"method": "POST", "path": path, "query": [["a", "1"]], "headers": headers, "body": body, **more}


BASKET = {
    "customer": {"name": "A. Nonymous", "since": 2019, "tags": ["new", "gold"]},
    "lines": [{"amount": 3, "kind": "gift"}, {"amount": 4, "kind": "gift", "note": "a long text here"}],
}
