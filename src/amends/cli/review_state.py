"""``amends review submit``, ``approve``, ``return``, ``restore``, ``status`` and ``reminders``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import ServiceOption
from amends.cli.incident import IncidentArgument, ReasonOption, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.log import Log
    from amends.application.notices.reminding import Sent
    from amends.reviews.progress import Progress
    from amends.reviews.reminders import Reminder


@contextmanager
def by_policy(store: str, policy: str) -> Iterator[Log]:
    """Open the log, and have it hold the policy that stands in the folder, whose rules then count."""
    from amends.bootstrap import heed_policy, open_workspace

    workspace = open_workspace(store=store, policy=policy, reading=True)
    try:
        heed_policy(workspace)
        yield workspace.log
    finally:
        workspace.close()


def _move(word: Any, incident: str, store: str, policy: str, role: str, reason: str, format: Format) -> None:
    from amends.application.approving import move

    with by_policy(store, policy) as log:
        after = move(log, incident, word, role=role, reason=reason)
    say(format, _said(incident, after), **_data(incident, after))


def _said(incident: str, now: Progress) -> str:
    lines = [f"the review of {incident} is {now.state} (revision {now.latest})"]
    if now.published and now.published != now.latest:
        lines.append(f"revision {now.published} is published")
    lines += [f"{one.role} agrees with it" for one in now.approvals]
    lines += [f"{one.role} agreed with revision {one.revision}, which does not count" for one in now.stale]
    if now.missing:
        lines.append(f"still to agree: {', '.join(now.missing)}")
    if now.reason:
        lines.append(f"returned: {now.reason}")
    if now.settles_at is not None:
        lines.append(f"its action items are fixed from {now.settles_at:%Y-%m-%d %H:%M} UTC on")
    return "\n".join(lines)


def _data(incident: str, now: Progress) -> dict[str, Any]:
    from amends.events.event import format_time

    return {
        "incident": incident, "state": now.state, "revision": now.latest, "published": now.published or None,
        "approved_by": [one.role for one in now.approvals], "missing": list(now.missing),
        "reason": now.reason, "settles_at": format_time(now.settles_at) if now.settles_at else None,
    }  # fmt: skip


def submit(
    incident: IncidentArgument,
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Ask the roles that have to agree to read it. JSON: as ``review status``."""
    _move("submitted", incident, store, policy, role, "", format)


def approve(
    incident: IncidentArgument,
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Agree with the latest revision. JSON: as ``review status``."""
    _move("approved", incident, store, policy, role, "", format)


def return_(
    incident: IncidentArgument,
    reason: ReasonOption,
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Give it back to its writers: it is a draft again. JSON: as ``review status``."""
    _move("returned", incident, store, policy, role, reason, format)


def status(
    incident: IncidentArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say where the review stands.

    JSON: {"incident", "state", "revision", "published", "approved_by", "missing", "reason", "settles_at"}.
    """
    from amends.application.approving import read_progress

    with open_log(store) as log:
        found = read_progress(log, incident)
    say(format, _said(incident, found), **_data(incident, found))


def restore(
    incident: IncidentArgument,
    revision: Annotated[int, typer.Argument(metavar="N", help="An earlier revision")],
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Make an earlier revision the latest again, as a new one. JSON: {"incident", "revision"}."""
    from amends.application.reviewing import restore as do

    with open_log(store) as log:
        saved = do(log, incident, revision, role=role)
    text = f"revision {saved.number} says what revision {revision} said"
    say(format, text, incident=incident, revision=saved.number)


def reminders(
    service: ServiceOption = "",
    mark: Annotated[
        bool, typer.Option("--mark", help="Record them as given: not due again before the next slot")
    ] = False,
    sent: Annotated[
        bool, typer.Option("--sent", help="Those that were given: when, to whom, and how far each channel is")
    ] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List the reminders that are due: action items, amendments, accepted risks, reviews, statements.

    Each is due less often the longer it waits. A server or worker with a notices.yaml sends them by itself;
    --mark is for where none runs. JSON: a list of {"about", "why", "incident", "service", "owner", "text",
    "due", "number", "slot", "then", "audience", "note"}; with --sent of {"about", "at", "slot", "number",
    "audience", "by"}.
    """
    from amends.application.notices.reminding import sent_reminders, where_to
    from amends.application.reminding import read_reminders, record_reminder
    from amends.bootstrap import open_office, open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        if sent:
            _print_sent(sent_reminders(workspace.log, service=service), format)
            return
        office = open_office(workspace)
        found = read_reminders(workspace.log, service=service, approvers=office.policy.approvers)
        declared = workspace.settings.notices.exists()
        ways = [where_to(office, one) if declared else ("", _NOT_SENT) for one in found]
        for one in found if mark else ():
            record_reminder(workspace.log, one)
    finally:
        workspace.close()
    _print_due(list(zip(found, ways, strict=True)), format)


_NOT_SENT = "there is no notices.yaml: nobody is sent it"


def _print_due(found: list[tuple[Reminder, tuple[str, str]]], format: Format) -> None:
    from amends.application.reminding import reminder_data

    if format is Format.JSON:
        rows = [reminder_data(one) | {"audience": to, "note": note} for one, (to, note) in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one, (to, note) in found:
        asking = one.asking
        typer.echo(
            f"{asking.about:8} {asking.owner}, due {asking.due:%Y-%m-%d} ({asking.why}, reminder {one.number}"
            f", the next on {one.then:%Y-%m-%d}): {asking.text}"
        )
        typer.echo(f"         {'; '.join(part for part in (f'goes to {to}' if to else '', note) if part)}")
    if not found:
        typer.echo("nothing asks for attention; what was sent: amends review reminders --sent")


def _print_sent(found: list[Sent], format: Format) -> None:
    import msgspec

    if format is Format.JSON:
        typer.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
        return
    for one in found:
        to = f"to {one.audience} by {one.by}" if one.audience else "marked as given"
        typer.echo(f"{one.about:8} {one.at:%Y-%m-%d %H:%M} UTC, reminder {one.number}: {to}")
    if not found:
        typer.echo("no reminder was sent yet")


def register(app: typer.Typer) -> None:
    """Add these commands to the group ``amends review``."""
    for function in (submit, approve, status, restore, reminders):
        app.command()(function)
    app.command("return")(return_)
