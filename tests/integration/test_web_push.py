"""Instances push their metrics to a real server, with the client library that they have anyway."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, push_to_gateway
from prometheus_client.exposition import basic_auth_handler

from amends.adapters.metrics.push import PushSource
from amends.adapters.stores import open_store
from amends.watch.measurements import Arm, Arms, MetricSnapshot
from amends.watch.plan import MetricSpec
from tests.live_server import LiveServer, serving
from tests.story import SERVICE, Story

ERRORS = MetricSpec("5xx", events='requests_total{code="500"}', total="requests_total")
ARMS = Arms(SERVICE, "production", baseline_version="1.3.0", candidate_version="1.4.0")
PATH = f"/hooks/metrics/job/{SERVICE}/environment/production/release/1.4.0/instance/pod-1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")), tmp_path) as found:
        yield found


class Instance:
    """A service that counts requests and pushes them with prometheus-client."""

    def __init__(self, server: LiveServer, release: str, name: str) -> None:
        self.server, self.release, self.name = server, release, name
        self.registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests.", ("code",), registry=self.registry)

    def push(self, good: int, bad: int = 0) -> None:
        self.requests.labels("200").inc(good)
        self.requests.labels("500").inc(bad)

        def handler(url: str, method: str, timeout: float, headers: Any, data: bytes) -> Callable[[], None]:
            token = self.server.token
            return basic_auth_handler(url, method, timeout, headers, data, username="shop", password=token)

        push_to_gateway(
            f"{self.server.url}/hooks", job=SERVICE, registry=self.registry, handler=handler,
            grouping_key={"environment": "production", "release": self.release, "instance": self.name},
        )  # fmt: skip


def read(server: LiveServer, later: float = 0.0) -> MetricSnapshot:
    opened = open_store(server.story.store)  # as a worker in another process would
    try:
        at = server.story.clock.now() + timedelta(seconds=later)
        return PushSource(opened.pushes, max_age=60).read([ERRORS], ARMS, at)
    finally:
        opened.store.close()


def told(snapshot: MetricSnapshot) -> dict[tuple[Arm, str], tuple[float, float | None]]:
    return {(r.arm, r.instance): (r.value, r.exposure) for r in snapshot.readings}


def test_a_watch_reads_what_both_arms_pushed_with_their_client_library(server: LiveServer) -> None:
    old, new, other = (Instance(server, r, n) for r, n in (("1.3.0", "a"), ("1.4.0", "b"), ("1.4.0", "c/d")))
    old.push(10)
    new.push(3, bad=2)
    other.push(1, bad=1)
    new.push(4)
    found = read(server)
    assert told(found) == {
        (Arm.BASELINE, "a"): (0, 10), (Arm.CANDIDATE, "b"): (2, 9), (Arm.CANDIDATE, "c/d"): (1, 2)
    }  # fmt: skip
    assert found.problems == ()


def test_a_push_that_stays_away_is_silence_and_not_health(server: LiveServer) -> None:
    Instance(server, "1.3.0", "a").push(10)
    Instance(server, "1.4.0", "b").push(10)
    server.story.later(seconds=50)
    Instance(server, "1.3.0", "a").push(20)
    found = read(server, later=20)
    assert [r.arm for r in found.readings] == [Arm.BASELINE]
    assert found.problems == ("b pushed last 70 s ago.",)
    assert found.unanswered == ("b",)


def test_an_arm_that_never_pushed_is_said(server: LiveServer) -> None:
    Instance(server, "1.3.0", "a").push(10)
    assert read(server).problems == ("the candidate (1.4.0) has pushed nothing lately.",)


@pytest.mark.parametrize("secret", ["", "Bearer wrong", "Basic " + base64.b64encode(b"x:wrong").decode()])
def test_a_stranger_is_refused(server: LiveServer, secret: str) -> None:
    headers = {"Authorization": secret} if secret else {}
    assert httpx.put(server.url + PATH, content=b"up 1\n", headers=headers).status_code == 401
    assert read(server).readings == ()


def test_no_browser_pushes_by_itself(server: LiveServer) -> None:
    basic = {"Authorization": "Basic " + base64.b64encode(f"x:{server.token}".encode()).decode()}
    from_elsewhere = {**basic, "Origin": "https://elsewhere.example"}
    assert httpx.post(server.url + PATH, content=b"up 1\n", headers=from_elsewhere).status_code == 401
    with server.browser() as browser:
        assert browser.post(PATH, content=b"up 1\n").status_code == 401
    assert httpx.post(server.url + PATH, content=b"up 1\n", headers=basic).status_code == 200


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        (f"/hooks/metrics/job/{SERVICE}/environment/production", {}, "missing: release, instance"),
        (f"/hooks/metrics/job/{SERVICE}/odd", {}, "made of pairs"),
        (f"{PATH}/instance/pod-2", {}, "found 'instance'"),
        (f"/hooks/metrics/job@base64/{'%'}ff", {}, "not base64"),
        (PATH, {"Content-Encoding": "gzip"}, "compressed"),
        (PATH, {"X-Large": "1"}, "larger than 8 MB"),
    ],
)
def test_what_is_no_push_is_said(server: LiveServer, path: str, more: dict[str, str], said: str) -> None:
    body = b"# " + b"x" * 9_000_000 if more.get("X-Large") else b"up 1\n"
    headers = {"Authorization": f"Bearer {server.token}", **more}
    answer = httpx.put(server.url + path, content=body, headers=headers)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
