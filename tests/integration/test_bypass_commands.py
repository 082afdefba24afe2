"""A deployment without its gates' pass is flagged wherever somebody may look."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.test_gate_command import POLICY, Shell
from tests.integration.test_gate_command import shell as shell


def bypassed(shell: Shell) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        shell.run("deployment", "list", "--bypassed", "--format", "json")[1]
    )
    return found


def test_recording_a_deployment_that_never_asked_its_gates_says_so(shell: Shell) -> None:
    code, _, err = shell.run("record", "deployed", "1.0", "--env", "production")
    assert (code, err) == (0, "note: bypassed: 1.0 met production without a decision of its gates\n")
    (one,) = bypassed(shell)
    assert (one["service"], one["release"], one["environment"]) == ("shop", "1.0", "production")
    assert (
        "shop@1.0 → production: 1.0 met production without"
        in shell.run("deployment", "list", "--bypassed")[1]
    )


def test_the_incident_shows_every_gate_as_bypassed_and_the_review_has_it_on_its_agenda(shell: Shell) -> None:
    shell.run("record", "deployed", "1.0", "--env", "production")
    opened = json.loads(shell.run("incident", "open", "--release", "1.0", "--env", "production", "--summary",
                                  "slow", "--format", "json")[1])  # fmt: skip
    said = json.loads(shell.run("incident", "show", opened["incident"], "--format", "json")[1])
    assert said["matrix"]["bypassed"] is True
    states = {row["gate"]: row["state"] for row in said["matrix"]["rows"]}
    assert (states["tests"], states["slow"]) == ("bypassed", "bypassed")
    draft = shell.run("review", "draft", opened["incident"], "--print")[1]
    assert "bypass of this release: 1.0 met production without a decision of its gates" in draft


def test_what_its_gates_let_pass_is_not_flagged(shell: Shell) -> None:
    shell.suite("success")
    assert shell.gate("production")[0] == 0
    assert shell.run("record", "deployed", "1.0", "--env", "production")[2] == ""
    assert bypassed(shell) == []


def test_an_environment_that_lets_all_pass_cannot_be_bypassed(shell: Shell) -> None:
    assert shell.run("record", "deployed", "1.0", "--env", "dev")[2] == ""
    assert bypassed(shell) == []


def test_a_policy_with_a_fault_keeps_nobody_from_recording(shell: Shell) -> None:
    Path("amends.yaml").write_text(POLICY.replace("tests:", "tets:"))
    code, out, err = shell.run("record", "deployed", "1.0", "--env", "production")
    assert code == 0
    assert "recorded service.deployed" in out
    assert "whether its gates were passed cannot be told" in err
    assert bypassed(shell) == []
