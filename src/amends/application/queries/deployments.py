"""One deployment: its steps, orders, looks of the watch and the sentence that says why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from amends.application.log import Log
from amends.application.queries.waiting import Waiting, waiting_deployment
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.deployment import Deployment, Phase, fold_deployment

_Item = TypeVar("_Item")
POINTS = 800
TABLE_ROWS = 12


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the rollout. ``started`` and ``concluded`` are ``None`` until they happened."""

    number: int
    weight: int
    seconds: float
    started: Fact | None = None
    concluded: Fact | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order to the deployer with what came of it, if anything did."""

    token: int
    intended: Fact
    done: tuple[Fact, ...] = ()

    @property
    def outcome(self) -> str:
        """The last word on it: done, refused, failed, or open."""
        said = self.done[-1].payload if self.done else None
        return said.outcome if isinstance(said, p.ActuationDone) else "open"


@dataclass(frozen=True, slots=True)
class Point:
    """One metric at one look of the watch."""

    event: str
    at: datetime
    elapsed: float
    step: int
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MetricView:
    """One watched metric: all of its points, and a few of them for a table."""

    name: str
    kind: str
    points: tuple[Point, ...]
    table: tuple[Point, ...]

    @property
    def last(self) -> dict[str, Any]:
        return self.points[-1].row


@dataclass(frozen=True, slots=True)
class JointPoint:
    """All metrics together at one look: what decides. Logarithms are natural.

    ``moved`` names the metrics that moved; it stays empty while the evidence is below the line.
    """

    event: str
    at: datetime
    elapsed: float
    step: int
    log_evidence: float
    log_threshold: float
    verdict: str
    cause: str
    reason: str
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JointView:
    """The evidence of all metrics together, and a few of its looks for a table."""

    points: tuple[JointPoint, ...]
    table: tuple[JointPoint, ...]

    @property
    def last(self) -> JointPoint:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """Everything about one deployment. ``can`` are the orders that people may give it now.

    ``joint`` is ``None`` before the first look, and for looks that did not record it.
    """

    deployment: Deployment
    now: Waiting
    why: str
    steps: tuple[StepView, ...]
    orders: tuple[Order, ...]
    joint: JointView | None
    metrics: tuple[MetricView, ...]
    problems: tuple[str, ...]
    steered: tuple[Fact, ...]
    can: tuple[str, ...]
    position: int
    looks: int = 0
    facts: tuple[Fact, ...] = field(default=(), repr=False)


def deployment_view(log: Log, deployment_id: str, now: datetime) -> DeploymentView:
    """Return one deployment. Raises ``NotFoundError``."""
    facts = log.facts(tags=(f"deployment:{deployment_id}",))
    requested = [f for f in facts if isinstance(f.payload, p.DeploymentRequested)]
    if not requested:
        raise NotFoundError(
            f"the log has no deployment {deployment_id!r}",
            remedy="see the board, or `amends deployment list`",
        )
    deployment = fold_deployment(facts)
    looks = [f for f in facts if isinstance(f.payload, p.WatchAssessed)]
    waiting = waiting_deployment(deployment, now)
    last = looks[-1].payload if looks else None
    return DeploymentView(
        deployment=deployment, now=waiting, why=_why(deployment, waiting), steps=_steps(deployment, facts),
        orders=_orders(facts), joint=_joint(looks), metrics=_metrics(looks),
        problems=last.problems if isinstance(last, p.WatchAssessed) else (),
        steered=tuple(f for f in facts if isinstance(f.payload, p.DeploymentSteered)),
        can=_can(deployment), position=facts[-1].recorded.position, looks=len(looks), facts=tuple(facts),
    )  # fmt: skip


def _why(d: Deployment, now: Waiting) -> str:
    """Return the sentence that says why it is where it is."""
    if d.outcome_reason:
        return d.outcome_reason
    if d.retreat is not None:
        return d.retreat.reason
    if d.phase is Phase.ASKING:
        return d.question
    if d.watching and d.look is not None and not now.person:
        return d.look.reason
    return now.sentence


def _can(d: Deployment) -> tuple[str, ...]:
    if d.finished or d.kind == "rollback" or d.retreat is not None:
        return ()
    found = ["approve"] if d.phase in (Phase.APPROVAL, Phase.ASKING) else []
    return (*found, "resume" if d.paused else "pause", "abort")


def _steps(d: Deployment, facts: Iterable[Fact]) -> tuple[StepView, ...]:
    started: dict[int, Fact] = {}
    concluded: dict[int, Fact] = {}
    for fact in facts:
        if isinstance(fact.payload, p.StepStarted):
            started[fact.payload.step] = fact
        elif isinstance(fact.payload, p.StepConcluded):
            concluded[fact.payload.step] = fact
    return tuple(
        StepView(number, step.weight, step.seconds, started.get(number), concluded.get(number))
        for number, step in enumerate(d.course.steps, 1)
    )


def _orders(facts: Iterable[Fact]) -> tuple[Order, ...]:
    found: dict[int, Order] = {}
    for fact in facts:
        said = fact.payload
        if isinstance(said, p.ActuationIntended):
            found[fact.recorded.seq] = Order(fact.recorded.seq, fact)
        elif isinstance(said, p.ActuationDone) and said.token in found:
            before = found[said.token]
            found[said.token] = Order(before.token, before.intended, (*before.done, fact))
    return tuple(found[token] for token in sorted(found))


def _metrics(looks: Sequence[Fact]) -> tuple[MetricView, ...]:
    points: dict[str, list[Point]] = {}
    for fact in looks:
        for name, point in points_of(fact, looks[0].occurred_at):
            points.setdefault(name, []).append(point)
    return tuple(
        MetricView(
            name=name, kind=str(found[-1].row.get("kind", "")), points=tuple(found),
            table=tuple(thin(found, TABLE_ROWS)),
        )
        for name, found in points.items()
    )  # fmt: skip


def points_of(fact: Fact, began: datetime) -> list[tuple[str, Point]]:
    """Return what one look says of each metric."""
    said = fact.payload
    if not isinstance(said, p.WatchAssessed):
        return []
    elapsed = (fact.occurred_at - began).total_seconds()
    return [
        (str(row["metric"]), Point(fact.id, fact.occurred_at, elapsed, said.step, row))
        for row in said.metrics
        if row.get("metric")
    ]


def _joint(looks: Sequence[Fact]) -> JointView | None:
    found = [point for look in looks if (point := joint_of(look, looks[0].occurred_at))]
    return JointView(tuple(found), tuple(thin(found, TABLE_ROWS))) if found else None


def joint_of(fact: Fact, began: datetime) -> JointPoint | None:
    """Return what one look says of all metrics together, if it recorded that."""
    said = fact.payload
    if not isinstance(said, p.WatchAssessed) or said.log_evidence is None or said.log_threshold is None:
        return None
    return JointPoint(
        event=fact.id, at=fact.occurred_at, elapsed=(fact.occurred_at - began).total_seconds(),
        step=said.step, log_evidence=said.log_evidence, log_threshold=said.log_threshold,
        verdict=said.verdict, cause=said.cause, reason=said.reason, moved=said.moved,
    )  # fmt: skip


def thin(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most ``most`` of the items, evenly chosen, always with the first and the last."""
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(i * step)] for i in range(most)]


