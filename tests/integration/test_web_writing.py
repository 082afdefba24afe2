"""A test written from an incident's page: one click, its steps, its proof, and nothing changed."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amends.application.incidents import open_incident
from amends.events.payloads import FailureCaptured, Signature
from tests.live_server import LiveServer, serving
from tests.plantedbugs import BASKET, call, capture, planted_repository, raised
from tests.story import Story

DESCRIBE = raised("ZeroDivisionError", "shop/web.py:app", "shop/price.py:describe")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("writing")
    repo = planted_repository(folder / "repo").path
    story = Story(store=str(folder / "log.db"))
    with serving(story, repo) as found:
        yield found


def incident_with(server: LiveServer, function: str) -> str:
    """Open an incident to which a capture is attached."""
    log = server.story.log
    incident = open_incident(
        log, service="shop", release="1.4.0", previous="1.3.0", environment="production",
        summary="1.4.0 answered with errors", opened_by="person", team="shop-team",
    )  # fmt: skip
    kept = capture(server.folder.parent / f"{incident}.json", call=call(function, BASKET), exception=DESCRIBE)
    log.record(
        "failure.captured",
        FailureCaptured(
            service="shop", release="1.4.0", environment="production", incident=incident,
            signature=Signature(exception="ZeroDivisionError"), input=json.loads(kept.read_text()),
        ),
    )  # fmt: skip
    return incident


def press(client: httpx.Client, incident: str, **fields: str) -> httpx.Response:
    """Press the button, as the form on the page does."""
    page = client.get(f"/incidents/{incident}").text
    held = re.search(r'name="csrf" value="([^"]+)"', page)
    chosen = re.search(r'name="capture" value="([^"]+)"', page)
    assert held
    assert chosen
    told = {"csrf": held[1], "capture": chosen[1], "role": "on-call engineer", **fields}
    return client.post(f"/incidents/{incident}/test", data=told)


def at_its_end(client: httpx.Client, incident: str) -> str:
    for _ in range(600):
        text = client.get(f"/incidents/{incident}/test").text
        if "every 1s" not in text:
            return text
        time.sleep(0.1)
    raise AssertionError(text)


def test_one_click_writes_proves_and_proposes_and_changes_no_file(server: LiveServer) -> None:
    incident = incident_with(server, "shop.price:describe")
    with server.browser() as client:
        assert "No test was written" in client.get(f"/incidents/{incident}/test").text
        answer = press(client, incident, words="a basket of gifts")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{incident}/test")
        assert "one is written at a time" in press(client, incident).text
        text = at_its_end(client, incident)
        assert "<strong>proven</strong>" in text
        assert "describe({&#34;lines&#34;: []})" in text
        assert "v1.4.0: red: ZeroDivisionError in shop/price.py:describe" in text
        amended = client.get("/amendments/AM-1").text
        assert "describe({&#34;lines&#34;: []})" in amended
        assert "/releases/shop/HEAD" not in amended
        assert "each with the same failure" in amended
    words = ["git", "-C", str(server.folder), "status", "--porcelain", "--", "shop", "tests"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == ""
    [proposed] = [fact.payload for fact in server.story.log.facts(kinds=["amendment.proposed"])]
    assert proposed.role == "on-call engineer"  # type: ignore[union-attr]
    assert proposed.reduction.reduced < proposed.reduction.original  # type: ignore[union-attr]


def test_a_capture_that_would_run_something_else_is_refused(server: LiveServer) -> None:
    incident = incident_with(server, "os:system")
    with server.browser() as client:
        press(client, incident)
        assert "os:system" in at_its_end(client, incident)
    tags = [f"incident:{incident}"]
    assert not server.story.log.facts(tags=tags, kinds=["amendment.proposed"])


def test_where_others_can_reach_it_nothing_is_run(tmp_path: Path) -> None:
    with serving(Story(store=str(tmp_path / "log.db")), tmp_path) as server:
        server.app.state.writings.refusal = "this server can be reached from other machines"
        incident = incident_with(server, "shop.price:describe")
        with server.browser() as client:
            page = client.get(f"/incidents/{incident}").text
            assert f"amends test write --incident {incident}" in page
            assert "Write the test</button>" not in page
            held = re.search(r'name="csrf" value="([^"]+)"', page)
            assert held
            answer = client.post(f"/incidents/{incident}/test", data={"csrf": held[1], "role": "qa"})
            assert answer.status_code >= 400
            assert "other machines" in answer.text
