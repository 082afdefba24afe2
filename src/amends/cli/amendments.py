"""``amends amendments``: what is proposed, proven, active, lapsed, and whether active guards hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import ServiceOption
from amends.cli.incident import RoleOption, open_log
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.holding import Gates, Held

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="List amendments by what they are: proposed, proven, active, lapsed.",
)  # fmt: skip

_ORDER = ("lapsed", "proposed", "not replayable", "disproven", "proven", "active", "accepted risk")


@app.callback()
def amendments(
    ctx: typer.Context,
    service: ServiceOption = "",
    state: Annotated[str, typer.Option("--state", metavar="STATE", help="Only those in this state")] = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List amendments by state: what lapsed first. JSON: {state: [what ``amendment show`` prints]}."""
    if ctx.invoked_subcommand is not None:
        return
    from amends.application.amending import amendment_data, list_amendments

    with open_log(store) as log:
        found = list_amendments(log, service=service, state=state, limit=10_000)
    groups = {name: [one for one in found if one.state == name] for name in _ORDER}
    if format is Format.JSON:
        data = {name: [amendment_data(one) for one in group] for name, group in groups.items()}
        typer.echo(json.dumps(data, ensure_ascii=False))
        return
    for name, group in groups.items():
        if group:
            typer.echo(f"{name} ({len(group)})")
        for one in group:
            until = f" until {one.until:%Y-%m-%d}" if one.until else ""
            reason = f": {one.reason}" if one.reason else ""
            typer.echo(f"  {one.id:8} {one.incident:8} {one.proposed.title}{until}{reason}")
    if not found:
        typer.echo("no amendment is recorded yet; `amends amendment propose` makes one")


@app.command()
def check(
    service: ServiceOption = "",
    repo: Annotated[
        Path | None,
        typer.Option("--repo", metavar="DIR", help="The git repository. Default: here, if it is one"),
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="REVISION", help="The revision to look at")] = "HEAD",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, and record nothing")] = False,
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Look whether each active guard still holds: deleted, skipped or weakened reopens its amendment.

    Exit 0 when all hold, 1 when one lapsed, 3 when one cannot be told. JSON: a list of {"amendment",
    "incident", "service", "kind", "title", "holding", "reason", "lapses"}; "holding" is holds, deleted,
    skipped, weakened or unknown.
    """
    from amends.application.holding import hold_guards, lapse_guards
    from amends.bootstrap import open_code_host, open_workspace

    place = repo if repo is not None else _repository_here()
    workspace = open_workspace(store=store, policy=policy, reading=True)
    try:
        host = open_code_host(place) if place is not None else None
        found = hold_guards(
            workspace.log, service=service, host=host, revision=at, policies=_gates(workspace)
        )  # fmt: skip
        if not dry_run:
            lapse_guards(workspace.log, found, role=role)
    finally:
        workspace.close()
    _print(found, format, dry_run)
    if any(one.finding.lapses for one in found):
        raise typer.Exit(1)
    if any(one.finding.holding == "unknown" for one in found):
        raise typer.Exit(3)


def _repository_here() -> Path | None:
    here = Path().resolve()
    return Path() if any((folder / ".git").exists() for folder in (here, *here.parents)) else None


def _gates(workspace: Any) -> Mapping[str, Gates]:
    from amends.bootstrap import policies_in_use

    return {service: loaded.policy.gates for service, loaded in policies_in_use(workspace).items()}


def _print(found: list[Held], format: Format, dry_run: bool) -> None:
    from amends.application.holding import held_data

    if format is Format.JSON:
        typer.echo(json.dumps([held_data(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        again = "" if dry_run or not one.finding.lapses else "; it is open again, prove it anew"
        typer.echo(f"{one.amendment.id:8} {one.finding.holding:9} {one.finding.reason}{again}")
    if not found:
        typer.echo("no amendment is active")
