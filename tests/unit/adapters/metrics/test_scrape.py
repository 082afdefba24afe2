"""Instances that do not answer as they should. Those that do are in the contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from amends.adapters.metrics.access import HttpAccess
from amends.adapters.metrics.scrape import ScrapeSource
from amends.watch.measurements import Arm, Arms, Endpoint
from amends.watch.plan import MetricSpec

SPEC = MetricSpec("5xx", events='a{code="500"}', total="a")
PAGES = {
    "/good": (200, b'a{code="200"} 5\n'),
    "/bad": (500, b"broken"),
    "/html": (200, b"<html><p>a login page</html>"),
    "/torn": (200, b'a{code="200"} fi'),
    "/bytes": (200, b"\xff\xfe\x00"),
}


@pytest.fixture
def address() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/slow":
                released.wait(10)
                return
            status, body = PAGES[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    released.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "said", "unanswered"),
    [
        ("/bad", "c-1 answered 500 Internal Server Error.", ("c-1",)),
        ("/slow", "c-1 did not answer in time.", ("c-1",)),
        ("/torn", "c-1 gave a page that is not in Prometheus' text format", ("c-1",)),
        ("/html", '5xx: c-1: `a{code="500"}` selects a metric that is not there', ()),
        ("/bytes", "5xx: c-1:", ()),
    ],
)
def test_one_that_fails_leaves_the_others(
    address: str, path: str, said: str, unanswered: tuple[str, ...]
) -> None:
    arms = Arms(
        "shop",
        "production",
        (Endpoint("b-1", f"{address}/good"),),
        (Endpoint("c-1", f"{address}{path}"), Endpoint("c-2", f"{address}/good")),
    )
    source = ScrapeSource(HttpAccess(timeout_seconds=0.3))
    found = source.read([SPEC], arms, datetime.now(UTC))
    source.close()
    assert [(r.arm, r.instance) for r in found.readings] == [(Arm.BASELINE, "b-1"), (Arm.CANDIDATE, "c-2")]
    (problem,) = found.problems
    assert problem.startswith(said)
    assert found.unanswered == unanswered


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no metrics address"),
        ("http://127.0.0.1:1/", "cannot be reached"),
        ("http://c:port/metrics", "not one"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, said: str) -> None:
    arms = Arms("shop", "production", candidate=(Endpoint("c-1", url),))
    found = ScrapeSource().read([SPEC], arms, datetime.now(UTC))
    assert found.unanswered == ("c-1",)
    assert said in found.problems[0]
