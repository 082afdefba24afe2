"""The commands of an incident, from one that amends never watched to an active gate, on a real repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.escapes import POLICY, TEST, TEST_PATH, TRACEBACK
from tests.repositories import Repo

Amends = Callable[..., tuple[int, str, str]]
OPEN = (
    "incident", "open", "--release", "1.1", "--previous", "1.0", "--deployed-at", "2026-03-03T10:00:00Z",
    "--rolled-back-at", "2026-03-03T10:20:00Z", "--repo", ".",
)  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path, amends: Amends) -> Repo:
    repo = Repo(tmp_path / "shop-repo")
    good = "def share(cents, people):\n    return cents // len(people) if people else cents\n"
    repo.commit(
        "Version 1.0", **{"shop__price.py": good, "amends.yaml": POLICY, "CODEOWNERS": "* @shop-team\n"}
    )
    repo.git("tag", "v1.0")
    repo.commit("Divide evenly", **{"shop__price.py": good.replace(" if people else cents", "")})
    repo.git("tag", "v1.1")
    repo.commit("Divide among nobody", **{"shop__price.py": good, TEST_PATH.replace("/", "__"): TEST})
    repo.git("tag", "v1.2")
    return repo


@pytest.fixture
def run(repo: Repo, amends: Amends, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(repo.path)

    def run(*words: str, exits: int = 0) -> Any:
        code, out, err = amends(*words, "--format", "json")
        assert code == exits, f"{words}: {code}\n{out}{err}"
        return json.loads(out) if out.startswith(("{", "[")) else out

    return run


def test_an_incident_that_nobody_watched_is_told_from_git_and_files(run: Callable[..., Any]) -> None:
    opened = run(*OPEN)
    assert run(*OPEN)["incident"] == opened["incident"] == "INC-1"
    shown = run("incident", "show", "INC-1")
    lines = [line["text"] for line in shown["timeline"]]
    assert any("Divide evenly" in text for text in lines)
    assert any("deployed to production, as stated later" in text for text in lines)
    states = {row["gate"]: row["state"] for row in shown["matrix"]["rows"]}
    assert states["tests"] == states["sign_off"] == "not run"
    assert states["review"] == "not in place"
    assert not shown["matrix"]["bypassed"]
    assert {"not recorded"} <= {m["source"] for m in shown["milestones"]}
    text = run("review", "show", "INC-1")["text"]
    assert "nobody recorded a run of it" in text
    assert "Ana" not in text


def test_from_the_incident_to_an_active_gate_and_a_published_review(
    run: Callable[..., Any], repo: Repo, tmp_path: Path
) -> None:
    run(*OPEN)
    (tmp_path / "trace.txt").write_text(TRACEBACK)
    run("record", "failure", "1.1", "--env", "production", "--traceback", str(tmp_path / "trace.txt"))
    run("record", "release", "1.2", "--commit", "v1.2")
    test = run("amendment", "propose", "INC-1", "--test", f"python {TEST_PATH}", "--good", "1.2")
    assert test["signature"] == "ZeroDivisionError in shop/price.py:share"
    assert run("amendment", "prove", test["amendment"])["state"] == "proven"
    assert run("amendment", "activate", test["amendment"])["state"] == "active"
    (tmp_path / "gate.yaml").write_text("tests: {suites: [regression]}\nmode: block\n")
    gate = run("amendment", "propose", "INC-1", "--gate", str(tmp_path / "gate.yaml"), "--good", "1.2")
    proven = run("amendment", "prove", gate["amendment"])
    assert (proven["state"], proven["produced_later"]) == ("proven", True)
    shown = run("amendment", "activate", gate["amendment"])
    assert not shown["written"]
    assert shown["diff"].startswith("--- a/amends.yaml\n+++ b/amends.yaml\n")
    assert (repo.path / "amends.yaml").read_text() == POLICY
    assert run("amendment", "activate", gate["amendment"], "--write")["state"] == "active"
    assert "regression" in (repo.path / "amends.yaml").read_text()
    states = {a["amendment"]: a["state"] for a in run("amendment", "list", "--incident", "INC-1")}
    assert set(states.values()) == {"active"}
    (tmp_path / "review.md").write_text("# What we learnt\n")
    run("review", "edit", "INC-1", "--file", str(tmp_path / "review.md"), "--based-on", "1", "--role", "team")
    assert "+# What we learnt" in run("review", "diff", "INC-1", "1")["unified"]
    run("review", "publish", "INC-1")
    assert [r["published"] for r in run("review", "history", "INC-1")] == [False, True]
    run("incident", "acknowledge", "INC-1", "--role", "on-call")
    run("incident", "note", "INC-1", "The client was told", "--role", "support")
    run("incident", "milestone", "INC-1", "cause_found", "--at", "2026-03-03T11:00:00Z")
    run("incident", "resolve", "INC-1", "--reason", "fixed by 1.2")
    assert [i["state"] for i in run("incident", "list")] == ["resolved"]


def test_an_edit_that_comes_too_late_is_refused_and_nothing_is_lost(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    run(*OPEN)
    (tmp_path / "mine.md").write_text("mine\n")
    run("review", "edit", "INC-1", "--file", str(tmp_path / "mine.md"), "--based-on", "1")
    run("review", "edit", "INC-1", "--file", str(tmp_path / "mine.md"), "--based-on", "1", exits=2)
    assert len(run("review", "history", "INC-1")) == 2


def test_what_cannot_be_read_is_an_error_that_names_the_file(
    amends: Amends, run: Callable[..., Any], tmp_path: Path
) -> None:
    run(*OPEN)
    (tmp_path / "gate.yaml").write_text("tests: [\n")
    for words in (
        ("amendment", "propose", "INC-1", "--gate", str(tmp_path / "gate.yaml")),
        ("amendment", "propose", "INC-1", "--gate", str(tmp_path / "nowhere.yaml")),
        ("review", "edit", "INC-1", "--file", str(tmp_path / "nowhere.md")),
    ):
        code, _, err = amends(*words)
        assert code == 2
        assert str(tmp_path) in err
        assert "Traceback" not in err
