"""``amends watch report``: a deployment's watch as one file to share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import StoreOption

if TYPE_CHECKING:
    from amends.errors import AmendsError
    from amends.watch.outcome import Outcome


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


def write_recording_report(out: Path, found: Sequence[tuple[str, Outcome | AmendsError]]) -> None:
    """Write the report of the one recording that was replayed.

    Raises
    ------
    UsageError
        There are several, or it has nothing to draw.
    AmendsError
        The one that kept it from being evaluated.
    """
    from amends.bootstrap.watchreports import ReportFormat, recording_report
    from amends.errors import AmendsError, UsageError

    if len(found) != 1:
        raise UsageError(
            f"found {len(found)} recordings, and a report is of one", where="--report",
            remedy="replay one file with --report",
        )  # fmt: skip
    name, outcome = found[0]
    if isinstance(outcome, AmendsError):
        raise outcome
    write_file(out, recording_report(name, outcome, ReportFormat(_ending(out))))


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
