"""``amends record``: the group, and what is recorded of changes and releases."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import Where, recorder
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption
from amends.cli.record_captures import add_captures
from amends.cli.record_evidence import add_evidence
from amends.cli.record_running import add_running

if TYPE_CHECKING:
    from amends.application.ports import CodeHost

app = typer.Typer(
    invoke_without_command=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Record what happened: changes, reviews, releases, tests, sign-offs, shifts, deployments...",
)  # fmt: skip


@app.callback()
def events(
    ctx: typer.Context,
    from_event: Annotated[
        str,
        typer.Option(
            "--from-event",
            metavar="FILE|-",
            help="Record CloudEvents or CDEvents: a JSON object, an array, or one a line",
        ),
    ] = "",
    imported: Annotated[
        bool, typer.Option("--imported", help="With --from-event: another system's past")
    ] = False,
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Record events as they came, or go on to a command."""
    if ctx.invoked_subcommand is not None:
        if from_event:
            raise typer.BadParameter("--from-event takes no command after it")
        return
    if not from_event:
        typer.echo(ctx.get_help())
        return
    from amends.application.intake import take_events

    values = _json_values(from_event)
    where = Where(service="", store=store, policy=policy, at="", id="", format=format)
    with where.desk(needs_service=False) as desk:
        where.answer(take_events(desk.log, values, imported=imported))


RepoOption = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The git repository")]


class Verdict(StrEnum):
    """What a reviewer says."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"


@recorder(app, "change")
def change(
    where: Where,
    change: Annotated[str, typer.Argument(metavar="[CHANGE]", help="A commit or pull request")] = "",
    from_git: Annotated[
        str, typer.Option("--from-git", metavar="A..B", help="Every commit of B that is not in A")
    ] = "",
    repo: RepoOption = Path(),
    first_parent: Annotated[
        bool, typer.Option("--first-parent", help="A merge is one change, with all that it brought")
    ] = False,
    asserted: Annotated[
        bool, typer.Option("--asserted", help="Past history: known when git says that it was committed")
    ] = False,
    title: Annotated[str, typer.Option("--title", help="What the change does")] = "",
    author: Annotated[str, typer.Option("--author", metavar="LOGIN", help="Kept as a pseudonym only")] = "",
    team: Annotated[str, typer.Option("--team", help="The owning team. Default: that of amends.yaml")] = "",
    path: Annotated[list[str] | None, typer.Option("--path", help="A file that it touches; repeat")] = None,
    lines: Annotated[int | None, typer.Option("--lines", min=0, help="How many lines it touches")] = None,
    repository: Annotated[str, typer.Option("--repository", help="Where it lives, for links")] = "",
) -> None:
    """Record that a change reached the main line: one by name, or a range from git.

    From git come paths, lines, owners (CODEOWNERS) and Reviewed-by trailers.
    """
    from amends.application.gitfacts import record_changes_from_git
    from amends.application.recording import record_change
    from amends.errors import UsageError

    if bool(change) == bool(from_git):
        raise UsageError(
            "found " + ("both a change and --from-git" if change else "neither a change nor --from-git"),
            remedy="amends record change --from-git v1.0..v1.1, or amends record change ID --title …",
        )
    with where.desk() as desk:
        if from_git:
            from amends.bootstrap import open_code_host

            since, until = _span(from_git)
            receipts = record_changes_from_git(
                desk, open_code_host(repo), since, until, first_parent=first_parent, repository=repository,
                asserted=asserted,
            )  # fmt: skip
        else:
            receipts = [
                record_change(
                    desk, change, title=title, author=author, team=team, paths=path or (), lines=lines,
                    repository=repository, stamp=where.stamp(),
                )
            ]  # fmt: skip
        where.answer(receipts)
        if not receipts:
            typer.echo(f"note: {from_git} holds no commit", err=True)


@recorder(app, "review")
def review(
    where: Where,
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="As it was recorded, or a revision of git")],
    reviewer: Annotated[str, typer.Option("--reviewer", metavar="LOGIN", help="Kept as a pseudonym only")],
    verdict: Annotated[Verdict, typer.Option("--verdict", help="The latest of a reviewer counts")] = (
        Verdict.APPROVED
    ),
    team: Annotated[str, typer.Option("--team", help="The team for which they reviewed")] = "",
    repo: RepoOption = Path(),
) -> None:
    """Record a person's verdict on a change."""
    from amends.application.gitfacts import recorded_commit
    from amends.application.recording import record_review

    with where.desk() as desk:
        host = _host_or_none(repo, needed=False)
        named = recorded_commit(desk, host, change) if host else ""
        receipt = record_review(
            desk, named or change, reviewer=reviewer, verdict=verdict.value, team=team, stamp=where.stamp()
        )
        where.answer([receipt])


