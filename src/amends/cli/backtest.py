"""``amends backtest``: what a policy would have stopped and held up, on the history that there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from amends.cli.options import StoreOption

if TYPE_CHECKING:
    from amends.application.backtesting import Priced, Scope, Swept
    from amends.application.log import Log
    from amends.application.ports import EvidenceBuilder

HistoryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--history", metavar="FILE",
        help="Look at what `amends log export` wrote, in place of the log; repeat it for more.",
    ),
]  # fmt: skip


class PricesByDefault(TyperGroup):
    """A group whose first command may go unnamed: ``amends backtest amends.yaml`` prices that policy."""

    unnamed = "price"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else [self.unnamed, *args])


app = typer.Typer(
    cls=PricesByDefault, add_completion=False, rich_markup_mode=None, no_args_is_help=False,
    help="Price a policy on the history that there is: `amends backtest amends.yaml` is short for "
    "`amends backtest price amends.yaml`.",
)  # fmt: skip


class ReportFormat(StrEnum):
    """How a backtest is printed."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class SweepFormat(StrEnum):
    """How a sweep is printed."""

    TEXT = "text"
    JSON = "json"
    SVG = "svg"
    HTML = "html"


SinceOption = Annotated[
    str,
    typer.Option("--since", metavar="TIME", help="Deployments decided on from then (RFC 3339, or a date)."),
]
UntilOption = Annotated[str, typer.Option("--until", metavar="TIME", help="Only those before then.")]
EnvironmentOption = Annotated[
    str, typer.Option("--environment", metavar="ENV", help="Default: the last one that has gates.")
]
ServiceOption = Annotated[
    str, typer.Option("--service", metavar="NAME", help="Whose history. Default: the policy's service.")
]
BlockingOption = Annotated[
    bool, typer.Option("--as-if-blocking/--as-it-counts", help="Whether gates that observe count, too.")
]


@app.callback()
def root() -> None:
    """Hold the group together; a Typer with one command alone would not be a group."""


@app.command()
def price(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="The policy to price.")] = "amends.yaml",
    against: Annotated[
        str, typer.Option("--against", metavar="FILE", help="Also say what changes against this policy.")
    ] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    environment: EnvironmentOption = "",
    service: ServiceOption = "",
    as_if_blocking: BlockingOption = True,
    history: HistoryOption = None,
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="text, json or html.")
    ] = ReportFormat.TEXT,
    store: StoreOption = "",
) -> None:
    """Price a policy on the history in the log: incidents it would have stopped, releases held up, delay.

    Exit: 0 computed, whatever the verdict; 2 usage; 4 could not evaluate.
    """
    from amends.application.backtesting import backtest_policy
    from amends.bootstrap import open_policy

    scope = _scope(environment, since, until, service, as_if_blocking)
    loaded = open_policy(policy)
    current = open_policy(against) if against else None
    with _history(store, policy, history) as (log, evidence):
        # Words of the evidence are read while it is printed.
        typer.echo(_rendered(backtest_policy(log, evidence, loaded, scope, against=current), format_))


@app.command()
def sweep(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="The policy to vary.")] = "amends.yaml",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="GATE.PARAMETER=VALUES",
            help="For example soak.for=1d..14d or review.approvals=1,2; repeat it for more. "
            "Default: soaks of 1 to 14 days and 1 to 3 approvals, where the policy has such gates.",
        ),
    ] = None,
    since: SinceOption = "",
    until: UntilOption = "",
    environment: EnvironmentOption = "",
    service: ServiceOption = "",
    as_if_blocking: BlockingOption = True,
    history: HistoryOption = None,
    format_: Annotated[
        SweepFormat, typer.Option("--format", help="text, json, svg or html.")
    ] = SweepFormat.TEXT,
    store: StoreOption = "",
) -> None:
    """Try a policy with other parameters: escapes stopped against delay added, the policy as it is marked.

    The pick is made on the earlier half of the history, and its figures come from the later half.
    """
    from amends.application.backtesting import sweep_policy
    from amends.backtests.variants import parse_variation
    from amends.bootstrap import open_policy

    scope = _scope(environment, since, until, service, as_if_blocking)
    variations = [parse_variation(text) for text in vary or ()]
    loaded = open_policy(policy)
    with _history(store, policy, history) as (log, evidence):
        typer.echo(_rendered_sweep(sweep_policy(log, evidence, loaded, scope, variations), format_))


def _rendered_sweep(swept: Swept, format_: SweepFormat) -> str:
    if format_ is SweepFormat.JSON:
        from amends.backtests.report import report_sweep

        told = {
            "policy": swept.loaded.digest, "path": swept.loaded.path, "service": swept.service,
            "environment": swept.environment, **report_sweep(swept.sweep), "notes": list(swept.notes),
        }  # fmt: skip
        return json.dumps(told, indent=2, ensure_ascii=False)
    if format_ is SweepFormat.SVG:
        from amends.backtests.frontier import draw_frontier

        return draw_frontier(swept.sweep, standing_alone=True)
    if format_ is SweepFormat.HTML:
        from amends.bootstrap import backtest_file

        return backtest_file(None, swept)
    from amends.cli.backtest_text import sweep_as_text

    return sweep_as_text(swept)


@contextmanager
def _history(store: str, policy: str, files: list[Path] | None) -> Iterator[tuple[Log, EvidenceBuilder]]:
    """Open the log, or the files that are looked at in its place, with their evidence."""
    from amends.bootstrap import open_evidence, open_histories, open_workspace

    if files:
        with open_histories(files) as opened:
            yield opened
        return
    workspace = open_workspace(store=store, policy=policy, reading=True)
    try:
        evidence = open_evidence(workspace)
        try:
            yield workspace.log, evidence
        finally:
            evidence.close()
    finally:
        workspace.close()


def _scope(environment: str, since: str, until: str, service: str, as_if_blocking: bool) -> Scope:
    from amends.application.backtesting import Scope

    return Scope(environment, _moment(since), _moment(until), service, as_if_blocking)


def _moment(text: str) -> datetime | None:
    """Read a time, or a date as its midnight in UTC."""
    from amends.events.event import parse_time

    if not text:
        return None
    return parse_time(f"{text}T00:00:00Z" if len(text) == len("2026-03-20") else text)


def _rendered(priced: Priced, format_: ReportFormat) -> str:
    if format_ is ReportFormat.JSON:
        return json.dumps(_as_json(priced), indent=2, ensure_ascii=False)
    if format_ is ReportFormat.HTML:
        from amends.bootstrap import backtest_file

        return backtest_file(priced, None)
    from amends.cli.backtest_text import as_text

    return as_text(priced)


def _as_json(priced: Priced) -> dict[str, Any]:
    from amends.backtests.report import report, report_comparison

    found: dict[str, Any] = {
        "policy": priced.loaded.digest, "path": priced.loaded.path, "service": priced.service,
        **report(priced.backtest),
    }  # fmt: skip
    found["notes"] = [*priced.notes, *found["notes"]]
    if priced.against and priced.current and priced.comparison:
        found["against"] = {
            "policy": priced.against.digest, "path": priced.against.path, **report(priced.current),
            "difference": report_comparison(priced.comparison),
        }  # fmt: skip
    return found
