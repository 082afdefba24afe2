"""All at once: PostgreSQL, a worker, a service under load, Prometheus, Alertmanager, ``amends serve``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from amends.application.deployments import list_deployments
from amends.application.incidents import list_incidents
from amends.bootstrap import Workspace, open_workspace, toolbox
from amends.demo import repository as shop
from amends.events import payloads as p
from tests.servers import die_with_parent, free_port

pytestmark = pytest.mark.slow

POLICY = """
service: shop
team: shop-team
environments: [production]
gates: {{production: []}}
rollout: {{steps: [{{weight: 50, for: {seconds}s}}]}}
watch:
  interval: 500ms
  min_requests: 100
  on_inconclusive: {wish}
  source: {{prometheus: {{url: "{url}"}}}}
  metrics:
    - name: errors
      events: 'http_requests_total{{code=~"5..",version="$version"}}'
      total: 'http_requests_total{{version="$version"}}'
deploy:
  process:
    run: "{{python}} -m shop --port {{port}}"
    ready: /healthz
    metrics: /metrics
    fresh_baseline: false
    ports: {{production: {port}}}
"""


class Town:
    """A folder with the demo's shop in git, its policy, a log in PostgreSQL, and processes to stop."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self.store = store
        self.repo = folder / "shop"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("AMENDS_")}
        self.env |= {
            "AMENDS_STORE": store, "AMENDS_STATE": str(folder / "state"), "PYTHONUNBUFFERED": "1",
            "AMENDS_POLICY": str(self.repo / "amends.yaml"),
        }  # fmt: skip
        self.processes: list[subprocess.Popen[str]] = []

    def build(self, prometheus: str) -> str:
        """Write the repository with its last good and its bad version; return the service's address."""
        shop.create(self.repo)
        self.prometheus, self.port = prometheus, free_port()
        for number, version in enumerate(v for v in shop.HISTORY if v.version in (shop.LAST_GOOD, shop.BAD)):
            commit = shop.commit_version(self.repo, version, datetime(2026, 1, 5 + number, tzinfo=UTC))
            self.policy("promote", seconds=1)
            self.amends("record", "release", version.version, "--commit", commit)
        return f"http://127.0.0.1:{self.port}"

    def policy(self, wish: str, *, seconds: int) -> None:
        text = POLICY.format(url=self.prometheus, port=self.port, wish=wish, seconds=seconds)
        (self.repo / "amends.yaml").write_text(text)

    def amends(self, *words: str, exits: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "amends", *words], cwd=self.repo, env=self.env, capture_output=True,
            text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == exits, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *words: str | Path, cwd: Path | None = None) -> Path:
        """Start a program; return the file that it writes to."""
        said = self.folder / f"said-{len(self.processes)}.log"
        with said.open("w") as out:
            self.processes.append(
                subprocess.Popen(
                    [str(word) for word in words], cwd=cwd or self.folder, env=self.env, stdout=out,
                    stderr=out, text=True, preexec_fn=die_with_parent,
                )
            )  # fmt: skip
        return said

    def workspace(self) -> Workspace:
        return open_workspace(store=self.store, policy=self.env["AMENDS_POLICY"])

    def close(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def town(tmp_path: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    made = Town(tmp_path, postgres_database)
    monkeypatch.setenv("AMENDS_STATE", made.env["AMENDS_STATE"])
    yield made
    made.close()


def start_prometheus(town: Town, program: Path) -> str:
    """Start a Prometheus that finds its targets in ``targets.json``."""
    (town.folder / "targets.json").write_text("[]")
    (town.folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 400ms}\n"
        "scrape_configs:\n  - job_name: shop\n    file_sd_configs: [{files: [targets.json]}]\n"
    )
    url = f"http://127.0.0.1:{free_port()}"
    said = town.start(
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
        f"--web.listen-address={url.removeprefix('http://')}",
    )  # fmt: skip
    until(lambda: answers(f"{url}/-/ready"), "Prometheus is ready", said)
    return url


def announce_instances(town: Town, stop: threading.Event) -> None:
    """Tell Prometheus what runs, as a platform's service discovery would."""
    workspace = town.workspace()
    tools, targets = toolbox(workspace), town.folder / "targets.json"
    while not stop.wait(0.2):
        for d in list_deployments(workspace.log)[:1]:
            running = tools.deployer_for(d).observe("shop", "production").instances
            found = [
                {"targets": [i.metrics_url.split("/")[2]], "labels": {"version": i.version}} for i in running
            ]
            if json.loads(targets.read_text()) != found:
                fresh = targets.with_suffix(".new")
                fresh.write_text(json.dumps(found))
                fresh.replace(targets)
    workspace.close()


@pytest.fixture
def announced(town: Town) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=announce_instances, args=(town, stop))
    thread.start()
    yield
    stop.set()
    thread.join()
    workspace = town.workspace()
    for d in list_deployments(workspace.log)[:1]:
        deployer: Any = toolbox(workspace).deployer_for(d)
        deployer.stop_all("shop", "production")
    workspace.close()


