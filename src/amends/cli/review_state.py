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
    from amends.reviews.progress import Progress


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
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List the reminders that are due: action items, lapsed amendments, accepted risks that end.

    Each is due less often the longer it waits. JSON: a list of {"about", "why", "incident", "service",
    "owner", "text", "due", "number", "slot", "then"}.
    """
    from amends.application.actions import read_reminders, record_reminder, reminder_data

    with open_log(store) as log:
        found = read_reminders(log, service=service)
        for one in found if mark else ():
            record_reminder(log, one)
    if format is Format.JSON:
        typer.echo(json.dumps([reminder_data(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        asking = one.asking
        typer.echo(
            f"{asking.about:8} {asking.owner}, due {asking.due:%Y-%m-%d} ({asking.why}, reminder {one.number}"
            f", the next on {one.then:%Y-%m-%d}): {asking.text}"
        )
    if not found:
        typer.echo("nothing asks for attention")


def register(app: typer.Typer) -> None:
    """Add these commands to the group ``amends review``."""
    for function in (submit, approve, status, restore, reminders):
        app.command()(function)
    app.command("return")(return_)
