"""The gates about edge cases, artifacts, replays, neighbours and expressions, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_gate_command import Shell

POLICY = """\
service: shop
environments: [staging, production]
gates:
  staging: []
  production:
    - {edge_cases: {suites: [unit]}, mode: block}
    - {attestation: {suites: [unit]}, mode: block}
    - {replay: , mode: block}
    - {depends_on: {services: [{service: payments, at_least: "2.3"}], needed_by: [web]}, mode: block}
    - {expr: {cel: "tests.passed > 1 && suites.unit == 'success'"}, mode: block}
"""
REPORT = """<testsuite name="unit">
<testcase classname="tests.test_cart" name="test_zero"/>
<testcase classname="tests.test_cart" name="test_one"/>
</testsuite>"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("AMENDS_STORE", "AMENDS_POLICY", "AMENDS_CLOCK", "AMENDS_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMENDS_STATE", str(tmp_path / ".amends"))
    Path("amends.yaml").write_text(POLICY)
    Path("unit.xml").write_text(REPORT)
    return Shell(capsys, monkeypatch)


def answers(shell: Shell) -> dict[str, Any]:
    _, out, _ = shell.run("gate", "--release", "1.0", "--to", "production", "--format", "json")
    return {row["gate"]: row["decision"] for row in json.loads(out)["gates"]}


def test_evidence_from_the_command_line_opens_the_gates(shell: Shell) -> None:
    record = [
        ("release", "1.0", "--digest", "sha256:abc"),
        ("edge-case", "zero-amount", "--words", "a cart of 0.00", "--test", "tests/test_cart.py::test_zero"),
    ]
    for words in record:
        assert shell.run("record", *words)[0] == 0
    missing = answers(shell)
    assert set(missing.values()) == {"pass", "undecided"}
    assert [gate for gate, decision in missing.items() if decision == "pass"] == ["quarantine"]
    record = [
        ("tests", "1.0", "unit.xml", "--suite", "unit", "--digest", "sha256:abc"),
        ("replay", "1.0", "--decision", "pass", "--requests", "300"),
        ("deployed", "2.10", "--service", "payments", "--env", "production"),
        ("deployed", "7", "--service", "web", "--env", "production"),
    ]
    for words in record:
        assert shell.run("record", *words)[0] == 0
    assert set(answers(shell).values()) == {"pass"}


def test_a_retired_edge_case_asks_for_nothing(shell: Shell) -> None:
    shell.run("record", "release", "1.0")
    shell.run("record", "edge-case", "zero-amount", "--words", "a cart of 0.00")
    assert answers(shell)["edge_cases"] == "block"
    assert (
        shell.run("record", "edge-case", "zero-amount", "--retire", "--reason", "cannot be ordered")[0] == 0
    )
    assert answers(shell)["edge_cases"] == "pass"


def test_a_typo_in_an_expression_is_found_with_a_caret_before_anything_is_decided(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY.replace("tests.passed", "tests.pased"))
    code, _, err = shell.run("gate", "--release", "1.0", "--to", "production")
    assert code == 2
    assert "amends.yaml:10" in err
    assert "did you mean `tests.passed`?" in err
    shown, caret = err[err.index("\n    tests.pased") :].splitlines()[1:3]
    assert shown[caret.index("^") :].startswith(".pased")
