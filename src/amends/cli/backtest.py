"""``amends backtest``: what a policy would have stopped and held up, on the history that there is."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from amends.cli.options import StoreOption

if TYPE_CHECKING:
    from amends.application.backtesting import Priced, Scope


class PricesByDefault(TyperGroup):
    """A group whose first command may go unnamed: ``amends backtest amends.yaml`` prices that policy."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["price", *args])


app = typer.Typer(
    cls=PricesByDefault, add_completion=False, rich_markup_mode=None, no_args_is_help=False,
    help="Price a policy on the history that there is: `amends backtest amends.yaml` is short for "
    "`amends backtest price amends.yaml`.",
)  # fmt: skip


class ReportFormat(StrEnum):
    """How a backtest is printed."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def root() -> None:
    """Hold the group together; a Typer with one command alone would not be a group."""


@app.command()
def price(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="The policy to price.")] = "amends.yaml",
    against: Annotated[
        str, typer.Option("--against", metavar="FILE", help="Also say what changes against this policy.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Deployments decided on from then (RFC 3339).")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Only those before then.")] = "",
    environment: Annotated[
        str, typer.Option("--environment", metavar="ENV", help="Default: the last one that has gates.")
    ] = "",
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="Whose history. Default: the policy's service.")
    ] = "",
    as_if_blocking: Annotated[
        bool,
        typer.Option("--as-if-blocking/--as-it-counts", help="Whether gates that observe count, too."),
    ] = True,
    format_: Annotated[ReportFormat, typer.Option("--format", help="text or json.")] = ReportFormat.TEXT,
    store: StoreOption = "",
) -> None:
    """Price a policy on the history in the log: incidents it would have stopped, releases held up, delay.

    Exit: 0 computed, whatever the verdict; 2 usage; 4 could not evaluate.
    """
    from amends.application.backtesting import backtest_policy
    from amends.bootstrap import open_policy, open_workspace

    scope = _scope(environment, since, until, service, as_if_blocking)
    loaded = open_policy(policy)
    current = open_policy(against) if against else None
    workspace = open_workspace(store=store, policy=policy, reading=True)
    try:
        priced = backtest_policy(workspace.log, loaded, scope, against=current)
    finally:
        workspace.close()
    typer.echo(_rendered(priced, format_))


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
