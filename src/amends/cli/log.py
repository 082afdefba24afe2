"""``amends log``: look at the log, hold it to its chain, carry it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.events.codec import Fact

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    help="Show, verify, checkpoint, export and import the log.",
)  # fmt: skip

_NOTHING_YET = "nothing is recorded yet; `amends record` and `amends deploy` begin a log"

FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Default: the terminal.")]


@contextmanager
def _workspace(store: str, *, reading: bool = False) -> Iterator[Workspace]:
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store, reading=reading)
    try:
        yield workspace
    finally:
        workspace.close()


@app.command()
def show(
    store: StoreOption = "",
    service: Annotated[str, typer.Option(help="Only events about this service.")] = "",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only events of this kind, e.g. gates.decided.")
    ] = None,
    incident: Annotated[str, typer.Option(help="Only events about this incident.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest events.")] = 50,
    format: FormatOption = Format.TEXT,
) -> None:
    """Print the newest events, oldest first."""
    with _workspace(store, reading=True) as workspace:
        begun = workspace.opened.exists()
        facts = _find(workspace, service, kind or [], incident, limit)
    if format is Format.JSON:
        from amends.events import chain, lines

        found = [{"position": f.recorded.position, "event": lines.to_object(f.recorded)} for f in facts]
        typer.echo(chain.canonical(found).decode())
        return
    from amends.events.event import format_time

    for fact in facts:
        record = fact.recorded
        typer.echo(
            f"{format_time(record.occurred_at):<27} {fact.kind:<24} {record.stream}#{record.seq}  {fact.id}"
        )
    if not facts:
        typer.echo("no such events" if begun else _NOTHING_YET)


def _find(workspace: Workspace, service: str, kinds: list[str], incident: str, limit: int) -> list[Fact]:
    from amends.events.tags import tags_of

    tags = [f"incident:{incident}"] if incident else [f"service:{service}"] if service else []
    both = bool(incident and service)
    facts = workspace.log.facts(tags=tags, kinds=kinds, limit=None if both else limit, newest_first=True)
    if both:
        facts = [fact for fact in facts if f"service:{service}" in tags_of(fact.payload)][:limit]
    return facts[::-1]


@app.command()
def verify(
    store: StoreOption = "",
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that was kept elsewhere; may be given often.")
    ] = None,
) -> None:
    """Find and name every event that was changed, dropped or reordered. Exit 1 if there is one."""
    from amends.application import logkeeping

    kept = [logkeeping.read_checkpoint(_read(path), where=str(path)) for path in checkpoint or ()]
    with _workspace(store) as workspace:
        workspace.require_log()
        report = logkeeping.verify(workspace.opened.store, kept)
    for problem in report.problems:
        typer.echo(str(problem))
    looked = f"{report.events} events in {report.streams} streams, {report.checkpoints} checkpoints"
    if not report.ok:
        typer.echo(f"the log does not hold: {len(report.problems)} problems among {looked}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the log holds: {looked}")
    if report.events and not report.checkpoints:
        typer.echo(
            "without a checkpoint nobody can see that a tail was cut: `amends log checkpoint` makes one"
        )


@app.command()
def checkpoint(
    store: StoreOption = "",
    output: Annotated[Path | None, typer.Option(help="Also write it here, to be kept elsewhere.")] = None,
) -> None:
    """Record the state of every stream under one root; what is cut or rewritten later is then found."""
    from amends.application import logkeeping

    with _workspace(store) as workspace:
        workspace.require_log()
        made = logkeeping.make_checkpoint(workspace.opened.store, workspace.clock.now())
    if output is not None:
        with _writing(output) as write:
            write(logkeeping.write_checkpoint(made))
    typer.echo(f"{len(made.heads)} streams up to position {made.position}, root {made.root}")


@app.command("export")
def export_(file: FileArgument = None, store: StoreOption = "") -> None:
    """Write the whole log as JSON lines of CloudEvents; nothing is lost."""
    from amends.application import logkeeping

    with _workspace(store) as workspace:
        workspace.require_log()
        lines = logkeeping.export_lines(workspace.opened.store)
        if file is None:
            stream = typer.get_binary_stream("stdout")
            for line in lines:
                stream.write(line + b"\n")
            return
        with _writing(file) as write:
            for line in lines:
                write(line)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `amends log export` wrote, or CloudEvents.")
    ],
    store: StoreOption = "",
) -> None:
    """Take in JSON lines: an export, restored as it was, or plain CloudEvents of another system.

    Every line is checked before the first is written. Importing twice changes nothing.
    """
    from amends.application import logkeeping
    from amends.errors import AmendsError

    try:
        with _open(file) as source:
            logkeeping.check_lines(source)
        with _workspace(store) as workspace, _open(file) as source:
            report = logkeeping.import_lines(workspace.opened.store, source, at=workspace.clock.now())
    except AmendsError as error:
        if error.where.startswith("line "):
            error.where = f"{file}:{error.where.removeprefix('line ')}"
        raise
    typer.echo(f"{report.new} events are new, {report.known} the log had already")


@app.command()
def forget(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Whom to forget.")], store: StoreOption = ""
) -> None:
    """Drop who a pseudonym is. Events keep the pseudonym, and the log still verifies."""
    from amends.errors import NotFoundError

    with _workspace(store) as workspace:
        if not workspace.opened.people.forget(login):
            raise NotFoundError(
                f"the log knows no login {login!r}", remedy="give the login as it was when it was recorded"
            )
    typer.echo(f"{login} is forgotten; the events that hold the pseudonym stay")


@contextmanager
def _open(path: Path) -> Iterator[Iterator[bytes]]:
    try:
        handle = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    with handle:
        yield handle


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> Exception:
    from amends.errors import UsageError

    return UsageError(
        f"cannot be used: {error.strerror}", remedy="name a file that you may use", where=str(path)
    )


class _Writer:
    """Writes lines beside the file and puts them in its place at the end: never half a file."""

    def __init__(self, path: Path) -> None:
        self.beside = path.with_name(f"{path.name}.part")
        self._handle = self.beside.open("wb")

    def __call__(self, line: bytes) -> None:
        self._handle.write(line + b"\n")

    def close(self) -> None:
        self._handle.close()


@contextmanager
def _writing(path: Path) -> Iterator[_Writer]:
    try:
        writer = _Writer(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        yield writer
        writer.close()
        writer.beside.replace(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        writer.close()
        writer.beside.unlink(missing_ok=True)
