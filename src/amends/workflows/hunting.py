"""One run of a search: the command on one revision, in a fresh worktree, read as red, green or neither."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from amends.amendments.selector import Selector
from amends.application.ports import CodeHost, CommandResult, CommitInfo, Worktree
from amends.errors import AmendsError, UsageError
from amends.events.payloads import Signature
from amends.events.redaction import cut, redact
from amends.prevention.search import Run, Try
from amends.prevention.signature import project_files, pytest_counts, signatures_of, untestable_reason

CANNOT_TELL = 125
"""The exit code by which a command says that a revision cannot be tested, as for ``git bisect run``."""
_MOST_SIGNATURES = 10
_NOTE_LIMIT = 300
_OF_PYTEST_ALONE = range(2, 6)


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is run where: revisions from the good end (number 0) to the bad end, and the command.

    ``commits`` are the changes, oldest first; change ``k`` is ``commits[k - 1]`` and leads to revision ``k``.
    ``files`` are written into each worktree before the command runs; ``timeout`` is in seconds.
    """

    good: str
    commits: tuple[CommitInfo, ...]
    command: Selector
    files: tuple[tuple[str, str], ...] = ()
    setup: tuple[str, ...] = ()
    timeout: float = 300.0
    hang_is_failure: bool = False
    expected: Signature = field(default_factory=Signature)

    def revision(self, number: int) -> str:
        """Return the commit of a revision's number."""
        return self.commits[number - 1].sha if number else self.good

    def digest(self) -> str:
        """Return what tells this search from another one: its ends, its command and what a run depends on."""
        told = [
            self.good, self.revision(len(self.commits)), self.command.text, self.files, self.setup,
            self.hang_is_failure, len(self.commits),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def plan_hunt(host: CodeHost, good: str, bad: str, command: Selector, *, every_commit: bool = False) -> Hunt:
    """Return the changes between two revisions, ready to be searched.

    A merge is one change with all that it brought, unless ``every_commit`` is asked for. Raises
    ``NotFoundError`` for an unknown revision, ``UsageError`` when the good one is not before the bad one.
    """
    first, last = host.resolve(good), host.resolve(bad)
    if first == last:
        raise UsageError(
            f"{good} and {bad} are one commit, {first[:12]}: nothing changed between them",
            remedy="name a revision that passes with --good and a later one that fails with --bad",
        )
    if not host.contains(last, first):
        if host.contains(first, last):
            raise UsageError(f"{good} comes after {bad}", remedy="exchange --good and --bad")
        raise UsageError(
            f"{good} is not before {bad}: neither contains the other",
            remedy=f"start from what both share: git merge-base {good} {bad}",
        )
    return Hunt(first, tuple(host.commits(first, last, first_parent=not every_commit)), command)


def read_run(hunt: Hunt, step: Try, done: CommandResult, roots: tuple[str, ...]) -> Run:
    """Read what the command gave on a revision.

    Green is exit code 0, and for pytest a test that passed and none that was skipped. Exit code 125, a
    command that was not found, an import error that is not the failure itself, and a run that was stopped
    are no evidence.
    """
    note = _no_evidence(hunt, done)
    if note:
        return Run(step.revision, "untestable", step.purpose, note=cut(redact(note), _NOTE_LIMIT))
    if done.exit_code == 0 and not done.timed_out:
        return Run(step.revision, "green", step.purpose)
    found = signatures_of(done.output, roots)[:_MOST_SIGNATURES]
    files = project_files(done.output, roots)[:_MOST_SIGNATURES]
    return Run(step.revision, "red", step.purpose, found, files)


def _no_evidence(hunt: Hunt, done: CommandResult) -> str:
    if done.timed_out:
        return "" if hunt.hang_is_failure else f"it did not end within {hunt.timeout:g} s and was stopped"
    if done.exit_code == CANNOT_TELL:
        return f"the command said that it cannot be tested here (exit code {CANNOT_TELL})"
    if done.exit_code == 0:
        return _nothing_passed(done.output) if hunt.command.pytest else ""
    own = not hunt.command.pytest and done.exit_code in _OF_PYTEST_ALONE
    return untestable_reason(done.output, 1 if own else done.exit_code, hunt.expected)


def _nothing_passed(output: str) -> str:
    counts = pytest_counts(output)
    if counts.get("passed") and not counts.get("skipped"):
        return ""
    told = ", ".join(f"{n} {word}" for word, n in counts.items()) or "it counted nothing"
    return f"no test passed without being skipped: {told}"


class Crew:
    """Runs several revisions at a time, each in its own fresh worktree. Use it as a context manager.

    Leaving it by an exception, Ctrl-C included, ends what runs and removes every worktree. ``notes`` are
    what its worktrees noted, for example that submodules are not checked out.
    """

    def __init__(self, host: CodeHost, hunt: Hunt, jobs: int) -> None:
        self._host, self._hunt = host, hunt
        self._pool = ThreadPoolExecutor(jobs)
        self._under_way: dict[Future[Run], Try] = {}
        self._trees: set[Worktree] = set()
        self._lock = threading.Lock()
        self._over = False
        self.notes: set[str] = set()

    @property
    def pending(self) -> list[Try]:
        """The runs under way."""
        return list(self._under_way.values())

    def start(self, step: Try) -> None:
        """Begin a run."""
        self._under_way[self._pool.submit(self._run, step)] = step

    def next(self) -> Run:
        """Wait for a run to end and return it."""
        done = next(iter(wait(self._under_way, return_when=FIRST_COMPLETED).done))
        del self._under_way[done]
        return done.result()

    def __enter__(self) -> Self:
        return self

    def end(self) -> None:
        """End what runs, and remove its worktrees."""
        with self._lock:
            self._over = True
            left = list(self._trees)
        for tree in left:
            tree.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._pool.shutdown(cancel_futures=True)

    def _run(self, step: Try) -> Run:
        try:
            tree = self._host.worktree(self._hunt.revision(step.revision), self._hunt.setup or None)
        except AmendsError as error:
            note = cut(redact(f"no worktree could be made: {error.message}"), _NOTE_LIMIT)
            return Run(step.revision, "untestable", step.purpose, note=note)
        try:
            with self._lock:
                self._trees.add(tree)
                self.notes |= set(tree.notes)
            return self._tried(step, tree)
        finally:
            tree.close()
            with self._lock:
                self._trees.discard(tree)

    def _tried(self, step: Try, tree: Worktree) -> Run:
        if self._over:
            return Run(step.revision, "untestable", step.purpose, note="the search was ended")
        try:
            for path, text in self._hunt.files:
                tree.write(path, text)
        except OSError as error:  # a folder of that name, for example, in an old revision
            return Run(step.revision, "untestable", step.purpose, note=f"{path} cannot be put there: {error}")
        done = tree.run(self._hunt.command.command, timeout=self._hunt.timeout)
        return read_run(self._hunt, step, done, roots_of(tree))


def roots_of(tree: Worktree) -> tuple[str, ...]:
    """Return the paths under which a worktree's own files appear in tracebacks."""
    return tuple(dict.fromkeys((str(tree.path), str(tree.path.resolve()))))


def kept(run: Run, number: int) -> dict[str, object]:
    """Return a run as it is written down."""
    signatures = [
        {name: value for name in sign.__struct_fields__ if (value := getattr(sign, name)) not in ("", None)}
        for sign in run.signatures
    ]
    return {
        "id": str(number), "revision": run.revision, "outcome": run.outcome, "purpose": run.purpose,
        "signatures": signatures, "files": list(run.files), "note": run.note,
    }  # fmt: skip


def read_kept(entries: Sequence[object], revisions: int, where: str) -> list[Run]:
    """Read runs as they were written down. Raises ``UsageError`` for what is none."""
    runs = []
    for entry in entries:
        try:
            assert isinstance(entry, dict)
            run = Run(
                int(entry["revision"]), entry["outcome"], entry["purpose"],
                tuple(Signature(**sign) for sign in entry["signatures"]), tuple(entry["files"]),
                entry["note"],
            )  # fmt: skip
            assert 0 <= run.revision <= revisions
            assert run.outcome in ("red", "green", "untestable")
        except (KeyError, TypeError, ValueError, AssertionError):
            raise UsageError(
                f"this is no note of a run: {json.dumps(entry)[:200]}", where=where,
                remedy="begin anew with --fresh, or name another file with --state",
            ) from None  # fmt: skip
        runs.append(run)
    return runs
