"""The looks of a deployment's watch as pictures and the API take them, and what tells of new ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.watch.looks import Look, Seen, metrics_of, row_of, thin
from amends.watch.measurements import MetricKind

POINTS = 800
_LN10 = math.log(10)
_JOINT = ""


def looks_of(facts: Iterable[Fact]) -> tuple[Look, ...]:
    """Return the looks among a deployment's facts, oldest first."""
    began: datetime | None = None
    looks = []
    for fact in facts:
        if isinstance(fact.payload, p.WatchAssessed):
            began = began or _began(fact, fact.payload)
            looks.append(_look(fact, fact.payload, began))
    return tuple(looks)


def _began(fact: Fact, said: p.WatchAssessed) -> datetime:
    """Return when the watch began, as its state says; the first look where that says nothing."""
    try:
        began = datetime.fromisoformat(str(said.state.get("started_at", "")))
    except ValueError:
        return fact.occurred_at
    return began if began.tzinfo and began <= fact.occurred_at else fact.occurred_at


def _look(fact: Fact, said: p.WatchAssessed, began: datetime) -> Look:
    rows = (row_of(row) for row in said.metrics)
    return Look(
        at=fact.occurred_at, elapsed=(fact.occurred_at - began).total_seconds(), step=said.step,
        verdict=said.verdict, cause=said.cause, reason=said.reason, log_evidence=said.log_evidence,
        log_threshold=said.log_threshold, moved=said.moved, rows=tuple(row for row in rows if row),
        problems=said.problems, event=fact.id,
    )  # fmt: skip


def chart_series(looks: Sequence[Look]) -> list[dict[str, Any]]:
    """Return what charts of a watch draw: when, evidence, rollback line, rates, effect and its bounds.

    That of all metrics together comes first and has an empty name. Evidence is a base-10 logarithm here, as
    people read it: 2 is a hundred to one. ``None`` where a number is not known.
    """
    series = [
        {
            "metric": name,
            "kind": seen[-1].row.kind.value,
            "points": [_point(one) for one in thin(seen, POINTS)],
        }
        for name, seen in metrics_of(looks).items()
    ]
    joint = [_joint(look) for look in looks if look.log_evidence is not None]
    return [{"metric": _JOINT, "kind": "joint", "points": thin(joint, POINTS)}, *series] if joint else series


def _point(seen: Seen) -> dict[str, Any]:
    row = seen.row
    figure = "p99" if row.kind is MetricKind.LATENCY else "rate"
    return {
        "at": seen.look.at.isoformat(),
        "step": seen.look.step,
        "evidence": _scaled(row.log_evidence),
        "line": _scaled(row.log_threshold),
        "baseline": getattr(row.baseline, figure),
        "candidate": getattr(row.candidate, figure),
        "effect": row.effect.estimate,
        "lower": row.effect.lower,
        "upper": row.effect.upper,
    }


def _joint(look: Look) -> dict[str, Any]:
    return {
        "at": look.at.isoformat(),
        "step": look.step,
        "evidence": _scaled(look.log_evidence),
        "line": _scaled(look.log_threshold),
    }


def _scaled(value: float | None) -> float | None:
    return value / _LN10 if value is not None and math.isfinite(value) else None


def changes_since(log: Log, deployment_id: str, position: int) -> tuple[int, dict[str, Any] | None]:
    """Return what concerns a deployment after a position: the new position, and how many looks that is.

    ``None`` in place of the latter: nothing new.
    """
    last = log.store.last_position()
    if last == position:
        return position, None
    facts = log.facts(tags=(f"deployment:{deployment_id}",), after=position)
    if not facts:
        return max(last, position), None
    looks = sum(isinstance(f.payload, p.WatchAssessed) for f in facts)
    finished = any(isinstance(f.payload, p.DeploymentFinished) for f in facts)
    return facts[-1].recorded.position, {"looks": looks, "finished": finished}
