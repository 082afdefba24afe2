"""``amends review comment``, ``read``, ``accept``, ``minute`` and what else people say about a review."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.incident import IncidentArgument, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.reviews.discussion import Comment, Placed

RevisionOption = Annotated[int, typer.Option("--revision", metavar="N", help="Default: the latest")]
TeamOption = Annotated[str, typer.Option("--team", metavar="TEAM", help="The team for which you say it")]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="What you would like to say")]
CommentArgument = Annotated[str, typer.Argument(metavar="COMMENT", help="Its id, for example c1")]


def comment(
    incident: IncidentArgument,
    text: TextArgument,
    quote: Annotated[
        str, typer.Option("--quote", metavar="WORDS", help="The passage it is about. Default: the whole")
    ] = "",
    answer: Annotated[str, typer.Option("--answer", metavar="COMMENT", help="The comment it answers")] = "",
    revision: RevisionOption = 0,
    role: RoleOption = "",
    team: TeamOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Comment on a passage, on the whole, or on a comment. JSON: {"comment", "event"}."""
    from amends.application.discussing import Said
    from amends.application.discussing import comment as do

    with open_log(store) as log:
        found = do(log, incident, Said(text, role, team), quote=quote, number=revision, answers=answer)
    say(format, f"comment {found.id} is recorded", comment=found.id, event=found.event)


