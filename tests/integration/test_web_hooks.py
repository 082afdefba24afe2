"""Alerts come in at their own door."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from amends.application.incidents import list_incidents
from tests.live_server import LiveServer, serving
from tests.servers import die_with_parent, free_port
from tests.story import SERVICE, Story

ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "TooManyErrors", "service": SERVICE, "severity": "page"},
    "annotations": {"summary": "one in ten orders fails"},
    "startsAt": "2026-03-24T19:30:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "f00d",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


def deliver(server: LiveServer, content: bytes | None = None, token: str = "", **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or server.token}"}
    told = {"version": "4", "alerts": [ALERT], **body}
    if content is not None:
        return httpx.post(f"{server.url}/hooks/alertmanager", content=content, headers=headers)
    return httpx.post(f"{server.url}/hooks/alertmanager", json=told, headers=headers)


def test_an_alert_opens_one_incident_however_often_it_comes(server: LiveServer) -> None:
    before = len(list_incidents(server.story.log))
    answers = [deliver(server).json()["alerts"][0] for _ in range(3)]
    assert [answer["did"] for answer in answers] == ["opened", "known", "known"]
    assert len(list_incidents(server.story.log)) == before + 1


def test_a_stranger_is_refused_before_anything_is_read(server: LiveServer) -> None:
    before = server.story.log.store.last_position()
    assert deliver(server, token="wrong").status_code == 401
    assert deliver(server, token="wrong", content=b"not json").status_code == 401
    with server.browser() as browser:
        assert browser.post("/hooks/alertmanager", json={"alerts": [ALERT]}).status_code == 401
    assert server.story.log.store.last_position() == before


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b'{"alerts": 1}', b"[" * 100_000, b"x" * 2_000_000]
)
def test_what_is_no_delivery_is_said(server: LiveServer, content: bytes) -> None:
    answer = deliver(server, content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]["remedy"]


def test_one_bad_alert_holds_up_no_other(server: LiveServer) -> None:
    told = deliver(server, alerts=[{"labels": {}}, ALERT]).json()["alerts"]
    assert [alert["did"] for alert in told] == ["refused", "opened"]


def test_a_real_alertmanager_is_understood(
    server: LiveServer, alertmanager_binary: Path, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "alertmanager.yml").write_text(
        "route: {receiver: amends, group_wait: 0s, group_interval: 1s, group_by: [alertname]}\n"
        "receivers:\n  - name: amends\n    webhook_configs:\n"
        f"      - url: {server.url}/hooks/alertmanager\n"
        f"        http_config: {{authorization: {{credentials: {server.token}}}}}\n"
    )
    process = subprocess.Popen(
        [alertmanager_binary, f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/am",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        _post_alert(f"http://127.0.0.1:{port}/api/v2/alerts")
        deadline = time.monotonic() + 60
        while not _alerted(server) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    (summary,) = _alerted(server)
    assert summary.startswith("TooManyErrors: one in ten orders fails")


def _post_alert(url: str) -> None:
    fired = [{"labels": ALERT["labels"], "annotations": ALERT["annotations"]}]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.post(url, json=fired).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("Alertmanager did not start")


def _alerted(server: LiveServer) -> list[str]:
    return [i.opened.summary for i in list_incidents(server.story.log) if i.opened.opened_by == "alert"]