def chart_series(view: DeploymentView) -> list[dict[str, Any]]:
    """Return the series of a deployment's charts: when, evidence, rollback line and rates.

    That of all metrics together comes first and has an empty name. Evidence is a base-10 logarithm here, as
    people read it: 2 is a hundred to one.
    """
    series = [
        {"metric": m.name, "kind": m.kind, "points": [chart_point(point) for point in thin(m.points, POINTS)]}
        for m in view.metrics
    ]
    if view.joint is None:
        return series
    points = [_joint_point(point) for point in thin(view.joint.points, POINTS)]
    return [{"metric": _JOINT, "kind": "joint", "points": points}, *series]


_LN10 = 2.302585092994046
_JOINT = ""


def chart_point(point: Point) -> dict[str, Any]:
    """Return one point of a chart; ``None`` where a number is not known."""
    row = point.row
    quantile = row.get("kind") == "latency"
    return {
        "at": point.at.isoformat(),
        "step": point.step,
        "evidence": _scaled(row.get("log_evidence")),
        "line": _scaled(row.get("log_threshold")),
        "baseline": _rate(row.get("baseline"), quantile),
        "candidate": _rate(row.get("candidate"), quantile),
    }


def _joint_point(point: JointPoint) -> dict[str, Any]:
    return {
        "at": point.at.isoformat(),
        "step": point.step,
        "evidence": _scaled(point.log_evidence),
        "line": _scaled(point.log_threshold),
    }


def _scaled(value: Any) -> float | None:
    return float(value) / _LN10 if isinstance(value, int | float) and math.isfinite(value) else None


def _rate(arm: Any, quantile: bool) -> float | None:
    found = arm.get("p99" if quantile else "rate") if isinstance(arm, dict) else None
    return float(found) if isinstance(found, int | float) else None


def changes_since(log: Log, deployment_id: str, position: int) -> tuple[int, dict[str, Any] | None]:
    """Return what concerns a deployment after a position: the new position and what a chart adds.

    ``None`` in place of the latter: nothing new.
    """
    last = log.store.last_position()
    if last == position:
        return position, None
    facts = log.facts(tags=(f"deployment:{deployment_id}",), after=position)
    if not facts:
        return max(last, position), None
    looks = [f for f in facts if isinstance(f.payload, p.WatchAssessed)]
    began = looks[0].occurred_at if looks else facts[0].occurred_at
    added: dict[str, list[dict[str, Any]]] = {}
    for fact in looks:
        joint = joint_of(fact, began)
        if joint:
            added.setdefault(_JOINT, []).append(_joint_point(joint))
        for name, point in points_of(fact, began):
            added.setdefault(name, []).append(chart_point(point))
    return facts[-1].recorded.position, {"points": added, "finished": _finished(facts)}


def _finished(facts: Iterable[Fact]) -> bool:
    return any(isinstance(f.payload, p.DeploymentFinished) for f in facts)
