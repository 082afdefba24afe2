"""``amends worker``: carry deployments on, in the foreground and without pages."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.bootstrap import Workspace

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def worker(
    threads: Annotated[int, typer.Option("--threads", min=1, help="How many may be acted on at once.")] = 16,
    trials: Annotated[
        str,
        typer.Option(
            "--trials",
            metavar="CLONE",
            help="Only make the runs of `amends culprit --on-workers`, in worktrees of this clone.",
        ),
    ] = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Carry all deployments of the log on until told to stop (Ctrl-C or SIGTERM).

    Several may run, on one machine or many. On PostgreSQL they divide the work, and what a dead one held is
    taken over within seconds; elsewhere each does all of it, and what they do twice has no effect.

    With --trials it runs commands that the log asks for: whoever may write to the log chooses them.
    """
    from amends.bootstrap import open_workspace, shared_engine, toolbox
    from amends.errors import UsageError
    from amends.workflows.loop import run_loop

    workspace = open_workspace(store=store, policy=policy, source="/amends/worker")
    if workspace.opened.kind == "memory":
        raise UsageError(
            "a worker's log must outlive it, and memory: does not",
            remedy="name a file or a server with --store or AMENDS_STORE",
        )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if trials:
        _make_trials(workspace, trials, stop)
        return
    shared = shared_engine(workspace)
    told: dict[str, str] = {}

    def tell(deployment: str, did: str) -> None:
        if told.get(deployment) != did:
            told[deployment] = did
            typer.echo(f"{workspace.clock.now():%Y-%m-%d %H:%M:%S} {deployment}: {did}")

    typer.echo(f"carries deployments on; log: {workspace.settings.store}")
    try:
        run_loop(
            toolbox(workspace), stop, tell=lambda key, p: tell(key, p.did), threads=threads, shared=shared
        )
    finally:
        workspace.close()


def _make_trials(workspace: Workspace, clone: str, stop: threading.Event) -> None:
    from amends.bootstrap import open_code_host, shared_engine
    from amends.workflows.trials import QUEUE, make_trials

    try:
        host = open_code_host(Path(clone))
        typer.echo(f"makes the runs of searches in worktrees of {clone}; log: {workspace.settings.store}")
        make_trials(workspace.log, host, stop, say=typer.echo, shared=shared_engine(workspace, QUEUE))
    finally:
        workspace.close()
