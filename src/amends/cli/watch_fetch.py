"""``amends watch fetch``: a watch's past from Prometheus, as a recording."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from amends.cli.options import PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.bootstrap.fetching import Span
    from amends.watch.tabulated import TableRow


def fetch(
    deployment: Annotated[
        str, typer.Argument(metavar="[ID]", help="A deployment; its versions, times and plan are taken.")
    ] = "",
    baseline: Annotated[str, typer.Option("--baseline", metavar="VERSION", help="Without ID.")] = "",
    candidate: Annotated[str, typer.Option("--candidate", metavar="VERSION", help="Without ID.")] = "",
    environment: Annotated[
        str, typer.Option("--environment", help="Without ID. Default: the policy's last one.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="RFC 3339. Default: when the deployment began.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Default: when the deployment ended, or now.")
    ] = "",
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", help="Length of a tick. Default: the policy's.")
    ] = 0.0,
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Write it there. Default: standard output.")
    ] = "",
    policy: PolicyOption = "",
    store: StoreOption = "",
) -> None:
    """Read a watch's metrics again from Prometheus and write them as a recording (CSV).

    Columns: time, arm, metric, kind, value, weight, segment, instance; a row is what one instance did in
    the tick that begins at its time. For a rollout that nobody watched, or that was watched with gaps.
    """
    from amends.bootstrap import open_workspace
    from amends.bootstrap.fetching import fetch_rows, span_of
    from amends.cli.desk import moment

    workspace = open_workspace(store=store, policy=policy, reading=bool(deployment))
    try:
        begin, end = (moment(text) if text else None for text in (since, until))
        if deployment:
            span = span_of(workspace, deployment, begin=begin, end=end)
        else:
            span = _span(workspace, policy, environment, (baseline, candidate), since, until)
        rows, problems = fetch_rows(workspace, span, interval)
    finally:
        workspace.close()
    for problem in problems:
        typer.echo(f"note: {problem}", err=True)
    if out:
        with Path(out).open("w", newline="", encoding="utf-8") as file:
            _write(rows, file)
        typer.echo(f"{len(rows):,} rows in {out}")
    else:
        _write(rows, sys.stdout)


def _span(
    workspace: Workspace, policy: str, environment: str, versions: tuple[str, str], since: str, until: str
) -> Span:
    from amends.bootstrap import open_policy
    from amends.bootstrap.fetching import Span
    from amends.cli.desk import moment
    from amends.errors import UsageError

    baseline, candidate = versions
    if not (baseline and candidate and since):
        raise UsageError(
            "found neither a deployment nor both versions and a time",
            remedy="name a deployment, or give --baseline, --candidate and --since",
        )
    loaded = open_policy(policy)
    return Span(
        service=loaded.policy.service, environment=environment or loaded.policy.environments[-1],
        baseline=baseline, candidate=candidate, begin=moment(since),
        end=moment(until) if until else workspace.clock.now(), plan=loaded.policy.snapshot(),
    )  # fmt: skip


def _write(rows: Iterable[TableRow], file: TextIO) -> None:
    from amends.events.event import format_time
    from amends.watch.tabulated import COLUMNS

    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        weight = "" if row.weight is None else f"{row.weight:.17g}"
        what = (format_time(row.time), row.arm, row.metric, row.kind)
        table.writerow((*what, f"{row.value:.17g}", weight, row.segment, row.instance))
