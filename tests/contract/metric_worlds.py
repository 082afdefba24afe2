"""Two real instances with real ``/metrics`` pages, and what reads them: directly, or through Prometheus."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, make_wsgi_app

from amends.adapters.metrics.prometheus import PrometheusSource
from amends.adapters.metrics.push import PushSource
from amends.adapters.metrics.scrape import ScrapeSource
from amends.adapters.stores.pushes import MemoryPushes
from amends.application.ports import MetricSource
from amends.application.pushing import PushedPage
from amends.watch.measurements import Arm, Arms, Endpoint, MetricSnapshot, Reading
from amends.watch.plan import MetricSpec
from tests.servers import die_with_parent, free_port

BOUNDS = (0.05, 0.1, 0.5)


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Instance:
    """One process of the service, as far as its metrics go."""

    def __init__(self, version: str, port: int = 0) -> None:
        self.version = version
        self.port = port or free_port()
        self._server: WSGIServer | None = None
        self._thread: Thread | None = None
        self.start()

    def start(self) -> None:
        """Start it, with every counter at zero."""
        self.registry = CollectorRegistry()
        names = ("code", "method", "version", "region")
        self._requests = Counter("http_requests", "Requests.", names, registry=self.registry)
        self._took = Histogram("took_seconds", "Time.", ("version",), buckets=BOUNDS, registry=self.registry)
        self.memory = Gauge("memory_bytes", "Memory.", ("version",), registry=self.registry)
        pages = make_wsgi_app(self.registry)
        self._server = make_server("127.0.0.1", self.port, pages, handler_class=_Silent)
        # The default looks only twice a second whether it is to stop.
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def serve(
        self, requests: int, code: str = "200", method: str = "GET", seconds: float = 0.07, region: str = "eu"
    ) -> None:
        """Count requests as the service would."""
        self._requests.labels(code, method, self.version, region).inc(requests)
        for _ in range(requests):
            self._took.labels(self.version).observe(seconds)
        self.memory.labels(self.version).set(1000)

    @property
    def answers(self) -> bool:
        return self._server is not None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"v{self.version}", f"http://127.0.0.1:{self.port}/metrics")


@dataclass
class MetricWorld:
    """A baseline, a candidate, a source, and how to wait until the source can have seen the present."""

    baseline: Instance
    candidate: Instance
    source: MetricSource
    settle: Callable[[], None]

    @property
    def arms(self) -> Arms:
        return Arms(
            "shop", "production", (self.baseline.endpoint,), (self.candidate.endpoint,),
            self.baseline.version, self.candidate.version,
        )  # fmt: skip

    def read(self, *specs: MetricSpec) -> MetricSnapshot:
        """Read what the source can have seen now."""
        self.settle()
        return self.source.read(specs, self.arms, datetime.now(UTC))

    @staticmethod
    def of(snapshot: MetricSnapshot, arm: Arm, segment: str = "") -> Reading:
        """Return the one reading of an arm (and segment)."""
        (found,) = [r for r in snapshot.readings if r.arm is arm and r.segment == segment]
        return found


@contextmanager
def scrape_world() -> Iterator[MetricWorld]:
    """Read both pages directly."""
    baseline, candidate = Instance("1.3.0"), Instance("1.4.0")
    source = ScrapeSource()
    try:
        yield MetricWorld(baseline, candidate, source, lambda: None)
    finally:
        source.close()
        baseline.stop()
        candidate.stop()


@dataclass(frozen=True)
class Prometheus:
    """A running server that scrapes two ports five times a second."""

    url: str
    ports: tuple[int, int]
    folder: Path


@contextmanager
def running_prometheus(program: Path, folder: Path) -> Iterator[Prometheus]:
    """Start a real Prometheus; its first scrapes take seconds, so that tests share it."""
    ports, port = (free_port(), free_port()), free_port()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
        "scrape_configs:\n"
        "  - job_name: shop\n"
        "    static_configs:\n"
        f"      - targets: ['127.0.0.1:{ports[0]}', '127.0.0.1:{ports[1]}']\n"
    )
    process = subprocess.Popen(
        [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
        preexec_fn=die_with_parent,
    )
    try:
        server = Prometheus(f"http://127.0.0.1:{port}", ports, folder)
        _wait(lambda: httpx.get(f"{server.url}/-/ready").status_code == 200, folder)
        yield server
    finally:
        process.kill()
        process.wait()


@contextmanager
def prometheus_world(server: Prometheus, run: int) -> Iterator[MetricWorld]:
    """Read both through Prometheus; ``run`` makes versions whose series no other test has."""
    baseline = Instance(f"1.3.{run}", server.ports[0])
    candidate = Instance(f"1.4.{run}", server.ports[1])
    source = PrometheusSource(server.url)
    try:
        yield MetricWorld(baseline, candidate, source, lambda: _scraped(server))
    finally:
        source.close()
        baseline.stop()
        candidate.stop()


def _scraped(server: Prometheus) -> None:
    """Wait until both targets were scraped (or found dead) after this moment."""
    asked = time.time()

    def both() -> bool:
        answer = httpx.get(f"{server.url}/api/v1/targets").json()["data"]["activeTargets"]
        last = [datetime.fromisoformat(t["lastScrape"][:26].rstrip("Z") + "+00:00") for t in answer]
        # One more interval: what the target list reports may not be in the database yet.
        return len(last) == 2 and min(t.timestamp() for t in last) > asked + 0.25

    _wait(both, server.folder)


def _wait(ready: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if ready():
                return
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"Prometheus did not get there in 30 s: {(folder / 'log').read_text()[-2000:]}")


@contextmanager
def push_world() -> Iterator[MetricWorld]:
    """Read what both have pushed; whoever does not answer has pushed for the last time a minute ago."""
    baseline, candidate = Instance("1.3.0"), Instance("1.4.0")
    pages = MemoryPushes()

    def push() -> None:
        now = datetime.now(UTC)
        for instance in (baseline, candidate):
            at = now if instance.answers else now - timedelta(seconds=61)
            text = generate_latest(instance.registry).decode()
            page = PushedPage(
                "shop", "production", instance.version, instance.endpoint.name, text, "text/plain", at
            )
            pages.put(page, forget=now - timedelta(hours=1))

    try:
        yield MetricWorld(baseline, candidate, PushSource(pages), push)
    finally:
        baseline.stop()
        candidate.stop()
