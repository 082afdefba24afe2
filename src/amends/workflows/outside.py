"""A watch for a rollout that another controller carries out: each of its questions is a look.

Argo Rollouts and Flagger move the traffic themselves and ask whether to go on. The first question begins a
watch (``watch.begun``, with the plan that it follows to its end), each later one takes a look with the same
``assess`` as everywhere, recorded as ``watch.assessed`` in the watch's own stream. The log is all the state
that there is, so any process may answer the next question.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

import msgspec

from amends.errors import EventConflictError, NotAllowedError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import Observation, ReleaseRef
from amends.releases.course import Course
from amends.releases.deployment import Deployment
from amends.watch.assess import conclude
from amends.watch.assessment import Verdict
from amends.watch.state import WatchState
from amends.workflows.toolbox import SOURCE, Sight, Toolbox, event_id
from amends.workflows.watching import Looked, record_look, take_look, watch_plan

Controller = Literal["argo", "flagger"]
_ATTEMPTS = 20
_IDLE = timedelta(minutes=10)
_SAME_LOOK = 0.2  # of the policy's interval: several hooks of one moment share a look


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a controller asks: how does ``candidate`` do beside ``baseline``?

    ``rollout`` is the controller's own name for this rollout. ``candidate`` and ``baseline`` are what the
    policy's selectors call ``$version``. ``step`` rises with the rollout's steps, where it tells them.
    """

    controller: Controller
    service: str
    environment: str
    rollout: str
    candidate: str
    baseline: str
    step: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The answer. ``promote`` only where every metric has shown itself within its margin in this step.

    ``missing`` says what a promotion still lacks; ``look`` is what was recorded.
    """

    verdict: Literal["roll_back", "promote", "watching"]
    reason: str
    missing: str
    watch: str
    look: p.WatchAssessed


class _Nobody:
    """Stands where a deployer would: what runs is the controller's business, so nothing is known of it."""

    def observe(self, service: str, environment: str) -> Observation:
        return Observation(service, environment)

    def actuate(self, order: Any) -> Observation:
        raise NotAllowedError(f"amends carries out nothing for this rollout: {order}")


def judge(tools: Toolbox, asked: Question, plan: Mapping[str, Any], policy: str = "") -> Judged:
    """Take a look at a controller's rollout and say whether it may go on.

    Once a watch has said ``roll_back`` it stays with that. One that nobody asked for ten minutes is over:
    the next question begins another, which knows nothing of the first.

    Parameters
    ----------
    plan, policy:
        The policy's snapshot and digest, for a watch that begins now.

    Raises
    ------
    UsageError
        The policy watches no metric, or scrapes instances, of which a controller tells nothing.
    """
    tools = replace(tools, deployer_for=lambda _: _Nobody(), memory={})
    for _ in range(_ATTEMPTS):
        try:
            # Read before the watch is looked for, so that of two who find none only one begins it.
            version = tools.log.store.version(f"watch/{watch_id(asked)}")
            sight = _load(tools, asked) or _begin(tools, asked, plan, policy, version)
            looked = _look(tools, asked, sight)
            if looked is not None:
                record_look(tools, sight, looked)
        except (VersionConflictError, EventConflictError):
            continue  # another process looked first
        return _answer(tools, sight, looked)
    raise VersionConflictError(
        f"others keep looking at {asked.service} in {asked.environment}",
        remedy="ask again at the next interval",
    )


def watch_id(asked: Question) -> str:
    """Return the name of a rollout's watch: the same for every question about it."""
    names = (
        asked.controller,
        asked.service,
        asked.environment,
        asked.rollout,
        asked.candidate,
        asked.baseline,
    )
    return f"{asked.controller}-{uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(names)).hex[:12]}"


def _load(tools: Toolbox, asked: Question) -> Sight | None:
    """Return a watch that is under way, or ``None``."""
    tag = (f"deployment:{watch_id(asked)}",)
    begun = tools.log.facts(tags=tag, kinds=("watch.begun",), newest_first=True, limit=1)
    if not begun or not isinstance(begun[0].payload, p.WatchBegun):
        return None
    looks = tools.log.facts(
        tags=tag, kinds=("watch.assessed",), newest_first=True, limit=1, after=begun[0].recorded.position
    )
    last = (looks or begun)[0]
    d = _deployment(begun[0], begun[0].payload, asked)
    if tools.clock.now() - last.occurred_at > max(_IDLE, timedelta(seconds=3 * d.course.interval)):
        return None
    for fact in looks:
        d = d.apply(fact)
    if d.look is not None:
        d = replace(d, step=max(d.look.step, asked.step))
    return Sight(d, lane_seq=0, watch_seq=last.recorded.seq)


