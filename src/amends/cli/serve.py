"""``amends serve``: pages, API and the loop that carries deployments on."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.workflows.toolbox import Progress

app = typer.Typer(add_completion=False)

Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="Where to listen. Default: this machine alone.")
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one and says which.")]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--host-name", metavar="NAME", help="A name by which browsers call this server; may be repeated."
    ),
]
NoLoop = Annotated[
    bool, typer.Option("--no-loop", help="Serve only; `amends worker` carries deployments on.")
]
WriteTests = Annotated[
    bool,
    typer.Option(
        "--write-tests",
        help="Let pages have tests written, which runs the repository's code here, though others reach it.",
    ),
]
Certificate = Annotated[
    str, typer.Option("--tls-cert", metavar="FILE", help="A certificate (PEM), for https.")
]
Key = Annotated[str, typer.Option("--tls-key", metavar="FILE", help="Its private key (PEM).")]


@app.command()
def serve(
    host: Host = "127.0.0.1", port: Port = 8787, host_name: Names = None, no_loop: NoLoop = False,
    write_tests: WriteTests = False, tls_cert: Certificate = "", tls_key: Key = "",
    store: StoreOption = "", policy: PolicyOption = "",
) -> None:  # fmt: skip
    """Serve the pages and the API, and carry deployments on.

    The first start makes an access token and prints it once: it goes into AMENDS_TOKEN, or into a browser.
    Each start prints a link that signs one browser in, once. `amends link` prints another.
    """
    from amends.bootstrap import open_workspace, shared_engine, toolbox
    from amends.errors import UsageError

    for name, file in (("--tls-cert", tls_cert), ("--tls-key", tls_key)):
        if file and not Path(file).is_file():
            raise UsageError(f"found no file {file}", where=name, remedy="name a PEM file")
    if bool(tls_cert) != bool(tls_key):
        raise UsageError("a certificate needs its key and a key its certificate", remedy="give both")
    # By name: the web does not know the command line, nor the command line the web.
    serving = importlib.import_module("amends.web.serving")
    workspace = open_workspace(store=store, policy=policy, source="/amends/server")
    address = serving.Address(host, port, tuple(host_name or ()), tls_cert, tls_key, write_tests)

    shared = None if no_loop else shared_engine(workspace)
    told: dict[str, str] = {}

    def tell(deployment: str, progress: Progress) -> None:
        if told.get(deployment) != progress.did:
            told[deployment] = progress.did
            typer.echo(f"{workspace.clock.now():%Y-%m-%d %H:%M:%S} {deployment}: {progress.did}")

    def loop(stop: threading.Event) -> None:
        from amends.workflows.loop import run_loop

        run_loop(toolbox(workspace), stop, tell=tell, shared=shared)

    try:
        serving.serve(workspace, address, typer.echo, None if no_loop else loop)
    finally:
        workspace.close()
