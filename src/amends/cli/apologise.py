"""``amends apologise``: should anyone apologise? Almost always: no mail."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from amends.cli.incident import IncidentArgument
from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.reviews.apology import Advice

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def apologise(
    incident: IncidentArgument, store: StoreOption = "", format: FormatOption = Format.TEXT
) -> None:
    """Walk through an incident's record and say whether anyone owes an apology, and what to offer instead.

    At a terminal it asks you one thing that only you know. Your answer chooses a sentence on your screen; it
    is neither stored nor sent, and nothing else depends on it. Nothing that this command does is recorded.
    JSON: {"answer", "acknowledged", "missed", "hurt", "hurt_because", "say", "offer", "organisation"}.
    """
    from amends.application.notices.apologising import apology_for
    from amends.cli.notice import open_notices

    with open_notices(store) as office:
        advice = apology_for(office, incident)
    if format is Format.JSON:
        typer.echo(json.dumps(asdict(advice), ensure_ascii=False))
        return
    typer.echo("\n".join(_lines(advice, incident)))
    typer.echo(_about_intent())


def _lines(advice: Advice, incident: str) -> list[str]:
    lines = [advice.answer, "", f"Has responsibility been acknowledged? {advice.acknowledged}", "",
             "What did the process miss?", *(f"  - {one}" for one in advice.missed), "",
             f"Was anyone outside hurt? {advice.hurt.capitalize()}: {advice.hurt_because}", "",
             "In the next one-to-one, say:", *(f"  - {one}" for one in advice.say), "",
             "Offer instead:", *(f"  - {one}" for one in advice.offer), ""]  # fmt: skip
    if advice.organisation:
        lines += ["A draft of the organisation's words:", "", advice.organisation, "",
                  f"Make it a statement: amends notice statement {incident} --draft", ""]  # fmt: skip
    return lines


def _about_intent() -> str:
    from amends.reviews.apology import IF_HIDDEN, IF_NOT, INTENT

    if not sys.stdin.isatty():
        return f"{INTENT}\n  If you did: {IF_HIDDEN}\n  If not: {IF_NOT}"
    return IF_HIDDEN if typer.confirm(INTENT, default=False) else IF_NOT
