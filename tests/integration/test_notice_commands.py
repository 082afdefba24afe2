"""``amends notice`` and ``amends apologise`` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.story import Story

NOTICES = """\
organisation: Example
products: {shop: Checkout}
approvers: [head of support]
audiences:
  leads: {kind: leadership, people: 12}
  world: {kind: customers, people: 2000, channels: [status]}
channels:
  status: {status_page: {folder: public}}
escalation:
  - tell: [leads]
"""
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, amends: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> Run:
    story = Story(store=str(tmp_path / "log.db")).tell()
    story.opened.store.close()
    (tmp_path / "notices.yaml").write_text(NOTICES)
    monkeypatch.setenv("AMENDS_STORE", str(tmp_path / "log.db"))
    monkeypatch.delenv("AMENDS_NOTICES", raising=False)

    def run(*words: str, exits: int = 0, text: bool = False) -> Any:
        code, out, err = amends(*words, *([] if text else ["--format", "json"]))
        assert code == exits, f"{words}: {code}\n{out}{err}"
        return json.loads(out) if out.startswith(("{", "[")) else out + err

    return run


def test_the_price_comes_first_and_nobody_is_told_unasked(run: Run) -> None:
    shown = {one["audience"]: one for one in run("notice", "preview", "INC-1")}
    assert shown["leads"]["hours"] > shown["leads"]["digest_hours"] > 0
    assert shown["world"]["held"]
    refused = run("notice", "send", "INC-1", "--to", "leads", exits=2)
    assert "12 people ×" in refused
    assert "--digest" in refused
    assert run("notice", "list") == []


def test_sending_twice_tells_once(run: Run) -> None:
    first = run("notice", "send", "INC-1", "--to", "leads", "--yes", "--role", "commander")
    assert (first["revision"], first["channels"][0]["state"]) == (1, "sent")
    again = run("notice", "send", "INC-1", "--to", "leads", "--yes", text=True)
    assert "told the same already" in again
    assert len(run("notice", "list")) == 1
    assert run("notice", "outbox") == []


def test_the_digest_is_offered_kept_and_sent(run: Run) -> None:
    assert run("notice", "send", "INC-1", "--to", "leads", "--digest")["deferred"]
    [waits] = run("notice", "digest")
    assert not waits["sent"]
    [sent] = run("notice", "digest", "--yes")
    assert sent["sent"]
    assert run("notice", "digest") == []
    assert run("notice", "list")[0]["occasion"] == "digest"


def test_a_statement_goes_from_draft_to_page(run: Run, tmp_path: Path) -> None:
    assert run("notice", "statement", "INC-1", exits=2)
    drafted = run("notice", "statement", "INC-1", "--draft")
    assert drafted["drafted"]
    (tmp_path / "words.md").write_text("Some orders failed. We changed our checks.\n")
    written = run("notice", "statement", "INC-1", "--file", "words.md", "--role", "support")
    assert written["revision"] == 2
    run("notice", "approve", "INC-1", "--role", "engineer", exits=2)
    assert run("notice", "approve", "INC-1", "--role", "head of support")["told"] == ["world"]
    assert "We changed our checks" in (tmp_path / "public/index.html").read_text()
    (tmp_path / "public/index.html").unlink()
    run("notice", "publish")
    assert (tmp_path / "public/index.html").exists()


def test_words_that_are_not_the_organisations_are_refused_by_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "words.md").write_text("We are sorry.\nOne of our engineers made it on db01.internal.\n")
    refused = run("notice", "statement", "INC-1", "--title", "T", "--file", "words.md", exits=2)
    assert "points at a person" in refused
    assert "[internal host]" in refused


def test_one_pass_does_what_a_worker_does(run: Run) -> None:
    run(
        "incident",
        "open",
        "--release",
        "1.5.0",
        "--service",
        "shop",
        "--severity",
        "major",
        "--summary",
        "Slow",
    )
    [planned] = run("notice", "plan", "INC-2")
    assert planned["audience"] == "leads"
    assert run("notice", "deliver")["told"] >= 1
    assert run("notice", "plan", "INC-2") == []
    assert run("notice", "list", "--incident", "INC-2")[0]["occasion"] == "opened"


def test_apologise_answers_without_a_trace(run: Run) -> None:
    before = run("log", "show")
    advice = run("apologise", "INC-1")
    assert advice["answer"].startswith("No mail")
    assert advice["organisation"]
    text = run("apologise", "INC-1", text=True)
    assert "neither stored nor sent" in text
    assert "In the next one-to-one" in text
    assert run("log", "show") == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("audiences:\n  leads: {kind: boss}\n", "notices.yaml:2: audiences.leads.kind"),
        ("audiences:\n  a: {kind: team}\nescalation:\n  - tell: [b]\n", "unknown audience 'b'"),
        ("channels:\n  x:\n    email: {server: a}\n", "is missing"),
        ("channels:\n  x: {}\n", "exactly one of"),
        ("audience: {}\n", "unknown field `audience`"),
        ("a: [\n", "this is not YAML"),
        (
            "audiences:\n  a: {kind: team, channels: [s]}\nchannels:\n  s: {status_page: {folder: p}}\n",
            "public",
        ),
    ],
)
def test_a_mistake_in_the_file_is_found_with_its_line(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "notices.yaml").write_text(text)
    assert said in run("notice", "outbox", exits=2)