def _begin(tools: Toolbox, asked: Question, plan: Mapping[str, Any], policy: str, version: int) -> Sight:
    _check(plan, asked)
    identity = watch_id(asked)
    payload = p.WatchBegun(
        deployment=identity, service=asked.service, environment=asked.environment,
        controller=asked.controller, rollout=asked.rollout, candidate=asked.candidate,
        baseline=asked.baseline,
        plan={"watch": dict(plan.get("watch") or {})}, policy=policy,
    )  # fmt: skip
    fact = tools.log.record(
        "watch.begun", payload, id=event_id(identity, "begun", version + 1), source=SOURCE, expected=version
    )
    return Sight(_deployment(fact, payload, asked), lane_seq=0, watch_seq=fact.recorded.seq)


def _check(plan: Mapping[str, Any], asked: Question) -> None:
    watch = plan.get("watch") or {}
    if not watch.get("metrics"):
        raise UsageError(
            f"the policy of {asked.service} watches no metric, so nothing can be judged",
            remedy="list metrics under `watch` in the policy",
        )
    if (watch.get("source") or {"scrape": {}}).get("scrape") is not None:
        raise UsageError(
            f"the policy of {asked.service} scrapes instances, and a controller does not say where they are",
            remedy="set `source: {prometheus: {url: …}}` or `source: {push: {}}` under `watch`",
        )


def _deployment(fact: Fact, begun: p.WatchBegun, asked: Question) -> Deployment:
    """Return the rollout as the watch knows it: no lane, no orders, only what is compared."""
    interval = float((begun.plan.get("watch") or {}).get("interval", 10.0))
    return Deployment(
        id=begun.deployment, service=begun.service, environment=begun.environment, kind="rollout",
        candidate=ReleaseRef(begun.service, begun.candidate),
        baseline=ReleaseRef(begun.service, begun.baseline),
        plan=begun.plan, course=Course(interval=interval), policy=begun.policy, requested_at=fact.occurred_at,
        step=max(1, asked.step), step_started_at=fact.occurred_at,
    )  # fmt: skip


def _look(tools: Toolbox, asked: Question, sight: Sight) -> Looked | None:
    """Take the next look; ``None`` where the last one is of this very moment."""
    d = sight.deployment
    if d.look is not None and d.look.step == d.step:
        age = (tools.clock.now() - d.look.at).total_seconds()
        if age < _SAME_LOOK * d.course.interval:
            return None
    looked = take_look(tools, sight)
    payload = msgspec.structs.replace(looked.payload, controller=asked.controller)
    if d.look is not None and d.look.verdict == "roll_back":
        payload = msgspec.structs.replace(payload, verdict="roll_back", reason=d.look.reason)
    return replace(looked, payload=payload)


def _answer(tools: Toolbox, sight: Sight, looked: Looked | None) -> Judged:
    d = sight.deployment
    if looked is None:
        (fact,) = tools.log.stream(f"watch/{d.id}", after=sight.watch_seq - 1)[:1]
        assert isinstance(fact.payload, p.WatchAssessed)
        look = fact.payload
    else:
        look = looked.payload
    if look.verdict == "roll_back":
        return Judged(verdict="roll_back", reason=look.reason, missing="", watch=d.id, look=look)
    said = conclude(watch_plan(d.plan), WatchState.from_data(look.state), tools.clock.now())
    if said.verdict is Verdict.PROMOTE:
        return Judged(verdict="promote", reason=said.reason, missing="", watch=d.id, look=look)
    if said.verdict is Verdict.ROLL_BACK:
        return Judged(verdict="roll_back", reason=said.reason, missing="", watch=d.id, look=look)
    return Judged(verdict="watching", reason=look.reason, missing=said.reason, watch=d.id, look=look)
