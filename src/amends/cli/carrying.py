"""Carrying a deployment on in the foreground, and never leaving it without a word."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.cli.deployment_texts import Teller
    from amends.releases.deployment import Deployment
    from amends.workflows.toolbox import Progress

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


def carry_on(workspace: Workspace, deployment: str, teller: Teller, *, meant: str = "promoted") -> int:
    """Carry a deployment on until it ends or is held; return the exit code, 0 where it ends as ``meant``.

    At a terminal it stays as long as a candidate has traffic that somebody has to watch, though a person is
    to decide. Elsewhere (a pipeline) nobody could: it leaves, and says that nobody watches.
    """
    from amends.bootstrap import toolbox
    from amends.workflows.driving import drive, watched

    tools = toolbox(workspace)
    stay = sys.stdin.isatty() and sys.stdout.isatty()
    stays = False

    def tell(progress: Progress) -> None:
        nonlocal stays
        teller.step(deployment, progress.did)
        if stay and not stays and progress.held and watched(tools, deployment):
            stays = True
            teller.say(
                "  keeps watching; decide in another terminal with `amends deployment approve|resume|abort "
                f"{deployment}`, or leave with Ctrl-C"
            )

    try:
        progress = drive(tools, deployment, tell=tell, stay=stay)
    except KeyboardInterrupt:
        code = INTERRUPTED
    else:
        code = teller.end(workspace.log, deployment, progress.did, meant=meant)
        if progress.finished:
            return code
    sight = tools.memory.get(deployment)
    leave(deployment, sight.deployment if sight else None)
    return code


def leave(deployment: str, d: Deployment | None) -> None:
    """Say on stderr that this process lets go of a deployment, and how to go on with it."""
    what = f"watches {deployment}, with {d.weight}% on {d.candidate}," if d and d.watching else ""
    ways = "run `amends worker` or `amends serve`"
    if d is None or d.retreat is None:
        ways += f", or `amends deployment abort {deployment}`"
    typer.echo(
        f"nobody {what or f'carries {deployment} on'} now, unless a server or worker runs: {ways}", err=True
    )
