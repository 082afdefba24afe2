"""Taking a look: what the deployer observes and the metrics say, judged by the pure watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from amends.errors import AmendsError, InvalidEventError, PolicyError
from amends.events import payloads as p
from amends.events.prepared import prepare
from amends.releases.actuation import Instance, Observation
from amends.releases.deployment import Deployment
from amends.watch.answers import kept_answers
from amends.watch.assess import assess, conclude
from amends.watch.assessment import Assessment, Cause, Health, Verdict
from amends.watch.measurements import Arms, Endpoint, MetricSnapshot, Reading
from amends.watch.plan import WatchPlan
from amends.watch.state import WatchState, begin_step, begin_watch
from amends.workflows.sighting import note
from amends.workflows.toolbox import SOURCE, Sight, Toolbox, event_id

prepare(WatchPlan, WatchState)

_LONGEST_SECOND_THOUGHT = 1.0

# The policy writes durations, the plan of a watch counts seconds.
_RENAMED = {"warmup": "warmup_seconds", "max_gap": "max_gap_seconds"}
_NOT_THE_WATCHS = ("source", "interval")


@dataclass(frozen=True, slots=True)
class Looked:
    """One look: the state that the next one starts from, and what was seen, ready to be recorded."""

    state: WatchState
    payload: p.WatchAssessed
    at: datetime

    @property
    def roll_back(self) -> bool:
        return self.payload.verdict == "roll_back"


def watch_plan(plan: Mapping[str, Any]) -> WatchPlan:
    """Read how a deployment is watched from its plan.

    Raises
    ------
    InvalidEventError
        When the plan holds something else.
    """
    said = {
        _RENAMED.get(name, name): value
        for name, value in dict(plan.get("watch") or {}).items()
        if name not in _NOT_THE_WATCHS
    }
    steps = (plan.get("course") or {}).get("steps") or ()
    try:
        planned = float(sum(step["seconds"] for step in steps if step["weight"] < 100))
        return msgspec.convert({"planned_seconds": planned} | said, WatchPlan, strict=False)
    except (msgspec.ValidationError, PolicyError) as error:
        raise InvalidEventError(
            f"the plan of a deployment holds a watch that cannot be read: {error}",
            remedy="request the deployment again with this version of amends",
        ) from None


def take_look(tools: Toolbox, sight: Sight) -> Looked:
    """Look at both arms once. Reads the world, not the log."""
    d = sight.deployment
    plan = watch_plan(d.plan)
    seen, problems = _observe(tools, d)
    snapshot = _read(tools, d, plan, seen, tools.clock.now())
    at = tools.clock.now()
    health = _health(d, seen)
    state, said = assess(plan, _state(sight), snapshot.readings, health, at, (*problems, *snapshot.problems))
    tick = d.look.tick + 1 if d.look else 1
    queries = tuple(msgspec.to_builtins(answer) for answer in kept_answers(snapshot))
    unkept = _unkept(snapshot.readings, state)
    payload = _payload(d, tick, state, said, health)
    return Looked(state, msgspec.structs.replace(payload, queries=queries, readings=unkept), at)


def record_look(tools: Toolbox, sight: Sight, looked: Looked) -> Sight:
    """Append a look on exactly the version of the watch that it continues.

    Raises
    ------
    VersionConflictError, EventConflictError
        Another process looked first.
    """
    expected = sight.watch_seq
    fact = tools.log.record(
        "watch.assessed", looked.payload, id=event_id(sight.deployment.id, "look", expected + 1),
        source=SOURCE, at=looked.at, expected=expected,
    )  # fmt: skip
    return note(tools, replace(sight, watch_seq=fact.recorded.seq, watch=None), fact)


def conclude_step(d: Deployment, now: datetime) -> tuple[str, str, str]:
    """Return the outcome of a step (promote, roll_back, extend or ask), its reason and the watch's verdict.

    The outcome of what the watch calls inconclusive is what the policy wishes.
    """
    if d.look is None or d.look.step != d.step:
        return "ask", "the watch has not looked once in this step", Verdict.INCONCLUSIVE.value
    health = Health(candidate_alive=d.look.candidate_alive)
    said = conclude(watch_plan(d.plan), WatchState.from_data(d.look.state), now, health)
    outcome, reason = _outcome(d, said)
    return outcome, reason, said.verdict.value


def _outcome(d: Deployment, said: Assessment) -> tuple[str, str]:
    if said.verdict is Verdict.PROMOTE:
        return "promote", said.reason
    if said.verdict is Verdict.ROLL_BACK:
        return "roll_back", said.reason
    dead = said.cause is Cause.CANDIDATE_DEAD
    if dead and d.baseline is None:
        return "roll_back", f"{said.reason}, and no release before it that could tell a wider trouble"
    wish, why = d.course.on_inconclusive, said.reason.rstrip(".")
    if dead and wish == "promote":
        return "ask", f"{why}. The policy says: promote; what does not answer is never promoted."
    if wish == "extend" and d.extensions >= d.course.max_extensions:
        return "ask", f"{why}. Extended {d.extensions} times already."
    outcome = {"ask": "ask", "extend": "extend", "rollback": "roll_back", "promote": "promote"}[wish]
    return outcome, f"{why}. The policy says: {wish}."


def _state(sight: Sight) -> WatchState:
    d = sight.deployment
    kept = WatchState.from_data(d.look.state) if d.look is not None else None
    if sight.watch is not None and (kept is None or sight.watch.at > kept.at):
        return sight.watch
    assert d.step_started_at is not None
    if kept is None or d.look is None:
        return begin_watch(d.step_started_at)
    return kept if d.look.step == d.step else begin_step(kept)


def _observe(tools: Toolbox, d: Deployment) -> tuple[Observation | None, tuple[str, ...]]:
    """Observe; a candidate that seems dead is looked at twice, so that one lost answer decides nothing."""
    try:
        seen = tools.deployer_for(d).observe(d.service, d.environment)
        if _health(d, seen).candidate_alive is False:
            tools.clock.wait(min(_LONGEST_SECOND_THOUGHT, d.course.interval / 10))
            seen = tools.deployer_for(d).observe(d.service, d.environment)
    except AmendsError as error:
        return None, (f"The deployer could not say what runs: {error.message}",)
    return seen, ()


def _health(d: Deployment, seen: Observation | None) -> Health:
    if seen is None or not seen.instances:
        return Health(detail=seen.detail if seen else "")
    alive = _answers(seen.of(d.candidate.version))
    baseline = _answers(seen.of(d.baseline.version)) if d.baseline else None
    return Health(baseline_alive=baseline, candidate_alive=alive, detail=_ailing(seen, d.candidate.version))


def _answers(instances: tuple[Instance, ...]) -> bool:
    return any(i.alive and i.ready for i in instances)


def _ailing(seen: Observation, version: str) -> str:
    instances = seen.of(version)
    if not instances:
        return f"no instance of {version} runs"
    bad = [f"{i.name} {'is not ready' if i.alive else 'has exited'}" for i in instances if not _answers((i,))]
    return ", ".join(bad)


def _read(
    tools: Toolbox, d: Deployment, plan: WatchPlan, seen: Observation | None, at: datetime
) -> MetricSnapshot:  # fmt: skip
    if not plan.metrics:
        return MetricSnapshot()
    try:
        return tools.metrics_for(d).read(plan.metrics, _arms(d, seen), at)
    except AmendsError as error:
        return MetricSnapshot(problems=(f"The metrics could not be read: {error.message}",))


def _arms(d: Deployment, seen: Observation | None) -> Arms:
    def ends(version: str) -> tuple[Endpoint, ...]:
        found = seen.of(version) if seen and version else ()
        return tuple(Endpoint(i.name, i.metrics_url) for i in found if i.alive)

    baseline = d.baseline.version if d.baseline else ""
    return Arms(
        d.service, d.environment, baseline=ends(baseline), candidate=ends(d.candidate.version),
        baseline_version=baseline, candidate_version=d.candidate.version,
    )  # fmt: skip


def _payload(
    d: Deployment, tick: int, state: WatchState, said: Assessment, health: Health
) -> p.WatchAssessed:
    rows = tuple(msgspec.to_builtins(row) for row in said.metrics)
    return p.WatchAssessed(
        deployment=d.id, service=d.service, environment=d.environment, step=d.step, tick=tick,
        verdict=said.verdict.value, reason=said.reason, state=state.to_data(), metrics=rows,
        problems=said.problems, cause=said.cause.value, moved=said.moved, log_evidence=said.log_evidence,
        log_threshold=said.log_threshold, candidate_alive=health.candidate_alive,
        baseline_alive=health.baseline_alive, health_detail=health.detail,
    )  # fmt: skip


def _unkept(readings: Sequence[Reading], state: WatchState) -> tuple[dict[str, Any], ...]:
    """Return the usable readings of a look that the state did not keep: without them no replay is exact."""
    kept = frozenset(state.readings())
    names = {m.metric for m in state.metrics}
    missing = (r for r in readings if r.metric in names and r.is_usable() and r not in kept)
    return tuple(msgspec.to_builtins(r) for r in missing)
