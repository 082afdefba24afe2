"""``amends test``: from a captured failure to a proven test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import ServiceOption
from amends.cli.incident import RoleOption
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.ports import CodeHost
    from amends.application.registering import Registered
    from amends.gates.policy import Policy
    from amends.prevention.captures import Capture
    from amends.prevention.choosing import Ways
    from amends.prevention.subjects import Subject
    from amends.workflows.bench import Step
    from amends.workflows.testorder import Order, Written

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write a regression test from a captured failure, and prove it.",
)  # fmt: skip

_EXITS = {"proven": 0, "not reproduced": 1, "not green": 1, "untestable": 3}


@app.callback()
def root() -> None:
    """Hold the group together; a Typer with one command and no callback would be that command."""


@app.command()
def write(
    capture: Annotated[
        Path, typer.Argument(metavar="CAPTURE", help="What the recorder wrote; with --run any input")
    ],
    repo: Annotated[Path, typer.Option("--repo", metavar="DIR", help="The git repository")] = Path(),
    bad: Annotated[
        str, typer.Option("--bad", metavar="REV", help="What escaped. Default: the capture's release")
    ] = "",
    good: Annotated[
        str, typer.Option("--good", metavar="REV", help="The fix. Default: HEAD, where that is another")
    ] = "",
    words: Annotated[
        str, typer.Option("--words", metavar="TEXT", help="What the edge case is: 'an empty basket'")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The edge case's name. Default: from its words")
    ] = "",
    test: Annotated[
        str,
        typer.Option("--test", metavar="PATH", help="Its file. Default: tests/regression/test_NAME.py"),
    ] = "",
    incident: Annotated[
        str, typer.Option("--incident", metavar="INCIDENT", help="Propose it as this incident's amendment")
    ] = "",
    target: Annotated[
        str, typer.Option("--app", metavar="MODULE:NAME", help="The ASGI or WSGI application of a request")
    ] = "",
    start: Annotated[
        str, typer.Option("--start", metavar="COMMAND", help="Starts the service; {port} is replaced")
    ] = "",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where it answers then. Default: 127.0.0.1:{port}")
    ] = "",
    run: Annotated[
        str, typer.Option("--run", metavar="COMMAND", help="Any command; {input} is the input's file")
    ] = "",
    expect: Annotated[
        str, typer.Option("--expect", metavar="LITERAL", help="The right answer, where you know it")
    ] = "",
    setup: Annotated[
        str, typer.Option("--setup", metavar="COMMAND", help="Prepares each worktree, in its own environment")
    ] = "",
    python: Annotated[
        str, typer.Option("--python", metavar="PATH", help="The worktrees' Python. Default: that of amends")
    ] = "",
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="For one attempt")] = 10.0,
    evaluations: Annotated[
        int, typer.Option("--evaluations", metavar="N", min=0, help="At most so many in the reduction")
    ] = 2000,
    seconds: Annotated[
        float, typer.Option("--reduce-for", metavar="SECONDS", help="At most so long in the reduction")
    ] = 300.0,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a test that is there")] = False,
    unfixed: Annotated[
        bool, typer.Option("--unfixed", help="Write it also when it is red and there is no fix yet")
    ] = False,
    service: ServiceOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Write a pytest test from a captured failure, and prove it red on what escaped and green on the fix.

    The capture is made to fail again with its own signature, made small, written as a test and run three
    times on each revision in fresh worktrees. Your working tree gains the test, and only when it is proven.
    Exit 0 proven, 1 not reproduced or not green, 3 untestable or without a fix.

    JSON: {"verdict", "signature", "original_size", "reduced_size", "evaluations", "test_file", "red",
    "green"} and more: docs/reference/exit-codes-and-json.md.
    """
    from amends.bootstrap import open_code_host, place_in_repository, write_into_repository
    from amends.prevention.choosing import Ways
    from amends.workflows.testwriting import write as do

    text = _read(capture)
    found = _policy(repo, policy)
    order = _order(
        text, str(capture), run=run, expect=expect, ways=_ways(found, Ways(app=target, start=start, url=url)),
        words=words, name=name, path=test, incident=incident,
    )  # fmt: skip
    limits = {"timeout": timeout, "proof_timeout": max(60.0, 6 * timeout), "bound": evaluations}
    order = changed(order, enough=_limit(seconds), **limits)  # type: ignore[arg-type]
    place_in_repository(repo, order.path, replace=replace)
    host = open_code_host(repo, setup=_setup(found, setup), python=python)
    order = _revisions(host, order, bad, good)
    written = do(host, order, _progress(format))
    place, registered = "", None
    if written.verdict == "proven" or (unfixed and written.text and written.red and not order.good):
        write_into_repository(repo, order.path, written.text, replace=replace)
        place = order.path
    if written.verdict == "proven":
        named = (
            service or (found.service if found else "") or (order.capture.service if order.capture else "")
        )
        registered = _register(order, written, store=store, policy=policy, service=named, role=role)
    typer.echo(
        json.dumps(_data(order, written, place, registered), ensure_ascii=False)
        if format is Format.JSON else _text(order, written, place, registered)
    )  # fmt: skip
    raise typer.Exit(3 if written.verdict == "not green" and not order.good else _EXITS[written.verdict])


