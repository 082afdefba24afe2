"""The API says and does what the pages do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live_server import LiveServer, serving
from tests.story import BAD, COMMITS, GOOD, SERVICE, Story


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("api")
    with serving(Story(store=str(folder / "log.db")).tell(), folder) as found:
        yield found


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as found:
        found.base_url = httpx.URL(f"{server.url}/api/v1/")
        yield found


def read(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_is_read(client: httpx.Client, server: LiveServer) -> None:
    board = read(client, "board")
    assert board["environments"] == ["dev", "staging", "production"]
    assert board["services"][0]["environments"][2]["release"] == GOOD
    release = read(client, f"releases/{SERVICE}/{COMMITS[BAD]}")
    assert release["version"] == BAD
    assert release["quarantine"]["incident"] == server.story.incident
    deployment = read(client, "deployments/dep-bad")
    assert (deployment["outcome"], deployment["release"]) == ("rolled_back", BAD)
    assert [order["outcome"] for order in deployment["orders"]] == ["done", "done", "done"]
    joint, *metrics = read(client, "deployments/dep-bad/series")
    assert joint["points"][-1]["evidence"] >= joint["points"][-1]["line"] == pytest.approx(2)
    assert [series["metric"] for series in metrics] == ["errors", "latency"]
    assert deployment["moved"] == ["errors"]
    assert {d["id"] for d in read(client, "deployments")} == {"dep-bad", "dep-open"}
    incident = read(client, f"incidents/{server.story.incident}")
    assert {row["gate"] for row in incident["matrix"]["rows"]} >= {"review", "tests", "soak"}
    assert read(client, "amendments/AM-1")["state"] == "active"
    assert [a["id"] for a in read(client, "amendments?state=proven")] == ["AM-2"]


def test_every_path_is_described(client: httpx.Client) -> None:
    described = read(client, "openapi.json")
    assert {"/api/v1/board", "/api/v1/gates", "/api/v1/incidents/{incident}/review"} <= set(
        described["paths"]
    )
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            assert told.get("description") or told.get("summary"), (path, method)


def test_a_revision_needs_the_one_that_it_is_based_on(client: httpx.Client, server: LiveServer) -> None:
    path = f"incidents/{server.story.incident}/review"
    tag = client.get(path).headers["etag"]
    body = {"text": "Ours.", "role": "scribe"}
    assert client.post(path, json=body, headers={"If-Match": tag}).status_code == 201
    late = client.post(path, json={"text": "Mine.", "role": "scribe"}, headers={"If-Match": tag})
    assert late.status_code == 409
    assert (late.json()["error"]["mine"], late.json()["error"]["theirs"]) == ("Mine.", "Ours.")
    assert read(client, path)["text"] == "Ours."


def test_an_incident_goes_its_way(client: httpx.Client) -> None:
    told = {"service": SERVICE, "release": GOOD, "summary": "presents arrive twice", "role": "support"}
    incident = client.post("incidents", json=told).json()["incident"]
    assert client.post(f"incidents/{incident}/notes", json={"text": "x", "role": "x"}).status_code == 201
    stated = {"milestone": "started", "earliest": "2026-03-20T10:00:00Z", "role": "analyst"}
    assert client.post(f"incidents/{incident}/milestones", json=stated).status_code == 201
    resolve = {"action": "resolve", "role": "support", "reason": "sent back"}
    assert client.post(f"incidents/{incident}/moves", json=resolve).status_code == 200
    assert client.post(f"incidents/{incident}/moves", json=resolve).status_code == 403
    assert read(client, f"incidents/{incident}")["state"] == "resolved"


def test_gates_are_asked_by_the_servers_policy(client: httpx.Client, server: LiveServer) -> None:
    answer = client.post("gates", json={"release": GOOD, "to": "production"})
    assert answer.status_code == 422
    assert "amends.yaml" in str(answer.json()["error"])
    (server.folder / "amends.yaml").write_text(
        f"service: {SERVICE}\nenvironments: [production]\n"
        "gates:\n  production:\n    - tests: {suites: [unit]}\n      mode: block\n"
    )
    said = client.post("gates", json={"release": GOOD, "to": "production"}).json()
    assert (said["decision"], said["gates"][-1]["gate"]) == ("pass", "tests")
    assert server.story.log.facts(kinds=("policy.adopted",))[-1].payload is not None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("incidents", {}, 422),
        ("incidents", {"service": "s", "release": "1", "summary": "x", "surprise": 1}, 422),
        ("incidents/none/notes", {"text": "x", "role": "x"}, 404),
        ("deployments/none/pause", {"role": "x"}, 404),
        ("deployments/dep-bad/pause", {"role": "x"}, 403),
        ("deployments/dep-bad/explode", {"role": "x"}, 422),
        ("rollbacks", {"service": "none", "environment": "e", "reason": "r", "role": "x"}, 403),
        ("nothing", {}, 404),
    ],
)
def test_errors_have_one_shape(client: httpx.Client, path: str, body: dict[str, Any], status: int) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert {"message", "remedy", "where"} <= set(answer.json()["error"])
