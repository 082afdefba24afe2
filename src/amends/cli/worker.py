"""``amends worker``: carry deployments on, in the foreground and without pages."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from amends.cli.options import PolicyOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def worker(
    threads: Annotated[int, typer.Option("--threads", min=1, help="How many may be acted on at once.")] = 16,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Carry all deployments of the log on until told to stop (Ctrl-C or SIGTERM).

    Several may run, on one machine or many. On PostgreSQL they divide the work, and what a dead one held is
    taken over within seconds; elsewhere each does all of it, and what they do twice has no effect.
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
    shared = shared_engine(workspace)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
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