def comments(
    incident: IncidentArgument,
    revision: RevisionOption = 0,
    every: Annotated[bool, typer.Option("--all", help="Those that are settled, too")] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List comments with the passage each is about, as it stands in a revision.

    JSON: a list of {"comment", "by", "at", "text", "quote", "revision", "where", "line", "words", "settled",
    "answers"}; "where" is whole, same, changed or detached.
    """
    from amends.application.discussing import read_discussion
    from amends.application.reviewing import list_revisions
    from amends.reviews.revisions import revision as pick

    with open_log(store) as log:
        revisions = list_revisions(log, incident)
        found = read_discussion(log, incident, revisions, pick(revisions, revision)).placed
    shown = [one for one in found if every or one.comment.open]
    if format is Format.JSON:
        typer.echo(json.dumps([_placed(one) for one in shown], ensure_ascii=False))
        return
    for one in shown:
        for line in _lines(one):
            typer.echo(line)
    if not shown:
        typer.echo(f"nobody has {'said' if every else 'left open'} anything about the review of {incident}")


def _placed(one: Placed) -> dict[str, Any]:
    anchor = one.anchor
    line, words = (anchor.line, anchor.words) if anchor else (None, None)
    return {
        **_said(one.comment), "quote": one.comment.said.quote, "revision": one.comment.said.revision,
        "where": one.where, "line": line, "words": words,
        "settled": not one.comment.open, "answers": [_said(answer) for answer in one.comment.answers],
    }  # fmt: skip


def _said(one: Comment) -> dict[str, Any]:
    from amends.events.event import format_time

    return {"comment": one.id, "by": one.by, "at": format_time(one.at), "text": one.said.text}


_WHERE = {"changed": " (the passage has changed since)", "detached": " (the passage is gone)"}


def _lines(one: Placed) -> list[str]:
    said, settled = one.comment.said, "" if one.comment.open else f", settled by {one.comment.settled_by}"
    place = f"line {one.anchor.line}" if one.anchor else ("the whole" if one.where == "whole" else "nowhere")
    lines = [f"{one.comment.id:5} {place}{_WHERE.get(one.where, '')}, {one.comment.by}{settled}: {said.text}"]
    if said.quote:
        lines.append(f"      > {' '.join(said.quote.split())}")
    lines += [f"      {answer.by}: {answer.said.text}" for answer in one.comment.answers]
    return lines


def settle(
    incident: IncidentArgument,
    comment: CommentArgument,
    role: RoleOption = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What became of it")] = "",
    again: Annotated[bool, typer.Option("--reopen", help="It is not dealt with after all")] = False,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that a comment is dealt with. JSON: {"event"}."""
    from amends.application.discussing import settle as do

    with open_log(store) as log:
        fact = do(log, incident, comment, role=role, reason=reason, again=again)
    say(format, f"{comment} is {'open again' if again else 'settled'} (event {fact.id})", event=fact.id)


def read(
    incident: IncidentArgument,
    revision: RevisionOption = 0,
    role: RoleOption = "",
    team: TeamOption = "",
    reader: Annotated[
        str,
        typer.Option("--reader", metavar="LOGIN", help="Kept as a pseudonym, to tell two of a role apart"),
    ] = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that you have read a revision. Nobody is told apart but by role, team and pseudonym.

    JSON: {"event", "revision"}.
    """
    from amends.application.discussing import mark_read
    from amends.application.people import pseudonym_of
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        who = pseudonym_of(workspace.opened.people, reader) if reader else ""
        found = mark_read(workspace.log, incident, number=revision, role=role, team=team, reader=who)
    finally:
        workspace.close()
    say(
        format, f"{found.who} read revision {found.revision}", event=found.event, revision=found.revision
    )  # fmt: skip


def readers(
    incident: IncidentArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List who read what: roles and teams. JSON: a list of {"role", "team", "revision", "at"}."""
    from amends.application.record import require_incident
    from amends.events.event import format_time
    from amends.reviews.discussion import fold_readers

    with open_log(store) as log:
        require_incident(log, incident)
        found = fold_readers(log.stream(f"review/{incident}"))
    if format is Format.JSON:
        rows = [
            {"role": r.role, "team": r.team, "revision": r.revision, "at": format_time(r.at)} for r in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for r in found:
        typer.echo(f"revision {r.revision:4}  {format_time(r.at)}  {r.who}")
    if not found:
        typer.echo("nobody has said yet that they read it")


def accept(
    incident: IncidentArgument,
    section: Annotated[
        list[str] | None,
        typer.Option("--section", metavar="TITLE", help="One section; may be repeated. Default: all"),
    ] = None,
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Take drafted sections as they stand, so that they are marked as drafted no more.

    JSON: {"accepted": [titles]}.
    """
    from amends.application.discussing import accept_sections
    from amends.errors import UsageError

    if not role.strip():
        raise UsageError("who accepts them?", remedy="give --role ROLE")
    with open_log(store) as log:
        found = accept_sections(log, incident, role=role, titles=section or ())
    names = ", ".join(title or "the beginning" for title in found) or "nothing: no such section is drafted"
    say(format, f"accepted: {names}", accepted=list(found))


def sections(
    incident: IncidentArgument,
    revision: RevisionOption = 0,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List sections and where their words come from: drafted, accepted, edited or written.

    JSON: a list of {"section", "line", "origin", "by"}.
    """
    from amends.application.reviewing import list_revisions
    from amends.reviews.revisions import revision as pick
    from amends.reviews.sections import mark_sections

    with open_log(store) as log:
        revisions = list_revisions(log, incident)
        found = mark_sections(revisions, pick(revisions, revision), log.stream(f"review/{incident}"))
    if format is Format.JSON:
        rows = [
            {"section": m.section.title, "line": m.section.line, "origin": m.origin, "by": m.by}
            for m in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for m in found:
        by = f" by {m.by}" if m.by else ""
        typer.echo(f"{m.section.line:5}  {m.origin + by:24} {m.section.title or '(the beginning)'}")


def agenda(
    incident: IncidentArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Print the agenda of the one meeting, who could be there, and the minutes.

    JSON: {"points": [{"topic", "kind", "text", "question", "events", "minutes"}], "attendance": [{"who",
    "kind", "why"}], "minutes"}.
    """
    from amends.application.meeting import meeting_data, read_meeting

    with open_log(store) as log:
        found = read_meeting(log, incident)
    if format is Format.JSON:
        typer.echo(json.dumps(meeting_data(found), ensure_ascii=False))
        return
    for point in found.points:
        typer.echo(f"- {point.text}{f' {point.question}' if point.question else ''}  [{point.key}]")
        for minute in point.minutes:
            typer.echo(f"    {minute.by}: {minute.said.text}")
    typer.echo("who could be there:" if found.attendance else "nobody is named as an owner of anything in it")
    for one in found.attendance:
        typer.echo(f"- {one.who} ({one.kind}): {', '.join(one.why)}")
    for minute in found.minutes:
        typer.echo(f"said: {minute.by}: {minute.said.text}")


def minute(
    incident: IncidentArgument,
    text: TextArgument,
    topic: Annotated[
        str, typer.Option("--topic", metavar="TOPIC", help="Of the agenda, as it prints it in brackets")
    ] = "",
    role: RoleOption = "",
    team: TeamOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Take a minute of the meeting. JSON: {"comment", "event"}."""
    from amends.application.discussing import Said, take_minute

    with open_log(store) as log:
        found = take_minute(log, incident, Said(text, role, team), topic=topic)
    say(format, f"minute {found.id} is recorded", comment=found.id, event=found.event)


def register(app: typer.Typer) -> None:
    """Add these commands to the group ``amends review``."""
    for function in (comment, comments, settle, read, readers, sections, accept, agenda, minute):
        app.command()(function)
