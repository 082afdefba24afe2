"""``amends import``: bring in the past that other systems kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.desk import EnvironmentOption, ServiceOption, moment
from amends.cli.import_postmortem import postmortem
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.desk import Desk
    from amends.application.history import Past

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    help="Bring in history that already exists: git, tables, test reports, calendars, post-mortems, GitHub. "
         "Again adds nothing.",
)  # fmt: skip

app.command("postmortem")(postmortem)

_DEFAULT_ENVIRONMENT = "production"
_INTERRUPTED = 130

ZoneOption = Annotated[
    str,
    typer.Option(
        "--timezone", metavar="ZONE",
        help="What times without a zone mean, for example Europe/Berlin. Without it they are reported",
    ),
]  # fmt: skip
TeamOption = Annotated[str, typer.Option("--team", help="The owning team. Default: that of amends.yaml")]


class Deployed(StrEnum):
    """What is taken as deployed in a git history."""

    AUTO = "auto"
    TAGS = "tags"
    MERGES = "merges"
    NONE = "none"


class Fixes(StrEnum):
    """What a Fixes trailer is taken for."""

    INCIDENTS = "incidents"
    NONE = "none"


@app.command("git")
def git(
    repo: Annotated[Path, typer.Argument(metavar="REPO", help="A folder in the repository")],
    deployed: Annotated[
        Deployed,
        typer.Option(
            "--deployed",
            help="What counts as deployed, which git does not say: tags; merges (each change by itself); "
                 "none; "
            "auto: tags, and merges where no tag is a release",
        ),
    ] = Deployed.AUTO,
    branch: Annotated[str, typer.Option("--branch", metavar="REV", help="Whose history")] = "HEAD",
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tags", metavar="PATTERN",
            help="Which tags are releases, for example 'v*'; repeat. Default: versions, no pre-releases",
        ),
    ] = None,
    all_tags: Annotated[
        bool, typer.Option("--all-tags", help="Also tags that the branch does not contain")
    ] = False,
    reviews_in_trailers: Annotated[
        bool, typer.Option("--reviews-in-trailers", help=
            "Every review is in a trailer: no trailer, no "
            "review")
    ] = False,
    fixes: Annotated[
        Fixes, typer.Option("--fixes", help="What a Fixes trailer after a deployment says")
    ] = Fixes.INCIDENTS,
    environment: EnvironmentOption = "",
    team: TeamOption = "",
    service: ServiceOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:  # fmt: skip
    """Import a git history: changes, reviews in trailers, reverts, releases, and what was deployed when.

    A merge is one change, with all that it brought. Reviews that no trailer states are unrecorded, not
    absent.
    """
    from amends.application.history import GitPast

    def past(desk: Desk) -> Past:
        return GitPast(
            repo, desk.require_service().service, environment or _last(desk), branch, deployed.value,
            tuple(tag or ()), all_tags, reviews_in_trailers, fixes is Fixes.INCIDENTS, team or desk.team,
        )  # fmt: skip

    _import(past, f"git {repo}", service, store, policy, format)


@app.command("table")
def table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet, with the documented columns")],
    environment: EnvironmentOption = "",
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="OURS=YOURS", help="What a documented column is called there; repeat"
        ),
    ] = None,
    suite: Annotated[
        str,
        typer.Option("--suite", metavar="NAME", help="What the policy calls the run behind checks_passed"),
    ] = "checks",
    timezone: ZoneOption = "",
    team: TeamOption = "",
    service: ServiceOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Import a table of changes, one a row. What is missing is undecided.

    Columns: change_id, service, release, created_at, merged_at, deployed_at, environment, author, reviewers,
    approvals, self_approved, checks_passed, files, lines, reverted_by, reverted_at, revert_reason,
    incident_id.
    """
    from amends.application.history import TablePast

    zone, columns = _zone(timezone), _columns(column or [])

    def past(desk: Desk) -> Past:
        return TablePast(
            file, desk.service, environment or _last(desk), suite, zone, columns, team or desk.team
        )

    _import(past, f"table {file}", service, store, policy, format)


