"""``amends watch report``: a deployment's watch as one file to share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.options import StoreOption


class ReportShape(StrEnum):
    """How a report is written."""

    HTML = "html"
    SVG = "svg"
    JSON = "json"


def report(
    deployment: Annotated[
        str, typer.Argument(metavar="DEPLOYMENT", help="The deployment, as `amends deploy` printed it.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
    format_: Annotated[
        ReportShape | None,
        typer.Option("--format", help="html, svg or json. Default: what FILE ends with, else html."),
    ] = None,
    store: StoreOption = "",
) -> None:
    """Write the report of a deployment's watch, fit to be shared.

    HTML: one file with the verdict's sentence, pictures and tables; it loads nothing and runs nothing. SVG:
    the decisive metric's picture, for a chat. JSON: {"subject", "outcome", "sentence", "alpha", "judged",
    "looks": [{"at", "elapsed", "step", "verdict", "reason", "log_evidence", "log_threshold", "moved",
    "metrics"}]}. Secrets, persons and internal hosts are left out of every text. Exit: 0 written, 2 usage.
    """
    from amends.bootstrap import open_workspace
    from amends.bootstrap.watchreports import ReportFormat, deployment_report

    shape = ReportFormat(format_ or _ending(out))
    workspace = open_workspace(store=store, reading=True)
    try:
        text = deployment_report(workspace, deployment, shape)
    finally:
        workspace.close()
    if out is None:
        typer.echo(text, nl=False)
        return
    write_file(out, text)
    typer.echo(str(out))


def _ending(out: Path | None) -> ReportShape:
    known = {shape.value: shape for shape in ReportShape}
    return known.get(out.suffix.lstrip(".").lower() if out else "", ReportShape.HTML)


def write_file(out: Path, text: str) -> None:
    """Write a report. Raises ``UsageError`` where it cannot stand."""
    from amends.errors import UsageError

    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written: {error.strerror}", where=str(out), remedy="name another file"
        ) from None
