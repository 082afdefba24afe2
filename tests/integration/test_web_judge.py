"""Argo Rollouts and Flagger ask a real server whether to go on, with the bodies that they really send."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from amends.adapters.stores import open_store
from amends.application.log import Log
from amends.events import payloads as p
from tests.live_server import LiveServer, serving
from tests.story import Story

POLICY = """\
service: podinfo
team: pod-team
environments: [staging, production]
watch:
  interval: 10s
  min_requests: 100
  source: {push: {}}
  metrics:
    - name: 5xx
      events: requests_total{code="500"}
      total: requests_total
      margin: 3
"""
ARGO = {
    "service": "podinfo", "environment": "production", "rollout": "revision 7",
    "candidate": "podinfo", "baseline": "podinfo-primary",
}  # fmt: skip
FLAGGER: dict[str, Any] = {
    "name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b",
    "metadata": {"environment": "production"},
}  # fmt: skip
WORSE, ALIKE = 0.12, 0.01


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    (tmp_path / "amends.yaml").write_text(POLICY)
    with serving(Story(store=str(tmp_path / "log.db")), tmp_path) as found:
        yield found


class Traffic:
    """Both arms serve requests and push their counters."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.rng = np.random.default_rng(1)
        self.counts = {"podinfo": np.zeros(2), "podinfo-primary": np.zeros(2)}

    def serve(self, worse: float, requests: int = 400) -> None:
        self.server.story.later(seconds=10)
        for release, rate in (("podinfo-primary", ALIKE), ("podinfo", worse)):
            self.counts[release] += (requests, self.rng.binomial(requests, rate))
            self.push(release)

    def push(self, release: str) -> None:
        total, bad = self.counts[release]
        body = f'requests_total{{code="200"}} {total - bad}\nrequests_total{{code="500"}} {bad}\n'
        where = f"/hooks/metrics/job/podinfo/environment/production/release/{release}/instance/{release}-x"
        with self.server.client() as client:
            client.put(where, content=body.encode()).raise_for_status()


@pytest.fixture
def traffic(server: LiveServer) -> Traffic:
    return Traffic(server)


def ask_argo(server: LiveServer, **more: Any) -> dict[str, Any]:
    with server.client() as client:
        answer = client.post("/api/v1/judge/argo", json={**ARGO, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask_flagger(server: LiveServer, hook: str, token: str = "", **more: Any) -> httpx.Response:
    # Go's client makes Basic of what an address names, as httpx does.
    address = server.url.replace("http://", f"http://flagger:{token or server.token}@")
    return httpx.post(f"{address}/hooks/flagger/{hook}", json={**FLAGGER, **more})


def looks(server: LiveServer) -> list[p.WatchAssessed]:
    facts = server.story.log.facts(kinds=("watch.assessed",))
    return [f.payload for f in facts if isinstance(f.payload, p.WatchAssessed)]


def test_argo_is_told_to_roll_back_once_it_is_proven_and_hears_the_same_ever_after(
    server: LiveServer, traffic: Traffic
) -> None:
    verdicts = []
    for _ in range(6):
        traffic.serve(WORSE)
        said = ask_argo(server)
        verdicts.append(said["verdict"])
        if said["verdict"] == "roll_back":
            break
    assert verdicts[0] == "watching"  # the first look has nothing to count from
    assert verdicts[-1] == "roll_back"
    assert "5xx" in said["reason"]
    for _ in range(3):
        traffic.serve(ALIKE, requests=5000)
        again = ask_argo(server)
        assert (again["verdict"], again["reason"]) == ("roll_back", said["reason"])


def test_argo_is_told_to_promote_only_what_has_shown_itself_well(
    server: LiveServer, traffic: Traffic
) -> None:
    traffic.serve(ALIKE)
    first = ask_argo(server)
    assert first["verdict"] == "watching"
    assert first["missing"]
    assert [q["query"] for q in looks(server)[0].queries] == ['requests_total{code="500"}', "requests_total"]
    for _ in range(8):
        traffic.serve(ALIKE, requests=3000)
        said = ask_argo(server)
    assert said["verdict"] == "promote"
    assert said["metrics"][0]["metric"] == "5xx"
    next_step = ask_argo(server, step=2)
    assert (next_step["verdict"], next_step["step"]) == ("watching", 2)


def test_no_metrics_are_never_health(server: LiveServer) -> None:
    for _ in range(3):
        server.story.later(seconds=60)
        said = ask_argo(server)
        assert said["verdict"] == "watching"
    assert "has pushed nothing lately" in " ".join(said["problems"])
    assert ask_flagger(server, "promotion").status_code == 409


def test_flagger_hears_go_on_then_halt_and_what_rolls_back(server: LiveServer, traffic: Traffic) -> None:
    traffic.serve(WORSE)
    assert ask_flagger(server, "rollout").status_code == 200
    assert ask_flagger(server, "rollback").status_code == 409
    promotion = ask_flagger(server, "promotion")
    assert promotion.status_code == 409
    assert promotion.text.startswith("not yet: ")
    assert len(looks(server)) == 1  # three hooks of one moment are one look
    for _ in range(5):
        traffic.serve(WORSE)
        ask_flagger(server, "rollout")
    halted = ask_flagger(server, "rollout")
    assert halted.status_code == 409
    assert halted.text.startswith("roll back: 5xx")
    assert ask_flagger(server, "rollback").status_code == 200
    assert ask_flagger(server, "promotion").status_code == 409
    another = ask_flagger(server, "rollout", checksum="another")
    assert another.status_code == 200


def test_flagger_promotes_what_has_shown_itself_well(server: LiveServer, traffic: Traffic) -> None:
    for _ in range(9):
        traffic.serve(ALIKE, requests=3000)
        assert ask_flagger(server, "rollout").status_code == 200
    assert ask_flagger(server, "promotion", phase="WaitingPromotion").status_code == 200
    assert ask_flagger(server, "rollback").status_code == 409


def test_a_restart_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    """The same traffic, judged by one server, and by a new one for each look."""
    said = []
    for name, restarts in (("one", False), ("many", True)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "amends.yaml").write_text(POLICY)
        story = Story(store=str(folder / "log.db"))
        traffic: Traffic | None = None
        for _ in range(1 if not restarts else 4):
            story.opened = open_store(story.store)
            story.log = replace(story.log, store=story.opened.store)
            with serving(story, folder) as server:
                traffic = traffic or Traffic(server)
                traffic.server = server
                for _ in range(1 if restarts else 4):
                    traffic.serve(0.02)
                    ask_argo(server)
        said.append([(look.tick, look.state, look.log_evidence) for look in looks(server)])
    assert len(said[0]) == 4
    assert said[0] == said[1]


def test_calls_at_the_same_time_are_one_watch(server: LiveServer, traffic: Traffic) -> None:
    traffic.serve(ALIKE)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask_argo(server), range(6)))
    assert {answer["verdict"] for answer in answers} == {"watching"}
    assert [look.tick for look in looks(server)] == [1]
    assert len(server.story.log.facts(kinds=("watch.begun",))) == 1


