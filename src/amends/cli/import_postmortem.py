"""``amends import postmortem``: read incidents from post-mortems that exist already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.desk import EnvironmentOption, ServiceOption
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from datetime import tzinfo

    from amends.incidents.postmortems import Postmortem


def postmortem(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Post-mortems in Markdown, HTML or text")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what each file says; record nothing")
    ] = False,
    timezone: Annotated[
        str,
        typer.Option(
            "--timezone", metavar="ZONE",
            help="What times mean in a document that names no zone, for example Europe/Berlin",
        ),
    ] = "",
    environment: EnvironmentOption = "",
    team: Annotated[str, typer.Option("--team", help="The owning team. Default: that of amends.yaml")] = "",
    service: ServiceOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:  # fmt: skip
    """Import post-mortems: each opens an incident with its timeline and milestones, every line cited.

    Nothing is invented: what a document does not say is empty, what it says twice in different ways is shown
    as a contradiction. JSON of --dry-run: one object a file, docs/reference/postmortems.md.
    """
    from amends.application.history import PostmortemPast
    from amends.cli.import_history import _import, _last, _zone

    zone = _zone(timezone)
    if dry_run:
        _show(files, zone, format)
        return
    _import(
        lambda desk: PostmortemPast(
            tuple(files), desk.require_service().service, environment or _last(desk), zone, team or desk.team
        ),
        "post-mortems", service, store, policy, format,
    )  # fmt: skip


def _show(files: list[Path], zone: tzinfo | None, format: Format) -> None:
    from amends.application.history import Fault
    from amends.bootstrap import read_postmortems

    read = 0
    for file, found in read_postmortems(files, zone):
        if isinstance(found, Fault):
            typer.echo(f"amends: {found.where}: {found.message}\nmend: {found.remedy}", err=True)
            continue
        read += 1
        if format is Format.JSON:
            typer.echo(json.dumps({"file": str(file), **found.to_json()}, ensure_ascii=False))
        else:
            typer.echo("\n".join(_text(str(file), found)))
    if not read:
        raise typer.Exit(4)


def _text(file: str, found: Postmortem) -> Iterator[str]:
    yield f"{file}: {found.title}"
    for part in found.parts:
        yield from _text(f"{file}, one of {len(found.parts)} incidents", part)
    yield from _milestones(found)
    for name, one in (("trigger", found.trigger), ("detection", found.detection)):
        if one:
            yield f"  {name:<13} {one.kind.replace('_', ' ')}: {one.text} (line {one.line})"
    tried = {None: "not told", False: "not attempted", True: "attempted"}[found.rollback.attempted]
    worked = {None: "", False: ", without effect", True: ", it worked"}[found.rollback.effective]
    yield f"  {'rollback':<13} {tried}{worked}"
    for item in found.action_items:
        yield f"  {'action item':<13} {item.text}{' [done]' if item.done else ''} (line {item.line})"
    for against in found.contradictions:
        yield f"  {'contradiction':<13} {against.text} (lines {', '.join(map(str, against.lines))})"
    for doubt in found.doubts:
        yield f"  {'uncertain':<13} {doubt}"


def _milestones(found: Postmortem) -> Iterator[str]:
    told = found.to_json()["milestones"]
    for name, one in told.items() if not found.parts else ():
        if one is None:
            yield f"  {name:<13} not said"
            continue
        when = one["at"] or f"{one['earliest'] or '…'} to {one['latest'] or '…'}"
        yield f"  {name:<13} {when} (line {one['line']}, confidence {one['confidence']:.2f})"
