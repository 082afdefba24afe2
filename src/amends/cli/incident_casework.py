"""Commands for the work on an incident: weigh it, take duties, merge, split, backdate."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.desk import moment
from amends.cli.incident_options import (
    IncidentArgument,
    ReasonOption,
    RoleOption,
    open_incident_desk,
    open_log,
    say,
)
from amends.cli.options import Format, FormatOption, StoreOption

DutyArgument = Annotated[str, typer.Argument(metavar="DUTY", help="commander, scribe or communications")]
SEEN = "Which customers see it: unknown, none, some or all"


def assess(
    incident: IncidentArgument,
    severity: Annotated[str, typer.Option("--severity", metavar="WORD", help="For example sev1")] = "",
    visibility: Annotated[str, typer.Option("--visibility", metavar="WORD", help=SEEN)] = "",
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say how severe it is and which customers see it. JSON: {"event"}."""
    from amends.application.casework import assess as do

    with open_log(store) as log:
        fact = do(log, incident, severity=severity, visibility=visibility, role=role, reason=reason)
    say(format, f"{incident} is assessed (event {fact.id})", event=fact.id)


def duty(
    incident: IncidentArgument,
    name: DutyArgument,
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="The team that takes it")] = "",
    me: Annotated[
        str, typer.Option("--as", metavar="LOGIN", help="Yourself, only if you want to be named")
    ] = "",
    leave: Annotated[bool, typer.Option("--leave", help="Nobody has it any more")] = False,
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Take or leave a duty: commander, scribe or communications. JSON: {"event"}."""
    from amends.application.casework import leave_duty, take_duty

    with open_incident_desk(store) as desk:
        if leave:
            fact = leave_duty(desk, incident, name, role=role)
        else:
            fact = take_duty(desk, incident, name, team=team, login=me, role=role)
    done = "nobody has" if leave else f"{team} has"
    say(format, f"{done} the duty of {name} in {incident} (event {fact.id})", event=fact.id)


def merge(
    incident: IncidentArgument,
    into: Annotated[str, typer.Option("--into", metavar="INCIDENT", help="The one that goes on")],
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Merge it into another incident, which tells of both; `amends incident reopen` takes it out again.

    JSON: {"event"}.
    """
    from amends.application.casework import merge as do

    with open_log(store) as log:
        fact = do(log, incident, into, role=role, reason=reason)
    say(format, f"{incident} is merged into {into} (event {fact.id})", event=fact.id)


def split(
    incident: IncidentArgument,
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="What the other one is about")],
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="ID", help="A note or captured failure that belongs to it"),
    ] = None,
    service: Annotated[str, typer.Option("--service", metavar="NAME")] = "",
    release: Annotated[str, typer.Option("--release", metavar="NAME")] = "",
    environment: Annotated[str, typer.Option("--env", metavar="NAME")] = "",
    severity: Annotated[str, typer.Option("--severity", metavar="WORD")] = "",
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Make a part of it an incident of its own. JSON: {"incident"}."""
    from amends.application.casework import split as do

    with open_incident_desk(store) as desk:
        other = do(
            desk, incident, summary=summary, role=role, events=event or (), service=service, release=release,
            environment=environment, severity=severity, reason=reason,
        )  # fmt: skip
    say(format, f"{other} is split from {incident}; see: amends incident show {other}", incident=other)


def backdate(
    incident: IncidentArgument,
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="When it was detected")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="How that time is known")],
    role: RoleOption = "on-call",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that it was detected at another time than recorded; the record keeps both. JSON: {"event"}."""
    from amends.application.casework import backdate as do

    with open_log(store) as log:
        fact = do(log, incident, moment(to), role=role, reason=reason)
    say(format, f"{incident} was detected at {to} (event {fact.id})", event=fact.id)


def neighbour(
    incident: IncidentArgument,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The other service")],
    relation: Annotated[
        str, typer.Option("--relation", metavar="WORD", help="upstream, downstream or beside")
    ] = "downstream",
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="Its owner, if the log has none")] = "",
    environment: Annotated[str, typer.Option("--env", metavar="NAME")] = "",
    no_longer: Annotated[bool, typer.Option("--clear", help="It is not concerned after all")] = False,
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that it concerns another service, whose owner is to be told; or not after all. JSON: {"event"}."""
    from amends.application.casework import clear, concern

    with open_log(store) as log:
        if no_longer:
            fact = clear(log, incident, service, role=role, reason=reason)
        else:
            fact = concern(
                log, incident, service, relation=relation, role=role, team=team, environment=environment,
                reason=reason,
            )  # fmt: skip
    done = "is not concerned" if no_longer else "is concerned"
    say(format, f"{service} {done} by {incident} (event {fact.id})", event=fact.id)


def neighbours(
    incident: IncidentArgument, store: StoreOption = "", format: FormatOption = Format.TEXT
) -> None:
    """Look again whom it concerns, by the policies' depends_on and the watches.

    JSON: {"events", "services"}.
    """
    from amends.application.incidents import think_of_neighbours

    with open_log(store) as log:
        facts = think_of_neighbours(log, incident)
    services = [str(getattr(fact.payload, "neighbour", "")) for fact in facts]
    text = f"now concerned, too: {', '.join(services)}" if services else "nobody who was not thought of"
    say(format, text, events=[fact.id for fact in facts], services=services)


def register(app: typer.Typer) -> None:
    """Add the commands to ``amends incident``."""
    for command in (assess, duty, merge, split, backdate, neighbour, neighbours):
        app.command()(command)