# --- what is asked for ------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    from amends.errors import UsageError

    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("it is not UTF-8 text", where=str(path), remedy="name a capture or a text") from None
    except OSError as error:
        raise UsageError(
            f"it cannot be read: {error.strerror}", where=str(path), remedy="name a file that is there"
        ) from None


def _policy(repo: Path, policy: str) -> Policy | None:
    """Return the policy that is named, or lies in the repository; a test can be written without one."""
    from amends.bootstrap import open_policy, policy_path

    beside = repo / "amends.yaml"
    if policy or policy_path().exists():
        return open_policy(policy).policy
    return open_policy(str(beside)).policy if beside.exists() else None


def _ways(policy: Policy | None, told: Ways) -> Ways:
    process = policy.deploy.process if policy else None
    if process is None or told.app or told.start:
        return told
    return changed(
        told, start=process.run, env=process.env, ready=process.ready, seconds=process.startup_timeout
    )


def _setup(policy: Policy | None, setup: str) -> list[str]:
    prepare = policy.deploy.process.prepare if policy and policy.deploy.process else ""
    command = setup or prepare.replace("{python}", "python")
    return ["sh", "-c", command] if command else []


def _order(
    text: str,
    where: str,
    *,
    run: str,
    expect: str,
    ways: Ways,
    words: str,
    name: str,
    path: str,
    incident: str,
) -> Order:
    from amends.events.payloads import Signature
    from amends.prevention.captures import is_capture, read_capture
    from amends.prevention.oracle import stated
    from amends.prevention.testtext import test_name
    from amends.workflows.testorder import Order

    capture = read_capture(text, where) if not run or is_capture(text) else None
    subject = _subject(text, where, capture, run, ways)
    told = words.strip() or _words(capture, run)
    slug = test_name(name or told)
    path = path or f"tests/regression/{slug}.py"
    oracle = stated(expect, http=subject.kind in ("app", "service")) if expect else None
    return Order(
        bad="", good="", subject=subject, path=path, name=slug, words=told, capture=capture,
        expected=capture.signature() if capture and not run else Signature(), oracle=oracle,
        incident=incident,
    )  # fmt: skip


def _subject(text: str, where: str, capture: Capture | None, run: str, ways: Ways) -> Subject:
    from amends.prevention.choosing import command_subject, subject_of

    if run:
        return command_subject(run, text, capture=capture, suffix="" if capture else Path(where).suffix)
    assert capture is not None
    return subject_of(capture, ways)


def _words(capture: Capture | None, run: str) -> str:
    from amends.prevention.signature import describe

    if capture is None:
        named = [word for word in run.split() if not word.startswith(("-", "{")) and "python" not in word]
        return f"an input on which {(named or run.split())[0]} failed"
    what = capture.call.function.partition(":")[2] if capture.call else ""
    if capture.request:
        what = f"{capture.request.method} {capture.request.path}"
    failed = capture.exception.rpartition(".")[2] or (describe(capture.signature()) if capture.status else "")
    return f"{failed} in {what}" if failed and not capture.request else f"{failed or 'an answer'} of {what}"


