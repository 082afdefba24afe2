"""The browser runs, and the front-end libraries work in it as they are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

VENDOR = Path(__file__).resolve().parents[2] / "src" / "amends" / "web" / "static" / "vendor"
NONCE = "r4nd0m"
# As strict as the pages': styles by nonce alone, no inline script without it.
PAGE = f"""<!doctype html><html lang="en"><head>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'nonce-{NONCE}'">
<title>Editor</title></head><body>
<label for="text">Review</label><textarea id="text"># What happened</textarea><div id="difference"></div>
<script nonce="{NONCE}">{{bundle}}</script></body></html>"""


@pytest.fixture
def editor_page(page: Page) -> Page:
    """A page that holds a textarea and the shipped editor."""
    bundle = (VENDOR / "editor.min.js").read_text("utf-8").replace("</script", "<\\/script")
    page.route("http://localhost/", lambda route: route.fulfill(
        content_type="text/html", body=PAGE.replace("{bundle}", bundle)
    ))  # fmt: skip
    page.goto("http://localhost/")
    return page


def test_the_editor_keeps_the_textarea_equal(editor_page: Page) -> None:
    complaints: list[str] = []
    editor_page.on("console", lambda message: complaints.append(message.text))
    editor_page.evaluate("amendsEditor.fromTextArea(document.querySelector('#text'))")
    box = editor_page.get_by_role("textbox", name="Review")
    box.click()
    editor_page.keyboard.press("Control+End")
    editor_page.keyboard.type(" to the order")
    assert editor_page.eval_on_selector("#text", "t => t.value") == "# What happened to the order"
    assert box.evaluate("e => getComputedStyle(e).whiteSpace") == "break-spaces"
    assert complaints == []


def test_a_difference_is_shown_without_breaking_the_content_policy(editor_page: Page) -> None:
    complaints: list[str] = []
    editor_page.on("console", lambda message: complaints.append(message.text))
    editor_page.evaluate(
        "amendsEditor.showDifference("
        "document.querySelector('#difference'), 'one line', 'one word', {sideBySide: false})"
    )
    assert "one word" in editor_page.inner_text("#difference")
    assert "line" in editor_page.inner_text("#difference .cm-deletedChunk")
    assert complaints == []
