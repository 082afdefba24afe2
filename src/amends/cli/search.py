"""``amends search``: find incidents, reviews, amendments, edge cases, releases and notes by their words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from amends.application.searching import Search

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def open_search(store: str) -> AbstractContextManager[Search]:
    """Open the search of a log for one command."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[Search]:
        from amends.bootstrap import open_workspace
        from amends.bootstrap.learning import open_search

        workspace = open_workspace(store=store, reading=True)
        try:
            search = open_search(workspace)
            yield search
            search.index.close()
        finally:
            workspace.close()

    return opened()


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help='All must be there; "in quotes" as it is')
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="incident, review, note, failure, amendment, edge case, release or change; may be repeated",
        ),
    ] = None,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Default: all")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=500)] = 20,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Search everything that has words in the log. A word also finds longer ones that begin with it.

    The first search of a log reads it; later ones read what is new. JSON: {"total", "by_kind", "hits":
    [{"kind", "title", "service", "at", "where", "event", "incident", "excerpt"}]}.
    """
    from amends.application.searching import hits_data

    asked = " ".join(f'"{word}"' if " " in word.strip() else word for word in words)
    with open_search(store) as opened:
        found = opened.find(asked, kinds=kind or (), service=service, limit=limit)
    if format is Format.JSON:
        typer.echo(json.dumps(hits_data(found), ensure_ascii=False))
        return
    for hit in found.hits:
        excerpt = " ".join("".join(part for part, _ in hit.excerpt).split())
        typer.echo(f"{hit.entry.kind:9} {hit.entry.at:%Y-%m-%d} {hit.entry.service:12} {hit.entry.title}")
        if excerpt and excerpt not in hit.entry.title:
            typer.echo(f"          {excerpt}")
    left = found.total - len(found.hits)
    typer.echo(f"{left} more: --limit {found.total}" if left else f"{found.total} found")
