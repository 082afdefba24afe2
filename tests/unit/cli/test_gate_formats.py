"""The gates' answer in the formats that CI systems read, as those systems read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from amends.adapters.policyfile import parse_policy
from amends.cli.gate_formats import render
from amends.events.payloads import GateRow
from amends.gates.evaluate import PolicyDecision
from amends.verdicts import Decision

LOADED = parse_policy("""\
service: shop
environments: [production]
gates:
  production:
    - {tests: {suites: [unit]}, mode: block, owner: payments, because: added after INC-7}
    - {review: {}, name: "two, or: more"}
""")


def row(gate: str, decision: Any = "pass", reason: str = "fine", **more: Any) -> GateRow:
    return GateRow(gate=gate, kind="tests", decision=decision, reason=reason, **more)


def shown(form: str, *rows: GateRow, release: str = "1.0") -> str:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return render(form, PolicyDecision(Decision.BLOCK, rows, release, "production", at), LOADED)


ROWS = (
    row("passes"), row("blocks", "block"), row("breaks", "error"), row("waits", "undecided"),
    row("watches", "block", mode="observe"), row("let through", "block", overridden_by="o1"),
    row("elsewhere", applies=False),
)  # fmt: skip


def test_each_gate_is_one_test_case_with_one_verdict(tmp_path: Path) -> None:
    (tmp_path / "gates.xml").write_text(shown("junit", *ROWS))
    (suite,) = JUnitXml.fromfile(str(tmp_path / "gates.xml"))
    verdicts = {case.name: [type(result) for result in case.result] for case in suite}
    assert verdicts == {
        "passes": [], "blocks": [Failure], "breaks": [Error], "waits": [Failure], "watches": [Skipped],
        "let through": [Skipped], "elsewhere": [Skipped],
    }  # fmt: skip
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 2, 1, 3)
    assert all(case.time == 0.0 and case.classname == "amends.shop.production" for case in suite)


def test_a_verdict_says_why_in_the_attribute_and_in_the_element(tmp_path: Path) -> None:
    told = row("blocks", "block", "2 of 3 failed", owner="payments", because="added after INC-7")
    (tmp_path / "gates.xml").write_text(shown("junit", told))
    ((case,),) = JUnitXml.fromfile(str(tmp_path / "gates.xml"))
    (failure,) = case.result
    assert (failure.message, failure.type) == ("2 of 3 failed", "block")
    assert failure.text == "2 of 3 failed\nowner: payments; because: added after INC-7"


def test_what_xml_cannot_hold_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "gates.xml").write_text(shown("junit", row("b", "block", "a\x00b\x1b[31m <&> \ud800 é 🎈")))
    ((case,),) = JUnitXml.fromfile(str(tmp_path / "gates.xml"))
    assert case.result[0].message == "ab[31m <&>  é 🎈"


def parse_command(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does (actions/runner, ActionCommand.TryParseV2)."""
    found = re.fullmatch(r"::([a-z]+) (.*?)::(.*)", line)
    assert found, line

    def unescaped(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
        for code, character in pairs:
            text = text.replace(code, character)
        return text

    data = (("%0D", "\r"), ("%0A", "\n"))
    named = (*data, ("%3A", ":"), ("%2C", ","))
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    last = (("%25", "%"),)
    return (
        found[1],
        {name: unescaped(value, (*named, *last)) for name, value in properties.items()},
        unescaped(found[3], (*data, *last)),
    )


@pytest.mark.parametrize(
    ("told", "level"),
    [
        (row("g"), "notice"), (row("g", "block"), "error"), (row("g", "error"), "error"),
        (row("g", "undecided"), "warning"), (row("g", "block", mode="observe"), "notice"),
        (row("g", "block", overridden_by="o1"), "notice"),
    ],
)  # fmt: skip
def test_an_annotation_is_as_loud_as_what_it_tells_counts(told: GateRow, level: str) -> None:
    assert parse_command(shown("github", told).splitlines()[0])[0] == level


def test_an_annotation_stands_at_the_gates_line_and_survives_the_runner() -> None:
    text = "50% done\r\nthen: a, b"
    said = shown("github", row("tests", "block", text), row("two, or: more", "block", text))
    first, second = (parse_command(line) for line in said.splitlines()[:2])
    assert first == ("error", {"file": "amends.yaml", "line": "5", "title": "tests: block"}, text)
    assert second[1]["line"] == "6"
    assert second[1]["title"] == "two, or: more: block"


def test_no_name_smuggles_a_command_into_the_last_line() -> None:
    last = shown("github", row("g"), release="1.0\n::stop-commands::x").splitlines()
    assert not any(line.startswith("::stop") for line in last)


def test_text_and_json_say_whose_gate_it_is() -> None:
    told = row("g", "block", owner="payments", because="added after INC-7")
    assert "owner: payments; because: added after INC-7" in shown("text", told)
    assert '"owner": "payments"' in shown("json", told)