@recorder(app, "release")
def release(
    where: Where,
    version: Annotated[
        str, typer.Argument(metavar="[VERSION]", help="Default: the tag at the commit, without a leading v")
    ] = "",
    commit: Annotated[str, typer.Option("--commit", metavar="REV", help="Default: HEAD in --repo")] = "",
    digest: Annotated[str, typer.Option("--digest", help="Of the artifact: sha256:…")] = "",
    previous: Annotated[str, typer.Option("--previous", metavar="V", help="The release before")] = "",
    changes: Annotated[
        str,
        typer.Option(
            "--changes", metavar="A..B", help="The commits of a range. Default: since the tag before"
        ),
    ] = "",
    change: Annotated[
        list[str] | None, typer.Option("--change", metavar="ID", help="A change in it; repeat")
    ] = None,
    first_parent: Annotated[
        bool, typer.Option("--first-parent", help="As recorded with --first-parent")
    ] = False,
    repo: RepoOption = Path(),
) -> None:
    """Declare a release: a version with its commit, artifact and changes. Versions are immutable.

    What is not given is read from git where there is a repository.
    """
    from amends.application.gitfacts import release_from_git
    from amends.application.recording import record_release
    from amends.errors import UsageError

    if changes and change:
        raise UsageError("found both --changes and --change", remedy="give the range, or each change")
    with where.desk() as desk:
        host = _host_or_none(repo, needed=bool(changes))
        if host is None:
            if not version:
                raise UsageError(
                    "found no version, and no git repository to read it from", remedy="give VERSION"
                )
            receipt = record_release(
                desk, version, commit=commit, digest=digest, previous=previous, changes=change or (),
                stamp=where.stamp(),
            )  # fmt: skip
        else:
            receipt = release_from_git(
                desk, host, version, commit=commit, digest=digest, previous=previous, changes=change,
                span=_span(changes) if changes else None, first_parent=first_parent, stamp=where.stamp(),
            )  # fmt: skip
        where.answer([receipt])


add_evidence(app)
add_running(app)
add_captures(app)


def _span(text: str) -> tuple[str, str]:
    from amends.errors import UsageError

    since, dots, until = text.partition("..")
    if not dots or until.startswith(".") or not (since or until):
        raise UsageError(
            f"found the range {text!r}; allowed is A..B: what B has and A has not",
            remedy="for example v1.0..v1.1, v1.0.. up to HEAD, or ..v1.0 from the beginning",
        )
    return since, until or "HEAD"


def _host_or_none(repo: Path, *, needed: bool) -> CodeHost | None:
    from amends.bootstrap import open_code_host
    from amends.errors import UsageError

    try:
        return open_code_host(repo)
    except UsageError:
        if needed:
            raise
        return None


def _json_values(source: str) -> list[Any]:
    """Read a JSON value, an array of them, or one on each line."""
    import json

    from amends.cli.record_running import read_text
    from amends.errors import InvalidEventError

    text = typer.get_text_stream("stdin").read() if source == "-" else read_text(Path(source))
    try:
        found = json.loads(text)
    except ValueError as whole:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()] or [json.loads(text)]
        except ValueError:
            line = getattr(whole, "lineno", 1)
            raise InvalidEventError(
                f"this is not JSON: {whole}", where=f"{source}:{line}", remedy="send CloudEvents as JSON"
            ) from None
    return found if isinstance(found, list) else [found]
