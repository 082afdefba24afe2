"""The pages of notices, over real HTTP: prices before buttons, approved statements, a quiet panel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live_server import LiveServer, serving
from tests.story import Story

NOTICES = {
    "approvers": ["head of support"],
    "audiences": {
        "leads": {"kind": "leadership", "people": 12},
        "world": {"kind": "customers", "people": 2000, "channels": ["status"]},
    },
    "channels": {"status": {"status_page": {"folder": "public"}}},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    (tmp_path / "notices.yaml").write_text(json.dumps(NOTICES))
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


@pytest.fixture
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    with server.writing_browser() as client:
        yield client


PAGE = "/incidents/INC-1/notices"


def test_the_price_stands_before_the_button_and_the_notice_on_the_page(browser: httpx.Client) -> None:
    before = browser.get(PAGE).text
    price, button = before.index("12 people ×"), before.index("Tell leads now")
    assert price < button
    assert "in the weekly digest" in before[price:button]
    assert (
        browser.post(PAGE, data={"audience": "leads", "way": "now", "role": "commander"}).status_code == 303
    )
    assert "web: sent" in browser.get(PAGE).text
    assert "nothing would be sent" in browser.get(PAGE).text
    assert "INC-1: Orders with a discount" in browser.get("/notices?audience=leads").text
    assert "INC-1: Orders with a discount" not in browser.get("/notices?audience=world").text


def test_what_may_wait_is_seen_waiting(browser: httpx.Client) -> None:
    browser.post(PAGE, data={"audience": "leads", "way": "digest", "role": "commander"})
    assert "Weekly digest: 1 item" in browser.get("/notices").text


def test_a_statement_needs_a_management_role_and_the_organisations_voice(browser: httpx.Client) -> None:
    page = "/incidents/INC-1/statement"
    assert browser.post(PAGE, data={"audience": "world", "way": "now", "role": "x"}).status_code >= 400
    browser.post(page, data={"action": "draft"})
    assert "waits for approval" in browser.get(PAGE).text
    refused = browser.post(
        page, data={"action": "save", "title": "T", "text": "I broke it", "role": "support"}
    )
    assert refused.status_code >= 400
    assert "speaks for one person" in refused.text
    assert browser.post(page, data={"action": "approve", "role": "engineer"}).status_code >= 400
    assert browser.post(page, data={"action": "approve", "role": "head of support"}).status_code == 303
    assert "approved by head of support" in browser.get(PAGE).text
    assert "an incident, resolved" in browser.get("/notices?audience=world").text


def test_the_quiet_panel_answers_and_has_nothing_to_send(server: LiveServer, browser: httpx.Client) -> None:
    before = server.story.log.store.last_position()
    review = browser.get("/incidents/INC-1/review").text
    panel = review[review.index("Should anyone apologise?") :]
    assert "No mail" in panel
    assert "Cake." in panel
    assert "neither stored nor sent" in panel
    assert not re.search(r"<(form|input|button|textarea)\b", panel[: panel.index("</details>")])
    assert server.story.log.store.last_position() == before


def test_a_mistake_in_the_file_keeps_nobody_from_the_review(
    server: LiveServer, browser: httpx.Client
) -> None:
    (server.folder / "notices.yaml").write_text("audiences: {leads: {kind: boss}}\n")
    assert browser.get("/incidents/INC-1/review").status_code == 200
    refused = browser.get(PAGE)
    assert refused.status_code >= 400
    assert "notices.yaml:1" in refused.text
