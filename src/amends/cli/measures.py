"""``amends measures``: escapes, proofs, recurrence, recovery and DORA's five, each with its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.incident import open_log
from amends.cli.options import StoreOption

if TYPE_CHECKING:
    from amends.measures.measure import Measure

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class TableFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def measures(
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Default: all together")] = "",
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="Where")] = "production",
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="A time (RFC 3339) or a date. Default: the beginning"),
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Default: now")] = "",
    only: Annotated[str, typer.Option("--only", metavar="MEASURE", help="One measure, with its rows")] = "",
    store: StoreOption = "",
    format: Annotated[
        TableFormat, typer.Option("--format", help="CSV: the figures; with --only the rows.")
    ] = TableFormat.TEXT,
) -> None:
    """Count escapes by gate, proven amendments, recurrence, times between milestones and DORA's five.

    Each says which variant of its definition it is. Durations are quantiles that count open cases; nothing
    ranks people or teams. JSON: a list of {"measure", "title", "definition", "source", "caveats", "figures",
    "over_time", "rows"}; with --only one of them.
    """
    from amends.application.measuring import CaseBook, measure_all, measure_one, scope_of

    with open_log(store) as log:
        scope = scope_of(
            log, service=service, environment=environment, since=read_moment(since),
            until=read_moment(until),
        )  # fmt: skip
        found = measure_all(CaseBook(log).read(), scope)
    if only:
        found = [measure_one(found, only)]
    typer.echo(_shown(found, only, format), nl=format is not TableFormat.CSV)


def read_moment(text: str) -> datetime | None:
    """Read a time, or a date as its midnight in UTC."""
    from amends.events.event import parse_time

    if not text:
        return None
    return parse_time(f"{text}T00:00:00Z" if len(text) == len("2026-03-20") else text)


def _shown(found: Sequence[Measure], only: str, format: TableFormat) -> str:
    from amends.measures.tables import as_csv, as_data, figures_csv

    if format is TableFormat.JSON:
        data = [as_data(measure) for measure in found]
        return json.dumps(data[0] if only else data, ensure_ascii=False)
    if format is TableFormat.CSV:
        return as_csv(found[0]) if only else figures_csv(found)
    return "\n\n".join(_text(measure, rows=bool(only)) for measure in found)


def _text(measure: Measure, *, rows: bool) -> str:
    from amends.measures.measure import text_of
    from amends.measures.tables import say_figure

    lines = [measure.title, f"  {measure.definition}"]
    for figure in measure.figures:
        note = f"   [{figure.note}]" if figure.note else ""
        lines.append(f"    {figure.label}: {say_figure(figure)}{note}")
    lines += [f"  note: {caveat}" for caveat in measure.caveats]
    if not rows:
        lines.append(f"  its {len(measure.rows)} rows: amends measures --only {measure.key}")
        return "\n".join(lines)
    for row in measure.rows:
        cells = (f"{column}={text}" for column in measure.columns if (text := text_of(row.get(column))))
        lines.append("    " + "  ".join(cells))
    return "\n".join(lines)
