"""``amends backtest`` as a command: its object, its first line, its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from amends.adapters.stores import open_store
from amends.cli.main import main
from tests.planted import REVIEW, planted

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with a policy and a log in which the policy helps."""
    monkeypatch.chdir(tmp_path)
    Path("amends.yaml").write_text(REVIEW)
    store = open_store("log.db").store
    store.restore(planted("helps", 120).store.records())
    store.close()

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["amends", "backtest", *words, "--store", "log.db"])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_object_keeps_its_contract(run: Run) -> None:
    code, out, _ = run("amends.yaml", "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert told["verdict"] == "helps"
    assert 0 < told["interval"][0] < told["effect"]["estimate"] < told["interval"][1] <= 1
    incidents, good = told["incidents"], told["good_releases"]
    assert incidents["total"] == incidents["stopped"] + incidents["not_stopped"] + incidents["undecided"]
    assert len(incidents["list"]) == incidents["total"]
    assert good["total"] >= good["held"] + good["undecided"]
    assert {"median", "p90", "mean"} <= set(told["added_lead_time_seconds"])
    assert [gate["gate"] for gate in told["by_gate"]] == ["review"]


def test_the_first_line_is_the_verdict_and_every_incident_has_its_line(run: Run) -> None:
    code, out, _ = run("amends.yaml")
    told = json.loads(run("amends.yaml", "--format", "json")[1])
    assert code == 0
    assert out.splitlines()[0].startswith("helps: it would have stopped")
    assert all(f"  {one['incident']}  " in out for one in told["incidents"]["list"])


def test_price_may_be_named(run: Run) -> None:
    assert run("price", "amends.yaml")[1] == run("amends.yaml")[1]


def test_usage_and_absence_have_their_exit_codes(run: Run) -> None:
    code, _, said = run("amends.yaml", "--environment", "moon")
    assert (code, "allowed: production" in said) == (2, True)
    assert run("other.yaml")[0] == 2
    assert run("amends.yaml", "--since", "yesterday")[0] == 2


def test_a_time_without_deployments_is_computed_and_says_so(run: Run) -> None:
    code, out, _ = run("amends.yaml", "--since", "2031-01-01")
    assert code == 0
    assert out.startswith("no evidence: nobody recorded a deployment")
