"""``amends deployment``: see deployments and steer them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.application.deploying import Word
    from amends.application.log import Log

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The deployment, as `amends deploy` printed it.")]
Role = Annotated[str, typer.Option("--role", help="In which role you say so.")]
By = Annotated[str, typer.Option("--by", metavar="LOGIN", help="Who says so; kept as a pseudonym.")]
Wait = Annotated[
    bool | None,
    typer.Option(
        "--wait/--no-wait",
        help="Carry it on in this process, or leave it to a worker. Default: wait where the log is a file.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a few words.")]


@app.callback()
def root() -> None:
    """See deployments and steer them."""


@app.command("list")
def list_(
    service: Annotated[str, typer.Option("--service", metavar="NAME")] = "",
    environment: Annotated[str, typer.Option("--env", metavar="ENV")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only those under way.")] = False,
    bypassed: Annotated[
        bool,
        typer.Option("--bypassed", help="Those that went around their gates, whoever deployed them."),
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the latest.")] = 20,
    format_: FormatOption = Format.TEXT,
    store: StoreOption = "",
) -> None:
    """List deployments, the latest first.

    With --bypassed also those that amends only heard of: seen in an environment, by an event or `amends
    record deployed`, without a pass of its gates before. JSON: a list of {"service", "release",
    "environment", "at", "event", "reason", "decision", "deployment"}.
    """
    from amends.application.deployments import list_deployments
    from amends.bootstrap import open_workspace
    from amends.cli.deployment_texts import row, summary

    workspace = open_workspace(store=store, reading=True)
    try:
        if bypassed:
            _list_bypassed(workspace.log, service, environment, limit, format_)
            return
        found = list_deployments(
            workspace.log, service=service, environment=environment, open_only=open_only, limit=limit
        )
    finally:
        workspace.close()
    if format_ is Format.JSON:
        typer.echo(json.dumps([summary(d) for d in found]))
        return
    for d in found:
        typer.echo(row(d))
    if not found:
        typer.echo("no deployments" + (" under way" if open_only else " yet; `amends deploy` makes them"))


def _list_bypassed(log: Log, service: str, environment: str, limit: int, format_: Format) -> None:
    from amends.application.queries.bypasses import list_bypasses
    from amends.cli.deployment_texts import bypass_row, bypass_summary

    found = list_bypasses(log, service, environment, limit=limit)
    if format_ is Format.JSON:
        typer.echo(json.dumps([bypass_summary(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(bypass_row(one))
    if not found:
        typer.echo("no deployment is known to have gone around its gates")


@app.command()
def show(deployment: Id, format_: FormatOption = Format.TEXT, store: StoreOption = "") -> None:
    """Show a deployment, what it waits for, and what its watch saw last."""
    from amends.application.deployments import find_deployment
    from amends.bootstrap import open_workspace
    from amends.cli.deployment_texts import page, summary

    workspace = open_workspace(store=store, reading=True)
    try:
        d = find_deployment(workspace.log, deployment)
    finally:
        workspace.close()
    typer.echo(json.dumps(summary(d)) if format_ is Format.JSON else "\n".join(page(d)))


@app.command()
def approve(
    deployment: Id, role: Role = "", by: By = "", reason: Reason = "", wait: Wait = None,
    store: StoreOption = "",
) -> None:  # fmt: skip
    """Let it start, or let it go on where its watch was inconclusive."""
    _steer(deployment, "approved", role, by, reason, store, wait)


@app.command()
def pause(deployment: Id, role: Role = "", by: By = "", reason: Reason = "", store: StoreOption = "") -> None:
    """Shift no further for now. The watch goes on, and still rolls back what is worse."""
    _steer(deployment, "paused", role, by, reason, store, False)


@app.command()
def resume(
    deployment: Id, role: Role = "", by: By = "", reason: Reason = "", wait: Wait = None,
    store: StoreOption = "",
) -> None:  # fmt: skip
    """Go on after a pause."""
    _steer(deployment, "resumed", role, by, reason, store, wait)


@app.command()
def abort(
    deployment: Id, role: Role = "", by: By = "", reason: Reason = "", wait: Wait = None,
    store: StoreOption = "",
) -> None:  # fmt: skip
    """End it and give all traffic back to the previous release.

    The release is not quarantined and no incident is opened: that is what `amends rollback` does.
    """
    _steer(deployment, "aborted", role, by, reason, store, wait)


def _steer(
    deployment: str, word: Word, role: str, by: str, reason: str, store: str, wait: bool | None
) -> None:  # fmt: skip
    from amends.application.deploying import steer
    from amends.bootstrap import open_workspace
    from amends.cli.carrying import carry_on, leave
    from amends.cli.deployment_texts import Teller, row

    workspace = open_workspace(store=store, reading=True)
    try:
        pseudonym = workspace.opened.people.pseudonym(by) if by else ""
        d = steer(workspace.log, deployment, word, role=role, by=pseudonym, reason=reason)
        typer.echo(row(d))
        # Elsewhere than beside a file, servers and workers have the deployer and its credentials.
        if wait if wait is not None else workspace.opened.kind == "sqlite":
            meant = "aborted" if word == "aborted" else "promoted"
            raise typer.Exit(carry_on(workspace, deployment, Teller(json_lines=False), meant=meant))
        leave(deployment, d)
    finally:
        workspace.close()
