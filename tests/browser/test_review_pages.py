"""The pages of a review in a real browser: marked passages, drafted marks, actions, the meeting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from amends.application.actions import Moved, Wanted, add_action, move_action
from amends.application.approving import move
from amends.application.discussing import (
    Said,
    accept_sections,
    comment,
    mark_read,
    settle,
    take_minute,
)
from amends.application.meeting import read_meeting
from amends.application.reviewing import read_revision, save_revision
from tests.browser.test_pages import DESKTOP, PHONE, visit
from tests.live_server import LiveServer, serving
from tests.story import Story

PAGES = (
    "/incidents/INC-1/review", "/incidents/INC-1/review?revision=1", "/incidents/INC-1/review/meeting",
    "/incidents/INC-1/review/edit", "/actions", "/actions?every=true", "/actions/ACT-1", "/actions/ACT-3",
)  # fmt: skip


def talked_about(story: Story) -> Story:
    """Let people comment, settle, accept, agree, meet and take on action items."""
    log = story.log
    comment(log, "INC-1", Said("Which article?", "qa"), quote="The team read this together")
    comment(log, "INC-1", Said("A free one.", "developer", "shop-team"), answers="c1")
    comment(log, "INC-1", Said("Who counted?", "support"), quote="Several conditions usually come together")
    comment(log, "INC-1", Said("Thank you.", "on-call engineer"))
    settle(log, "INC-1", "c4", role="scribe", reason="with pleasure")
    text = read_revision(log, "INC-1").text.replace("usually come together", "came together that night")
    save_revision(log, "INC-1", text.replace("read this together", "read it"), based_on=2, role="shop-team")
    accept_sections(log, "INC-1", role="service owner", titles=["Timeline"])
    move(log, "INC-1", "submitted", role="shop-team")
    mark_read(log, "INC-1", role="on-call engineer", team="shop-team")
    add_action(log, "INC-1", Wanted(guard=story.test_amendment))
    now = log.clock.now()
    add_action(
        log, "INC-1", Wanted("Tell support how to see it", due=now - timedelta(days=2), priority="high")
    )
    add_action(log, "INC-1", Wanted("Keep prices in one place", owner_role="service owner"))
    until = now + timedelta(days=5)
    move_action(log, "ACT-3", "accepted", Moved("service owner", "it changes next year", until=until))
    add_action(log, "INC-1", Wanted("Look at night, too", team="night-watch"))
    take_minute(
        log, "INC-1", Said("It never met a price of zero.", "scribe"),
        topic=read_meeting(log, "INC-1").points[0].key,
    )  # fmt: skip
    return story


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("review")
    with serving(talked_about(Story(store=str(folder / "log.db")).tell()), folder) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_of_a_review_is_in_order(
    browser: Browser, server: LiveServer, size: dict[str, int], scheme: str
) -> None:
    problems = []
    for guest in visit(browser, server, viewport=size, color_scheme=scheme):
        for path in PAGES:
            guest.go(path)
            for summary in guest.page.locator("details:not([open]) > summary").all():
                if summary.is_visible():
                    summary.press("Enter")
            width = guest.page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                problems.append(f"{path} is {width} px wide")
            found = Axe().run(guest.page)
            problems += [
                f"{path}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]
            ]
        problems += guest.complaints + guest.strangers
    assert not problems, "\n".join(problems)


@pytest.fixture
def lively(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(talked_about(Story(store=str(tmp_path / "log.db")).tell()), tmp_path) as found:
        yield found


def test_what_is_marked_in_the_review_is_what_the_comment_is_about(
    browser: Browser, lively: LiveServer
) -> None:
    for guest in visit(browser, lively):
        guest.go("/incidents/INC-1/review")
        passage = guest.page.locator("#review p", has_text="The service belongs to").first
        passage.select_text()
        form = guest.page.get_by_role("form", name="Comment", exact=True)
        expect(form.get_by_label("The passage")).to_have_value(re.compile("^Release 1.4.0"))
        form.get_by_label("What you would like to say").fill("Since when?")
        form.get_by_label("Your role").fill("qa")
        form.get_by_role("button").click()
        remark = guest.page.locator(".remark", has_text="Since when?")
        expect(remark.locator("blockquote")).to_contain_text("Release 1.4.0 of shop")
        expect(guest.page.locator("#review")).to_have_attribute("data-passages", "3")
        assert guest.complaints == []


def test_a_review_goes_its_way_without_scripts(browser: Browser, lively: LiveServer) -> None:
    for guest in visit(browser, lively, java_script_enabled=False):
        page = guest.page
        guest.go("/incidents/INC-1/review")
        page.get_by_role("form", name="Accept what is drafted").get_by_label("Your role").fill(
            "service owner"
        )
        page.get_by_role("button", name="Accept all of them").click()
        expect(page.locator(".part.drafted")).to_have_count(0)
        page.get_by_role("form", name="Agree, or return it").get_by_label("Your role").fill("qa")
        page.get_by_role("button", name="Agree with revision 3").click()
        page.get_by_role("form", name="Publish revision 3").get_by_label("Your role").fill("scribe")
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", name="Review of INC-1 published")).to_be_visible()
        page.locator("summary", has_text="Add an action item").click()
        form = page.get_by_role("form", name="Add an action item")
        form.get_by_label("What is to be done").fill("Write to the partners")
        form.get_by_label("Your role").fill("scribe")
        form.get_by_role("button").click()
        page.get_by_role("link", name="ACT-5").click()
        done = page.get_by_role("form", name="It is done")
        done.get_by_label("What shows that it works").fill("their answer")
        done.get_by_label("Your role").fill("scribe")
        done.get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("done")


def test_two_editors_lose_nothing(browser: Browser, lively: LiveServer) -> None:
    pairs = zip(visit(browser, lively), visit(browser, lively), strict=True)
    for one, other in pairs:
        for guest, words in ((one, "Mine stays."), (other, "Theirs stays.")):
            guest.go("/incidents/INC-1/review/edit")
            guest.page.get_by_role("textbox", name="Review").click()
            guest.page.keyboard.press("Control+End")
            guest.page.keyboard.type(words)
            guest.page.get_by_label("Your role").fill("scribe")
        for guest in (one, other):
            guest.page.get_by_role("button", name=re.compile("^Save")).click()
        expect(other.page.get_by_role("heading", level=1)).to_have_text("Somebody else saved meanwhile")
        box = other.page.get_by_role("textbox", name="Your text")
        kept = other.page.locator("textarea[name=text]")
        assert "Theirs stays." in kept.input_value()
        expect(other.page.locator("table.diff")).to_contain_text("Mine stays.")
        assert Axe().run(other.page).response["violations"] == []
        box.click()
        other.page.keyboard.press("Control+End")
        other.page.keyboard.type(" Mine stays.")
        assert "Theirs stays. Mine stays." in kept.input_value()
        other.page.get_by_role("button", name="Save as revision 5").click()
        expect(other.page.locator("article#review")).to_contain_text("Theirs stays. Mine stays.")
        # The refused answer is a 409, which browsers write on the console.
        assert [text for text in one.complaints + other.complaints if "409" not in text] == []


def test_the_editor_writes_no_style_that_the_policy_refuses(browser: Browser, server: LiveServer) -> None:
    for guest in visit(browser, server):
        guest.go("/incidents/INC-1/review/edit")
        guest.page.get_by_role("textbox", name="Review").click()
        guest.page.keyboard.type("## A heading and `code`")
        size = guest.page.locator(".cm-content").evaluate("e => getComputedStyle(e).display")
        policy = guest.page.request.get(f"{server.url}/incidents/INC-1/review/edit").headers[
            "content-security-policy"
        ]
        assert size != "inline"
        assert "unsafe-inline" not in policy
        assert re.search(r"style-src 'self' 'nonce-[\w-]{20,}'", policy)
        assert guest.complaints == []


def test_the_editor_warns_of_blame_while_one_writes_and_holds_nothing_up(
    browser: Browser, server: LiveServer
) -> None:
    for guest in visit(browser, server):
        guest.go("/incidents/INC-1/review/edit")
        guest.page.get_by_role("textbox", name="Review").click()
        guest.page.keyboard.press("Control+Home")
        guest.page.keyboard.type("The developer carelessly forgot to run the tests.\n\n")
        wording = guest.page.get_by_role("status", name="Wording")
        expect(wording).to_contain_text("Line 1: “", timeout=20_000)
        assert Axe().run(guest.page).response["violations"] == []
        assert guest.complaints == []
