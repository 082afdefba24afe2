"""CloudEvents over HTTP in its three modes, and what refusals look like from the other side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from amends.adapters.clocks import StillClock
from amends.adapters.stores import open_store
from amends.application.log import Log
from amends.bootstrap import Workspace
from amends.config import Settings
from amends.errors import StoreUnavailableError
from amends.web.app import create_app
from tests.contract.served import serving

NOW = datetime(2026, 3, 20, 14, 27, 5, tzinfo=UTC)
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def event(id: str = "1", **changed: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": id, "source": "/ci", "type": "com.example.built",
        "time": "2026-03-20T14:27:05Z", "data": {"ok": True}, **changed,
    }  # fmt: skip


@pytest.fixture
def client() -> Iterator[TestClient]:
    opened, clock = open_store("memory:"), StillClock(NOW)
    token = opened.tokens.issue("test", at=NOW)
    app = create_app(Workspace(Settings(), opened, clock, Log(opened.store, clock, lambda: "unused")))
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


def stored(client: TestClient) -> list[dict[str, Any]]:
    return [item["event"] for item in client.get("/api/v1/events").json()["events"]]


def test_structured_mode(client: TestClient) -> None:
    answer = client.post("/api/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    assert answer.status_code == 201
    (place,) = answer.json()["recorded"]
    assert (place["id"], place["stream"], place["seq"]) == ("1", "intake//ci", 1)
    (found,) = stored(client)
    assert (found["data"], found["recordedat"]) == ({"ok": True}, "2026-03-20T14:27:05Z")


def test_binary_mode(client: TestClient) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/ci", "ce-type": "com.example.built",
        "ce-time": "2026-03-20T14:27:05Z", "content-type": "application/json",
    }  # fmt: skip
    assert client.post("/api/v1/events", content=b'{"ok":true}', headers=headers).status_code == 201
    client.post("/api/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    assert len(stored(client)) == 1


def test_batch_mode_is_all_or_nothing(client: TestClient) -> None:
    batch = json.dumps([event("1"), event("2"), event("3", source="")])
    refused = client.post("/api/v1/events", content=batch, headers=BATCH)
    assert refused.status_code == 422
    assert refused.json()["error"]["where"] == "event 2, source"
    assert stored(client) == []
    assert client.post(
        "/api/v1/events", content=json.dumps([event("1"), event("2")]), headers=BATCH
    ).is_success
    assert [found["id"] for found in stored(client)] == ["1", "2"]


def test_sending_again_changes_nothing_and_another_body_is_a_conflict(client: TestClient) -> None:
    first = client.post("/api/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    again = client.post("/api/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    assert again.json() == first.json()
    other = client.post("/api/v1/events", content=json.dumps(event(data=2)), headers=STRUCTURED)
    assert other.status_code == 409
    assert other.json()["error"]["kind"] == "event-conflict"
    assert {"message", "remedy", "where"} <= set(other.json()["error"])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", STRUCTURED, 422),
        (b"[]", STRUCTURED, 422),
        (b"{}", BATCH, 422),
        (json.dumps(event(data="x" * 1024 * 1024)).encode(), STRUCTURED, 413),
        (json.dumps([event(str(n)) for n in range(1001)]).encode(), BATCH, 413),
        (b"[" * 5000, STRUCTURED, 422),
    ],
)
def test_what_cannot_be_taken_is_refused(
    client: TestClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/api/v1/events", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert stored(client) == []


def test_events_are_found_by_id_service_and_position(client: TestClient) -> None:
    client.post("/api/v1/events", content=json.dumps([event("a/1"), event("2")]), headers=BATCH)
    (found,) = client.get("/api/v1/events/a/1").json()["events"]
    assert found["event"]["id"] == "a/1"
    assert client.get("/api/v1/events/none").json() == {"events": []}
    after = client.get("/api/v1/events", params={"after": found["position"]}).json()["events"]
    assert [item["event"]["id"] for item in after] == ["2"]
    assert client.get("/api/v1/events", params={"service": "shop"}).json() == {"events": []}


def test_an_expected_version_needs_one_stream(client: TestClient) -> None:
    items = [{"stream": name, "event": event(name)} for name in ("a", "b")]
    answer = client.post("/api/v1/log/append", json={"items": items, "expected": 0})
    assert answer.status_code == 422
    assert "2 streams" in answer.json()["error"]["message"]


def test_strangers_are_refused_with_the_remedy() -> None:
    with serving(open_store("memory:"), at=NOW) as (url, _), pytest.raises(StoreUnavailableError) as caught:
        open_store(url, token="wrong").store.read()
    assert "AMENDS_TOKEN" in caught.value.remedy
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid"])
def test_a_server_that_does_not_answer_is_named(url: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(url, token="x").store.last_position()
    assert caught.value.where == url
    assert caught.value.exit_code == 4
