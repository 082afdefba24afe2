"""The report of a watch in a real browser, as a file that somebody was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from amends.bootstrap.watchreports import ReportFormat, write_report
from amends.watch.headline import Headline
from amends.watch.looks import look_of
from amends.watch.measurements import MetricKind
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.report import report_of
from tests.unit.watch.watch_feed import Feed

LONG = "checkout.payment_provider.authorisation_request_duration_seconds_by_region"
PLAN = WatchPlan(metrics=(
    MetricSpec("5xx", MetricKind.RATIO, events="e", total="t"),
    MetricSpec("latency", MetricKind.LATENCY, histogram="h"),
))  # fmt: skip
HEAD = Headline(f"{LONG} 1.4.0 in production", "rolled back", f"{LONG}: 2.1% against 0.4%", tone="block")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    feed = Feed(PLAN)
    feed.run(360, 0.009, slower=1.05)
    told = {"whole": report_of([look_of(said) for said in feed.looks], PLAN, {"5xx": (LONG * 2,)}),
            "nothing": report_of([], PLAN), "once": report_of([look_of(feed.looks[0])])}  # fmt: skip
    for name, report in told.items():
        (tmp_path / f"{name}.html").write_text(write_report(HEAD, report, ReportFormat.HTML), "utf-8")
    return {name: (tmp_path / f"{name}.html").as_uri() for name in told}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_report_fits_asks_for_nothing_and_can_be_read_by_everyone(
    page: Page, files: dict[str, str], width: int, scheme: str
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for address in files.values():
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text("rolled back")
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page).response["violations"] == []
    assert asked == list(files.values())
    assert complaints == []


def test_the_words_of_a_picture_stay_inside_it(page: Page, files: dict[str, str]) -> None:
    page.goto(files["whole"])
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".plotted text")].filter((text) => {
          const box = text.getBBox(), all = text.ownerSVGElement.viewBox.baseVal;
          const right = box.x + box.width, bottom = box.y + box.height;
          return box.x < -1 || box.y < -1 || right > all.width + 1 || bottom > all.height;
        }).map((text) => text.textContent)"""
    )
    assert outside == []
