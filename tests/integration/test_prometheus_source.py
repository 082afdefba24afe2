"""A whole watch through a real Prometheus, and a source behind TLS."""

from __future__ import annotations

import csv
import json
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from amends.adapters.metrics.access import HttpAccess
from amends.adapters.metrics.prometheus import PrometheusSource
from amends.events.event import format_time
from amends.watch.answers import kept_answers
from amends.watch.assess import assess
from amends.watch.assessment import Cause, Health
from amends.watch.measurements import Arms, MetricKind
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import begin_watch
from amends.watch.tabulated import rows_between
from tests.contract.metric_worlds import prometheus_world, running_prometheus

ERRORS = MetricSpec(
    "5xx",
    events='http_requests_total{code=~"5..",version="$version"}',
    total='http_requests_total{version="$version"}',
)
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram='took_seconds{version="$version"}')
FETCHED = """\
service: shop
team: shop-team
environments: [production]
watch:
  source: {{prometheus: {{url: "{url}"}}}}
  metrics:
    - name: 5xx
      events: 'http_requests_total{{code=~"5..",version="$version"}}'
      total: 'http_requests_total{{version="$version"}}'
    - name: latency
      kind: latency
      histogram: 'took_seconds{{version="$version"}}'
"""


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


def test_the_past_is_read_as_the_present_was(prometheus_binary: Path, tmp_path: Path) -> None:
    """Range queries give at each moment what an instant query gives, restart and silence included."""
    specs = (ERRORS, LATENCY)
    with running_prometheus(prometheus_binary, tmp_path) as server, prometheus_world(server, 0) as world:
        assert isinstance(world.source, PrometheusSource)
        begin = datetime.now(UTC)
        for requests in (20, 30, 10):
            world.baseline.serve(requests)
            world.candidate.serve(requests, code="500")
            world.settle()
            if requests == 30:
                world.candidate.stop()
                world.candidate.start()
        end = datetime.now(UTC)
        past = list(world.source.read_range(specs, world.arms, begin, end, 0.1))
        assert past[-1][0] <= end < past[-1][0] + timedelta(seconds=0.1)
        for at, snapshot in past:
            present = world.source.read(specs, world.arms, at)
            assert (snapshot.readings, snapshot.problems) == (present.readings, present.problems)
        rows = list(rows_between([(at, s.readings) for at, s in past], 0.1, 120))
    errors = [row for row in rows if row.metric == "5xx" and row.arm == "candidate"]
    assert 0 < sum(row.value for row in errors) == sum(row.weight or 0 for row in errors)


def test_what_was_asked_and_answered_is_kept(prometheus_binary: Path, tmp_path: Path) -> None:
    with running_prometheus(prometheus_binary, tmp_path) as server, prometheus_world(server, 0) as world:
        world.baseline.serve(3)
        world.candidate.serve(4, code="500")
        snapshot = world.read(ERRORS)
    kept = {answer.query: answer for answer in kept_answers(snapshot)}
    told = kept['http_requests_total{code=~"5..",version="1.4.0"}']
    ((labels, value),) = told.series
    assert (value, told.left_out, len(told.digest)) == ("4", 0, 64)
    assert labels.startswith("http_requests_total{")
    assert 'code="500"' in labels
    assert kept['http_requests_total{version="1.3.0"}'].series


def test_fetch_writes_a_recording(
    prometheus_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begin = datetime.now(UTC)
    with running_prometheus(prometheus_binary, tmp_path) as server, prometheus_world(server, 0) as world:
        Path("amends.yaml").write_text(FETCHED.format(url=server.url))
        for _ in range(3):
            world.baseline.serve(5)
            world.candidate.serve(4)
            world.candidate.serve(1, code="500")
            world.settle()
        words = ["watch", "fetch", "--baseline", "1.3.0", "--candidate", "1.4.0", "--interval", "0.1"]
        done = subprocess.run(
            [sys.executable, "-m", "amends", *words, "--since", format_time(begin), "--out", "rows.csv"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Path("rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ours = [row for row in rows if (row["arm"], row["metric"]) == ("candidate", "5xx")]
    assert {row["kind"] for row in ours} == {"count"}
    events, requests = (sum(float(row[name]) for row in ours) for name in ("value", "weight"))
    assert 9 <= requests <= 15  # the first scrape may have found the first five there already
    assert events in (2, 3)
    buckets = {row["value"] for row in rows if row["metric"] == "latency"}
    assert buckets == {"0.050000000000000003", "0.10000000000000001", "0.5", "inf"}
    words = ["watch", "replay", "rows.csv", "--direction", "higher", "--format", "json"]
    judged = subprocess.run(
        [sys.executable, "-m", "amends", *words], capture_output=True, text=True, check=False
    )
    told = {metric["metric"]: metric["observations"] for metric in json.loads(judged.stdout)["metrics"]}
    assert told["5xx"] == sum(float(row["weight"]) for row in rows if row["metric"] == "5xx")


def test_fetch_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("amends.yaml").write_text(FETCHED.format(url="http://127.0.0.1:1"))
    for words, code, said in (
        (["--baseline", "1"], 2, "give --baseline, --candidate and --since"),
        (["--baseline", "1", "--candidate", "2", "--since", "2026-03-01T00:00:00Z", "--until",
          "2026-03-01T00:00:01Z"], 2, "at least one tick"),
        (["--baseline", "1", "--candidate", "2", "--since", "2026-03-01T00:00:00Z", "--until",
          "2026-03-01T00:01:00Z"], 4, "cannot be reached"),
        (["no-such-deployment"], 2, "no deployment"),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "amends", "watch", "fetch", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr


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