@pytest.mark.usefixtures("announced")
def test_a_worker_rolls_back_what_prometheus_shows_to_be_worse(town: Town, prometheus_binary: Path) -> None:
    url = start_prometheus(town, prometheus_binary)
    address = town.build(url)
    worker = town.start(sys.executable, "-m", "amends", "worker", cwd=town.repo)
    until(lambda: "carries deployments on" in worker.read_text(), "the worker starts", worker)
    town.amends("deploy", shop.LAST_GOOD, "--to", "production", "--no-wait")
    workspace = town.workspace()
    until(lambda: list_deployments(workspace.log)[0].finished, "the good release is there", worker)
    town.start(
        sys.executable, "-m", "amends.demo.traffic", address, "--rate", "150", "--edge-share", "0.2"
    )  # fmt: skip
    town.policy("extend", seconds=60)
    town.amends("deploy", shop.BAD, "--to", "production", "--no-wait")

    def bad() -> Any:
        return next(d for d in list_deployments(workspace.log) if d.candidate.version == shop.BAD)

    until(lambda: bad().finished and bad().incident, "the bad release is rolled back", worker)
    looks = workspace.log.facts(tags=(f"deployment:{bad().id}",), kinds=("watch.assessed",))
    last = looks[-1].payload
    assert isinstance(last, p.WatchAssessed)
    assert (bad().outcome, last.verdict, last.problems) == ("rolled_back", "roll_back", ())
    assert last.metrics[0]["metric"] == "errors"
    assert httpx.get(f"{address}/healthz").status_code == 200
    workspace.close()


def test_alertmanager_opens_an_incident_once_however_often_it_calls(
    town: Town, alertmanager_binary: Path
) -> None:
    town.build("http://127.0.0.1:9")
    town.amends("record", "deployed", shop.BAD, "--env", "production")
    said = town.start(sys.executable, "-m", "amends", "serve", "--port", "0", cwd=town.repo)
    token, url = until(
        lambda: re.search(r"AMENDS_STORE=(\S+) AMENDS_TOKEN=(\S+)", said.read_text()), "serve starts", said
    ).groups()[::-1]
    (town.folder / "alertmanager.yml").write_text(
        "route: {receiver: amends, group_wait: 0s, group_interval: 1s, repeat_interval: 1s}\n"
        "receivers:\n  - name: amends\n    webhook_configs:\n"
        f"      - url: {url}/hooks/alertmanager\n"
        f"        http_config: {{authorization: {{credentials: {token}}}}}\n"
    )
    manager = f"http://127.0.0.1:{free_port()}"
    log = town.start(
        alertmanager_binary, "--config.file=alertmanager.yml", "--storage.path=am",
        f"--web.listen-address={manager.removeprefix('http://')}", "--cluster.listen-address=",
    )  # fmt: skip
    until(lambda: answers(f"{manager}/-/ready"), "Alertmanager is ready", log)
    alert = {
        "labels": {"alertname": "TooManyErrors", "service": "shop", "environment": "production"},
        "annotations": {"summary": "one in ten orders fails"},
    }
    assert httpx.post(f"{manager}/api/v2/alerts", json=[alert]).status_code == 200

    def deliveries() -> int:
        found = re.findall(
            r'alertmanager_notifications_total\{.*integration="webhook".*\} (\d+)',
            httpx.get(f"{manager}/metrics").text,
        )
        return sum(map(int, found))

    until(lambda: deliveries() >= 2, "it delivered twice", log)
    workspace = town.workspace()
    (incident,) = until(lambda: list_incidents(workspace.log), "the incident is there", said)
    assert incident.opened.opened_by == "alert"
    workspace.close()


def until(look: Callable[[], Any], what: str, said: Path, patience: float = 120.0) -> Any:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain until {what}:\n{said.read_text()[-3000:]}")


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
