"""The review over real HTTP: two editors for an hour, what is refused, words of others stay words."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amends.application.reviewing import list_revisions
from tests.live_server import LiveServer, serving
from tests.story import Story

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><b id=broken>"
REVIEW = "/incidents/INC-1/review"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


@pytest.fixture
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    with server.writing_browser() as client:
        yield client


def test_two_editors_for_an_hour_lose_no_sentence(server: LiveServer) -> None:
    def write(name: str) -> None:
        with server.client(timeout=30) as client:
            for minute in range(30):
                said = f"{name} wrote this in minute {minute}."
                latest = client.get("/api/v1/incidents/INC-1/review").json()
                text, base = f"{latest['text']}\n{said}\n", latest["number"]
                while True:
                    body = {"text": text, "role": name}
                    answer = client.post(
                        "/api/v1/incidents/INC-1/review", json=body, headers={"If-Match": f'"{base}"'}
                    )
                    if answer.status_code == 201:
                        break
                    assert answer.status_code == 409
                    conflict = answer.json()["error"]
                    assert conflict["mine"] == text
                    text, base = f"{conflict['theirs']}\n{said}\n", conflict["latest"]

    writers = [threading.Thread(target=write, args=(name,)) for name in ("scribe", "qa")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    revisions = list_revisions(server.story.log, "INC-1")
    assert [r.number for r in revisions] == list(range(1, 63))
    for name in ("scribe", "qa"):
        for minute in range(30):
            assert f"{name} wrote this in minute {minute}." in revisions[-1].text


def test_what_others_say_is_inert_on_every_page(server: LiveServer, browser: httpx.Client) -> None:
    for number, fields in enumerate(({"quote": "The team read this together"}, {"answers": "c1"}, {})):
        sent = browser.post(f"{REVIEW}/comments", data={"text": ATTACK, "role": ATTACK[:80], **fields})
        assert sent.status_code == 303, number
    browser.post(f"{REVIEW}/minutes", data={"text": ATTACK, "role": "scribe", "topic": ATTACK})
    browser.post(f"{REVIEW}/readers", data={"role": ATTACK[:80], "team": ATTACK[:80]})
    browser.post("/incidents/INC-1/actions", data={"title": ATTACK, "owner": ATTACK[:80], "role": "qa"})
    for path in (REVIEW, f"{REVIEW}/meeting", "/actions", "/actions/ACT-1"):
        shown = browser.get(path)
        assert shown.status_code == 200, path
        assert not re.search(r"<script>alert|<img src=x|<b id=broken", shown.text), path
        assert "&lt;script&gt;" in shown.text, path


@pytest.mark.parametrize(
    ("path", "data", "says"),
    [
        (
            f"{REVIEW}/comments",
            {"text": "Why?", "quote": "nowhere to be found", "role": "qa"},
            "does not hold",
        ),
        (f"{REVIEW}/comments", {"text": "Why?"}, "no role was given"),
        (f"{REVIEW}/comments/c7", {"action": "settle", "role": "qa"}, "no comment"),
        (f"{REVIEW}/state", {"word": "approved", "role": "qa"}, "only one in review"),
        (f"{REVIEW}/sections", {"section": "Nothing", "role": "qa"}, "no section"),
        (
            "/incidents/INC-1/actions",
            {"title": "x", "owner": "qa", "due": "soon", "role": "qa"},
            "found the time",
        ),
        ("/actions/ACT-9/moves", {"word": "done", "role": "qa"}, "what shows that it works"),
        ("/actions/ACT-9", {"role": "qa"}, "no action item"),
    ],
)
def test_what_cannot_be_done_says_why(
    browser: httpx.Client, path: str, data: dict[str, str], says: str
) -> None:
    answer = browser.post(path, data=data)
    assert 400 <= answer.status_code < 500
    assert says in answer.text


def test_the_policy_of_the_folder_says_who_agrees(server: LiveServer, browser: httpx.Client) -> None:
    text = "service: shop\nenvironments: [production]\nreview: {reviewers: [qa lead]}\n"
    (server.folder / "amends.yaml").write_text(text)
    assert browser.post(f"{REVIEW}/comments", data={"text": "x", "role": "qa"}).status_code == 303
    browser.post(REVIEW, data={"text": "new words", "based_on": "2", "role": "scribe"})
    refused = browser.post(f"{REVIEW}/publish", data={"number": "3", "role": "scribe"})
    assert "lacks the agreement of qa lead" in refused.text
    browser.post(f"{REVIEW}/state", data={"word": "submitted", "role": "scribe"})
    browser.post(f"{REVIEW}/state", data={"word": "approved", "role": "QA lead"})
    assert browser.post(f"{REVIEW}/publish", data={"number": "3", "role": "scribe"}).status_code == 303
