"""Proving the text of a test in fresh worktrees: red with the signature on what escaped, green on the fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from amends.amendments.rules import ATTEMPTS
from amends.amendments.selector import parse_selector
from amends.application.ports import CodeHost
from amends.events.payloads import Signature
from amends.prevention.signature import describe
from amends.workflows.trying import TestFile, Trial, try_once

Verdict = Literal["proven", "untestable", "not reproduced", "not green"]

_PYTEST = "Let --setup install pytest as well as the project, or run amends where both are installed"


@dataclass(frozen=True, slots=True)
class Revisions:
    """The escaped revision and the fix, by name and by commit; a fix may be missing."""

    bad: str
    bad_commit: str
    good: str = ""
    good_commit: str = ""


@dataclass(frozen=True, slots=True)
class TextProof:
    """What the runs came to, and what each gave, in words."""

    verdict: Verdict
    reason: str
    red: tuple[str, ...] = ()
    green: tuple[str, ...] = ()


def prove_text(
    host: CodeHost, revisions: Revisions, path: str, name: str, text: str, expected: Signature, *,
    timeout: float, report: Callable[[int, str], None] = lambda *_: None,
) -> TextProof:  # fmt: skip
    """Run a test that is in no commit yet three times on each revision, each time in a fresh worktree.

    ``expected`` is what it must be red with. Whoever follows is told the number of runs and what each gave.
    """
    file = TestFile(path, text, "what was written")

    def runs(commit: str, called: str, before: int) -> list[Trial]:
        found: list[Trial] = []
        selector = parse_selector(f"pytest {path}::{name}")
        while len(found) < ATTEMPTS and not (found and found[-1].outcome == "untestable"):
            found.append(try_once(host, commit, selector, expected, file, timeout=timeout))
            report(before + len(found), f"{called}: {_shown(found[-1])}")
        return found

    red = runs(revisions.bad_commit, revisions.bad, 0)
    reds = tuple(_shown(trial) for trial in red)
    refused = _refused_red(red, reds)
    if refused is not None:
        return refused
    if not revisions.good_commit:
        reason = "it is red, and there is no fix yet on which it could be green."
        return TextProof("not green", reason, reds)
    green = runs(revisions.good_commit, revisions.good, len(red))
    return _judge_green(green, reds, revisions)


def _refused_red(red: list[Trial], told: tuple[str, ...]) -> TextProof | None:
    if red[-1].outcome == "untestable":
        return TextProof("untestable", f"the written test: {red[-1].note}. {_PYTEST}.", told)
    if all(trial.outcome == "red" and trial.matches for trial in red):
        return None
    return TextProof("not reproduced", f"the written test gave {', '.join(told)}.", told)


def _judge_green(green: list[Trial], reds: tuple[str, ...], revisions: Revisions) -> TextProof:
    greens = tuple(_shown(trial) for trial in green)
    if green[-1].outcome == "untestable":
        return TextProof("untestable", f"on the fix: {green[-1].note}. {_PYTEST}.", reds, greens)
    if not all(trial.outcome == "green" for trial in green):
        return TextProof("not green", f"on the fix it gave {', '.join(greens)}.", reds, greens)
    count = len(green)
    reason = f"red {count} of {count} on {revisions.bad}, green {count} of {count} on {revisions.good}."
    return TextProof("proven", reason, reds, greens)


def _shown(trial: Trial) -> str:
    if trial.outcome == "red":
        return f"red: {describe(trial.signature)}{'' if trial.matches else ' (another failure)'}"
    return "green" if trial.outcome == "green" else f"untestable: {trial.note}"
