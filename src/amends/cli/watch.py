"""``amends watch``: the watch beside its rollouts, over recorded data."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.options import Format, FormatOption, StoreOption
from amends.cli.watch_calibrate import calibrate
from amends.cli.watch_fetch import fetch
from amends.cli.watch_forecast import forecast
from amends.cli.watch_report import report as write_watch
from amends.cli.watch_report import write_recording_report

if TYPE_CHECKING:
    from amends.bootstrap.recordings import Verdict
    from amends.errors import AmendsError
    from amends.watch.outcome import Outcome

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True,
    help="Ask the watch about recorded data and about what it can find; take a live watch out of the log.",
)  # fmt: skip

app.command()(calibrate)

_ROLLBACK, _HOLD, _FAILED = 1, 3, 4


class Worse(StrEnum):
    """Which way a metric gets worse."""

    HIGHER = "higher"
    LOWER = "lower"
    BOTH = "both"


@app.callback()
def root() -> None:
    """Hold the group together; a Typer with one command alone would not be a group."""


app.command()(fetch)
app.command()(forecast)
app.command("report")(write_watch)


@app.command()
def replay(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Recordings (CSV, JSON lines, Parquet), or folders.")
    ],
    policy: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="Watch as this policy says. Default: see below.")
    ] = "",
    metric: Annotated[
        list[str] | None, typer.Option("--metric", metavar="NAME", help="Only this one; repeat it for more.")
    ] = None,
    direction: Annotated[
        Worse | None,
        typer.Option("--direction", help="Which way is worse. Default: as the policy says, else both."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            metavar="P",
            help="How often a release that is no worse may be rolled back. Default: the policy's, else 0.01.",
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval", metavar="SECONDS",
            help="Time between looks. Default: the policy's, else 10 or the rows' own spacing.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Also write it as a page, picture or JSON to share."),
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:  # fmt: skip
    """Say what the watch would have decided on recorded data, and at which look.

    A file holds rows (time, arm, metric, kind, value, weight, segment, instance), pairs of plain series, or a
    watch that `amends watch export` took out of the log. Several files, a folder, and JSON lines of pairs
    are judged one by one: a line for each, with its id.

    Exit: 0 promote; 1 rollback; 2 usage; 3 hold; 4 could not evaluate. Of several the worst: 1, 4, 3, 0.
    """
    from amends.bootstrap.recordings import Wishes, replay_recordings
    from amends.watch.plan import Direction

    wishes = Wishes(
        policy, tuple(metric or ()), Direction(direction.value) if direction else None, alpha, interval
    )
    verdicts, many = replay_recordings(files, wishes)
    if report:
        write_recording_report(report, [(one.id, one.outcome) for one in verdicts])
    if not many:
        _one(verdicts[0], format_)
    for verdict in verdicts if many else ():
        _line(verdict, format_)
    codes = {_code(verdict) for verdict in verdicts}
    sys.exit(next((code for code in (_ROLLBACK, _FAILED, _HOLD) if code in codes), 0))


@app.command()
def export(
    deployment: Annotated[
        str, typer.Argument(metavar="ID", help="The deployment, as `amends deploy` printed it.")
    ],
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Write it there. Default: standard output.")
    ] = "",
    store: StoreOption = "",
) -> None:
    """Take a live watch out of the log as a recording, for `amends watch replay`: JSON lines, one a look."""
    from amends.bootstrap import open_workspace
    from amends.workflows.watchexport import export_watch

    workspace = open_workspace(store=store, reading=True)
    try:
        lines = [json.dumps(line, ensure_ascii=False) for line in export_watch(workspace.log, deployment)]
    finally:
        workspace.close()
    text = "\n".join(lines) + "\n"
    if out:
        Path(out).write_text(text, encoding="utf-8")
        typer.echo(f"{len(lines) - 1} looks in {out}")
    else:
        sys.stdout.write(text)


def _one(verdict: Verdict, format_: Format) -> None:
    from amends.cli.watch_text import as_text
    from amends.errors import AmendsError

    outcome = verdict.outcome
    if format_ is Format.JSON:
        typer.echo(json.dumps(_as_json(outcome), ensure_ascii=False))
    if isinstance(outcome, AmendsError):
        typer.echo(f"amends: {outcome}", err=True)
    elif format_ is Format.TEXT:
        typer.echo(as_text(outcome))
    else:
        for problem in outcome.problems:
            typer.echo(f"note: {problem}", err=True)


def _line(verdict: Verdict, format_: Format) -> None:
    from amends.cli.watch_text import as_line

    if format_ is Format.TEXT:
        typer.echo(as_line(verdict.id, verdict.outcome))
    else:
        typer.echo(json.dumps({"id": verdict.id, **_as_json(verdict.outcome)}, ensure_ascii=False))


def _as_json(outcome: Outcome | AmendsError) -> dict[str, Any]:
    from amends.cli.watch_text import time_of
    from amends.errors import AmendsError

    if isinstance(outcome, AmendsError):
        why = f"could not be evaluated: {outcome}"
        return {"decision": "hold", "decided_at": None, "reason": why, "metrics": [], "error": True}
    return {
        "decision": outcome.decision.value, "decided_at": time_of(outcome.decided_at),
        "reason": outcome.reason, "metrics": [metric.to_data() for metric in outcome.metrics],
    }  # fmt: skip


def _code(verdict: Verdict) -> int:
    from amends.errors import AmendsError

    if isinstance(verdict.outcome, AmendsError):
        return _FAILED
    return {"rollback": _ROLLBACK, "hold": _HOLD}.get(verdict.outcome.decision.value, 0)
