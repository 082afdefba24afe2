"""``amends record``: where what runs, what failed there, and what people remember."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amends.cli.desk import Where, recorder
from amends.cli.record_evidence import ReleaseArgument

EnvironmentOption = Annotated[str, typer.Option("--env", metavar="NAME", help="The environment")]


def add_running(app: typer.Typer) -> None:
    """Add the commands of this module to the group."""
    for name, function in (
        ("deployed", deployed), ("rolled-back", rolled_back), ("failure", failure), ("note", note),
    ):  # fmt: skip
        recorder(app, name)(function)


def deployed(
    where: Where,
    release: ReleaseArgument,
    environment: EnvironmentOption,
    previous: Annotated[
        str, typer.Option("--previous", metavar="V", help="What ran there before. Default: what the log says")
    ] = "",
) -> None:
    """Record that a release took over an environment, deployed by something else than amends.

    The policy beside it counts as in force from now on. Where its gates have not let the release pass, the
    answer says so, and pages and incidents show the deployment as one that went around them.
    """
    from amends.application.production import record_deployed
    from amends.application.queries.bypasses import note_bypass
    from amends.bootstrap import adopt_policy_of

    with where.desk() as desk:
        notes = adopt_policy_of(desk)
        told = record_deployed(desk, release, environment=environment, previous=previous, stamp=where.stamp())
        where.answer([note_bypass(desk.log, told, notes)])


def rolled_back(
    where: Where,
    release: ReleaseArgument,
    environment: EnvironmentOption,
    to: Annotated[str, typer.Option("--to", metavar="V", help="What runs there again")],
    reason: Annotated[str, typer.Option("--reason", help="What was seen")],
) -> None:
    """Record a rollback done by something else than amends.

    It opens an incident and quarantines the release.
    """
    from amends.application.production import record_rolled_back

    with where.desk() as desk:
        where.answer(
            record_rolled_back(
                desk, release, environment=environment, to=to, reason=reason, stamp=where.stamp()
            )
        )


def failure(
    where: Where,
    release: ReleaseArgument,
    environment: EnvironmentOption,
    traceback: Annotated[
        Path | None, typer.Option("--traceback", metavar="FILE", help="A traceback or log that shows it")
    ] = None,
    exception: Annotated[str, typer.Option("--exception", metavar="TYPE", help="ZeroDivisionError")] = "",
    frame: Annotated[str, typer.Option("--frame", metavar="FILE:FUNCTION", help="shop/price.py:share")] = "",
    status: Annotated[int | None, typer.Option("--status", min=100, max=599, help="Of the response")] = None,
    path: Annotated[str, typer.Option("--path", help="Of the request")] = "",
    input_file: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE.json", help="The failing input; secrets are masked"),
    ] = None,
    message: Annotated[str, typer.Option("--message", help="What it said")] = "",
    incident: Annotated[
        str, typer.Option("--incident", metavar="ID", help="The incident it belongs to")
    ] = "",
    line: Annotated[int | None, typer.Option("--line", min=1, help="Where in the frame's file")] = None,
    repo: Annotated[
        Path, typer.Option("--repo", help="The repository, for the project's own paths")
    ] = Path(),
) -> None:
    """Record a failure from production: how it is recognised again, and the input that caused it."""
    from amends.application.production import record_failure
    from amends.events.payloads import Signature

    signature = Signature(exception=exception, frame=frame, status=status, path=path)
    told = read_text(traceback) if traceback else ""
    given = _json_input(input_file) if input_file else None
    with where.desk() as desk:
        receipt = record_failure(
            desk, release, environment=environment, signature=signature, traceback=told, input=given,
            message=message, incident=incident, line=line, files=files_of(repo), stamp=where.stamp(),
        )  # fmt: skip
        where.answer([receipt])


def files_of(repo: Path) -> frozenset[str]:
    """Return the paths of a repository's files; none where there is no repository."""
    from amends.bootstrap import open_code_host
    from amends.errors import AmendsError

    try:
        return frozenset(open_code_host(repo).files("HEAD"))
    except AmendsError:
        return frozenset()


def note(
    where: Where,
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="For example INC-1")],
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A line for the timeline; name roles, not persons")
    ],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="Who remembers it")] = "",
) -> None:
    """Record what someone remembers of an incident: what happened --at, known from now on."""
    from amends.application.production import record_note

    with where.desk(needs_service=False) as desk:
        where.answer([record_note(desk, incident, text, role=role, stamp=where.stamp())])


def read_text(path: Path) -> str:
    """Return a file's text. Raises ``UsageError``."""
    from amends.errors import UsageError

    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=str(path)) from None


def _json_input(path: Path) -> dict[str, Any]:
    import json

    from amends.errors import UsageError

    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(
            f"this is not JSON: {error}",
            where=f"{path}:{line}",
            remedy="give the failing input as a JSON object",
        ) from None
    return found if isinstance(found, dict) else {"value": found}
