"""The report of a watch, from the command line and from the page, over a log with a rollback in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amends.cli.watch import app
from amends.errors import NotFoundError, UsageError
from tests.live_server import LiveServer, serving
from tests.story import Story


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("report")
    with serving(Story(store=str(folder / "log.db")).tell(), folder) as found:
        yield found


def report(server: LiveServer, *words: str) -> str:
    said = CliRunner().invoke(
        app, ["report", "dep-bad", "--store", server.story.store, *words], catch_exceptions=False
    )
    assert said.exit_code == 0, said.output
    return said.stdout


def test_a_report_is_one_file_that_asks_for_nothing(server: LiveServer, tmp_path: Path) -> None:
    file = tmp_path / "watch.html"
    assert report(server, "--out", str(file)).strip() == str(file)
    text = file.read_text("utf-8")
    assert "shop 1.4.0 in production: rolled back" in text
    assert text.count("<svg") == 8
    assert "What a verdict means" in text
    for reaching in ("<script", "src=", "href=", "@import", "url(", "dep-bad", "/log/", "release manager"):
        assert reaching not in text, reaching
    assert report(server) == text


def test_the_ending_of_the_file_says_what_is_written(server: LiveServer, tmp_path: Path) -> None:
    for name in ("a.svg", "a.json"):
        report(server, "--out", str(tmp_path / name))
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")
    data = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert (data["outcome"], data["looks"][-1]["verdict"]) == ("rolled back", "roll_back")
    assert data["looks"][-1]["moved"] == ["errors"]


def test_what_cannot_be_written_or_found_is_said(server: LiveServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        report(server, "--out", str(tmp_path / "nowhere" / "a.html"))
    with pytest.raises(NotFoundError, match="no deployment 'x'"):
        CliRunner().invoke(app, ["report", "x", "--store", server.story.store], catch_exceptions=False)


def test_a_host_in_a_problem_does_not_leave_the_house(tmp_path: Path) -> None:
    story = Story(store=str(tmp_path / "log.db")).tell()
    looked = story.log.facts(tags=("deployment:dep-open",), kinds=("watch.assessed",))[-1].payload
    problem = "http://metrics.shop.internal:9090/metrics did not answer, asked by dana@shop.example"
    changed = {"problems": (problem,), "tick": 99}
    story.add(
        "watch.assessed", type(looked)(**{f: getattr(looked, f) for f in looked.__struct_fields__} | changed)
    )
    with serving(story, tmp_path) as found, found.client() as client:
        for kind in ("html", "json"):
            answer = client.get(f"/deployments/dep-open/watch.{kind}")
            assert "did not answer" in answer.text
            assert "shop.internal" not in answer.text
            assert "dana" not in answer.text
            assert answer.headers["content-disposition"] == f'attachment; filename="watch-dep-open.{kind}"'
        assert client.get("/deployments/dep-open/watch.exe").status_code in (400, 404, 422)
        assert client.get("/deployments/nothing/watch.html").status_code == 404


def recorded(folder: Path, share: float) -> str:
    """Write rows of two arms that serve 200 requests every ten seconds."""
    lines = [
        json.dumps({
            "time": f"2026-03-01T12:{10 * look // 60:02}:{10 * look % 60:02}Z", "arm": arm, "metric": "5xx",
            "kind": "count", "value": round(200 * rate), "weight": 200,
        })
        for look in range(40) for arm, rate in (("baseline", 0.01), ("candidate", share))
    ]  # fmt: skip
    file = folder / "night.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    return str(file)


def test_a_recording_that_is_replayed_is_drawn_as_a_live_watch_is(tmp_path: Path) -> None:
    page = tmp_path / "night.html"
    said = CliRunner().invoke(app, ["replay", recorded(tmp_path, 0.05), "--report", str(page)])
    assert said.exit_code == 1, said.output
    text = page.read_text("utf-8")
    assert "recording night: rollback" in text
    assert text.count("<svg") == 3
    assert "the rollback line is at ×100" in text


def test_a_report_is_of_one_recording(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    files = [recorded(tmp_path / name, 0.01) for name in ("a", "b")]
    with pytest.raises(UsageError, match="found 2 recordings"):
        CliRunner().invoke(
            app, ["replay", *files, "--report", str(tmp_path / "x.html")], catch_exceptions=False
        )
