"""From what is asked for to an order: which input, which revisions, what the test is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import PurePath

from amends.application.ports import CodeHost
from amends.errors import NotFoundError, UsageError
from amends.events.payloads import Signature
from amends.prevention.captures import Capture, is_capture, read_capture
from amends.prevention.choosing import Ways, command_subject, subject_of
from amends.prevention.oracle import stated
from amends.prevention.provenance import foreign_names
from amends.prevention.signature import describe
from amends.prevention.subjects import Subject
from amends.prevention.testtext import test_name
from amends.workflows.testorder import Order


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; everything may be left out.

    Parameters
    ----------
    bad, good:
        The escaped revision (the capture's release) and the fix (HEAD, where that is another).
    words, name, path:
        What the edge case is, its name, and the test's file from the repository's root.
    incident:
        The incident whose amendment the test becomes.
    ways:
        How a request reaches the service.
    run:
        A command with ``{input}``, for an input that no Python reads.
    expect:
        The right answer as a literal, where a person knows it.
    setup, python:
        What prepares each worktree, and which Python makes its environment.
    timeout:
        Seconds for one attempt.
    evaluations, seconds:
        Bounds of the reduction.
    replace, unfixed:
        Whether a file that is there is replaced; whether a red test without a fix is written, too.
    into_tree:
        Whether the working tree gains the test; the amendment of an incident holds its text in any case.
    service, role:
        Whose edge case it is, and the role that asks.
    """

    bad: str = ""
    good: str = ""
    words: str = ""
    name: str = ""
    path: str = ""
    incident: str = ""
    ways: Ways = field(default_factory=Ways)
    run: str = ""
    expect: str = ""
    setup: str = ""
    python: str = ""
    timeout: float = 10.0
    evaluations: int = 2000
    seconds: float = 300.0
    replace: bool = False
    unfixed: bool = False
    into_tree: bool = True
    service: str = ""
    role: str = ""


def order_of(text: str, where: str, asked: Asked, enough: Callable[[], bool] = lambda: False) -> Order:
    """Return the order for a capture (or, with a command, for any text), with its revisions still open.

    ``where`` is the input's file, for messages. Raises ``UsageError`` for what cannot be read or reached.
    """
    run = asked.run
    capture = read_capture(text, where) if not run or is_capture(text) else None
    subject = _subject(text, where, capture, asked)
    words = asked.words.strip() or _words(capture, run)
    slug = test_name(asked.name or words)
    oracle = stated(asked.expect, http=subject.kind in ("app", "service")) if asked.expect else None
    return Order(
        bad="", good="", subject=subject, path=asked.path or f"tests/regression/{slug}.py", name=slug,
        words=words, capture=capture, expected=capture.signature() if capture and not run else Signature(),
        oracle=oracle, incident=asked.incident, timeout=asked.timeout,
        proof_timeout=max(60.0, 6 * asked.timeout), bound=asked.evaluations, enough=enough,
    )  # fmt: skip


def with_revisions(host: CodeHost, order: Order, asked: Asked, names: Iterable[str] = ()) -> Order:
    """Settle which revisions are meant, and how the failure is called there.

    ``names`` are other names of the escaped release. Raises ``NotFoundError`` when no revision has any of
    them, and ``UsageError`` when nothing says which revision escaped.
    """
    escaped = asked.bad or (order.capture.release if order.capture else "")
    known = [] if asked.bad else [name for one in (escaped, *names) if one for name in (one, f"v{one}")]
    candidates = known or [escaped]
    if not any(candidates):
        raise UsageError("which revision escaped?", remedy="name it with --bad REV: a tag or commit")
    bad, commit = _first(host, candidates)
    good = asked.good or ("HEAD" if host.resolve("HEAD") != commit else "")
    expected = order.expected
    if order.capture is not None and order.subject.kind != "command":
        files = frozenset(host.files(commit))
        _refuse_foreign(order.capture, files, bad)
        expected = order.capture.signature(files)
    return changed(order, bad=bad, good=good, expected=expected)


def _refuse_foreign(capture: Capture, files: frozenset[str], revision: str) -> None:
    foreign = foreign_names(capture, files)
    if foreign:
        raise UsageError(
            f"the capture would have {foreign[0]} called, which no file at {revision} holds",
            remedy="give a capture of this repository's own functions, or name the revision with --bad",
        )


def _first(host: CodeHost, candidates: list[str]) -> tuple[str, str]:
    problem: NotFoundError | None = None
    for name in candidates:
        try:
            return name, host.resolve(name)
        except NotFoundError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _subject(text: str, where: str, capture: Capture | None, asked: Asked) -> Subject:
    if asked.run:
        suffix = "" if capture else PurePath(where).suffix
        return command_subject(asked.run, text, capture=capture, suffix=suffix)
    assert capture is not None
    return subject_of(capture, asked.ways)


def _words(capture: Capture | None, run: str) -> str:
    if capture is None:
        named = [word for word in run.split() if not word.startswith(("-", "{")) and "python" not in word]
        return f"an input on which {(named or run.split())[0]} failed"
    what = capture.call.function.partition(":")[2] if capture.call else ""
    if capture.request:
        what = f"{capture.request.method} {capture.request.path}"
    failed = capture.exception.rpartition(".")[2] or (describe(capture.signature()) if capture.status else "")
    return f"{failed} in {what}" if failed and not capture.request else f"{failed or 'an answer'} of {what}"
