"""``amends incident``: open incidents, see how a release got past its gates, move them on."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli import incident_casework, incident_words
from amends.cli.desk import ServiceOption, Where, moment
from amends.cli.incident_options import IncidentArgument as IncidentArgument
from amends.cli.incident_options import ReasonOption as ReasonOption
from amends.cli.incident_options import RoleOption as RoleOption
from amends.cli.incident_options import open_incident_desk
from amends.cli.incident_options import open_log as open_log
from amends.cli.incident_options import say as say
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Open incidents, see how a release got past its gates, and move them on.",
)  # fmt: skip

if TYPE_CHECKING:
    from amends.application.desk import Desk
    from amends.application.unwatched import Story


class ShowFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@app.command("open")
def open_(
    release: Annotated[str, typer.Option("--release", metavar="NAME", help="What escaped")],
    service: ServiceOption = "",
    previous: Annotated[str, typer.Option("--previous", metavar="NAME", help="What it replaced")] = "",
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="Where")] = "production",
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="What happened")] = "",
    severity: Annotated[str, typer.Option("--severity", metavar="WORD")] = "",
    role: RoleOption = "",
    deployed_at: Annotated[str, typer.Option("--deployed-at", metavar="TIME")] = "",
    rolled_back_at: Annotated[str, typer.Option("--rolled-back-at", metavar="TIME")] = "",
    repo: Annotated[Path | None, typer.Option("--repo", metavar="DIR", help="Its git repository")] = None,
    bypass: Annotated[
        bool, typer.Option("--bypass", help="It went around its gates; the deployment is found in the log")
    ] = False,
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Open an incident, also one that amends never watched; draft its review from what is recorded.

    With --repo the changes between the releases and the policy among the release's files are read from git.
    JSON: {"incident", "revision", "notes"}.
    """
    from amends.application.unwatched import Story, open_unwatched
    from amends.bootstrap import open_code_host

    where = Where(service=service, store=store, policy=policy, at="", id="", format=format)
    story = Story(
        release=release, previous=previous, environment=environment, summary=summary, severity=severity,
        role=role, deployed_at=moment(deployed_at) if deployed_at else None,
        rolled_back_at=moment(rolled_back_at) if rolled_back_at else None,
    )  # fmt: skip
    with where.desk() as desk:
        if bypass:
            _open_bypass(desk, story, format)
            return
        opened = open_unwatched(desk, story, host=open_code_host(repo) if repo else None)
    lines = [f"{opened.incident} is open; its review is drafted (revision {opened.revision})"]
    lines += [f"not recorded: {note}" for note in opened.notes]
    lines.append(f"see it: amends incident show {opened.incident}")
    say(format, "\n".join(lines), incident=opened.incident, revision=opened.revision, notes=opened.notes)


def _open_bypass(desk: Desk, story: Story, format: Format) -> None:
    from amends.application.casework import open_from_bypass
    from amends.application.reviewing import draft_review

    incident = open_from_bypass(
        desk.log, desk.service, story.release, environment=story.environment, summary=story.summary,
        role=story.role, team=desk.team, severity=story.severity,
    )  # fmt: skip
    revision = draft_review(desk.log, incident)
    text = f"{incident} is open: the release went around its gates\nsee it: amends incident show {incident}"
    say(format, text, incident=incident, revision=revision, notes=[])


