"""Trying a test on a revision: once, in a fresh worktree, its output read as red, green or neither."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from amends.amendments.selector import Selector
from amends.application.ports import CodeHost, CommandResult, Worktree
from amends.errors import AmendsError, NotFoundError
from amends.events.payloads import Signature
from amends.events.redaction import cut, redact
from amends.prevention.signature import (
    matches,
    pytest_counts,
    same_path,
    signatures_of,
    untestable_reason,
)  # fmt: skip

OUTPUT_LIMIT = 8_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What one run gave. ``note`` says what a reader must know, and for ``untestable`` why."""

    outcome: Literal["red", "green", "untestable"]
    signature: Signature = field(default_factory=Signature)
    matches: bool = False
    output: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TestFile:
    """The text of a test's file and where it is from; ``None`` when the command names no file."""

    __test__ = False

    path: str
    text: str
    origin: str


def test_file(host: CodeHost, selector: Selector, *, text: str, good: str) -> TestFile | None:
    """Return the file of the test, from the proposal or from the fix.

    Raises ``NotFoundError`` when neither has it.
    """
    if not selector.path:
        return None
    if text:
        return TestFile(selector.path, text, "the proposal")
    for revision, origin in ((good, "the fix"), ("HEAD", "HEAD")):
        found = host.show(revision, selector.path) if revision else None
        if found is not None:
            return TestFile(selector.path, found, f"{origin} ({host.resolve(revision)[:12]})")
    raise NotFoundError(
        f"the test {selector.path} is neither in the fix nor at HEAD",
        remedy="commit it, name the fix with --good, or give its text with --test-file",
    )


test_file.__test__ = False  # type: ignore[attr-defined]


def try_once(
    host: CodeHost, revision: str, selector: Selector, expected: Signature, file: TestFile | None, *,
    timeout: float,
) -> Trial:  # fmt: skip
    """Run the test on a revision in a fresh worktree, which is removed again whatever happens."""
    try:
        tree = host.worktree(revision)
    except NotFoundError:
        raise
    except AmendsError as error:
        return Trial("untestable", note=f"no worktree could be made: {error.message}")
    try:
        note = _place(host, tree, revision, file)
        done = tree.run(selector.command, timeout=timeout)
        trial = read_result(done, selector, expected, roots=(str(tree.path), str(tree.path.resolve())))
        notes = [trial.note, note, *tree.notes]
    finally:
        tree.close()
    if done.timed_out:
        trial = Trial("untestable", output=trial.output)
        notes[0] = f"it did not end within {timeout:g} s and was stopped"
    return Trial(
        trial.outcome, trial.signature, trial.matches, trial.output, "; ".join(n for n in notes if n)
    )  # fmt: skip


def _place(host: CodeHost, tree: Worktree, revision: str, file: TestFile | None) -> str:
    """Write the test's file where the revision has another or none, and say so."""
    if file is None or host.show(revision, file.path) == file.text:
        return ""
    tree.write(file.path, file.text)
    return f"{file.path} was taken from {file.origin}"


def read_result(
    done: CommandResult, selector: Selector, expected: Signature, *, roots: tuple[str, ...] = ()
) -> Trial:
    """Read what a run printed.

    Green is exit code 0 and, for pytest, at least one test that passed and none that was skipped. Red is a
    failure that could be tried; whether it ``matches`` is another question.
    """
    output = cut(redact(done.output), OUTPUT_LIMIT)
    if done.exit_code == 0:
        return _green(done, selector, output)
    reason = untestable_reason(done.output, done.exit_code, expected)
    if reason:
        return Trial("untestable", output=output, note=reason)
    found = signatures_of(done.output, roots)
    if not found:
        return Trial("red", output=output, note="its output holds no signature of a failure")
    if expected != Signature():
        fitting = next((sign for sign in found if matches(expected, sign)), None)
        return Trial("red", fitting or found[0], fitting is not None, output)
    return Trial("red", found[0], _own_oracle(found[0], selector), output)


def _green(done: CommandResult, selector: Selector, output: str) -> Trial:
    counts = pytest_counts(done.output)
    if selector.pytest and (not counts.get("passed") or counts.get("skipped")):
        told = ", ".join(f"{n} {word}" for word, n in counts.items()) or "it counted nothing"
        return Trial("untestable", output=output, note=f"no test passed without being skipped: {told}")
    return Trial("green", output=output)


def _own_oracle(found: Signature, selector: Selector) -> bool:
    """Judge a red without a recorded signature: an assertion of the test's own, or a failure inside the code.

    Any other exception in the test itself (a name or parameter that the old release does not have) is red for
    another reason.
    """
    path = found.frame.rpartition(":")[0] or found.frame
    if selector.path and path and not same_path(path, selector.path):
        return True
    return found.exception.rsplit(".", 1)[-1] == "AssertionError"
