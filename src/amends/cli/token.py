"""``amends token``: access tokens of a server."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.options import StoreOption

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Issue and revoke access tokens.")

Label = Annotated[str, typer.Argument(help="What the token is for: ci, alertmanager…")]


def _check(label: str) -> str:
    from amends.errors import UsageError

    if not label.strip() or label.startswith("browser"):
        raise UsageError(
            f"found the label {label!r}; it says what the token is for, and does not begin with “browser”",
            remedy="for example: amends token issue ci",
        )
    return label.strip()


@app.command()
def issue(label: Label, store: StoreOption = "") -> None:
    """Make a token and print it, once; an older one with this label stops working."""
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store)
    try:
        typer.echo(workspace.opened.tokens.issue(_check(label), at=workspace.clock.now()))
    finally:
        workspace.close()


@app.command()
def revoke(label: Label, store: StoreOption = "") -> None:
    """Make a token stop working."""
    from amends.bootstrap import open_workspace
    from amends.errors import NotFoundError

    workspace = open_workspace(store=store)
    try:
        if not workspace.opened.tokens.revoke(_check(label)):
            raise NotFoundError(f"there is no token labelled {label!r}")
        typer.echo(f"the token {label} works no longer")
    finally:
        workspace.close()
