"""``amends gate``: may this release go to this environment?"""

from __future__ import annotations

import gc
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from amends.cli.options import PolicyOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class GateFormat(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    MARKDOWN = "markdown"


@app.command()
def gate(
    release: Annotated[
        str, typer.Option("--release", metavar="NAME", help="The release: its version, commit or digest.")
    ],
    environment: Annotated[str, typer.Option("--to", metavar="ENV", help="Where it is meant to go.")],
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The service. Default: the policy's.")
    ] = "",
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TIME", help="As of this moment (RFC 3339), not recorded. Default: now."
        ),
    ] = "",
    format_: Annotated[
        GateFormat, typer.Option("--format", help="text, json, junit, markdown, or github for annotations.")
    ] = GateFormat.TEXT,
    also: Annotated[
        list[str] | None,
        typer.Option("--also", metavar="FORM=FILE", help="Write the same answer to a file, too; repeat."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the gates have decided, telling on stderr for what.")
    ] = False,
    limit: Annotated[
        str, typer.Option("--limit", metavar="TIME", help="With --wait, wait at most so long.")
    ] = "30m",
    no_record: Annotated[
        bool, typer.Option("--no-record", help="Do not write the decision to the log.")
    ] = False,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Ask every gate whether a release may go to an environment.

    Exit: 0 pass, 1 blocked, 2 usage, 3 undecided (with what it waits for), 4 could not evaluate. With
    --wait, undecided only when the limit came first, and 130 after Ctrl-C.
    """
    # A short process that mostly imports: collecting garbage is a good part of its time, and so is
    # looking through every installed package for plugins of pydantic, of which amends has none.
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from amends.application.gating import decide_gates
    from amends.bootstrap import open_policy, open_workspace
    from amends.cli.gate_formats import files_of, render
    from amends.errors import UsageError
    from amends.events.event import parse_time
    from amends.verdicts import EXIT_CODES

    files = files_of(also or (), tuple(GateFormat))
    moment = parse_time(at) if at else None
    if wait and moment:
        raise UsageError("found --wait with --at; a moment is as it was", remedy="leave one of them out")
    loaded = open_policy(policy, service=service)
    workspace = open_workspace(store=store, policy=policy, reading=True)
    try:
        if wait:
            from amends.cli.gate_waiting import limit_of, wait_for_gates

            decision = wait_for_gates(
                workspace.log, loaded, release, environment, limit_of(limit), record=not no_record
            )
        else:
            decision = decide_gates(
                workspace.log, loaded, release, environment, at=moment, record=not (no_record or moment)
            )
    finally:
        workspace.close()
        gc.enable()
    for form, path in files:
        path.write_text(render(form, decision, loaded) + "\n", encoding="utf-8")
    typer.echo(render(format_.value, decision, loaded, tty=sys.stdout.isatty()))
    raise typer.Exit(EXIT_CODES[decision.decision])
