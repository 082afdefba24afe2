"""One deployment: its steps, orders, looks of the watch and the sentence that says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from amends.application.log import Log
from amends.application.queries.looks import looks_of
from amends.application.queries.waiting import Waiting, waiting_deployment
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.deployment import Deployment, Phase, fold_deployment
from amends.watch.looks import Look


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
class DeploymentView:
    """Everything about one deployment. ``can`` are the orders that people may give it now.

    ``watched`` are the looks of its watch, oldest first.
    """

    deployment: Deployment
    now: Waiting
    why: str
    steps: tuple[StepView, ...]
    orders: tuple[Order, ...]
    watched: tuple[Look, ...]
    problems: tuple[str, ...]
    steered: tuple[Fact, ...]
    can: tuple[str, ...]
    position: int
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
    watched = looks_of(facts)
    waiting = waiting_deployment(deployment, now)
    return DeploymentView(
        deployment=deployment, now=waiting, why=_why(deployment, waiting), steps=_steps(deployment, facts),
        orders=_orders(facts), watched=watched, problems=watched[-1].problems if watched else (),
        steered=tuple(f for f in facts if isinstance(f.payload, p.DeploymentSteered)),
        can=_can(deployment), position=facts[-1].recorded.position, facts=tuple(facts),
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
