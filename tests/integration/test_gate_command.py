"""``amends gate``, ``policy`` and ``override`` as commands: exit codes and formats."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from amends.application.log import Log
from amends.bootstrap import open_workspace
from amends.cli.main import main
from amends.events import payloads as p

POLICY = """\
service: shop
environments: [dev, staging, production]
gates:
  dev: []
  production:
    - {tests: {suites: [unit]}, mode: block}
    - {tests: {suites: [slow]}, name: slow, because: added after INC-7}
"""


class Shell:
    """Runs commands in a folder with a policy and a log."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.capsys, self.patch = capsys, patch

    def run(self, *words: str) -> tuple[int, str, str]:
        self.patch.setattr(sys, "argv", ["amends", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def gate(self, to: str = "production", *more: str) -> tuple[int, str, str]:
        return self.run("gate", "--service", "shop", "--release", "1.0", "--to", to, *more)

    def tell(self, name: str, payload: p.Payload) -> None:
        workspace = open_workspace()
        log: Log = workspace.log
        log.record(name, payload)
        workspace.close()

    def suite(self, outcome: Any) -> None:
        self.tell("testsuiterun.finished",
                  p.SuiteFinished(service="shop", release="1.0", suite="unit", outcome=outcome))  # fmt: skip


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("AMENDS_STORE", "AMENDS_POLICY", "AMENDS_CLOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMENDS_STATE", str(tmp_path / ".amends"))
    (tmp_path / "amends.yaml").write_text(POLICY)
    found = Shell(capsys, monkeypatch)
    found.tell("artifact.packaged", p.ReleaseDeclared(service="shop", version="1.0", commit="abcdef0"))
    return found


@pytest.mark.parametrize(
    ("outcome", "code"), [("success", 0), ("failure", 1), ("cancel", 3), ("error", 4), (None, 3)]
)
def test_each_decision_has_its_exit_code(shell: Shell, outcome: str | None, code: int) -> None:
    if outcome:
        shell.suite(outcome)
    assert shell.gate()[0] == code


def test_json_has_the_promised_shape(shell: Shell) -> None:
    shell.suite("failure")
    code, out, _ = shell.gate("production", "--format", "json")
    said = json.loads(out)
    assert (code, said["decision"]) == (1, "block")
    rows = {row["gate"]: row for row in said["gates"]}
    assert list(rows) == ["quarantine", "tests", "slow"]
    assert {"gate", "decision", "reason", "events", "until"} <= set(rows["tests"])
    assert rows["tests"]["events"]
    assert rows["slow"]["mode"] == "observe"


def test_junit_counts_what_counts(shell: Shell) -> None:
    shell.suite("failure")
    suite = ElementTree.fromstring(shell.gate("production", "--format", "junit")[1]).find("testsuite")
    assert suite is not None
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "errors": "0", "skipped": "1"}


def test_github_annotates_by_what_counts(shell: Shell) -> None:
    shell.suite("failure")
    lines = shell.gate("production", "--format", "github")[1].splitlines()
    assert [line.partition(" ")[0] for line in lines[:3]] == ["::notice", "::error", "::notice"]


def test_text_says_what_an_observing_gate_would_have_done(shell: Shell) -> None:
    shell.suite("success")
    code, out, _ = shell.gate()
    assert code == 0
    assert (
        "slow did not run; required: slow succeeded for this version (observing only: it would have waited)"
        in out
    )


def test_only_live_decisions_are_recorded(shell: Shell) -> None:
    shell.gate("dev")
    shell.gate("dev", "--no-record")
    shell.gate("dev", "--at", "2030-01-01T00:00:00Z")
    workspace = open_workspace()
    assert len(workspace.log.facts(kinds=["gates.decided"])) == 1
    workspace.close()


@pytest.mark.parametrize(
    "words",
    [
        ("--service", "shop", "--release", "9.9", "--to", "production"),
        ("--service", "mail", "--release", "1.0", "--to", "production"),
        ("--service", "shop", "--release", "1.0", "--to", "moon"),
        ("--service", "shop", "--release", "1.0", "--to", "dev", "--at", "noon"),
        ("--service", "shop", "--release", "1.0", "--to", "dev", "--policy", "none.yaml"),
        ("--service", "shop", "--release", "1.0"),
    ],
)
def test_what_cannot_be_asked_is_usage(shell: Shell, words: tuple[str, ...]) -> None:
    code, out, err = shell.run("gate", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_a_broken_policy_is_told_by_line(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY.replace("tests: {suites: [unit]}", "tets: {suites: [unit]}"))
    code, _, err = shell.run("policy", "check")
    assert code == 2
    assert "amends.yaml:6: gates.production[0].tets: unknown gate `tets`" in err


def test_policy_commands_speak(shell: Shell) -> None:
    code, out, _ = shell.run("policy", "check")
    assert code == 0
    assert "note: no gates are set for staging" in out
    assert "added after INC-7" in shell.run("policy", "explain")[1]
    assert "gates" in json.loads(shell.run("policy", "schema")[1])["properties"]


def test_one_command_lets_an_emergency_past_and_keeps_no_login(shell: Shell) -> None:
    shell.suite("failure")
    words = ["override", "--release", "1.0", "--to", "production", "--reason", "checkout is down",
             "--requested-by", "ann-the-dev", "--role", "lead", "--for", "4h"]  # fmt: skip
    assert shell.run(*words, "--approved-by", "@Ann-the-dev")[0] == 2
    assert shell.run(*words, "--approved-by", "bob-the-lead")[0] == 0
    assert shell.gate()[0] == 0
    workspace = open_workspace()
    (granted,) = workspace.log.facts(kinds=["override.granted"])
    assert "ann-the-dev" not in str(granted.recorded.event.data)
    workspace.close()


def test_a_named_log_that_is_not_there_could_not_be_asked(shell: Shell, tmp_path: Path) -> None:
    code, _, said = shell.gate("production", "--store", str(tmp_path / "gone.db"))
    assert code == 4
    assert "there is no log at" in said


def test_waiting_ends_undecided_at_the_limit_and_says_for_what(shell: Shell) -> None:
    code, out, err = shell.gate("production", "--wait", "--limit", "0.2s")
    assert code == 3
    assert "waits for tests\n" in err
    assert "still undecided after" in err
    assert out.startswith("undecided: shop@1.0 cannot go yet to production")


def test_waiting_ends_as_soon_as_the_gates_have_decided(shell: Shell) -> None:
    shell.suite("failure")
    assert shell.gate("production", "--wait", "--limit", "1h")[0] == 1


def test_ctrl_c_ends_waiting_cleanly(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("amends.adapters.stores.sql.SqlStore.wait", interrupt)
    code, out, err = shell.gate("production", "--wait", "--limit", "1h")
    assert (code, out) == (130, "")
    assert "no longer waiting" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [("--limit", "soon"), ("--at", "2030-01-01T00:00:00Z")])
def test_waiting_wants_a_time_to_come(shell: Shell, words: tuple[str, ...]) -> None:
    code, _, err = shell.gate("production", "--wait", *words)
    assert code == 2
    assert "mend:" in err
