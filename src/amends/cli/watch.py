"""``amends watch``: the watch beside its rollouts, over recorded data."""

from __future__ import annotations

import typer

from amends.cli.watch_fetch import fetch

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True,
    help="Ask the watch about recorded data, and take a live watch out of the log.",
)  # fmt: skip


@app.callback()
def root() -> None:
    """Hold the group together; a Typer with one command alone would not be a group."""


app.command()(fetch)
