"""``amends version``."""

from __future__ import annotations

from importlib.metadata import version

import typer

app = typer.Typer(add_completion=False)


@app.command()
def show() -> None:
    """Print the version of amends."""
    typer.echo(f"amends {version('amends')}")
