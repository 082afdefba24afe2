"""A replayed watch in words."""

from __future__ import annotations

import math
from datetime import datetime

from amends.errors import AmendsError
from amends.events.event import format_time
from amends.watch.outcome import Outcome, TickOutcome

_MOST_TICKS = 24


def as_text(outcome: Outcome) -> str:
    """Return the verdict, its reason, each metric, and the evidence look by look."""
    moment = time_of(outcome.decided_at)
    when = f" at {_moment(moment)}" if moment is not None else ""
    parts = [f"{outcome.decision.value}{when}: {outcome.reason}"]
    parts += [
        f"  {m.metric}: {m.decision.value}: {m.reason}" for m in outcome.metrics if m.reason != outcome.reason
    ]
    if outcome.ticks:
        parts.append("")
        parts += _table(outcome.ticks)
    parts += [f"note: {problem}" for problem in outcome.problems]
    return "\n".join(parts)


def as_line(name: str, outcome: Outcome | AmendsError) -> str:
    """Return one line for one of many recordings."""
    if isinstance(outcome, AmendsError):
        return f"{name}: could not be evaluated: {outcome}"
    moment = time_of(outcome.decided_at)
    when = f" at {_moment(moment)}" if moment is not None else ""
    return f"{name}: {outcome.decision.value}{when}: {outcome.reason}"


def time_of(moment: datetime | float | None) -> str | float | None:
    """Return a time as RFC 3339; seconds since the candidate began as they are."""
    return format_time(moment) if isinstance(moment, datetime) else moment


def _moment(moment: str | float) -> str:
    return moment if isinstance(moment, str) else f"{moment:g} after the candidate began"


def _table(ticks: tuple[TickOutcome, ...]) -> list[str]:
    """Show the looks; of many the first and the last ones, and how many there are between."""
    half = _MOST_TICKS // 2
    shown = ticks if len(ticks) <= _MOST_TICKS else ticks[:half] + ticks[-half:]
    lines = [f"  {time_of(t.at)!s:<28} {_evidence(t.log_evidence):>12}  {t.verdict}" for t in shown]
    if len(ticks) > len(shown):
        lines.insert(half, f"  … {len(ticks) - len(shown)} looks between …")
    return [f"  {'look':<28} {'evidence':>12}  verdict", *lines]


def _evidence(log_value: float) -> str:
    if abs(log_value) > 20:
        return f"10^{log_value / math.log(10):.0f}"
    return f"{math.exp(log_value):.3g}"
