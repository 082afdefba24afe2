"""Before the story: four releases that went well, so that there is a past to price a gate on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from amends.demo import repository
from amends.demo.repository import HISTORY, LAST_GOOD, SERVICE, Version, email
from amends.demo.stage import Stage
from amends.events import payloads as p

_DAYS_PER_SECOND = 86_400.0 * 20


Suite = tuple[str, Path, Path]


def run_suites(tree: Path, suites: Sequence[str], into: Path) -> list[Suite]:
    """Run the shop's suites side by side with pytest; return each one's name, JUnit file and inputs.

    Their exit codes are not judged here: that is what the gates are for.
    """
    into.mkdir(parents=True, exist_ok=True)
    running = [(_start_suite(tree, suite, into), suite) for suite in suites]
    found: list[Suite] = []
    for process, suite in running:
        process.wait(timeout=120)
        inputs = into / f"{suite}-inputs.txt"
        inputs.write_text("".join(sorted(set(inputs.read_text().splitlines(keepends=True)))))
        found.append((suite, into / f"{suite}.xml", inputs))
    return found


def _start_suite(tree: Path, suite: str, into: Path) -> subprocess.Popen[bytes]:
    inputs = into / f"{suite}-inputs.txt"
    inputs.write_text("")
    environ = {**os.environ, "SHOP_INPUTS": str(inputs), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "."}
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{suite}"]
    return subprocess.Popen(
        [sys.executable, *words, f"--junitxml={into / suite}.xml"], cwd=tree, env=environ,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def lay_out(stage: Stage) -> None:
    """Make the repository, and write the service's policy into it."""
    repository.create(stage.repo)
    ports = {environment: _free_port() for environment in ("dev", "staging", "production")}
    text = repository.text_of("amends.yaml").replace("PORTS", str(ports).replace("'", ""))
    text = text.replace("CAPTURES", str(stage.root / "captures"))
    (stage.repo / "amends.yaml").write_text(text)
    stage.ports = ports


def live_through(stage: Stage) -> None:
    """Let the good releases pass by on the story's clock, recorded as a pipeline would record them."""
    previous: Version | None = None
    for version in HISTORY:
        if version.version == repository.BAD:
            break
        _release(stage, version, previous)
        previous = version


def _release(stage: Stage, version: Version, previous: Version | None) -> None:
    commit = repository.commit_version(stage.repo, version, stage.now())
    stage.commits[version.version] = commit
    before = previous.version if previous else ""
    _record_change(stage, version, commit)
    stage.log.record(
        "artifact.packaged",
        p.ReleaseDeclared(
            service=SERVICE, version=version.version, commit=commit, changes=(commit,), previous=before,
            team="shop-team",
        ),
    )  # fmt: skip
    for suite in run_suites(stage.repo, ("unit", "integration"), stage.root / "reports" / version.version):
        stage.record_tests(version.version, *suite)
    _ride(stage, version, before)


def _record_change(stage: Stage, version: Version, commit: str) -> None:
    people = stage.workspace.opened.people
    author, reviewer = (people.pseudonym(email(who)) for who in (version.author, version.reviewer))
    stage.log.record(
        "change.merged",
        p.ChangeMerged(
            service=SERVICE, change=commit, title=version.title, author=author,
            team="shop-team", paths=("shop/pricing.py", "tests/unit/test_pricing.py"),
            owners=(("shop-team",),),
        ),
    )  # fmt: skip
    stage.log.record(
        "change.reviewed",
        p.ChangeReviewed(
            service=SERVICE,
            change=commit,
            reviewer=reviewer,
            team="shop-team",
        ),
    )


def _ride(stage: Stage, version: Version, before: str) -> None:
    _deployed(stage, version.version, before, "dev")
    began = _deployed(stage, version.version, before, "staging")
    let_pass(stage, timedelta(days=8))
    stage.log.record(
        "traffic.observed",
        p.TrafficObserved(
            service=SERVICE, release=version.version, environment="staging", requests=4200, since=began,
            until=stage.now(),
        ),
    )  # fmt: skip
    sign_off(stage, version.version)
    wait_for_window(stage)
    if version.version != LAST_GOOD:
        _deployed(stage, version.version, before, "production")


def _deployed(stage: Stage, version: str, before: str, environment: str) -> datetime:
    deployed = p.ServiceDeployed(service=SERVICE, release=version, environment=environment, previous=before)
    return stage.log.record("service.upgraded" if before else "service.deployed", deployed).occurred_at


def sign_off(stage: Stage, version: str) -> None:
    """A tester of the QA team tried the release in staging and is content."""
    by = stage.workspace.opened.people.pseudonym("katherine")
    stage.log.record(
        "signoff.given",
        p.SignedOff(service=SERVICE, release=version, role="qa", by=by, environment="staging"),
    )


def wait_for_window(stage: Stage) -> None:
    """Let the clock run to the next Tuesday at half past nine, UTC: inside the deployment window."""
    now = stage.now()
    ahead = (1 - now.weekday()) % 7
    morning = (now + timedelta(days=ahead)).replace(hour=9, minute=30, second=0, microsecond=0)
    end = morning if morning > now else morning + timedelta(days=7)
    # A late wake-up at full pace would be hours late, and the window closed: the last day passes more slowly.
    let_pass(stage, end - now - timedelta(days=1))
    let_pass(stage, end - stage.now(), 86_400.0 * 1.5)


def let_pass(stage: Stage, time: timedelta, pace: float = _DAYS_PER_SECOND) -> None:
    """Let the clock run quickly for so long: what happens next takes its time again."""
    with stage.at_pace(pace):
        stage.clock.wait(time.total_seconds())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
