"""``amends deploy``, ``deployment`` and ``rollback`` as a user runs them: a real log, a real deployer."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.crash_rig import PLATFORM

POLICY = """
service: shop
team: shop-team
environments: [production]
gates:
  production:
    - tests: {{suites: [unit]}}
      mode: block
rollout:
  steps: [{{weight: 50, for: 300ms}}]
  approval: {approval}
watch: {{interval: 100ms, on_inconclusive: {wish}}}
deploy:
  command:
"""

pytestmark = pytest.mark.slow


class Desk:
    """A folder with a policy, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def furnish(self) -> None:
        """Write the platform and the policy, and record three releases with their tests."""
        (self.folder / "town.py").write_text(textwrap.dedent(PLATFORM))
        self.policy()
        for version in ("1", "2", "bad3"):
            self.run("record", "release", version)
            self.tests(version)

    def policy(self, *, wish: str = "promote", approval: str = "false") -> None:
        call = f"{sys.executable} town.py world.json"
        words = "{version} '{baseline}' '{weight}'"
        actions = ("start", "weight", "promote", "rollback")
        lines = [f'    {a}: "{call} {a} {words}"' for a in actions]
        lines.append(f'    observe: "{call} observe x x 0"')
        text = POLICY.format(wish=wish, approval=approval) + "\n".join(lines) + "\n"
        (self.folder / "amends.yaml").write_text(text)

    def tests(self, version: str, failures: str = "") -> None:
        case = f'<testcase classname="t" name="a">{failures}</testcase>'
        (self.folder / "unit.xml").write_text(f'<testsuite name="unit">{case}</testsuite>')
        self.run("record", "tests", version, "--suite", "unit", "unit.xml")

    @property
    def env(self) -> dict[str, str]:
        """The environment without what would lead amends away from this folder."""
        return {k: v for k, v in os.environ.items() if not k.startswith("AMENDS_")}

    def run(self, *words: str, exits: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "amends", *words], cwd=self.folder, env=self.env, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == exits, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def weights(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.folder / "world.json").read_text())
        return {version: share for version, share in found.items() if share}

    def shown(self, deployment: str) -> Any:
        return json.loads(self.run("deployment", "show", deployment, "--format", "json"))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    Desk(folder).furnish()
    return folder


@pytest.fixture
def desk(furnished: Path, tmp_path: Path) -> Desk:
    return Desk(shutil.copytree(furnished, tmp_path / "desk"))


def test_from_a_first_release_to_a_rollback_and_the_refusals_between(desk: Desk) -> None:
    assert "promoted" in desk.run("deploy", "1", "--to", "production")
    desk.run("deploy", "2", "--to", "production")
    assert desk.weights() == {"2": 100}
    assert "INC-1" in desk.run("deploy", "bad3", "--to", "production", exits=1)
    assert desk.weights() == {"2": 100}
    assert "INC-1" in desk.run("deploy", "bad3", "--to", "production", exits=1)
    assert "INC-2" in desk.run("rollback", "shop", "--env", "production", "--reason", "customers call")
    assert desk.weights() == {"1": 100}
    listed = json.loads(desk.run("deployment", "list", "--format", "json"))
    assert [d["outcome"] for d in listed] == ["rolled_back", "rolled_back", "promoted", "promoted"]


def test_a_release_whose_tests_fail_is_blocked_and_waits_until_they_pass(desk: Desk) -> None:
    desk.run("deploy", "1", "--to", "production")
    desk.tests("2", "<failure>no</failure>")
    asked = desk.run("deploy", "2", "--to", "production", exits=1)
    assert "tests" in asked
    assert desk.weights() == {"1": 100}
    deployment = asked.split(":")[0]
    assert deployment in desk.run("deploy", "2", "--to", "production", exits=1)
    desk.run("deployment", "abort", deployment, "--reason", "another day")
    assert "aborted" not in desk.run("deployment", "list", "--open")


def test_a_person_approves_and_a_worker_carries_on(desk: Desk) -> None:
    desk.run("deploy", "1", "--to", "production")
    desk.policy(approval="true")
    asked = desk.run("deploy", "2", "--to", "production", exits=3)
    deployment = asked.split(":")[0]
    worker = subprocess.Popen(
        [sys.executable, "-m", "amends", "worker"], cwd=desk.folder, env=desk.env,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        assert "carries" in worker.stdout.readline()
        desk.run("deployment", "approve", deployment, "--role", "release-manager", "--no-wait")
        assert any("finished: promoted" in line for line in worker.stdout)
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert desk.shown(deployment)["outcome"] == "promoted"
    assert desk.weights() == {"2": 100}


def test_what_a_pipeline_leaves_to_a_person_is_said_and_the_persons_word_carries_it_on(desk: Desk) -> None:
    desk.run("deploy", "1", "--to", "production")
    desk.policy(wish="ask")
    asked = desk.run("deploy", "2", "--to", "production", exits=3)
    deployment = asked.split(":")[0]
    assert f"nobody watches {deployment}, with 50% on shop@2" in asked
    assert f"amends deployment abort {deployment}" in asked
    assert "nobody watches" in desk.run("deployment", "approve", deployment, "--no-wait", "--role", "sre")
    assert "aborted" in desk.run("deployment", "abort", deployment)
    assert desk.weights() == {"1": 100}


def test_a_word_without_a_server_is_carried_out_to_the_end(desk: Desk) -> None:
    desk.run("deploy", "1", "--to", "production")
    desk.policy(approval="true")
    deployment = desk.run("deploy", "2", "--to", "production", exits=3).split(":")[0]
    assert "promoted" in desk.run("deployment", "approve", deployment, "--role", "release-manager")
    assert desk.weights() == {"2": 100}


def _heed_interrupts() -> None:
    """Undo what a shell does to the jobs that it runs in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_at_a_terminal_it_watches_on_until_told_to_leave_and_says_so(desk: Desk) -> None:
    desk.run("deploy", "1", "--to", "production")
    desk.policy(wish="ask")
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "amends", "deploy", "2", "--to", "production"], cwd=desk.folder, env=desk.env,
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts,
    )  # fmt: skip
    os.close(theirs)
    with os.fdopen(ours, "rb") as terminal:
        assert any(b"keeps watching" in line for line in terminal)
        done.send_signal(signal.SIGINT)
        _, said = done.communicate(timeout=60)
    assert done.returncode == 130
    assert "nobody watches" in said
    assert "amends worker" in said


def test_a_worker_refuses_a_log_that_dies_with_it(desk: Desk) -> None:
    assert "outlive" in desk.run("worker", "--store", "memory:", exits=2)
