"""``amends digest``: what was learned, for teams that were not there."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from amends.cli.incident import open_log
from amends.cli.measures import read_moment
from amends.cli.options import StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class DigestFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    ATOM = "atom"


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def digest(
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Default: all")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Default: the beginning")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Default: now")] = "",
    base: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="The server's address, for links")
    ] = "",
    store: StoreOption = "",
    format: Annotated[
        DigestFormat, typer.Option("--format", help="Atom: a feed that other teams subscribe to.")
    ] = DigestFormat.TEXT,
) -> None:
    """Tell what published reviews taught: what happened, how it got past the gates, what changed. No names.

    Text is Markdown. JSON: {"since", "until", "service", "lessons": [{"incident", "service", "summary",
    "published_at", "event", "past_gates", "caught", "changed", "edge_cases", "learned"}]}.
    """
    from amends.application.digesting import read_digest
    from amends.learning.digest import as_atom, as_data, as_markdown

    with open_log(store) as log:
        found = read_digest(log, service=service, since=read_moment(since), until=read_moment(until))
    match format:
        case DigestFormat.JSON:
            typer.echo(json.dumps(as_data(found), ensure_ascii=False))
        case DigestFormat.ATOM:
            typer.echo(as_atom(found, base), nl=False)
        case _:
            typer.echo(as_markdown(found, base), nl=False)
