"""A live watch out of the log as a recording: the readings of each look, and what the deployer saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from amends.application.log import Log
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.event import format_time, parse_time
from amends.events.prepared import prepare
from amends.watch.assessment import Health
from amends.watch.measurements import Reading
from amends.watch.recorded import Look, Recording
from amends.watch.state import WatchState
from amends.workflows.watching import watch_plan

WATCH = "amends.watch"

prepare(tuple[Reading, ...])


def export_watch(log: Log, deployment: str) -> Iterator[dict[str, Any]]:
    """Yield the recording of a deployment's watch, line by line: about it, then each look.

    A look's readings are those that its state counts the next tick from and that the look before did not
    have, and besides those that its event keeps because the state did not (an arm was silent). A log written
    before events kept them lacks these.

    Raises
    ------
    NotFoundError
        The log has no such deployment, or it was never watched.
    """
    tag = (f"deployment:{deployment}",)
    asked = log.facts(tags=tag, kinds=("deployment.requested",), limit=1)
    if not asked or not isinstance(asked[0].payload, p.DeploymentRequested):
        raise NotFoundError(
            f"the log has no deployment {deployment}", remedy="see `amends deployment list` for their ids"
        )
    looks = [f for f in log.facts(tags=tag, kinds=("watch.assessed",)) if _said(f).state]
    if not looks:
        raise NotFoundError(
            f"the deployment {deployment} was never watched", remedy="only a rollout with steps is watched"
        )
    first = WatchState.from_data(_said(looks[0]).state)
    requested = asked[0].payload
    yield {
        "recording": WATCH, "version": 1, "deployment": deployment, "service": requested.service,
        "environment": requested.environment, "started_at": format_time(first.started_at),
        "watch": dict(requested.plan.get("watch") or {}),
        "course": {"steps": (requested.plan.get("course") or {}).get("steps") or []},
    }  # fmt: skip
    before: frozenset[Reading] = frozenset()
    for fact in looks:
        said = _said(fact)
        state = WatchState.from_data(said.state)
        kept = state.readings()
        yield {
            "at": format_time(state.at), "step": said.step,
            "baseline_alive": said.baseline_alive, "candidate_alive": said.candidate_alive,
            "detail": said.health_detail, "readings": [
                *(msgspec.to_builtins(r) for r in kept if r not in before), *said.readings
            ],
        }  # fmt: skip
        before = frozenset(kept)


def recording_of(lines: Sequence[Mapping[str, Any]]) -> Recording:
    """Return the recording that `export_watch` gave.

    Raises
    ------
    msgspec.ValidationError, KeyError, TypeError, InvalidEventError
        If it is something else.
    """
    about, *looks = lines
    plan = watch_plan({"watch": about["watch"], "course": about.get("course")})
    return Recording(plan, parse_time(about["started_at"]), tuple(_look(one) for one in looks))


def _look(line: Mapping[str, Any]) -> Look:
    at: datetime = parse_time(line["at"])
    health = Health(line.get("baseline_alive"), line.get("candidate_alive"), line.get("detail") or "")
    readings = msgspec.convert(line["readings"], tuple[Reading, ...])
    return Look(at, readings, health, int(line["step"]))


def _said(fact: Fact) -> p.WatchAssessed:
    assert isinstance(fact.payload, p.WatchAssessed)
    return fact.payload