@app.command("junit")
def junit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE.xml…", help="JUnit reports; folders are searched")
    ],
    release: Annotated[
        str, typer.Option("--release", metavar="V", help="The release that all of them tested")
    ] = "",
    suite: Annotated[
        str, typer.Option("--suite", metavar="NAME", help="The suite. Default: as the report says")
    ] = "",
    pattern: Annotated[
        str,
        typer.Option(
            "--pattern",
            metavar="PATH",
            help="Where a path says it: 'ci/{release}/{suite}.xml'; * for any name",
        ),
    ] = "",
    environment: EnvironmentOption = "ci",
    timezone: ZoneOption = "",
    service: ServiceOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Import past test runs, each at the time that its report states."""
    from amends.application.history import JUnitPast

    zone = _zone(timezone)

    def past(desk: Desk) -> Past:
        named = desk.require_service().service
        return JUnitPast(tuple(files), named, release, suite, pattern, environment, zone)

    _import(past, "junit reports", service, store, policy, format)


@app.command("ical")
def ical(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.ics…", help="A team's on-call calendar")],
    team: Annotated[
        str, typer.Option("--team", help="The team that is on call. Default: that of amends.yaml")
    ] = "",
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="As what")] = "on-call",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Default: the calendar's first entry")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Default: now")] = "",
    acknowledged: Annotated[
        bool,
        typer.Option(
            "--acknowledged",
            help="Who was on the rota was there. Without it only who accepted the entry counts",
        ),
    ] = False,
    timezone: ZoneOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Import a team's past shifts from its on-call calendar.

    Freezes and holidays are no history: name their calendar in the policy's window gate.
    """
    from amends.application.history import IcalPast
    from amends.errors import UsageError

    zone = _zone(timezone)

    def past(desk: Desk) -> Past:
        if not (team or desk.team):
            raise UsageError(
                "whose shifts are these? amends.yaml names no team",
                remedy="give --team; a calendar of freezes or holidays belongs into the policy instead: "
                "window: {freezes: FILE.ics}",
            )
        end = moment(until) if until else desk.log.clock.now()
        begin = moment(since) if since else None
        return IcalPast(tuple(files), team or desk.team, role, begin, end, acknowledged, zone)

    _import(past, "calendar", "", store, policy, format)


@app.command("github")
def github(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR…", help="JSON of its REST API: pulls, reviews, checks, deployments, statuses"
        ),
    ],
    reviews_complete: Annotated[
        bool,
        typer.Option("--reviews-complete", help="The export holds every review: a pull without one had none"),
    ] = False,
    team: TeamOption = "",
    service: ServiceOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Import what GitHub's REST API says of a repository, from files of its answers."""
    from amends.application.history import GithubPast

    def past(desk: Desk) -> Past:
        return GithubPast(tuple(paths), desk.require_service().service, reviews_complete, team or desk.team)

    _import(past, "github export", service, store, policy, format)


def _import(
    past_of: Callable[[Desk], Past], what: str, service: str, store: str, policy: str, format: Format
) -> None:
    from amends.application.importing import import_history
    from amends.bootstrap import open_desk, open_history, open_workspace
    from amends.cli.import_text import as_json, as_text, progress

    workspace = open_workspace(store=store, policy=policy)
    try:
        desk = open_desk(workspace, service=service)
        reader = open_history(past_of(desk))
        with progress(what) as show:
            summary = import_history(desk, reader, progress=show)
    except KeyboardInterrupt:
        typer.echo("interrupted; what was read so far is in the log: run the same again to go on", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        workspace.close()
    typer.echo((as_json if format is Format.JSON else as_text)(what, summary))
    if summary.faults and not summary.facts:
        typer.echo("amends: nothing could be read from it", err=True)
        raise typer.Exit(4)


def _last(desk: Desk) -> str:
    return desk.environments[-1] if desk.environments else _DEFAULT_ENVIRONMENT


def _zone(name: str) -> tzinfo | None:
    if not name:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from amends.errors import UsageError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"found the time zone {name!r}, which is unknown",
            remedy="give a name of the IANA database, for example Europe/Berlin or UTC",
        ) from None


def _columns(pairs: list[str]) -> dict[str, str]:
    from amends.errors import UsageError

    found = {}
    for pair in pairs:
        ours, sign, yours = pair.partition("=")
        if not (ours.strip() and sign and yours.strip()):
            raise UsageError(
                f"found --column {pair!r}; allowed is OURS=YOURS",
                remedy="for example --column merged_at=closed",
            )
        found[ours.strip()] = yours.strip()
    return found
