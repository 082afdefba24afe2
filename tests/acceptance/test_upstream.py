"""Two real services, one of which needs the other: the bad release is upstream, users see the other."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.deployers.control import free_port
from amends.application.alerts import open_from_alert
from amends.bootstrap import open_workspace, stop_local_services
from tests.repositories import Repo

pytestmark = pytest.mark.slow

# Answers, counts its answers, and asks the service that it needs before it does. BROKEN fails every second.
SERVER = """
import sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
NEEDS, BROKEN, counts = {needs!r}, {broken}, {{"200": 0, "500": 0}}
class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        code = "200"
        if self.path == "/rate":
            code = self.rate()
            counts[code] += 1
        rows = [f'http_requests_total{{{{code="{{c}}"}}}} {{n}}' for c, n in counts.items()]
        body = ("\\n".join(["# TYPE http_requests_total counter", *rows, ""])).encode()
        self.send_response(int(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def rate(self):
        if BROKEN and sum(counts.values()) % 2:
            return "500"
        try:
            if NEEDS:
                urllib.request.urlopen(NEEDS, timeout=5).read()
        except OSError:
            return "500"
        return "200"
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
"""
POLICY = """
service: {service}
team: {service}-team
environments: [production]
gates:
  production:
    - tests: {{suites: [unit]}}
      mode: block
{more}
rollout:
  steps: [{{weight: 50, for: 8s}}]
watch:
  interval: 100ms
  on_inconclusive: promote
  metrics:
    - name: errors
      kind: ratio
      events: 'http_requests_total{{code=~"5.."}}'
      total: http_requests_total
      limit: {{above: 0.2, min_requests: 40}}
deploy:
  process:
    run: "{{python}} server.py {{port}}"
    ready: /healthz
    ports: {{production: {port}}}
"""
DEPENDS = """
    - depends_on: {services: [{service: ledger}]}
      mode: block
"""


class Service:
    """A service with its repository, its policy and its own processes; the log is one for all."""

    def __init__(self, root: Path, name: str, *, more: str = "") -> None:
        self.root, self.name, self.port = root, name, free_port()
        self.repo = Repo(root / name)
        (self.repo.path / ".git/info/exclude").write_text(".amends\nunit.xml\n")
        self.policy = POLICY.format(service=name, more=more, port=self.port)

    def release(self, version: str, *, needs: str = "", broken: bool = False) -> None:
        server = SERVER.format(needs=needs, broken=broken)
        commit = self.repo.commit(f"Version {version}", **{"server.py": server, "amends.yaml": self.policy})
        self.run("record", "release", version, "--commit", commit)
        (self.repo.path / "unit.xml").write_text(
            '<testsuite name="unit"><testcase classname="t" name="a"/></testsuite>'
        )
        self.run("record", "tests", version, "--suite", "unit", "unit.xml")

    def run(self, *words: str, exits: int = 0) -> str:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AMENDS_")}
        done = subprocess.run(
            [sys.executable, "-m", "amends", *words], cwd=self.repo.path, capture_output=True, text=True,
            env={**clean, "AMENDS_STORE": str(self.root / "log.db")}, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == exits, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def incident(self, name: str) -> Any:
        return json.loads(self.run("incident", "show", name, "--format", "json"))


class Users:
    """People who use the shop, and note when it first failed them."""

    def __init__(self, port: int) -> None:
        self.port, self.first_failure = port, threading.Event()
        self.failed_at: datetime | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._use)

    def __enter__(self) -> Users:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _use(self) -> None:
        while not self._end.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request("GET", "/rate")
            status = connection.getresponse().status
            connection.close()
            if status != 200 and self.failed_at is None:
                self.failed_at = datetime.now(UTC)
                self.first_failure.set()
            time.sleep(0.005)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    ledger, shop = Service(tmp_path, "ledger"), Service(tmp_path, "shop", more=DEPENDS)
    try:
        yield ledger, shop
    finally:
        for one in (shop, ledger):
            stop_local_services(one.repo.path / ".amends")


def test_the_release_upstream_began_it_and_both_owners_are_told(
    services: tuple[Service, Service], tmp_path: Path
) -> None:
    ledger, shop = services
    ledger.release("1")
    ledger.run("deploy", "1", "--to", "production")
    shop.release("1", needs=f"http://127.0.0.1:{ledger.port}/rate")
    shop.run("deploy", "1", "--to", "production")
    ledger.release("2", broken=True)
    with Users(shop.port) as users:
        assert "INC-1" in ledger.run("deploy", "2", "--to", "production", exits=1)
        assert users.first_failure.is_set()
    workspace = open_workspace(store=str(tmp_path / "log.db"))
    assert users.failed_at is not None
    labels = {"alertname": "ShopFails", "service": "shop", "environment": "production"}
    alert = {
        "fingerprint": "f",
        "startsAt": users.failed_at.isoformat(),
        "labels": labels,
        "status": "firing",
    }
    (taken,) = open_from_alert(workspace.log, {"version": "4", "alerts": [alert]})
    workspace.close()

    seen = shop.incident(taken.incident)
    assert (seen["service"], seen["release"]) == ("shop", "1")
    assert (seen["origin"]["service"], seen["origin"]["release"]) == ("ledger", "2")
    assert seen["origin"]["upstream"]
    assert seen["origin"]["shown"]
    assert [(one["service"], one["relation"], one["team"]) for one in seen["neighbours"]] == [
        ("ledger", "upstream", "ledger-team")
    ]
    (beside,) = seen["around"]
    assert beside["began"]
    assert {"tests": "ran, sight unknown"}.items() <= {r["gate"]: r["state"] for r in beside["rows"]}.items()
    assert "depends_on" in {row["gate"] for row in seen["matrix"]["rows"]}

    own = ledger.incident("INC-1")
    assert (own["origin"]["service"], own["origin"]["upstream"]) == ("ledger", False)
    assert [(one["service"], one["relation"], one["team"]) for one in own["neighbours"]] == [
        ("shop", "downstream", "shop-team")
    ]
    assert {row["gate"] for row in own["around"][0]["rows"]} >= {"tests", "depends_on"}

    shop.run("incident", "answer", taken.incident, "tests", "No test makes it fail", "--of", "ledger")
    (answered,) = [r for r in shop.incident(taken.incident)["around"][0]["rows"] if r["gate"] == "tests"]
    assert answered["answers"][0]["words"] == "No test makes it fail"
    assert taken.incident in ledger.run("incident", "list", "--service", "ledger")