def test_a_watch_that_nobody_asked_for_long_is_over(server: LiveServer, traffic: Traffic) -> None:
    for _ in range(5):
        traffic.serve(WORSE)
        said = ask_argo(server)
    assert said["verdict"] == "roll_back"
    server.story.later(minutes=11)
    traffic.serve(ALIKE)
    assert ask_argo(server)["verdict"] == "watching"


def test_pages_and_loop_bear_with_a_watch_that_is_no_deployment(server: LiveServer, traffic: Traffic) -> None:
    for _ in range(4):
        traffic.serve(WORSE)
        ask_argo(server)
    with server.browser() as browser:
        for page in ("/", "/log", "/releases", "/incidents"):
            assert browser.get(page, follow_redirects=True).status_code in (200, 404), page
        assert browser.get("/").status_code == 200
    log: Log = server.story.log
    assert {f.recorded.stream for f in log.facts(kinds=("watch.begun", "watch.assessed"))} == {
        f"watch/{looks(server)[0].deployment}"
    }


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"service": "other"}, 404, "no policy of a service 'other'"),
        ({"environment": "moon"}, 422, "allowed: staging, production"),
        ({"rollout": ""}, 422, "at least 1 character"),
        ({"odd": 1}, 422, "not permitted"),
    ],
)
def test_what_cannot_be_judged_is_no_success(
    server: LiveServer, more: dict[str, Any], status: int, said: str
) -> None:
    with server.client() as client:
        answer = client.post("/api/v1/judge/argo", json={**ARGO, **more})
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_a_policy_that_scrapes_is_refused_with_its_remedy(server: LiveServer) -> None:
    (server.folder / "amends.yaml").write_text(POLICY.replace("{push: {}}", "{scrape: {}}"))
    answer = ask_flagger(server, "rollout")
    assert answer.status_code == 422
    assert "prometheus" in answer.json()["error"]["remedy"]


def test_what_is_wrong_with_notices_keeps_no_watch_from_its_answer(server: LiveServer) -> None:
    (server.folder / "notices.yaml").write_text("odd: [")
    assert ask_argo(server)["verdict"] == "watching"


def test_strangers_are_refused(server: LiveServer) -> None:
    assert ask_flagger(server, "rollback", token="wrong").status_code == 401
    assert httpx.post(f"{server.url}/api/v1/judge/argo", json=ARGO).status_code == 401
    basic = "Basic " + base64.b64encode(f"x:{server.token}".encode()).decode()
    elsewhere = {"Authorization": basic, "Origin": "https://elsewhere.example"}
    assert (
        httpx.post(f"{server.url}/hooks/flagger/rollout", json=FLAGGER, headers=elsewhere).status_code == 401
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name": 1}', b"[" * 50_000, b"x" * 70_000])
def test_what_flagger_does_not_send_is_said(server: LiveServer, body: bytes) -> None:
    address = server.url.replace("http://", f"http://flagger:{server.token}@")
    answer = httpx.post(f"{address}/hooks/flagger/rollout", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["remedy"]
