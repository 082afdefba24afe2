"""What a query API may answer when something is wrong. The answers come from a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from amends.adapters.metrics.access import HttpAccess
from amends.adapters.metrics.prometheus import PrometheusSource
from amends.errors import UsageError
from amends.watch.measurements import Arms, MetricKind
from amends.watch.plan import MetricSpec

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPEC = MetricSpec("5xx", events='e{v="$version"}', total='t{v="$version"}')
ARMS = Arms("shop", "production", baseline_version="1", candidate_version="2")

Serve = Callable[[int, bytes], tuple[str, list[dict[str, str]]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes) -> tuple[str, list[dict[str, str]]]:
        seen: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                seen.append(dict(self.headers))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def vector(*values: object) -> bytes:
    result = [{"metric": {"instance": "i", **m}, "value": [1, v]} for m, v in values]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            400,
            b'{"status":"error","errorType":"bad_data","error":"parse error"}',
            'refused `e{v="1"}`: parse',
        ),
        (502, b"<html>Bad Gateway</html>", "answered 502"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}', "gives a matrix"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{}]}}', "not in the form"),
        (200, b"[]", "not in the form"),
        (200, vector(), "has no metric `e`"),
    ],
)
def test_a_bad_answer_is_a_problem_and_no_reading(serve: Serve, status: int, body: bytes, said: str) -> None:
    url, _ = serve(status, body)
    found = PrometheusSource(url).read([SPEC], ARMS, AT)
    assert found.readings == ()
    assert said in found.problems[0]
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1", "cannot be reached"), ("http://prometheus:port", "an address that is not one")],
)
def test_a_server_that_is_not_there(url: str, said: str) -> None:
    found = PrometheusSource(url).read([SPEC], ARMS, AT)
    assert found.readings == ()
    assert said in found.problems[0]


def test_numbers_that_are_none_reach_the_watch_as_such(serve: Serve) -> None:
    url, _ = serve(200, vector(({}, "NaN")))
    found = PrometheusSource(url).read([SPEC], ARMS, AT)
    assert len(found.readings) == 2
    assert not any(r.is_usable() for r in found.readings)


def test_a_histogram_without_its_last_bucket(serve: Serve) -> None:
    url, _ = serve(200, vector(({"le": "0.1"}, "4")))
    spec = MetricSpec("latency", MetricKind.LATENCY, histogram="took")
    assert 'le="+Inf"' in PrometheusSource(url).read([spec], ARMS, AT).problems[0]


@pytest.mark.parametrize(
    ("access", "sent"),
    [
        (HttpAccess(bearer="s3cret"), ("Authorization", "Bearer s3cret")),
        (HttpAccess(basic=("me", "s3cret")), ("Authorization", "Basic bWU6czNjcmV0")),
        (HttpAccess(headers={"X-Scope-OrgID": "s3cret"}), ("X-Scope-OrgID", "s3cret")),
    ],
)
def test_credentials_are_sent_and_never_shown(
    serve: Serve, access: HttpAccess, sent: tuple[str, str]
) -> None:
    url, seen = serve(401, b"no")
    found = PrometheusSource(url, access).read([SPEC], ARMS, AT)
    assert seen[0][sent[0]] == sent[1]
    assert "s3cret" not in repr(access) + repr(found)


def test_two_credentials_or_a_broken_certificate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both"):
        HttpAccess(bearer="a", basic=("b", "c")).client()
    pem = tmp_path / "ca.pem"
    pem.write_text("not a certificate")
    with pytest.raises(UsageError, match="certificate"):
        HttpAccess(ca=pem).client()