def _revisions(host: CodeHost, order: Order, bad: str, good: str) -> Order:
    """Settle which revisions are meant, and how the failure is called there."""
    from amends.errors import NotFoundError, UsageError

    escaped = bad or (order.capture.release if order.capture else "")
    if not escaped:
        raise UsageError("which revision escaped?", remedy="name it with --bad REV: a tag or commit")
    try:
        commit = host.resolve(escaped)
    except NotFoundError:
        if bad:
            raise
        escaped = f"v{escaped}"
        commit = host.resolve(escaped)
    if not good and host.resolve("HEAD") != commit:
        good = "HEAD"
    expected = order.expected
    if order.capture is not None and order.subject.kind != "command":
        expected = order.capture.signature(frozenset(host.files(commit)))
    return changed(order, bad=escaped, good=good, expected=expected)


def _limit(seconds: float) -> Callable[[], bool]:
    begun: list[float] = []

    def enough() -> bool:
        begun.append(time.monotonic()) if not begun else None
        return time.monotonic() - begun[0] > seconds

    return enough


# --- what is said -----------------------------------------------------------------------------------------


def _progress(format: Format) -> Callable[[Step], None]:
    last = [0.0]

    def report(step: Step) -> None:
        now = time.monotonic()
        if format is Format.JSON or (step.text.startswith("reducing: ") and now - last[0] < 0.5):
            return
        last[0] = now
        typer.echo(f"  {step.text}", err=True)

    return report


def _register(
    order: Order, written: Written, *, store: str, policy: str, service: str, role: str
) -> Registered | None:
    """Record the edge case, where there is a log or one is named."""
    from amends.application.registering import Guarded, register
    from amends.bootstrap import open_desk, open_workspace

    workspace = open_workspace(store=store, policy=policy)
    try:
        if not (order.incident or store or workspace.opened.exists()):
            return None
        guarded = Guarded(
            order.name.removeprefix("test_").replace("_", "-"), order.words, order.path, order.name,
            written.text, order.bad, order.good, written.signature, order.incident, role,
        )  # fmt: skip
        return register(open_desk(workspace, service=service).require_service(), guarded)
    finally:
        workspace.close()


def _data(order: Order, written: Written, place: str, registered: Registered | None) -> dict[str, Any]:
    return {
        "verdict": written.verdict, "reason": written.reason, "signature": written.failure,
        "original_size": written.original_size, "reduced_size": written.reduced_size,
        "evaluations": written.evaluations, "complete": written.complete, "input": written.input,
        "test_file": place or None, "test": f"{order.path}::{order.name}",
        "oracle": written.oracle.by or "none",
        "red": list(written.red), "green": list(written.green), "bad": order.bad, "good": order.good or None,
        "edge_case": registered.edge_case if registered else None,
        "amendment": (registered.amendment or None) if registered else None,
        "notes": [*written.notes, *(registered.notes if registered else ())],
        "text": written.text,
    }  # fmt: skip


def _text(order: Order, written: Written, place: str, registered: Registered | None) -> str:
    lines = [f"{written.verdict}: {written.reason}", f"signature: {written.failure}"]
    if written.input:
        lines.append(
            f"input: {written.input[:300]} ({written.original_size} to {written.reduced_size} characters, "
            f"{written.evaluations} evaluations)"
        )
    lines += [f"note: {note}" for note in written.notes]
    if place:
        lines.append(f"written: {place}")
    elif written.text and not order.good:
        lines.append("nothing is written: name the fix with --good, or give --unfixed to write the red test")
    else:
        lines.append("nothing is written")
    if registered is not None:
        lines.append(f"edge case: {registered.edge_case}")
    if registered is not None and registered.amendment:
        lines.append(f"proposed: {registered.amendment}; amends amendment prove {registered.amendment}")
    elif written.verdict == "proven" and registered is None:
        lines.append("there is no log here, so the edge case is not registered; name one with --store")
    return "\n".join(lines)
