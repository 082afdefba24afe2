"""``amends watch calibrate``: would the watch take a baseline back for nothing?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Format, FormatOption

if TYPE_CHECKING:
    from amends.watch.calibration import Calibration, MetricCalibration

_TOO_OFTEN, _FAILED = 1, 4


def calibrate(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="A recorded baseline: rows, or watches from `watch export`."),
    ],
    policy: Annotated[
        str,
        typer.Option("--policy", metavar="FILE", help="Watch as this policy says. Default: every metric."),
    ] = "",
    metric: Annotated[
        list[str] | None, typer.Option("--metric", metavar="NAME", help="Only this one; repeat it for more.")
    ] = None,
    dispersion: Annotated[
        str,
        typer.Option(
            "--dispersion", metavar="auto|estimated|N", help="Divide by this. Default: as the policy says."
        ),
    ] = "",
    watch_seconds: Annotated[
        float | None,
        typer.Option(
            "--for", metavar="SECONDS", help="How long a watch lasts. Default: an hour, if there are four."
        ),
    ] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="N", help="At most so many watches.")] = 100,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Watch a recorded baseline against itself, and count how often it would be taken back.

    The baseline is split into halves by instance (by time, if it has one), and its time into watches. Both
    halves run the same version: every rollback is a false one, and at most alpha of the watches may end so.
    The interval is Clopper and Pearson's, at 95%. The watches share data, so it errs on the narrow side.

    JSON: {"runs", "alpha", "watch_seconds", "split", "false_rollbacks", "rate", "interval", "metrics":
    [{"metric", "false_rollbacks", "rate", "interval", "dispersion": {"estimated", "divided_by"}}],
    "problems"}.

    Exit: 0 alpha is not ruled out; 1 the baseline is taken back more often than alpha; 2 usage; 4 there was
    nothing to run.
    """
    from amends.bootstrap.calibrating import CalibrationWishes, calibrate_recordings

    wishes = CalibrationWishes(policy, tuple(metric or ()), dispersion, watch_seconds, runs)
    told = calibrate_recordings(files, wishes)
    if format_ is Format.JSON:
        typer.echo(json.dumps(told.to_data(), ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(told)))
    sys.exit(_FAILED if not told.runs else _TOO_OFTEN if told.too_often else 0)


def _lines(told: Calibration) -> Iterator[str]:
    from amends.watch.foretold import span

    if not told.runs:
        yield (
            f"Nothing to run: no halves of the baseline were compared for {told.watch_seconds:g} s. "
            "A shorter --for, more data or a second instance would give runs."
        )
        yield from told.problems
        return
    how = "by instance" if told.by == "instances" else "by time, since it has one instance"
    yield f"{told.runs} watches of {span(told.watch_seconds)}, the baseline halved {how}"
    for row in told.metrics:
        yield f"  {row.metric}: {_rate(told, row.rolled_back)}; {_factor(row)}"
    if len(told.metrics) > 1:
        yield f"  all metrics together: {_rate(told, told.rolled_back)}"
    yield _verdict(told)
    if told.by == "time":
        yield "Halves by time show bunches of events within a tick, and no noise that lasts longer."
    yield from told.problems


def _rate(told: Calibration, count: int) -> str:
    low, high = told.interval(count)
    rate = f"{count / told.runs:.1%}, 95% interval {low:.1%} to {high:.1%}"
    return f"taken back {count} times of {told.runs} ({rate})"


def _factor(row: MetricCalibration) -> str:
    seen = "overdispersion unknown" if row.estimated is None else f"overdispersion {row.estimated:.3g}"
    if row.divided is None:
        return f"{seen}, no history to divide by: nothing could be taken back"
    return f"{seen}, counts divided by {row.divided:.3g}"


def _verdict(told: Calibration) -> str:
    alpha = f"alpha {told.alpha:g}"
    if told.too_often:
        return (
            f"Too often for {alpha}: requests of this service are not independent. "
            "Let the policy say `dispersion: estimated`, and calibrate again."
        )
    if told.interval(told.rolled_back)[1] <= told.alpha:
        return f"Within {alpha}."
    needed = f"{_needed(told.alpha):,} watches without a rollback"
    return f"Nothing speaks against {alpha}; to show it takes {needed}."


def _needed(alpha: float) -> int:
    """Return how many runs without a false one bring the upper bound down to alpha: ln(40)/α."""
    return round(3.69 / alpha)
