"""Commands for the team's own words: answers to the matrix, contributing factors, stated durations."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from amends.cli.incident_options import IncidentArgument, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, StoreOption

_UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(min|[smhd])")


def answer(
    incident: IncidentArgument,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="The row, by its gate")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The team's words")],
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="Where it has several")] = "",
    whose: Annotated[str, typer.Option("--of", metavar="SERVICE", help="Another service's gate")] = "",
    role: RoleOption = "team",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Answer the question of one row of the escape matrix. Earlier answers stay. JSON: {"event"}."""
    from amends.application.casewords import answer_row

    with open_log(store) as log:
        fact = answer_row(log, incident, gate, text, role=role, environment=environment, whose=whose)
    say(format, f"kept beside {gate} (event {fact.id})", event=fact.id)


def factor(
    incident: IncidentArgument,
    word: Annotated[
        str, typer.Argument(metavar="FACTOR", help="For example test-data; see `amends incident factors`")
    ] = "",
    text: Annotated[str, typer.Argument(metavar="TEXT", help="In the team's words")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option("--evidence", metavar="ID", help="An event that shows it")
    ] = None,
    withdraw: Annotated[
        str,
        typer.Option("--withdraw", metavar="ID", help="Take back what this event named; TEXT: why"),
    ] = "",
    role: RoleOption = "team",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Name a condition that contributed, or take one back; an incident has several. JSON: {"event"}."""
    from amends.application.casewords import name_factor, withdraw_factor

    with open_log(store) as log:
        if withdraw:
            fact = withdraw_factor(log, incident, withdraw, role=role, reason=text or word)
        else:
            fact = name_factor(log, incident, word, text, role=role, evidence=evidence or ())
    done = "withdrawn" if withdraw else f"{word} is named as a factor of {incident}"
    say(format, f"{done} (event {fact.id})", event=fact.id)


def factors(format: FormatOption = Format.TEXT) -> None:
    """Show the taxonomy of contributing factors. JSON: {"factors": [{"factor", "title", "traced"}]}."""
    from amends.incidents.factors import TAXONOMY

    lines = [f"{one.word:20} {one.title}: {one.meaning} ({one.traced})" for one in TAXONOMY]
    rows = [{"factor": one.word, "title": one.title, "traced": one.traced} for one in TAXONOMY]
    say(format, "\n".join(lines), factors=rows)


def duration(
    incident: IncidentArgument,
    took: Annotated[str, typer.Argument(metavar="LENGTH", help="As it was stated: 2h, 1h20min, 45min, 90s")],
    begins: Annotated[str, typer.Option("--from", metavar="MILESTONE")] = "started",
    ends: Annotated[str, typer.Option("--to", metavar="MILESTONE")] = "resolved",
    source: Annotated[str, typer.Option("--source", metavar="TEXT", help="Who or what states it")] = "",
    role: RoleOption = "on-call",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Keep how long something is said to have taken; the page shows where the milestones say otherwise.

    JSON: {"event"}.
    """
    from amends.application.casewords import state_duration

    seconds, precision = read_length(took)
    with open_log(store) as log:
        fact = state_duration(
            log, incident, begins=begins, ends=ends, seconds=seconds, precision=precision, source=source,
            role=role,
        )  # fmt: skip
    say(format, f"kept: {took} for {ends} − {begins} (event {fact.id})", event=fact.id)


def read_length(text: str) -> tuple[float, float]:
    """Return a length in seconds, and how many seconds its last unit stands for.

    Raises ``UsageError`` for what is none.
    """
    from amends.errors import UsageError

    bare = text.replace(" ", "")
    parts = _PART.findall(bare)
    if not parts or "".join(number + unit for number, unit in parts) != bare:
        raise UsageError(
            f"found the length {text[:40]!r}; allowed are numbers with d, h, min or s",
            where="LENGTH", remedy="write 2h, 1h20min or 45min",
        )  # fmt: skip
    return sum(float(number) * _UNITS[unit] for number, unit in parts), _UNITS[parts[-1][1]]


def register(app: typer.Typer) -> None:
    """Add the commands to ``amends incident``."""
    for command in (answer, factor, factors, duration):
        app.command()(command)
