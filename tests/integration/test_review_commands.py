"""The commands of a review: discussed, agreed with, met about; action items; guards that stop holding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.escapes import POLICY, TEST, TEST_PATH, TRACEBACK
from tests.repositories import Repo

OPEN = (
    "incident", "open", "--release", "1.1", "--previous", "1.0", "--deployed-at", "2026-03-03T10:00:00Z",
    "--rolled-back-at", "2026-03-03T10:20:00Z", "--repo", ".",
)  # fmt: skip
GOOD = "def share(cents, people):\n    return cents // len(people) if people else cents\n"
GATE = "tests: {suites: [regression]}\nmode: block\n"
Run = Callable[..., Any]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "shop-repo")
    repo.commit("Version 1.0", **{"shop__price.py": GOOD, "amends.yaml": POLICY})
    repo.git("tag", "v1.0")
    repo.commit("Divide evenly", **{"shop__price.py": GOOD.replace(" if people else cents", "")})
    repo.git("tag", "v1.1")
    repo.commit("Divide among nobody", **{"shop__price.py": GOOD, TEST_PATH.replace("/", "__"): TEST})
    repo.git("tag", "v1.2")
    return repo


@pytest.fixture
def run(repo: Repo, amends: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(repo.path)

    def run(*words: str, exits: int = 0) -> Any:
        code, out, err = amends(*words, "--format", "json")
        assert code == exits, f"{words}: {code}\n{out}{err}"
        return json.loads(out) if out.startswith(("{", "[")) else err

    run(*OPEN)
    return run


def test_a_review_is_discussed_agreed_with_and_published_by_the_policys_rules(run: Run, repo: Repo) -> None:
    (repo.path / "amends.yaml").write_text(f"{POLICY}review: {{reviewers: [qa lead], settle: 1d}}\n")
    said = run("review", "comment", "INC-1", "Who saw it?", "--quote", "Summary", "--role", "qa")
    run("review", "comment", "INC-1", "Support did.", "--answer", said["comment"], "--role", "support")
    [found] = run("review", "comments", "INC-1")
    assert (found["where"], found["by"], [a["text"] for a in found["answers"]]) == (
        "same",
        "qa",
        ["Support did."],
    )
    run("review", "settle", "INC-1", said["comment"], "--role", "qa")
    assert run("review", "comments", "INC-1") == []
    assert "qa lead" in run("review", "publish", "INC-1", exits=2)
    assert run("review", "submit", "INC-1", "--role", "scribe")["missing"] == ["qa lead"]
    assert run("review", "approve", "INC-1", "--role", "qa lead")["missing"] == []
    run("review", "publish", "INC-1", "--role", "scribe")
    status = run("review", "status", "INC-1")
    assert (status["state"], status["settles_at"] is None) == ("published", False)
    run("review", "read", "INC-1", "--role", "on-call", "--reader", "ana@example.org")
    assert [r["role"] for r in run("review", "readers", "INC-1")] == ["on-call"]
    assert "ana" not in json.dumps(run("log", "show", "--kind", "review.read"))


def test_sections_are_accepted_and_an_older_revision_is_restored(run: Run, tmp_path: Path) -> None:
    assert {s["origin"] for s in run("review", "sections", "INC-1")} == {"drafted"}
    assert run("review", "accept", "INC-1", "--section", "Impact", "--role", "owner") == {
        "accepted": ["Impact"]
    }
    (tmp_path / "mine.md").write_text("mine\n")
    run("review", "edit", "INC-1", "--file", str(tmp_path / "mine.md"), "--based-on", "1")
    assert run("review", "restore", "INC-1", "1", "--role", "scribe")["revision"] == 3
    origins = {s["section"]: s["origin"] for s in run("review", "sections", "INC-1")}
    assert (origins["Impact"], origins["Summary"]) == ("accepted", "drafted")


def test_the_meeting_is_made_from_what_is_open(run: Run) -> None:
    topic = run("review", "agenda", "INC-1")["points"][0]["topic"]
    run("review", "minute", "INC-1", "It never met an empty list.", "--topic", topic, "--role", "scribe")
    found = run("review", "agenda", "INC-1")
    assert found["points"][0]["minutes"] == ["It never met an empty list."]
    who = {"who": "shop-team", "kind": "team", "why": ["owns shop", "made a change of the release"]}
    assert who in found["attendance"]


def test_action_items_are_followed_up(run: Run) -> None:
    added = run(
        "action", "add", "INC-1", "Say it to support", "--due", "2026-03-05T00:00:00Z", "--priority", "high"
    )
    assert (added["owner"], added["late"]) == ("shop-team", True)
    assert [r["about"] for r in run("review", "reminders", "--mark")] == ["ACT-1"]
    assert run("review", "reminders") == []
    assert "what shows that it works" in run("action", "done", "ACT-1", exits=2)
    run("action", "begin", "ACT-1", "--role", "support")
    assert run("action", "done", "ACT-1", "--evidence", "the answer of support")["state"] == "done"
    run("action", "reopen", "ACT-1", "--reason", "it is asked again")
    run("action", "change", "ACT-1", "--owner-role", "support lead")
    risk = ("--until", "2199-01-01T00:00:00Z", "--reason", "rare", "--role", "owner")
    assert run("action", "accept-risk", "ACT-1", *risk)["state"] == "accepted risk"
    assert [a["owner"] for a in run("action", "list")] == ["support lead"]
    assert run("action", "list", "--left") == []


def activate(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trace.txt").write_text(TRACEBACK)
    run("record", "failure", "1.1", "--env", "production", "--traceback", str(tmp_path / "trace.txt"))
    run("record", "release", "1.2", "--commit", "v1.2")
    run("amendment", "propose", "INC-1", "--test", f"python {TEST_PATH}", "--good", "1.2")
    run("amendment", "prove", "AM-1")
    run("amendment", "activate", "AM-1")
    (tmp_path / "gate.yaml").write_text(GATE)
    run("amendment", "propose", "INC-1", "--gate", str(tmp_path / "gate.yaml"), "--good", "1.2")
    run("amendment", "prove", "AM-2")
    run("amendment", "activate", "AM-2", "--write")


def test_a_guard_that_stops_holding_reopens_its_amendment_and_its_action(
    run: Run, repo: Repo, tmp_path: Path
) -> None:
    activate(run, tmp_path)
    run("action", "add", "INC-1", "--amendment", "AM-1")
    assert run("action", "show", "ACT-1")["state"] == "done"
    assert [h["holding"] for h in run("amendments", "check")] == ["holds", "holds"]
    repo.commit(
        "Skip it", **{TEST_PATH.replace("/", "__"): TEST.replace("assert share(100, []) == 100", "pass")}
    )
    (repo.path / "amends.yaml").write_text(POLICY)
    dry = {h["amendment"]: h["holding"] for h in run("amendments", "check", "--dry-run", exits=1)}
    assert dry == {"AM-1": "weakened", "AM-2": "deleted"}
    assert len(run("amendments")["active"]) == 2
    run("amendments", "check", exits=1)
    states = {name: [a["amendment"] for a in group] for name, group in run("amendments").items() if group}
    assert states == {"lapsed": ["AM-2", "AM-1"]}
    found = run("action", "show", "ACT-1")
    assert (found["state"], "weakened" in found["reason"]) == ("open", True)
    assert {(r["about"], r["why"]) for r in run("review", "reminders")} == {
        ("AM-1", "lapsed"),
        ("AM-2", "lapsed"),
    }
    assert run("amendments", "check") == []


def test_a_guard_that_is_skipped_in_a_release_does_not_hold(run: Run, repo: Repo, tmp_path: Path) -> None:
    activate(run, tmp_path)
    case = '<testcase classname="tests.regression.test_share" name="test_nobody"><skipped/></testcase>'
    (tmp_path / "junit.xml").write_text(f'<testsuite name="s" tests="1" skipped="1">{case}</testsuite>')
    run("record", "tests", "1.2", str(tmp_path / "junit.xml"), "--suite", "regression")
    found = {h["amendment"]: h for h in run("amendments", "check", "--dry-run", exits=1)}
    assert "skipped in the suites of 1.2" in found["AM-1"]["reason"]
