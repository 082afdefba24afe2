"""The report of a replay in a real browser, as a file that somebody was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from amends.adapters.replaying.page import render_page
from amends.application.replays import Replayed, Services
from amends.gates.replay_plan import Replay
from amends.prevention.replay.causes import group_causes
from amends.prevention.replay.judging import judge
from amends.prevention.replay.notebook import Notebook, Slot
from amends.prevention.replay.recorded import Recorded
from amends.workflows.replaying import Played


@pytest.fixture
def report(tmp_path: Path) -> str:
    notebook = Notebook()
    inputs = {n: Recorded(f"{n}.json", "GET", "/x", (("q", "word" * (n < 4)),)) for n in range(160)}
    for request in inputs:
        fields = {c: {"status": "200", "body.v": "x" * 90 if c and request < 4 else "1"} for c in (0, 1)}
        looks = [[Slot(bool(c), {**fields[c], "body.n": str(i % 5)}, "200") for i in range(n) for c in (0, 1)]
                 for n in (3, 8)]  # fmt: skip
        notebook.add(request, looks, 200)
    judged = judge(notebook, Replay())
    played = Played(judged, group_causes(judged.differences, inputs), 3520)
    done = Replayed(played, tuple(one.name for one in inputs.values()), 1)
    file = tmp_path / "replay.html"
    file.write_text(render_page(done, Services("http://old", "http://new")), "utf-8")
    return file.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_report_fits_asks_for_nothing_and_can_be_read_by_everyone(
    page: Page, report: str, width: int, scheme: str
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(report)
    expect(page.get_by_role("heading", name="Cause 1: body.v")).to_be_visible()
    page.get_by_text("4 captures").click()
    expect(page.get_by_text("0.json", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [report]
    assert complaints == []
    assert Axe().run(page).response["violations"] == []
