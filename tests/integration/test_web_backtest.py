"""The backtest's page: what it prices, what it says without a policy, and that text of others stays text."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live_server import serving
from tests.planted import BEGIN, DAY, REVIEW, Change, Recorder, planted
from tests.story import Story

ATTACK = "<script>alert(1)</script>\"'><b id=broken>"


def story_of(recorder_log: object, folder: Path) -> Story:
    story = Story(store=str(folder / "log.db"))
    story.opened.store.restore(recorder_log.store.records())  # type: ignore[attr-defined]
    return story


def test_the_policy_beside_the_server_is_priced_with_its_matrix_and_its_frontier(tmp_path: Path) -> None:
    (tmp_path / "amends.yaml").write_text(REVIEW)
    with serving(story_of(planted("helps", 120), tmp_path), tmp_path) as server, server.browser() as client:
        text = client.get("/backtest", timeout=60).text
        assert "helps: it would have stopped" in text
        assert "Incidents by gates" in text
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in text
        assert "style=" not in text  # which the policy of the pages would not let through
        assert client.get("/backtest?service=moon").status_code == 404
        assert client.get("/backtest?environment=moon").status_code == 422


def test_without_a_policy_the_page_says_how_to_begin(tmp_path: Path) -> None:
    with serving(Story(store=str(tmp_path / "log.db")), tmp_path) as server, server.browser() as client:
        answer = client.get("/backtest")
        assert (answer.status_code, "amends init" in answer.text) == (200, True)


def test_text_of_others_is_inert(tmp_path: Path) -> None:
    (tmp_path / "amends.yaml").write_text(REVIEW + f"      because: {json.dumps(ATTACK)}\n")
    recorder = Recorder()
    recorder.change(Change(ATTACK, BEGIN, 0, True, ATTACK))
    recorder.change(Change(f"good {ATTACK}", BEGIN + DAY, 0, False))
    with serving(story_of(recorder.done(), tmp_path), tmp_path) as server, server.browser() as client:
        text = client.get("/backtest", timeout=60).text
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<b id=broken" not in text
