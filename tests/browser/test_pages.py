"""Every page in a real browser: wide and narrow, light and dark, by keyboard, and live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.live_server import LiveServer, serving
from tests.story import SERVICE, Story

PAGES = (
    "/", "/deployments", "/deployments/dep-bad", "/deployments/dep-open", f"/releases/{SERVICE}",
    f"/releases/{SERVICE}/1.4.0", f"/releases/{SERVICE}/1.5.0", "/incidents", "/incidents/INC-1",
    "/incidents/INC-1/review", "/incidents/INC-1/review/edit", "/incidents/INC-1/review/history",
    "/incidents/INC-1/review/diff", "/incidents/INC-1/notices", "/notices",
    "/amendments", "/amendments/AM-1", "/amendments/AM-2", "/backtest",
    "/measures", "/measures/milestone-durations", "/measures/change-fail-rate?row.failed=yes", "/learning",
    "/search", "/search?q=discount", "/incidents/INC-1/similar",
    "/log", "/log?kind=gates.decided", "/log/e1", "/login",
)  # fmt: skip
EMPTY_PAGES = (
    "/", "/deployments", "/incidents", "/actions", "/amendments", "/backtest", "/measures",
    "/measures/recurrence", "/learning", "/search?q=nothing", "/log", "/log?service=nobody",
)  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("pages")
    with serving(Story(store=str(folder / "log.db")).tell(), folder) as found:
        yield found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serving(Story(), tmp_path_factory.mktemp("empty")) as found:
        yield found


@dataclass
class Visit:
    """A page that is signed in, with what went wrong on it."""

    page: Page
    server: LiveServer
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._look)
        self.page.goto(self.server.link())

    def _note(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.complaints.append(getattr(message, "text", ""))

    def _look(self, request: object) -> None:
        url = getattr(request, "url", "")
        if not url.startswith((self.server.url, "data:", "blob:")):
            self.strangers.append(url)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.server.url + path)
        assert answer is not None
        assert answer.status == 200, path


def visit(browser: Browser, server: LiveServer, **context: object) -> Iterator[Visit]:
    opened: BrowserContext = browser.new_context(**{"viewport": DESKTOP, **context})  # type: ignore[arg-type]
    yield Visit(opened.new_page(), server)
    opened.close()


@pytest.fixture
def desk(browser: Browser, server: LiveServer) -> Iterator[Visit]:
    yield from visit(browser, server)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_in_order(
    browser: Browser, server: LiveServer, empty: LiveServer, size: dict[str, int], scheme: str
) -> None:
    problems = []
    for where, paths in ((server, PAGES), (empty, EMPTY_PAGES)):
        for guest in visit(browser, where, viewport=size, color_scheme=scheme):
            for path in paths:
                guest.go(path)
                width = guest.page.evaluate("document.documentElement.scrollWidth")
                if width > size["width"]:
                    problems.append(f"{path} is {width} px wide")
                found = Axe().run(guest.page)
                problems += [
                    f"{path}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]
                ]
            problems += guest.complaints + guest.strangers
    assert not problems, "\n".join(problems)


def test_a_missing_page_is_in_order_too(desk: Visit) -> None:
    desk.page.goto(desk.server.url + "/nothing")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("That did not work")
    assert Axe().run(desk.page).response["violations"] == []


def test_the_keyboard_alone_reaches_and_does(desk: Visit) -> None:
    desk.go("/incidents/INC-1")
    keys = desk.page.keyboard
    keys.press("Tab")
    expect(desk.page.locator(":focus")).to_have_text("Skip to content")
    keys.press("Enter")
    expect(desk.page.locator("main")).to_be_focused()
    desk.go("/incidents/INC-1")
    for _ in range(4):
        keys.press("Tab")
    expect(desk.page.locator(":focus")).to_have_text("Deployments")
    desk.page.get_by_label("What happened").focus()
    keys.type("A colleague of the late shift called.")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("late shift")
    keys.press("Enter")
    expect(desk.page.locator(".timeline")).to_contain_text(
        "late shift: A colleague of the late shift called."
    )


def test_the_editor_saves_what_was_typed(desk: Visit) -> None:
    desk.go("/incidents/INC-1/review/edit")
    box = desk.page.get_by_role("textbox", name="Review")
    box.click()
    desk.page.keyboard.press("Control+End")
    desk.page.keyboard.type("Typed in the editor.")
    desk.page.get_by_label("Your role").fill("scribe")
    desk.page.get_by_role("button", name=re.compile("^Save")).click()
    expect(desk.page.locator("article")).to_contain_text("Typed in the editor.")
    assert desk.complaints == []


def test_a_gate_is_proposed_where_the_incident_is_read(browser: Browser, lively: LiveServer) -> None:
    for guest in visit(browser, lively):
        guest.go("/incidents/INC-1")
        for name in ("A test", "A gate"):
            guest.page.locator("summary", has_text=name).press("Enter")
        assert Axe().run(guest.page).response["violations"] == []
        form = guest.page.get_by_role("form", name="Propose a gate")
        form.get_by_label("The gate, as in amends.yaml").fill("tests: {suites: [regression]}\nmode: block")
        form.get_by_label("Your role").fill("developer")
        form.get_by_role("button").click()
        expect(guest.page.get_by_role("heading", level=1)).to_contain_text("AM-3 proposed")
        expect(guest.page.get_by_text("amends amendment prove AM-3")).to_be_visible()
        assert guest.complaints == []


def test_a_review_is_written_without_scripts(browser: Browser, server: LiveServer) -> None:
    for guest in visit(browser, server, java_script_enabled=False):
        guest.go("/incidents/INC-1/review/edit")
        box = guest.page.get_by_label("Review", exact=True)
        box.fill(f"{box.input_value()}\nWritten by hand.")
        guest.page.get_by_label("Your role").fill("scribe")
        guest.page.get_by_role("button", name=re.compile("^Save")).click()
        expect(guest.page.locator("article")).to_contain_text("Written by hand.")
        guest.go("/deployments/dep-bad")
        guest.page.locator("[data-metric=errors] summary").click()
        expect(guest.page.get_by_role("region", name="errors as a table")).to_contain_text("×100")
        pictures = guest.page.get_by_role("img")
        expect(pictures).to_have_count(8)
        expect(pictures.first).to_have_accessible_name(re.compile("rollback line is at ×100"))


def test_injected_text_stays_text(desk: Visit) -> None:
    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    with desk.server.client() as client:
        body = {"text": attack, "role": attack}
        assert client.post("/api/v1/incidents/INC-1/notes", json=body).status_code == 201
    for path in ("/incidents/INC-1", "/log"):
        desk.go(path)
        assert desk.page.title() != "taken"
    assert desk.complaints == []


@pytest.fixture
def lively(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


def test_charts_grow_while_events_come(browser: Browser, lively: LiveServer) -> None:
    for guest in visit(browser, lively):
        guest.go("/deployments/dep-open")
        expect(guest.page.locator("#live-status")).to_contain_text("Live")
        pictures = guest.page.locator(".plotted")
        expect(pictures).to_have_count(8)
        before = int(guest.page.locator("#live-watch").get_attribute("data-looks") or 0)
        for summary in guest.page.locator("summary", has_text="Looks as a table").all():
            summary.click()
        guest.page.get_by_label("Your role").first.fill("on-call engineer")
        lively.story.watch("dep-open", 1, 3, errors=0.004)
        expect(guest.page.locator("#live-watch")).to_have_attribute("data-looks", str(before + 3))
        looked = lively.story.log.facts(tags=("deployment:dep-open",), kinds=("watch.assessed",))[-1]
        for name in ("all metrics together", "errors"):
            rows = guest.page.get_by_role("region", name=f"{name} as a table").locator("tbody tr")
            expect(rows.first.locator("a")).to_have_attribute("href", f"/log/{looked.id}")
        expect(guest.page.locator(".joint")).to_contain_text("No metric is shown to have moved so far")
        drawn = pictures.first.inner_html()
        lively.story.watch("dep-open", 1, 40, errors=0.4)
        expect(guest.page.locator(".joint")).to_contain_text("Moved: errors")
        assert pictures.first.inner_html() != drawn
        # What a person has begun to write stays.
        expect(guest.page.get_by_label("Your role").first).to_have_value("on-call engineer")
        assert guest.complaints == []


def test_the_page_of_a_deployment_that_begins_shows_its_charts_when_they_come(
    browser: Browser, lively: LiveServer
) -> None:
    story = lively.story
    story.ask("dep-new", "1.5.0", "1.4.1")
    for guest in visit(browser, lively):
        guest.go("/deployments/dep-new")
        expect(guest.page.locator("#live-status")).to_contain_text("Live")
        story.order("dep-new", "start", 0, 0)
        story.step("dep-new", 1)
        story.watch("dep-new", 1, 2, errors=0.0)
        expect(guest.page.locator(".plotted")).to_have_count(8)
        expect(guest.page.locator("#live-orders")).to_contain_text("shift to 10%")
        assert guest.complaints == []


def test_a_page_that_lost_its_server_says_so(browser: Browser, tmp_path: Path) -> None:
    for_a_while = serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path)
    server = for_a_while.__enter__()
    for guest in visit(browser, server):
        guest.go("/deployments/dep-open")
        expect(guest.page.locator("#live-status")).to_contain_text("Live")
        for_a_while.__exit__(None, None, None)
        expect(guest.page.locator("#live-status")).to_contain_text("Connection lost")


def test_open_pages_do_not_take_the_servers_threads(browser: Browser, lively: LiveServer) -> None:
    import httpx

    with lively.client(timeout=10) as client:
        streams = [client.build_request("GET", "/deployments/dep-open/events?after=0") for _ in range(60)]
        with httpx.Client(limits=httpx.Limits(max_connections=None), timeout=10) as many:
            opened = [many.send(request, stream=True) for request in streams]
            assert {answer.headers["content-type"] for answer in opened} == {
                "text/event-stream; charset=utf-8"
            }
            assert client.get("/api/v1/board").status_code == 200
            for answer in opened:
                answer.close()
