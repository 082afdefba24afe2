"""``amends notice statement``, ``approve`` and ``publish``: what the organisation tells its customers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.incident import IncidentArgument, RoleOption, say
from amends.cli.options import Format, FormatOption, StoreOption


def statement(
    incident: IncidentArgument,
    draft: Annotated[
        bool, typer.Option("--draft", help="Draft one from the record, if there is none")
    ] = False,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Its title. Default: as it is")] = "",
    file: Annotated[str, typer.Option("--file", metavar="FILE|-", help="The new text, in Markdown")] = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show, draft or write what the organisation tells its customers about an incident.

    It goes nowhere before a management role approves it. It says "we", and names no person and nothing
    internal: a text that does is refused, line by line.
    JSON: {"incident", "revision", "title", "text", "drafted", "role", "approver"}.
    """
    from amends.application.notices.office import read_statements
    from amends.application.notices.statements import draft_statement, write_statement
    from amends.cli.notice import open_notices
    from amends.reviews.notices.statements import statement as chosen

    with open_notices(store) as office:
        if file:
            known = read_statements(office.log, incident)
            heading = title or (known[-1].title if known else "")
            found = write_statement(office, incident, heading, _read(file), role=role)
        elif draft:
            found = draft_statement(office, incident)
        else:
            found = chosen(read_statements(office.log, incident))
    standing = f"approved by {found.approver}" if found.approver else "not approved; nobody outside sees it"
    say(
        format, f"{found.title}\n\n{found.text.strip()}\n\nrevision {found.number}, {standing}",
        incident=incident, revision=found.number, title=found.title, text=found.text, drafted=found.drafted,
        role=found.role, approver=found.approver,
    )  # fmt: skip


def _read(file: str) -> str:
    from amends.errors import UsageError

    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the text cannot be read: {error}", where=file, remedy="give a file of UTF-8 text"
        ) from None


def approve(
    incident: IncidentArgument,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="One of the approvers of notices.yaml")],
    revision: Annotated[int, typer.Option("--revision", metavar="N", help="Default: the latest")] = 0,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Approve a statement and tell the customers. JSON: {"incident", "told": [AUDIENCE…]}."""
    from amends.application.notices.statements import approve as do
    from amends.cli.notice import open_notices
    from amends.workflows.notifying import hand_over

    with open_notices(store) as office:
        sent = do(office, incident, role=role, number=revision)
        for notice in sent:
            for one in notice.deliveries:
                hand_over(office, incident, notice.said.audience, notice.said.revision, one.channel)
    told = [notice.said.audience for notice in sent]
    text = f"approved; told: {', '.join(told)}" if told else "approved; customers were told the same already"
    say(
        format,
        f"{text}. `amends notice list --incident {incident}` says how far it is",
        incident=incident,
        told=told,
    )


def publish(store: StoreOption = "", format: FormatOption = Format.TEXT) -> None:
    """Write every status page anew from the approved statements. JSON: {"folders"}."""
    from amends.bootstrap import open_workspace, write_status_pages

    workspace = open_workspace(store=store, reading=True)
    try:
        folders = write_status_pages(workspace)
    finally:
        workspace.close()
    text = "\n".join(f"written: {one}" for one in folders) or "notices.yaml declares no status page"
    say(format, text, folders=folders)
