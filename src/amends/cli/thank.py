"""``amends thank``: thank somebody by name, on the review of an incident."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.incident import IncidentArgument, RoleOption, say
from amends.cli.options import Format, FormatOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def thank(
    incident: IncidentArgument,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Whom. Without a name: list the thanks")] = "",
    text: Annotated[str, typer.Option("--for", metavar="TEXT", help="What for, in your words")] = "",
    withdraw: Annotated[str, typer.Option("--withdraw", metavar="EVENT", help="Take a thanks back")] = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Thank somebody by name. It stands on the review's page, the one place where people are named.

    The log keeps a pseudonym; `amends log forget` forgets who it is. Words that blame are refused.
    JSON: {"event"}; of a list [{"event", "name", "text", "role", "at"}].
    """
    import json

    from amends.application import thanking
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store, reading=True)
    log, people = workspace.log, workspace.opened.people
    try:
        if withdraw:
            fact = thanking.withdraw(log, incident, withdraw, role=role)
            say(format, f"the thanks are taken back (event {fact.id})", event=fact.id)
        elif name:
            fact = thanking.thank(log, people, incident, name, text, role=role)
            say(format, f"thanked on the review of {incident} (event {fact.id})", event=fact.id)
        else:
            found = thanking.list_thanks(log, people, incident)
            lines = [f"{one.name}: {one.text}  ({one.event})" for one in found] or ["nobody was thanked yet"]
            data = json.dumps(thanking.thanks_data(found), ensure_ascii=False)
            typer.echo(data if format is Format.JSON else "\n".join(lines))
    finally:
        workspace.close()
