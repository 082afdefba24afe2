"""What the commands of ``amends incident`` share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.options import Format

if TYPE_CHECKING:
    from amends.application.desk import Desk
    from amends.application.log import Log

IncidentArgument = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, for example INC-1")]
RoleOption = Annotated[
    str, typer.Option("--role", metavar="ROLE", help="The role that says so, never a person")
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence")]


@contextmanager
def open_log(store: str) -> Iterator[Log]:
    """Open the log for one command."""
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        yield workspace.log
    finally:
        workspace.close()


def say(format: Format, sentence: str, /, **data: Any) -> None:
    """Print a sentence, or the same as one JSON object."""
    typer.echo(json.dumps(data, ensure_ascii=False) if format is Format.JSON else sentence)


@contextmanager
def open_incident_desk(store: str) -> Iterator[Desk]:
    """Open the log with the people behind its pseudonyms, for one command."""
    from amends.bootstrap import open_desk, open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        yield open_desk(workspace)
    finally:
        workspace.close()
