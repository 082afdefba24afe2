"""A whole watch through a real Prometheus, and a source behind TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from amends.adapters.metrics.access import HttpAccess
from amends.adapters.metrics.prometheus import PrometheusSource
from amends.watch.assess import assess
from amends.watch.assessment import Cause, Health
from amends.watch.measurements import Arms, MetricKind
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import begin_watch
from tests.contract.metric_worlds import prometheus_world, running_prometheus

ERRORS = MetricSpec(
    "5xx",
    events='http_requests_total{code=~"5..",version="$version"}',
    total='http_requests_total{version="$version"}',
)
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram='took_seconds{version="$version"}')


def test_a_watch_finds_what_is_worse_across_a_restart(prometheus_binary: Path, tmp_path: Path) -> None:
    plan = WatchPlan((ERRORS, LATENCY))
    with running_prometheus(prometheus_binary, tmp_path) as server, prometheus_world(server, 0) as world:
        world.baseline.serve(100)
        world.candidate.serve(100)
        state = begin_watch(datetime.now(UTC))
        for tick in range(6):
            snapshot = world.read(*plan.metrics)
            now = snapshot.readings[0].at
            state, said = assess(plan, state, snapshot.readings, Health(), now, snapshot.problems)
            if said.verdict == "roll_back":
                break
            if tick == 2:
                world.candidate.stop()
                world.candidate.start()
            world.baseline.serve(49)
            world.baseline.serve(1, code="500")
            world.candidate.serve(44)
            world.candidate.serve(6, code="500")
    assert (said.cause, said.moved) == (Cause.PROVEN_WORSE, ("5xx",))
    assert tick > 3  # the decision needed what came after the restart
    assert state.metric("5xx").candidate.exposure == 50 * tick


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A query API behind a certificate that only its own file vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with: apt-get install openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert,
        ],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                b'{"status":"success","data":{"resultType":"vector","result":'
                b'[{"metric":{"instance":"i"},"value":[1,"7"]}]}}'
            )

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("localhost", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://localhost:{server.server_port}", cert
    server.shutdown()
    server.server_close()


def test_a_certificate_authority_of_ones_own(tls_server: tuple[str, Path]) -> None:
    url, cert = tls_server
    arms = Arms("shop", "production")
    stranger = PrometheusSource(url).read([ERRORS], arms, datetime.now(UTC))
    assert stranger.readings == ()
    assert "certificate" in stranger.problems[0].lower()
    friend = PrometheusSource(url, HttpAccess(ca=cert)).read([ERRORS], arms, datetime.now(UTC))
    assert [r.value for r in friend.readings] == [7, 7]
