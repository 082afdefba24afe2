"""``amends backtest`` as a command: its object, its first line, its exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from amends.adapters.stores import open_store
from amends.cli.main import main
from amends.events.lines import to_line
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
    code, _, said = run("amends.yaml", "--service", "cart")
    assert (code, "it has those of shop" in said) == (2, True)


def test_a_time_without_deployments_is_computed_and_says_so(run: Run) -> None:
    code, out, _ = run("amends.yaml", "--since", "2031-01-01")
    assert code == 0
    assert out.startswith("no evidence: nobody recorded a deployment")


def test_the_page_needs_nothing_else_and_holds_the_verdict(run: Run) -> None:
    code, out, _ = run("amends.yaml", "--format", "html")
    assert code == 0
    assert "helps: it would have stopped" in out
    assert not re.search(r"(?:src|href)=|<script|@import|url\(", out)


def test_a_sweep_names_its_pick_first_and_marks_the_policy_as_it_is(run: Run) -> None:
    code, out, _ = run("sweep", "amends.yaml")
    assert code == 0
    assert "earlier half" in out.splitlines()[0]
    assert "as it is" in out
    told = json.loads(run("sweep", "amends.yaml", "--format", "json")[1])
    assert [one["current"] for one in told["variants"]] == [True, False, False]
    assert run("sweep", "amends.yaml", "--format", "svg")[1].startswith("<svg ")
    assert run("sweep", "amends.yaml", "--vary", "soak.for=1d")[0] == 2


def test_an_export_is_looked_at_in_place_of_the_log(run: Run, tmp_path: Path) -> None:
    store = open_store("log.db").store
    Path("past.jsonl").write_bytes(b"\n".join(to_line(record) for record in store.records()))
    store.close()
    log = json.loads(run("amends.yaml", "--format", "json")[1])
    Path("log.db").unlink()
    code, out, _ = run("amends.yaml", "--history", "past.jsonl", "--format", "json")
    assert (code, json.loads(out)) == (0, log)
    assert run("amends.yaml", "--history", "absent.jsonl")[0] == 2
    Path("past.csv").write_text("change_id,service\nc1,shop\n")
    code, _, said = run("amends.yaml", "--history", "past.csv")
    assert (code, "import table past.csv" in " ".join(said.split())) == (2, True)


def test_against_another_policy_the_difference_is_told(run: Run) -> None:
    Path("none.yaml").write_text(REVIEW.replace("- review: {approvals: 1}", "- window: {}"))
    told = json.loads(run("amends.yaml", "--against", "none.yaml", "--format", "json")[1])
    assert told["against"]["incidents"]["stopped"] == 0
    assert told["against"]["difference"]["verdict"] == "helps"
    assert len(told["against"]["difference"]["newly_stopped"]) == told["incidents"]["stopped"]
    assert "against none.yaml: helps" in run("amends.yaml", "--against", "none.yaml")[1]
