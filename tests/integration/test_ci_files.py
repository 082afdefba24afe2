"""The files for CI systems: they parse, and their shell steps do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.integration.test_gate_command import POLICY, Shell
from tests.integration.test_gate_command import shell as shell

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "amends-gate"
GITLAB = ROOT / "ci" / "gitlab" / "amends-gate.yml"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


def run(folder: Path, script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner would: this Python's commands, and these variables."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder), "AMENDS_STATE": str(folder / ".amends"), **variables}
    return subprocess.run(
        ["bash", "-c", script, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


class Runner:
    """GitHub's runner, as far as a step can see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output, self.summary = folder / "output", folder / "summary"

    def step(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the action's last step with the defaults of its inputs, and these."""
        self.output.write_text("")
        self.summary.write_text("")
        action = read(ACTION / "action.yml")
        given = {name: str(said.get("default", "")) for name, said in action["inputs"].items()}
        given |= {"release": "1.0", "to": "production"} | {k.replace("_", "-"): v for k, v in inputs.items()}
        step = action["runs"]["steps"][-1]
        variables = {
            name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], value)
            for name, value in step["env"].items()
        }
        variables["ACTION"] = str(ACTION)
        return run(
            self.folder, step["run"], GITHUB_OUTPUT=str(self.output), GITHUB_STEP_SUMMARY=str(self.summary),
            **variables,
        )  # fmt: skip

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def runner(shell: Shell, tmp_path: Path) -> Runner:
    del shell  # which wrote the policy and the log
    return Runner(tmp_path)


def test_every_input_of_the_action_is_used_and_none_becomes_part_of_a_script() -> None:
    action = read(ACTION / "action.yml")
    steps = action["runs"]["steps"]
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(steps)))
    assert used == set(action["inputs"])
    assert not [step["run"] for step in steps if "${{" in step["run"]]
    assert all(step["shell"] == "bash" for step in steps)
    script = (ACTION / "ask.sh").read_text()
    assert [name for name in steps[-1]["env"] if f"${name}" not in script and f"${{{name}" not in script] == [
        "ACTION"
    ]


def test_a_pass_goes_on_with_outputs_and_a_summary(shell: Shell, runner: Runner) -> None:
    shell.suite("success")
    done = runner.step(junit="gates.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = runner.outputs()
    assert (outputs["decision"], outputs["until"]) == ("pass", "")
    assert json.loads(outputs["json"])["service"] == "shop"
    assert "| tests | **pass** |" in runner.summary.read_text()
    assert (runner.folder / "gates.xml").read_text().startswith("<?xml")
    assert "::notice file=amends.yaml,line=6,title=tests%3A pass::" in done.stdout


@pytest.mark.parametrize(
    ("outcome", "fail_on", "code", "decision"),
    [
        ("failure", "undecided", 1, "block"), ("failure", "blocked", 1, "block"),
        ("cancel", "undecided", 3, "undecided"), ("cancel", "blocked", 0, "undecided"),
        ("error", "blocked", 4, "error"),
    ],
)  # fmt: skip
def test_what_does_not_pass_fails_the_job(
    shell: Shell, runner: Runner, outcome: str, fail_on: str, code: int, decision: str
) -> None:
    shell.suite(outcome)
    done = runner.step(fail_on=fail_on)
    assert (done.returncode, runner.outputs()["decision"]) == (code, decision)


def test_waiting_ends_at_its_limit(runner: Runner) -> None:
    done = runner.step(wait="true", limit="0.2s")
    assert done.returncode == 3
    assert "still undecided after" in done.stderr


@pytest.mark.parametrize("inputs", [{"release": "9.9"}, {"fail_on": "never"}, {"policy": "none.yaml"}])
def test_a_question_that_cannot_be_asked_is_no_pass(runner: Runner, inputs: dict[str, str]) -> None:
    done = runner.step(**inputs)
    assert done.returncode == 2
    assert "::error title=amends gate::" in done.stdout
    assert runner.output.read_text() == ""


def test_inputs_of_others_run_nothing(runner: Runner) -> None:
    runner.step(release="$(touch pwned)`touch pwned`; touch pwned")
    assert not (runner.folder / "pwned").exists()


def gitlab(job: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    jobs = read(GITLAB)
    defaults = {**jobs[".amends"]["variables"], **jobs[job]["variables"]}
    known = {name: value for name, value in defaults.items() if not value.startswith("$")}
    return run(folder, "set -eo pipefail\n" + "\n".join(jobs[job]["script"]), **{**known, **variables})


def test_gitlabs_job_fails_unless_the_gates_pass_and_keeps_the_answer(shell: Shell, tmp_path: Path) -> None:
    job = read(GITLAB)[".amends-gate"]
    assert job["artifacts"]["when"] == "always"
    assert gitlab(".amends-gate", tmp_path, AMENDS_RELEASE="v1.0").returncode == 3
    shell.suite("success")
    assert gitlab(".amends-gate", tmp_path, AMENDS_RELEASE="v1.0").returncode == 0
    for name in (job["artifacts"]["reports"]["junit"], *job["artifacts"]["paths"]):
        assert (tmp_path / name).stat().st_size > 0


def test_gitlabs_job_waits_when_it_has_a_limit(runner: Runner) -> None:
    done = gitlab(".amends-gate", runner.folder, AMENDS_RELEASE="1.0", AMENDS_LIMIT="0.2s")
    assert done.returncode == 3
    assert "waits for tests" in done.stderr


def test_gitlabs_policy_job_says_what_a_merge_request_changes(runner: Runner) -> None:
    git = "git -c user.name=a -c user.email=a@example.org"
    run(runner.folder, f"git init -q; git add amends.yaml; {git} commit -qm first")
    Path("amends.yaml").write_text(POLICY.replace("[unit]", "[unit, e2e]"))
    done = gitlab(".amends-policy", runner.folder, CI_MERGE_REQUEST_DIFF_BASE_SHA="HEAD")
    assert done.returncode == 0, done.stderr
    assert "stricter  production, tests" in done.stdout
    Path("amends.yaml").write_text("service: [")
    assert gitlab(".amends-policy", runner.folder, CI_MERGE_REQUEST_DIFF_BASE_SHA="").returncode == 2


def test_the_pre_commit_hook_takes_the_policies_it_is_given(shell: Shell) -> None:
    (hook,) = read(ROOT / ".pre-commit-hooks.yaml")
    files = re.compile(hook["files"])
    assert [bool(files.search(name)) for name in ("amends.yaml", "shop/amends.yml", "my-amends.yaml")] == [
        True, True, False,
    ]  # fmt: skip
    Path("shop").mkdir()
    Path("shop/amends.yaml").write_text(POLICY.replace("tests:", "tets:"))
    words = hook["entry"].split()
    assert words[0] == "amends"
    code, out, err = shell.run(*words[1:], "amends.yaml", "shop/amends.yaml")
    assert code == 2
    assert "amends.yaml: the policy of shop is sound" in out
    assert "shop/amends.yaml:6" in err
