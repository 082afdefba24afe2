"""What a proof is made on: a bench with log, repository and policy, and a guard that is run on releases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from amends.amendments.amendment import Amendment
from amends.amendments.selector import Selector
from amends.application.log import Log
from amends.application.ports import CodeHost
from amends.application.record import release_names
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.policy import LoadedPolicy
from amends.prevention.signature import describe
from amends.workflows.trying import TestFile, Trial, try_once

TIMEOUT = 300.0
PAST_RELEASES = 5


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: ``done`` of ``total`` runs, and what just happened."""

    done: int
    total: int
    text: str


Report = Callable[[Step], None]


def _silent(_: Step) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a proof needs: the log, the repository, the policy (for gates), limits, and who hears of progress.

    ``past`` is on how many past good releases a guard's test is run to learn a gate's price.
    """

    log: Log
    host: CodeHost
    loaded: LoadedPolicy | None = None
    timeout: float = TIMEOUT
    past: int = PAST_RELEASES
    report: Report = _silent


def run_of(fact: Fact) -> p.ProofRun:
    """Return the run that a fact records."""
    assert isinstance(fact.payload, p.ProofRun)
    return fact.payload


@dataclass
class Guard:
    """A test that is run on several releases, each run recorded and reported."""

    bench: Bench
    amendment: Amendment
    selector: Selector
    expected: p.Signature
    file: TestFile | None
    total: int
    done: int = 0

    def run(self, on: Literal["bad", "good", "past"], release: str, commit: str, attempt: int) -> Fact:
        """Try once in a fresh worktree and record what came of it."""
        trial = try_once(
            self.bench.host, commit, self.selector, self.expected, self.file, timeout=self.bench.timeout
        )
        self.done += 1
        self.bench.report(Step(self.done, self.total, f"{release}: {_told(trial)}"))
        told = self.amendment.proposed
        run = p.ProofRun(
            amendment=told.amendment, incident=told.incident, service=told.service, on=on, release=release,
            commit=commit, attempt=attempt, outcome=trial.outcome, signature=trial.signature,
            matches=trial.matches, output=trial.output, note=trial.note,
        )  # fmt: skip
        return self.bench.log.record("proof.run", run)


def _told(trial: Trial) -> str:
    if trial.outcome == "untestable":
        return f"untestable: {trial.note}"
    if trial.outcome == "green":
        return "green"
    return f"red: {describe(trial.signature)}{'' if trial.matches else ' (another failure)'}"


def both_commits(bench: Bench, told: p.AmendmentProposed) -> tuple[str, str]:
    """Return the commits of the escaped release and of the fix. Raises ``UsageError`` when they are one."""
    fix = told.good or "HEAD"
    bad, good = commit_of(bench, told.service, told.bad), commit_of(bench, told.service, fix)
    if bad == good:
        raise UsageError(
            f"the fix {fix} is the escaped release {told.bad}: both are commit {bad[:12]}",
            remedy="commit the fix, or name it when proposing: --good NAME",
        )
    return bad, good


def commit_of(bench: Bench, service: str, name: str) -> str:
    """Return the commit of a release (by any of its names) or revision. Raises ``NotFoundError``."""
    if not name:
        raise NotFoundError(
            "which release escaped? The incident names none",
            remedy="name it: --bad VERSION (a tag or commit)",
        )
    problem: NotFoundError | None = None
    known = sorted(release_names(bench.log, service, name) - {name}, key=len, reverse=True)
    for candidate in (*known, name, f"v{name}"):
        try:
            return bench.host.resolve(candidate)
        except NotFoundError as error:
            problem = problem if problem and candidate != name else error
    assert problem is not None
    raise problem
