"""``amends test``: from a captured failure to a proven test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import ServiceOption
from amends.cli.incident import RoleOption
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.bootstrap.testwriting import TestWritten
    from amends.workflows.bench import Step
    from amends.workflows.testasking import Asked

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
        Path | None,
        typer.Argument(metavar="[CAPTURE]", help="A recorder's file. Default: the incident's; any for --run"),
    ] = None,
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
    from amends.bootstrap import open_policy, open_workspace
    from amends.prevention.choosing import Ways
    from amends.workflows.testasking import Asked

    asked = Asked(
        bad=bad, good=good, words=words, name=name, path=test, incident=incident,
        ways=Ways(app=target, start=start, url=url), run=run, expect=expect, setup=setup, python=python,
        timeout=timeout, evaluations=evaluations, seconds=seconds, replace=replace, unfixed=unfixed,
        service=service, role=role,
    )  # fmt: skip
    if policy:
        open_policy(policy)  # one that was named must be there
    workspace = open_workspace(store=store, policy=policy)
    try:
        done = _done(workspace, repo, capture, asked, _progress(format))
    finally:
        workspace.close()
    order, written = done.order, done.written
    typer.echo(json.dumps(_data(done), ensure_ascii=False) if format is Format.JSON else _text(done))
    raise typer.Exit(3 if written.verdict == "not green" and not order.good else _EXITS[written.verdict])


def _done(
    workspace: Workspace, repo: Path, capture: Path | None, asked: Asked, report: Callable[[Step], None]
) -> TestWritten:
    from amends.bootstrap.testwriting import write_incident_test, write_test
    from amends.errors import UsageError

    if capture is not None:
        return write_test(workspace, repo, _read(capture), str(capture), asked, report)
    if not asked.incident or asked.run:
        raise UsageError(
            "which input failed?", remedy="name its file, or an incident that has captures: --incident INC-1"
        )
    return write_incident_test(workspace, repo, asked.incident, asked, report=report)


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


def _data(done: TestWritten) -> dict[str, Any]:
    order, written, place, registered = done.order, done.written, done.place, done.registered
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


def _text(done: TestWritten) -> str:
    order, written, place, registered = done.order, done.written, done.place, done.registered
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
    untold = registered is None and not any("not registered" in note for note in written.notes)
    if written.verdict == "proven" and untold:
        lines.append("there is no log here, so the edge case is not registered; name one with --store")
    return "\n".join(lines)
