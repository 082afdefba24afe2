"""What a rollout can find, by the traffic that the log's last watches saw there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from pydantic import ValidationError

from amends.application.log import Log
from amends.errors import PolicyError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.prepared import prepare
from amends.gates.plan import Watch
from amends.releases.course import Course
from amends.watch.forecast import Traffic, forecast_watch
from amends.watch.foretold import Forecast, PlannedStep
from amends.watch.measurements import MetricKind
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import MetricState, Totals, WatchState

prepare(Forecast)

_LOOKS_BACK = 40  # looks of a watch; those before had older traffic still


def forecast_deployment(
    log: Log, service: str, environment: str, plan: Mapping[str, Any], course: Course
) -> dict[str, Any]:
    """Return the forecast of a deployment as plain values; empty where its plan watches nothing.

    What keeps it from being made is its ``remark``: a forecast never holds a deployment up.
    """
    if not course.steps:
        return {}
    try:
        watch = Watch.model_validate(dict(plan.get("watch") or {})).plan()
        steps = [PlannedStep(step.weight, step.seconds) for step in course.steps]
        traffic = last_traffic(log, service, environment, watch)
        return forecast_watch(watch, steps, traffic, course.interval).to_data()
    except (ValidationError, PolicyError, msgspec.ValidationError) as error:
        why = str(error).splitlines()[0]
        return Forecast(0.0, 0.0, remark=f"it could not be made: {why}").to_data()


def last_traffic(log: Log, service: str, environment: str, plan: WatchPlan) -> list[Traffic]:
    """Return for each metric what the environment's last watch that compared it saw."""
    facts = log.facts(
        tags=(f"env:{service}/{environment}",), kinds=("watch.assessed",), newest_first=True,
        limit=_LOOKS_BACK,
    )  # fmt: skip
    found: list[Traffic] = []
    for spec in plan.metrics:
        traffic = next((t for fact in facts if (t := _seen(fact, spec, plan))), None)
        if traffic is not None:
            found.append(traffic)
    return found


def stated_traffic(
    plan: WatchPlan, known: Sequence[Traffic], *, rate: float | None, errors: float | None
) -> list[Traffic]:
    """Return what is known, with what somebody states: requests a second, and the share that fails.

    ``errors`` is for the ratios; what they are of other metrics, only a watch can tell.
    """
    seen = {t.metric: t for t in known}
    found = []
    for spec in plan.metrics:
        traffic = seen.get(spec.name)
        said = [f"--{name}" for name, value in (("rate", rate), ("errors", errors)) if value is not None]
        if rate is not None and not _by_time(spec):
            traffic = replace(traffic or Traffic(spec.name, rate), exposure_per_second=rate)
            traffic = replace(traffic, origin=" and ".join(said))
        if traffic is None:
            continue
        if errors is not None and spec.kind is MetricKind.RATIO:
            traffic = replace(traffic, rate=errors, events=None)
        found.append(traffic)
    return found


def _by_time(spec: MetricSpec) -> bool:
    return spec.kind is MetricKind.COUNT and not spec.total


def _seen(fact: Fact, spec: MetricSpec, plan: WatchPlan) -> Traffic | None:
    said = fact.payload
    if not isinstance(said, p.WatchAssessed):
        return None
    state = WatchState.from_data(said.state)
    metric = state.metric(spec.name)
    lasted = _compared_for(state, metric, plan)
    both = metric.baseline.exposure + metric.candidate.exposure
    if lasted <= 0 or both <= 0 or metric.baseline.exposure <= 0:
        return None
    theirs = metric.baseline
    return Traffic(
        spec.name, both / lasted, rate=theirs.events / theirs.exposure, events=theirs.events,
        bounds=metric.bounds, counts=theirs.counts, share=_share(spec, metric.candidate, both),
        origin=f"the watch of {said.deployment}, {fact.occurred_at:%Y-%m-%d %H:%M} UTC",
        divided=max(1.0, metric.divided),
    )  # fmt: skip


def _compared_for(state: WatchState, metric: MetricState, plan: WatchPlan) -> float:
    if metric.compared_at is None:
        return 0.0
    lasted = (metric.compared_at - state.started_at).total_seconds() - plan.warmup_seconds
    # Without a warm-up the first look compares nothing: it has no reading to count from.
    return lasted if plan.warmup_seconds > 0 else lasted * metric.ticks / (metric.ticks + 1)


def _share(spec: MetricSpec, candidate: Totals, both: float) -> float | None:
    return candidate.exposure / both if _by_time(spec) else None


def kept_forecast(data: Mapping[str, Any]) -> Forecast | None:
    """Return the forecast that a deployment keeps, or ``None`` where it has none that can be read."""
    if not data:
        return None
    try:
        return msgspec.convert(data, Forecast)
    except msgspec.ValidationError:
        return None
