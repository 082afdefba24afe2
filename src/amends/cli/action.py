"""``amends action``: what is to be done after an incident, by which team or role, until when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.desk import ServiceOption, moment
from amends.cli.incident import IncidentArgument, ReasonOption, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.application.actions import Moved, Wanted
    from amends.reviews.actions import Action

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Add action items to an incident, change them, and say what became of them.",
)  # fmt: skip

ActionArgument = Annotated[str, typer.Argument(metavar="ACTION", help="Its id, for example ACT-1")]
TeamOption = Annotated[str, typer.Option("--team", metavar="TEAM", help="The team that owns it")]
OwnerRoleOption = Annotated[str, typer.Option("--owner-role", metavar="ROLE", help="Or the role that does")]
DueOption = Annotated[str, typer.Option("--due", metavar="TIME", help="Until when")]
PriorityOption = Annotated[str, typer.Option("--priority", metavar="WORD", help="high, medium or low")]
AmendmentOption = Annotated[
    str, typer.Option("--amendment", metavar="AMENDMENT", help="The changed test or gate it stands for")
]


def _wanted(title: str, team: str, owner_role: str, due: str, priority: str, amendment: str) -> Wanted:
    from amends.application.actions import Wanted
    from amends.errors import UsageError

    if priority not in ("", "high", "medium", "low"):
        raise UsageError(f"found the priority {priority!r}; allowed are high, medium and low")
    return Wanted(
        title, team, owner_role, moment(due) if due else None, priority or None, amendment  # type: ignore[arg-type]
    )  # fmt: skip


@app.command()
def add(
    incident: IncidentArgument,
    title: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be done")] = "",
    team: TeamOption = "",
    owner_role: OwnerRoleOption = "",
    due: DueOption = "",
    priority: PriorityOption = "",
    amendment: AmendmentOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Add an action item; the incident's team owns it unless you say otherwise.

    With --amendment it is done when that amendment is active, and open again when it lapses.
    JSON: as ``action show``.
    """
    from amends.application.actions import add_action

    with open_log(store) as log:
        found = add_action(
            log, incident, _wanted(title, team, owner_role, due, priority, amendment), role=role
        )
        _show(found, log.clock.now(), format)


@app.command()
def change(
    action: ActionArgument,
    title: Annotated[str, typer.Option("--title", metavar="TEXT")] = "",
    team: TeamOption = "",
    owner_role: OwnerRoleOption = "",
    due: DueOption = "",
    priority: PriorityOption = "",
    amendment: AmendmentOption = "",
    reason: ReasonOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Change an action item. Once its review has settled, that needs a reason. JSON: as ``action show``."""
    from amends.application.actions import change_action

    with open_log(store) as log:
        wanted = _wanted(title, team, owner_role, due, priority, amendment)
        found = change_action(log, action, wanted, role=role, reason=reason)
        _show(found, log.clock.now(), format)


@app.command("list")
def list_(
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT")] = "",
    service: ServiceOption = "",
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="A team or a role")] = "",
    left: Annotated[bool, typer.Option("--left", help="Only those with something left to do")] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List action items: what is left first, by date. JSON: a list of what ``action show`` prints."""
    from amends.application.actions import action_data, list_actions

    with open_log(store) as log:
        found, now = (
            list_actions(log, incident=incident, service=service, owner=owner, left=left),
            log.clock.now(),
        )
    if format is Format.JSON:
        typer.echo(json.dumps([action_data(one, now) for one in found], ensure_ascii=False))
        return
    for one in found:
        due = f"{one.due:%Y-%m-%d}" if one.due else "no date"
        mark = " LATE" if one.late(now) else ""
        typer.echo(f"{one.id:8} {one.state:14} {due:10}{mark} {one.priority:6} {one.owner}: {one.title}")
    if not found:
        typer.echo("no action item is recorded; `amends action add INCIDENT` makes one")


@app.command()
def show(
    action: ActionArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show an action item.

    JSON: {"action", "incident", "service", "title", "state", "owner", "owner_kind", "due", "late",
    "priority", "amendment", "reason", "evidence", "until", "added_at", "moved_at", "moved_by", "events"}.
    """
    from amends.application.actions import require_action

    with open_log(store) as log:
        _show(require_action(log, action), log.clock.now(), format)


def _show(found: Action, now: object, format: Format) -> None:
    from datetime import datetime

    from amends.application.actions import action_data

    assert isinstance(now, datetime)
    until = f" until {found.until:%Y-%m-%d %H:%M} UTC" if found.until else ""
    lines = [f"{found.id} ({found.state}{until}) of {found.owner}, {found.priority}: {found.title}"]
    lines.append(
        f"due {found.due:%Y-%m-%d %H:%M} UTC{', late' if found.late(now) else ''}" if found.due else "no date"
    )
    lines += [f"it stands for {found.guard}"] if found.guard else []
    lines += [text for text in (found.reason, found.evidence) if text]
    say(format, "\n".join(lines), **action_data(found, now))


def _move(action: str, word: str, said: Moved, store: str, format: Format) -> None:
    from amends.application.actions import move_action

    with open_log(store) as log:
        _show(move_action(log, action, word, said), log.clock.now(), format)


@app.command()
def begin(
    action: ActionArgument, role: RoleOption = "", store: StoreOption = "", format: FormatOption = Format.TEXT
) -> None:
    """Say that it is being done. JSON: as ``action show``."""
    from amends.application.actions import Moved

    _move(action, "begun", Moved(role), store, format)


@app.command()
def done(
    action: ActionArgument,
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="TEXT", help="What shows that it works: a run, a link")
    ] = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that it is done, with what shows that it works. JSON: as ``action show``.

    An item that stands for an amendment is done when that one is active, not by a word.
    """
    from amends.application.actions import Moved

    _move(action, "done", Moved(role, evidence=evidence), store, format)


@app.command()
def drop(
    action: ActionArgument,
    reason: ReasonOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Leave it undone, and say why. JSON: as ``action show``."""
    from amends.application.actions import Moved

    _move(action, "dropped", Moved(role, reason), store, format)


@app.command("accept-risk")
def accept_risk(
    action: ActionArgument,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When it is looked at again")],
    reason: ReasonOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Live without it until a date; then it is open again. JSON: as ``action show``."""
    from amends.application.actions import Moved

    _move(action, "accepted", Moved(role, reason, until=moment(until)), store, format)


@app.command()
def reopen(
    action: ActionArgument,
    reason: ReasonOption = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Take it up again. JSON: as ``action show``."""
    from amends.application.actions import Moved

    _move(action, "reopened", Moved(role, reason), store, format)