@app.command("list")
def list_(
    service: ServiceOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List incidents, the newest first.

    JSON: a list of {"incident", "state", "service", "environment", "release", "summary", "detected_at"}.
    """
    from amends.application.incidents import list_incidents
    from amends.events.event import format_time

    with open_log(store) as log:
        found = list_incidents(log, service=service)
    if format is Format.JSON:
        rows = [
            {
                "incident": i.id, "state": i.state, "service": i.service, "environment": i.environment,
                "release": i.release, "summary": i.opened.summary, "detected_at": format_time(i.detected_at),
            }
            for i in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for i in found:
        typer.echo(f"{i.id:8} {i.state:12} {i.service} {i.environment} {i.release}: {i.opened.summary}")
    if not found:
        typer.echo("no incident is recorded yet; `amends incident open` and rollbacks make them")


@app.command()
def show(
    incident: IncidentArgument,
    store: StoreOption = "",
    full: Annotated[bool, typer.Option("--full", help="Every entry of the timeline by itself")] = False,
    format: Annotated[ShowFormat, typer.Option("--format", help="How to print it.")] = ShowFormat.TEXT,
) -> None:
    """Show an incident: milestones, how it got past each gate, timeline; as Markdown, its review's draft.

    Three or more automatic entries of a kind in a row are one line that cites them.
    JSON: docs/reference/incidents.md.
    """
    from amends.application.incidents import incident_data, incident_view
    from amends.application.reviewing import draft_text
    from amends.cli.incident_text import incident_text

    with open_incident_desk(store) as desk:
        if format is ShowFormat.MARKDOWN:
            typer.echo(draft_text(desk.log, incident, full=full), nl=False)
            return
        view = incident_view(desk.log, incident, desk.people)
    typer.echo(
        json.dumps(incident_data(view), ensure_ascii=False)
        if format is ShowFormat.JSON
        else incident_text(view, full=full)
    )


@app.command()
def acknowledge(
    incident: IncidentArgument,
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that a role looks after it. JSON: {"event"}."""
    from amends.application.incidents import acknowledge as do

    with open_log(store) as log:
        fact = do(log, incident, role=role, reason=reason)
    say(format, f"{incident} is acknowledged by {role} (event {fact.id})", event=fact.id)


@app.command()
def resolve(
    incident: IncidentArgument,
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    lift_quarantine: Annotated[
        bool, typer.Option("--lift-quarantine", help="Let the release be deployed again")
    ] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Resolve it. The release stays quarantined unless you lift that. JSON: {"event", "lifted"}."""
    from amends.application.incidents import resolve as do

    with open_log(store) as log:
        fact = do(log, incident, role=role, reason=reason, lift_quarantine=lift_quarantine)
    text = f"{incident} is resolved (event {fact.id})"
    text += "; the release may be deployed again" if lift_quarantine else "; a quarantine stays as it is"
    say(format, text, event=fact.id, lifted=lift_quarantine)


@app.command()
def reopen(
    incident: IncidentArgument,
    role: RoleOption = "on-call",
    reason: ReasonOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Open a resolved incident again. JSON: {"event"}."""
    from amends.application.incidents import reopen as do

    with open_log(store) as log:
        fact = do(log, incident, role=role, reason=reason)
    say(format, f"{incident} is open again (event {fact.id})", event=fact.id)


@app.command()
def note(
    incident: IncidentArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened")],
    role: RoleOption = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When it happened. Default: now")] = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Add a line to the timeline. JSON: {"event"}."""
    from amends.application.incidents import take_note

    with open_log(store) as log:
        fact = take_note(log, incident, text, role=role, at=moment(at) if at else None)
    say(format, f"noted (event {fact.id})", event=fact.id)


@app.command()
def milestone(
    incident: IncidentArgument,
    name: Annotated[
        str,
        typer.Argument(
            metavar="MILESTONE",
            help="started, detected, declared, acknowledged, mitigated, cause_found or resolved",
        ),
    ],
    at: Annotated[str, typer.Option("--at", metavar="TIME")] = "",
    earliest: Annotated[str, typer.Option("--earliest", metavar="TIME")] = "",
    latest: Annotated[str, typer.Option("--latest", metavar="TIME")] = "",
    source: Annotated[str, typer.Option("--source", metavar="TEXT", help="Where that is known from")] = "",
    role: RoleOption = "on-call",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """State when a milestone was: a time, or an interval. JSON: {"event"}."""
    from amends.application.incidents import set_milestone

    times = {"at": at, "earliest": earliest, "latest": latest}
    given = {key: moment(value) for key, value in times.items() if value}
    with open_log(store) as log:
        fact = set_milestone(log, incident, name, source=source, role=role, **given)
    say(format, f"milestone {name} is set (event {fact.id})", event=fact.id)


@app.command()
def similar(
    incident: IncidentArgument,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=50)] = 5,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Find incidents that are like this one, and say why: words, failure, component, factors, gates.

    JSON: a list of {"incident", "summary", "service", "state", "detected_at", "likeness", "reasons"}.
    """
    from amends.application.searching import similar_data
    from amends.cli.search import open_search

    with open_search(store) as search:
        found = search.similar(incident, most=limit)
    if format is Format.JSON:
        typer.echo(json.dumps(similar_data(found), ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.incident:8} {one.likeness.score:.2f} {one.service}: {one.summary}")
        for reason in one.likeness.reasons:
            typer.echo(f"         {reason}")
    if not found:
        typer.echo(f"no incident on record is much like {incident}")


incident_casework.register(app)
incident_words.register(app)
