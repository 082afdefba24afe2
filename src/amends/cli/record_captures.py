"""``amends record captures``: failing inputs that amends-capture recorded inside a service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import Where, recorder
from amends.cli.options import Format
from amends.cli.record_running import files_of, read_text

if TYPE_CHECKING:
    from amends.application.captures import CaptureTaken

_MOST_BYTES = 64 * 1024 * 1024  # the longest that a recorder can be told to write
_WORDS = {
    "recorded": "recorded", "known": "in the log already",
    "enough": "not recorded: the log has 20 of the same failure",
    "sample": "samples of what did not fail, left for replay", "refused": "refused",
}  # fmt: skip


def add_captures(app: typer.Typer) -> None:
    """Add the command of this module to the group."""
    recorder(app, "captures")(captures)


def captures(
    where: Where,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or directories of them")],
    release: Annotated[
        str, typer.Option("--release", metavar="V", help="Of captures that name none. Default: what ran then")
    ] = "",
    incident: Annotated[
        str, typer.Option("--incident", metavar="ID", help="Default: the one of their release, by time")
    ] = "",
    repo: Annotated[
        Path, typer.Option("--repo", help="The repository, for the project's own paths")
    ] = Path(),
) -> None:
    """Record failing inputs that amends-capture wrote, and attach them to the incident of their release.

    Again is harmless: each capture is recorded once. Samples of what did not fail are left where they are.
    Ends with 2 when one was refused; the others are recorded all the same.
    """
    from amends.application.captures import record_captures
    from amends.application.record import require_incident

    with where.desk(needs_service=False) as desk:
        if incident:
            require_incident(desk.log, incident)
        taken = record_captures(desk, _read(paths), release=release, incident=incident, files=files_of(repo))
    _answer(taken, where.format)
    if any(one.did == "refused" for one in taken):
        raise typer.Exit(2)


def _read(paths: Sequence[Path]) -> Iterator[tuple[str, Any]]:
    from amends.errors import UsageError

    for path in paths:
        listed = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not listed:
            raise UsageError(
                "found no capture here",
                where=str(path),
                remedy="name the directory of the recorder, or a file",
            )
        for file in listed:
            yield str(file), _content(file)


def _content(file: Path) -> Any:
    """Return what a file says; what cannot be read the reader refuses, and says so for this file alone."""
    import json

    from amends.errors import UsageError

    try:
        if file.stat().st_size > _MOST_BYTES:
            return None
        return json.loads(read_text(file))
    except (OSError, UsageError, ValueError, RecursionError):
        return None


def _answer(taken: Sequence[CaptureTaken], format: Format) -> None:
    import json

    import msgspec

    if format is Format.JSON:
        typer.echo(json.dumps({"captures": msgspec.to_builtins(taken)}, ensure_ascii=False))
        return
    for one in taken:
        if one.did == "refused":
            typer.echo(f"{one.where}: {one.reason}", err=True)
    for (did, incident), count in Counter((one.did, one.incident) for one in taken).items():
        attached = f", attached to {incident}" if incident else ""
        typer.echo(f"{count} {_WORDS[did]}{attached}")
