"""``amends gate --wait``: says on stderr what it waits for, and leaves cleanly."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import typer

from amends.errors import UsageError
from amends.events.event import format_time
from amends.gates.evaluate import PolicyDecision, effective
from amends.gates.shape import format_duration, parse_duration
from amends.verdicts import Decision

if TYPE_CHECKING:
    from amends.application.log import Log
    from amends.gates.policy import LoadedPolicy

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""
_QUIET = timedelta(minutes=5)  # pipelines take longer silence for a job that hangs


def limit_of(text: str) -> timedelta:
    """Return how long to wait. Raises ``UsageError``."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"found --limit {text!r}; {error}", remedy="give for example --limit 30m") from None
    return timedelta(seconds=seconds)


def wait_for_gates(
    log: Log, loaded: LoadedPolicy, release: str, environment: str, limit: timedelta, *, record: bool
) -> PolicyDecision:
    """Wait until the gates have decided or the limit has come. Ctrl-C ends with exit code 130."""
    from amends.application.awaiting import await_gates

    teller = _Teller()
    try:
        decision = await_gates(
            log, loaded, release, environment, limit=limit, record=record, tell=teller.look
        )
    except KeyboardInterrupt:
        typer.echo("amends: no longer waiting; nothing was changed by that", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if decision.decision is Decision.UNDECIDED:
        typer.echo(f"amends: still undecided after {format_duration(limit.total_seconds())}", err=True)
    return decision


class _Teller:
    """Says what is waited for when it changes, and now and then that it still waits."""

    def __init__(self) -> None:
        self._said = ""
        self._at: datetime | None = None

    def look(self, decision: PolicyDecision) -> None:
        if decision.decision is not Decision.UNDECIDED:
            return
        text = waiting_for(decision)
        if text == self._said and self._at is not None and decision.at - self._at < _QUIET:
            return
        self._said, self._at = text, decision.at
        typer.echo(f"{format_time(decision.at)} {text}", err=True)


def waiting_for(decision: PolicyDecision) -> str:
    """Say which gates hold a release and until when."""
    held = [row for row in decision.rows if effective(row) is not Decision.PASS]
    named = [f"{row.gate} (until {format_time(row.until)})" if row.until else row.gate for row in held]
    return f"waits for {', '.join(named)}"
