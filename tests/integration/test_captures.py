"""Captures reach the log and their incident: by file, by directory, and over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from amends.application.incidents import incident_view, resolve
from amends.cli.record import app
from amends.events import payloads as p
from amends_capture import ASGICapture, Recorder, Settings
from tests.live_server import LiveServer, serving
from tests.story import BAD, GOOD, SERVICE, Story
from tests.unit.capture.services import failing, files_of, http, serve


def fail(body: bytes) -> None:
    order = json.loads(body)
    order["total"] = order["price"] / order["count"]


def capture_into(directory: Path, release: str = BAD, **more: Any) -> list[dict[str, Any]]:
    """Let a small service fail under its middleware; return what it captured."""
    recorder = Recorder(
        Settings(directory=directory, service=SERVICE, release=release, sample_share=0, **more)
    )
    body = b'{"price": 3, "count": 0, "password": "hunter2", "card": "4111111111111111"}'
    with pytest.raises(ZeroDivisionError):
        serve(ASGICapture(failing(fail), recorder=recorder), http(path="/orders"), body)
    recorder.close()
    return files_of(directory)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


def failures(server: LiveServer) -> list[p.FailureCaptured]:
    facts = server.story.log.facts(kinds=["failure.captured"])
    return [
        f.payload for f in facts if isinstance(f.payload, p.FailureCaptured) and "schema" in f.payload.input
    ]


def run(server: LiveServer, tmp_path: Path, *args: str) -> Any:
    store = f"{tmp_path}/log.db"
    return CliRunner().invoke(app, ["captures", *args, "--store", store])


def test_a_directory_of_captures_is_attached_to_the_incident_of_its_release(
    server: LiveServer, tmp_path: Path
) -> None:
    folder = tmp_path / "captures"
    [found] = capture_into(folder)
    (folder / "broken.json").write_text(json.dumps(found)[:-20])
    (folder / "other.json").write_text(json.dumps({**found, "schema": "amends.capture/9"}))
    (folder / "sample.json").write_text(json.dumps({**found, "id": "s", "why": "sample"}))
    told = run(server, tmp_path, str(folder))
    assert told.exit_code == 2, told.output
    assert f"1 recorded, attached to {server.story.incident}" in told.output
    assert "2 refused" in told.output
    assert "1 samples" in told.output
    assert "1 in the log already" in run(server, tmp_path, str(folder)).output
    [kept] = failures(server)
    assert (kept.service, kept.release, kept.incident) == (SERVICE, BAD, server.story.incident)
    assert (kept.signature.exception, kept.signature.frame) == (
        "ZeroDivisionError", "tests/integration/test_captures.py:fail",
    )  # fmt: skip
    # What the recorder masked keeps its form through the intake, so that the input still fails.
    assert kept.input["request"]["body"] == found["request"]["body"]
    assert len(kept.input["request"]["body"]["password"]) == len("hunter2")
    assert kept.input["exception"]["frames"][-1]["locals"] == {}


def test_the_api_takes_captures_and_the_incident_shows_them(server: LiveServer, tmp_path: Path) -> None:
    [found] = capture_into(tmp_path / "captures")
    with server.client() as client:
        answer = client.post(f"{server.url}/api/v1/captures", json=[found, {"schema": "x"}])
        assert answer.status_code == 201, answer.text
        first, second = answer.json()["captures"]
        assert (first["did"], first["incident"]) == ("recorded", server.story.incident)
        assert (second["did"], "amends.capture/1" in second["reason"]) == ("refused", True)
        assert (
            client.post(f"{server.url}/api/v1/captures", json=found).json()["captures"][0]["did"] == "known"
        )
        page = client.get(f"{server.url}/incidents/{server.story.incident}").text
    assert "Failing inputs" in page
    assert "POST /orders" in page
    assert "hunter2" not in page
    shown = incident_view(server.story.log, server.story.incident)
    assert any("schema" in f.payload.input for f in shown.failures)  # type: ignore[union-attr]


def test_strangers_and_what_is_no_json_are_refused(server: LiveServer) -> None:
    assert httpx.post(f"{server.url}/api/v1/captures", json={}).status_code == 401
    with server.client() as client:
        assert client.post(f"{server.url}/api/v1/captures", content=b"{").status_code == 422


def test_a_secret_that_a_recorder_missed_is_masked_at_intake(server: LiveServer, tmp_path: Path) -> None:
    [found] = capture_into(tmp_path / "captures")
    found["request"]["body"]["note"] = "my key is ghp_0123456789abcdefghij0123456789abcdef"
    found["request"]["headers"].append(["x-api-key", "zyxwvu98"])
    with server.client() as client:
        client.post(f"{server.url}/api/v1/captures", json=found)
    [kept] = failures(server)
    assert "ghp_" not in str(kept.input)
    assert "zyxwvu98" not in str(kept.input)


def test_release_and_time_say_which_incident(server: LiveServer, tmp_path: Path) -> None:
    resolve(server.story.log, server.story.incident, role="shop-team", reason="fixed")
    server.story.later(minutes=30)
    late = capture_into(tmp_path / "late")[0]
    other = capture_into(tmp_path / "other", release=GOOD)[0]
    unnamed = {**capture_into(tmp_path / "unnamed", release="")[0], "release": ""}
    now = server.story.clock.now()
    captures = [{**one, "at": now.isoformat()} for one in (late, other, unnamed)]
    with server.client() as client:
        answer = client.post(f"{server.url}/api/v1/captures", json=captures).json()["captures"]
    assert [one["incident"] for one in answer] == ["", "", ""]
    assert [one.release for one in failures(server)] == [BAD, GOOD, GOOD]


def test_a_flood_of_one_failure_is_kept_twenty_times(server: LiveServer, tmp_path: Path) -> None:
    [found] = capture_into(tmp_path / "captures")
    with server.client() as client:
        many = [{**found, "id": str(n)} for n in range(30)]
        answer = client.post(f"{server.url}/api/v1/captures", json=many).json()["captures"]
    assert [one["did"] for one in answer].count("recorded") == len(failures(server)) == 20


def test_odd_values_are_refused_or_kept_and_the_page_stays_short(server: LiveServer, tmp_path: Path) -> None:
    [found] = capture_into(tmp_path / "captures")
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    odd: list[Any] = [None, 2**70, "\ud800", "x" * 400_000, "a\0b", deep, {"\ud800": 1}]
    names = [*found, "nothing"]
    many = [{**found, "id": f"{n}.{name}", name: value} for n, value in enumerate(odd) for name in names]
    with server.client() as client:
        answer = client.post(f"{server.url}/api/v1/captures", content=json.dumps(many).encode())
        assert answer.status_code == 201, answer.text
        told = answer.json()["captures"]
        page = client.get(f"{server.url}/incidents/{server.story.incident}")
    refused = [one["reason"] for one in told if one["did"] == "refused"]
    assert len(refused) > len(many) / 2
    assert all(refused)
    assert (page.status_code, len(page.text) < 200_000) == (200, True)


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_taken(
    server: LiveServer, tmp_path: Path
) -> None:
    folder = tmp_path / "captures"
    capture_into(folder)
    (folder / "a.json").symlink_to(tmp_path / "gone")
    (folder / "b.json").write_bytes(b"\xff\xfe\x00")
    (folder / "c.json").mkdir()
    with (folder / "d.json").open("wb") as file:
        file.truncate(1 << 30)
    told = run(server, tmp_path, str(folder))
    assert (told.exit_code, "4 refused" in told.output, "1 recorded" in told.output) == (2, True, True)
