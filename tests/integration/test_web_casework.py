"""The work on an incident through its page's forms, over real HTTP and without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from amends.application.incidents import open_incident
from amends.application.record import require_incident
from amends.events import payloads as p
from tests.live_server import LiveServer, serving
from tests.story import SERVICE, Story


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("casework")
    with serving(Story(store=str(folder / "log.db")).tell(), folder) as found:
        yield found


@pytest.fixture
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    with server.writing_browser() as client:
        yield client


def opened(server: LiveServer, summary: str) -> str:
    return open_incident(
        server.story.log, service=SERVICE, release="", previous="", environment="production", summary=summary,
        opened_by="person",
    )  # fmt: skip


def test_severity_and_a_duty_are_on_the_page_once_they_are_said(
    server: LiveServer, browser: httpx.Client
) -> None:
    page = f"/incidents/{opened(server, 'errors')}"
    said = {"severity": "sev1", "visibility": "some", "role": "on-call"}
    assert browser.post(f"{page}/assessments", data=said).status_code == 303
    taken = {"duty": "commander", "team": "payments", "login": "ana"}
    assert browser.post(f"{page}/duties", data=taken).status_code == 303
    text = browser.get(page).text
    assert "sev1" in text
    assert "Some see it" in text
    assert "payments, ana" in text
    browser.post(f"{page}/duties", data={"duty": "commander", "leave": "true"})
    assert "payments, ana" not in browser.get(page).text


def test_a_form_without_a_role_is_refused_in_a_sentence(server: LiveServer, browser: httpx.Client) -> None:
    answer = browser.post(f"/incidents/{opened(server, 'x')}/assessments", data={"severity": "sev1"})
    assert answer.status_code == 422
    assert "no role was given" in answer.text


def test_merging_leads_to_the_one_that_goes_on_and_reopening_takes_it_out(
    server: LiveServer, browser: httpx.Client
) -> None:
    first, second = opened(server, "one"), opened(server, "the other")
    merged = browser.post(f"/incidents/{second}/merging", data={"into": first, "role": "on-call"})
    assert merged.headers["location"] == f"/incidents/{first}"
    assert f'Merged into <a href="/incidents/{first}"' in browser.get(f"/incidents/{second}").text
    assert f'<a href="/incidents/{second}">{second}</a>' in browser.get(f"/incidents/{first}").text
    assert second not in browser.get("/").text
    browser.post(f"/incidents/{second}/moves", data={"action": "reopen", "role": "on-call", "reason": "no"})
    assert second in browser.get("/").text


def test_a_split_and_a_backdating_lead_to_where_they_show(server: LiveServer, browser: httpx.Client) -> None:
    incident = opened(server, "two things")
    said = {"summary": "the second thing", "role": "on-call", "service": "mail"}
    other = browser.post(f"/incidents/{incident}/splitting", data=said).headers["location"]
    assert "Split from" in browser.get(other).text
    back = {"to": "2026-03-01 08:00:00", "reason": "a mail", "role": "support"}
    assert browser.post(f"/incidents/{incident}/backdating", data=back).status_code == 303
    assert f"{require_incident(server.story.log, incident).detected_at:%H:%M}" == "08:00"
    assert "backdated by support" in browser.get(f"/incidents/{incident}").text


def test_an_answer_stands_beside_its_row_and_is_inert(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}"
    hostile = "an <script>alert(1)</script> empty basket"
    said = {"gate": "soak", "environment": "production", "words": hostile, "role": "shop-team"}
    assert browser.post(f"{page}/answers", data=said).status_code == 303
    text = browser.get(page).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; empty basket" in text
    missing = browser.post(f"{page}/answers", data={**said, "gate": "nothing"})
    assert missing.status_code == 404


def test_factors_are_named_and_taken_back_on_the_page(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{opened(server, 'errors')}"
    said = {"factor": "test-data", "words": "test carts had goods", "role": "qa"}
    assert browser.post(f"{page}/factors", data=said).headers["location"].endswith("#factors")
    assert "test carts had goods" in browser.get(page).text
    named = re.search(
        r'<option value="([^"]+)">Test data unlike production: test carts', browser.get(page).text
    )
    assert named
    taken = {"withdraw": named[1], "words": "they did not", "role": "qa"}
    browser.post(f"{page}/factors", data=taken)
    assert "<s>Test data unlike production</s>" in browser.get(page).text


def test_times_that_cannot_all_be_true_are_shown(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{opened(server, 'errors')}"
    assert "cannot all be true" not in browser.get(page).text
    early = {
        "milestone": "resolved",
        "at": "2026-01-01 10:00:00",
        "role": "support",
        "source": "a <b>mail</b>",
    }
    browser.post(f"{page}/milestones", data=early)
    browser.post(f"{page}/backdating", data={"to": "2026-02-01 10:00:00", "reason": "x", "role": "support"})
    text = browser.get(page).text
    assert "cannot all be true" in text
    assert "Resolved (2026-01-01 10:00:00 UTC, a &lt;b&gt;mail&lt;/b&gt;) lies before detected" in text


def test_a_timeline_of_ten_thousand_lines_comes_in_pages(server: LiveServer, browser: httpx.Client) -> None:
    incident, log = opened(server, "a long day"), server.story.log
    at = log.clock.now()
    notes = [
        ("note.taken", p.NoteTaken(incident=incident, service=SERVICE, text=f"note {n}.", at=at), "")
        for n in range(10_000)
    ]
    log.record_together(notes)
    text = browser.get(f"/incidents/{incident}").text
    assert text.count('<li class="line') == 200
    assert re.search(r"Lines 1 to 200 of 1000\d", text)
    assert "note 9999." not in text
    assert "note 9999." in browser.get(f"/incidents/{incident}?page=51").text
    assert browser.get(f"/incidents/{incident}?page=x").status_code == 422
