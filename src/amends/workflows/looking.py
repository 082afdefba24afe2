"""Looking at what one input does on one revision: it fails in a known way, answers, or cannot be tried."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from amends.application.ports import Attempt, CodeHost, Rehearsal, Worktree
from amends.errors import UsageError
from amends.events.payloads import Signature
from amends.prevention.commandfailure import CommandFailure, failure_of, not_run_reason
from amends.prevention.signature import matches, signatures_of
from amends.prevention.subjects import (
    AppSubject,
    CallSubject,
    CommandSubject,
    Parts,
    Rehearsed,
    Subject,
    attempt_source,
    preparation,
)
from amends.prevention.typed import decode

_IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one try gave.

    ``failed`` with the signatures of what was raised or logged, or a command's ``failure``; ``answered`` with
    a ``value`` (of a reply: its status and what it says); ``untestable`` or ``hung`` with the reason.
    """

    kind: Literal["failed", "answered", "untestable", "hung"]
    signatures: tuple[Signature, ...] = ()
    value: Any = None
    status: int | None = None
    failure: CommandFailure | None = None
    exception: str = ""
    why: str = ""
    how: str = ""

    def is_failure(self, expected: Signature, failure: CommandFailure | None = None) -> bool:
        """Return whether this is the failure that is looked for."""
        if failure is not None:
            return failure.same(self.failure)
        if expected == Signature():
            return False
        return any(matches(expected, found) for found in self.signatures)


Look = Callable[[Parts], Seen]


class Looker:
    """Tries inputs of one subject in one worktree. ``close`` ends its process, not the worktree."""

    def __init__(self, tree: Worktree, subject: Subject, timeout: float) -> None:
        self.tree, self.subject, self._timeout = tree, subject, timeout
        self.expected = Signature()
        self._roots = (str(tree.path), str(tree.path.resolve()))
        self._rehearsal: Rehearsal | None = None

    def look(self, parts: Parts) -> Seen:
        """Try one input."""
        try:
            if isinstance(self.subject, CommandSubject):
                return self._command(self.subject, parts)
            return self._rehearse(self.subject, parts)
        except UsageError as error:
            return Seen("untestable", why=error.message)

    def close(self) -> None:
        """End the process that makes the attempts."""
        if self._rehearsal is not None:
            self._rehearsal.close()
            self._rehearsal = None

    def ask(self, prepare: str, source: str) -> Attempt:
        """Run any source in the worktree's process."""
        if self._rehearsal is None:
            self._rehearsal = self.tree.rehearse()
        return self._rehearsal.attempt(prepare, source, timeout=self._timeout)

    def _rehearse(self, subject: Rehearsed, parts: Parts) -> Seen:
        found = self.ask(preparation(subject), attempt_source(subject, parts))
        if found.outcome == "unprepared":
            return Seen("untestable", why=_unprepared(found))
        if found.outcome == "hung":
            return Seen("hung", why=f"it did not end within {self._timeout:g} s and was stopped")
        if found.outcome == "died":
            return Seen("untestable", why=f"{found.message}, so no test can tell")
        signatures = signatures_of(found.output, self._roots)
        if found.outcome == "raised":
            return self._raised(found, signatures)
        return self._answered(subject, found, signatures)

    def _raised(self, found: Attempt, signatures: tuple[Signature, ...]) -> Seen:
        name = found.exception.rpartition(".")[2]
        wanted = self.expected.exception.rpartition(".")[2]
        if name in _IMPORT_ERRORS and wanted not in _IMPORT_ERRORS:
            why = f"red through {name}: {found.message}: that is not the failure"
            return Seen("untestable", why=why)
        why = f"{found.exception}: {found.message}"
        return Seen("failed", signatures, exception=found.exception, why=why, how=found.how)

    def _answered(self, subject: Rehearsed, found: Attempt, signatures: tuple[Signature, ...]) -> Seen:
        value = decode(found.value, whole=False)
        if isinstance(subject, CallSubject):
            return Seen("answered", value=value, how=found.how)
        status, text = value
        answer = Signature(status=status, path=subject.request.path)
        failed = status >= 400
        logged = tuple(one for one in signatures if one.exception) if failed else ()
        kind: Literal["failed", "answered"] = "failed" if failed else "answered"
        return Seen(kind, (*logged, answer), value=_reply(text), status=status, why=f"status {status}")

    def _command(self, subject: CommandSubject, parts: Parts) -> Seen:
        place = self.tree.beside(f"input{subject.suffix}", str(parts["text"]))
        words = [word.replace("{input}", str(place)) for word in subject.command]
        done = self.tree.run(words, timeout=self._timeout)
        if done.timed_out:
            return Seen("hung", why=f"it did not end within {self._timeout:g} s and was stopped")
        reason = not_run_reason(done.exit_code, done.output)
        if reason:
            return Seen("untestable", why=reason)
        failure = failure_of(done.exit_code, done.output, self._roots)
        if failure is None:
            return Seen("answered", value=done.output.strip(), status=0)
        return Seen("failed", failure=failure, status=done.exit_code, why=failure.describe())


class Lookers:
    """A worktree with its looker for each revision that is asked about; all are gone when it is left.

    ``notes`` say what a reader of the results must know.
    """

    def __init__(self, host: CodeHost, subject: Subject, timeout: float) -> None:
        self._host, self._subject, self._timeout = host, subject, timeout
        self._found: dict[str, Looker] = {}
        self.notes: list[str] = []

    def looker(self, commit: str) -> Looker:
        """Return the looker of a commit. Raises ``AmendsError`` when no worktree can be made or set up."""
        found = self._found.get(commit)
        if found is None:
            tree = self._host.worktree(commit)
            self.notes.extend(tree.notes)
            found = self._found[commit] = Looker(tree, self._subject, self._timeout)
        return found

    def end_processes(self) -> None:
        """End the processes that make attempts; the next attempt starts a fresh one."""
        for looker in self._found.values():
            looker.close()

    def __enter__(self) -> Lookers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_processes()
        for looker in self._found.values():
            looker.tree.close()


def app_subject(looker: Looker, subject: AppSubject) -> AppSubject | str:
    """Return the subject with the protocol that its application speaks, or why there is none."""
    module, _, name = subject.app.partition(":")
    source = (
        f"import inspect\ndef attempt():\n    found = {name}\n"
        "    call = getattr(found, '__call__', None)\n"
        "    is_asgi = inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(call)\n"
        "    return 'asgi' if is_asgi else 'wsgi' if callable(found) else 'none'\n"
    )
    found = looker.ask(f"from {module} import {name.removesuffix('()')}\n", source)
    if found.outcome == "unprepared":
        return _unprepared(found)
    if found.outcome != "returned":
        return f"{subject.app} cannot be looked at: {found.exception} {found.message}"
    if found.value == "none":
        return f"{subject.app} is no application: it cannot be called"
    return replace(subject, protocol="asgi" if found.value == "asgi" else "wsgi")


def _unprepared(found: Attempt) -> str:
    lines = [line for line in found.message.strip().splitlines() if line.strip()]
    what = (
        f"{found.exception}: {' / '.join(lines[:1] + lines[1:][-2:])}" if found.exception else found.message
    )
    return f"what it needs could not be imported or started: {what}"


def _reply(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
