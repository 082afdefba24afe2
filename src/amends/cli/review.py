"""``amends review``: draft, show, edit, compare and publish an incident's review; more beside it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amends.cli import review_state, review_words
from amends.cli.incident import IncidentArgument, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Draft, read, edit, discuss, compare and publish the review of an incident.",
)  # fmt: skip

RevisionOption = Annotated[int, typer.Option("--revision", metavar="N", help="Default: the latest")]


class DiffFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command()
def draft(
    incident: IncidentArgument,
    again: Annotated[bool, typer.Option("--again", help="Renew the sections still as drafted")] = False,
    full: Annotated[bool, typer.Option("--full", help="Every entry of the timeline by itself")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Print the draft, save nothing")] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Draft the review from the record. People's text is never replaced. JSON: {"incident", "revision"}."""
    from amends.application.reviewing import draft_review, draft_text

    with open_log(store) as log:
        if print_:
            typer.echo(draft_text(log, incident, full=full), nl=False)
            return
        number = draft_review(log, incident, again=again, full=full)
    say(format, f"the review of {incident} is at revision {number}", incident=incident, revision=number)


@app.command()
def show(
    incident: IncidentArgument,
    revision: RevisionOption = 0,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Print a revision's Markdown. JSON: {"incident", "revision", "drafted", "role", "text"}."""
    from amends.application.reviewing import read_revision

    with open_log(store) as log:
        found = read_revision(log, incident, revision)
    if format is Format.TEXT:
        typer.echo(found.text, nl=not found.text.endswith("\n"))
        return
    say(
        format, "", incident=incident, revision=found.number, drafted=found.drafted, role=found.role,
        text=found.text,
    )  # fmt: skip


@app.command()
def edit(
    incident: IncidentArgument,
    file: Annotated[Path, typer.Option("--file", metavar="FILE|-", help="The new text, in Markdown")],
    based_on: Annotated[
        int, typer.Option("--based-on", metavar="N", help="The revision that you began from")
    ] = 0,
    role: RoleOption = "",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What changed, in a few words")] = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Save a text as a new revision. JSON: {"incident", "revision"}.

    Where somebody saved another one meanwhile, nothing is written; both texts are kept: theirs in the log,
    yours in your file. Without --based-on the text counts as based on the latest revision.
    """
    from amends.application.reviewing import list_revisions, save_revision
    from amends.errors import UsageError

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the text cannot be read: {error}", where=str(file), remedy="give a file of UTF-8 text"
        ) from None
    with open_log(store) as log:
        revisions = list_revisions(log, incident)
        base = based_on or (revisions[-1].number if revisions else 0)
        saved = save_revision(log, incident, text, based_on=base, role=role, note=note)
    say(format, f"saved as revision {saved.number}", incident=incident, revision=saved.number)


@app.command()
def diff(
    incident: IncidentArgument,
    old: Annotated[int, typer.Argument(metavar="OLD", help="A revision")],
    new: Annotated[int, typer.Argument(metavar="NEW", help="Another. Default: the latest")] = 0,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Compare two revisions.

    JSON: {"unified", "rows": [{"left_number", "left", "right_number", "right", "change"}]}.
    """
    from amends.application.reviewing import compare

    with open_log(store) as log:
        unified, rows = compare(log, incident, old, new)
    if format is Format.TEXT:
        typer.echo(unified, nl=False)
        return
    import msgspec

    say(format, "", unified=unified, rows=msgspec.to_builtins(rows))


@app.command()
def history(
    incident: IncidentArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List revisions.

    JSON: a list of {"revision", "role", "at", "based_on", "drafted", "published", "note"}.
    """
    from amends.application.reviewing import list_revisions
    from amends.events.event import format_time

    with open_log(store) as log:
        found = list_revisions(log, incident)
    rows = [
        {
            "revision": r.number, "role": r.role, "at": format_time(r.at), "based_on": r.based_on,
            "drafted": r.drafted, "published": r.published, "note": r.note,
        }
        for r in found
    ]  # fmt: skip
    if format is Format.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo(f"{incident} has no review yet; draft it: amends review draft {incident}")
    for row in rows:
        by = "drafted from the record" if row["drafted"] else f"by {row['role'] or 'a person'}"
        mark = ", published" if row["published"] else ""
        typer.echo(f"{row['revision']:4}  {row['at']}  {by}{mark}{': ' if row['note'] else ''}{row['note']}")


@app.command()
def publish(
    incident: IncidentArgument,
    revision: RevisionOption = 0,
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Publish a revision, once the roles agree that the policy names. JSON: {"event"}."""
    from amends.application.reviewing import publish as do

    with review_state.by_policy(store, policy) as log:
        fact = do(log, incident, number=revision, role=role)
    say(format, f"the review of {incident} is published (event {fact.id})", event=fact.id)


review_words.register(app)
review_state.register(app)
