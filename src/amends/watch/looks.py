"""What one look at a watch said, as pictures and reports take it: from a log as from a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from amends.events.prepared import prepare
from amends.watch.assessment import Assessment, MetricRow

_Item = TypeVar("_Item")

prepare(MetricRow)

# What a row of an old or a foreign log may lack: unknown, and therefore not drawn.
_UNKNOWN: dict[str, Any] = {
    "kind": "ratio", "decision": "undecided", "cause": "no_data", "reason": "", "log_evidence": 0.0,
    "log_threshold": 0.0, "effect": {}, "baseline": {}, "candidate": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    ``elapsed`` is in seconds since the watch began, ``step`` the rollout's. ``log_evidence`` is the natural
    logarithm of what all metrics together weigh against the line ``log_threshold``; ``None`` where that was
    not recorded. ``event`` is the event that holds the look, empty for one that no log holds.
    """

    at: datetime
    elapsed: float
    step: int = 1
    verdict: str = "watching"
    cause: str = ""
    reason: str = ""
    log_evidence: float | None = None
    log_threshold: float | None = None
    moved: tuple[str, ...] = ()
    rows: tuple[MetricRow, ...] = ()
    problems: tuple[str, ...] = ()
    event: str = ""

    def row(self, metric: str) -> MetricRow | None:
        """Return what it says of one metric, if anything."""
        return next((row for row in self.rows if row.metric == metric), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """One metric at one look."""

    look: Look
    row: MetricRow


def look_of(said: Assessment, *, step: int = 1, event: str = "") -> Look:
    """Return an assessment as a look at the rollout's ``step``."""
    return Look(
        at=said.at, elapsed=said.elapsed_seconds, step=step, verdict=said.verdict.value,
        cause=said.cause.value, reason=said.reason, log_evidence=said.log_evidence,
        log_threshold=said.log_threshold, moved=said.moved, rows=said.metrics, problems=said.problems,
        event=event,
    )  # fmt: skip


def row_of(data: Mapping[str, Any]) -> MetricRow | None:
    """Return a recorded row; what it lacks is unknown. ``None`` for something that is no row at all."""
    known = {name: value for name, value in data.items() if value is not None}
    if not known.get("metric"):
        return None
    try:
        return msgspec.convert({**_UNKNOWN, **known}, MetricRow)
    except msgspec.ValidationError:
        return None


def metrics_of(looks: Sequence[Look]) -> dict[str, list[Seen]]:
    """Return each metric's looks in order, the metrics as they first appear."""
    found: dict[str, list[Seen]] = {}
    for look in looks:
        for row in look.rows:
            found.setdefault(row.metric, []).append(Seen(look, row))
    return found


def thin(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most ``most`` of the items, evenly chosen, always with the first and the last."""
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(i * step)] for i in range(most)]
