"""``amends policy check``, ``diff``, ``explain`` and ``schema`` as commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from amends.events import payloads as p
from tests.integration.test_gate_command import POLICY, Shell
from tests.integration.test_gate_command import shell as shell

CONTRADICTION = """\
    - {window: {days: [mon]}, mode: block}
    - {window: {days: [tue]}, mode: block, owner: payments, when: {paths: ["db/**"]}}
"""


def test_a_contradiction_is_told_with_its_line_and_ends_with_2(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY + CONTRADICTION)
    code, out, _ = shell.run("policy", "check")
    assert code == 2
    assert "amends.yaml:9: fault: window-2 contradicts window" in out
    assert "  mend: let the windows of production overlap" in out


def test_what_the_log_speaks_against_ends_with_1_and_without_the_log_with_0(shell: Shell) -> None:
    for number in range(6):
        shell.tell("service.deployed",
                   p.ServiceDeployed(service="shop", release=f"1.{number}", environment="dev"))  # fmt: skip
    shell.suite("success")
    code, out, _ = shell.run("policy", "check")
    assert code == 1
    assert "amends.yaml:2: doubt: nobody deploys to staging" in out
    assert "amends.yaml:7: doubt: no run of the suite slow was ever recorded" in out
    code, out, _ = shell.run("policy", "check", "--no-log")
    assert (code, "not held against a log" in out) == (0, True)


def test_several_policies_are_checked_and_the_worst_counts(shell: Shell) -> None:
    Path("other.yaml").write_text(POLICY + CONTRADICTION)
    Path("broken.yaml").write_text("service: [")
    code, out, err = shell.run(
        "policy", "check", "--format", "json", "--no-log", "amends.yaml", "broken.yaml", "other.yaml"
    )
    assert code == 2
    assert [(one["path"], one["sound"]) for one in json.loads(out)] == [
        ("amends.yaml", True),
        ("other.yaml", False),
    ]
    assert "broken.yaml:1" in err


def test_json_names_line_weight_and_remedy(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY + CONTRADICTION)
    said = json.loads(shell.run("policy", "check", "--format", "json")[1])
    (fault,) = [one for one in said["findings"] if one["weight"] == "fault"]
    assert (fault["path"], fault["line"], said["sound"]) == ("amends.yaml", 9, False)
    assert fault["mend"]


def test_a_policy_is_compared_with_git_with_a_file_and_with_the_log(shell: Shell) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "amends.yaml"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    shell.gate("dev")
    Path("old.yaml").write_text(POLICY)
    Path("amends.yaml").write_text(
        POLICY.replace("[unit]", "[unit, e2e]").replace(", because: added after INC-7", "")
    )
    for old in ("HEAD:amends.yaml", "old.yaml", "adopted"):
        code, out, _ = shell.run("policy", "diff", old, "--format", "json")
        found = [(one["change"], one["gate"]) for one in json.loads(out)["differences"]]
        assert (code, found) == (0, [("stricter", "tests"), ("words", "slow")]), old
    out = shell.run("policy", "diff", "old.yaml")[1]
    assert "stricter  production, tests asks now: unit and e2e succeeded for this version" in out


@pytest.mark.parametrize("name", ["none.yaml", "HEAD:none.yaml", "adopted:ffff"])
def test_what_is_not_there_cannot_be_compared(shell: Shell, name: str) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    code, _, err = shell.run("policy", "diff", name)
    assert code == 2
    assert "mend:" in err


def test_explain_says_whose_gate_it_is_and_where_it_applies(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY + CONTRADICTION)
    out = shell.run("policy", "explain", "--env", "production")[1]
    assert (
        "  window-2 blocks: tue UTC\n    for every service, where a change touches db/**\n    owner: payments"
        in out
    )


def test_the_schema_takes_what_the_policy_takes(shell: Shell) -> None:
    schema = json.loads(shell.run("policy", "schema")[1])
    jsonschema.validate(YAML(typ="safe").load(POLICY + CONTRADICTION), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(YAML(typ="safe").load(POLICY.replace("mode: block", "when: {lines: 3}")), schema)
