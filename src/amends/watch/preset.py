"""Tests with a few preset looks: events in a group-sequential watch, and gauges by their instances.

They share the watch's α with the tests that look all the time, by being e-processes as these are. A test that
ever rejects an equal candidate with probability at most a makes one that is c until it rejects and
c + (1 − c)/a from then on: its mean is at most 1 at any time. With a = (1 − c)·α/m, m the number of metrics,
its rejection takes the mean of all m to the line by itself, and no more than α/m is spent on it: an explicit
split. c is .01, so that logarithms stay finite.

Looks are at even fractions of ``planned_seconds`` from the watch's beginning, at the first tick at or after
each; a tick that passes several is one look. After the end there are none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from amends.stats.group_sequential import Law, add_events, cross, spent_by, tail_of
from amends.stats.permutation import instances_needed, rank_sum_p, smallest_p
from amends.watch.assessment import Cause, Effect, MetricRow
from amends.watch.deltas import MetricTick
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import Direction, MetricSpec, Mode, WatchPlan
from amends.watch.state import MetricState, Pod, PresetState
from amends.watch.wording import number

GAUGE_LOOKS = 3
_KEPT = 0.01


def has_preset_looks(plan: WatchPlan, spec: MetricSpec) -> bool:
    """Say whether the metric decides at preset looks only."""
    if plan.planned_seconds <= 0:
        return False
    if spec.kind is MetricKind.GAUGE:
        return True
    return plan.mode is Mode.GROUP_SEQUENTIAL and spec.kind is not MetricKind.LATENCY


def is_tested(plan: WatchPlan, spec: MetricSpec) -> bool:
    """Say whether the metric has a part in the watch's α: all but a gauge that can never be compared."""
    return spec.kind is not MetricKind.GAUGE or has_preset_looks(plan, spec)


def preset_alpha(plan: WatchPlan) -> float:
    """Return the α of one metric with preset looks."""
    return (1 - _KEPT) * plan.alpha / max(1, sum(is_tested(plan, s) for s in plan.metrics))


def preset_evidence(plan: WatchPlan, state: MetricState) -> float:
    """Return ln of the all-or-nothing e-value."""
    found = state.preset is not None and state.preset.found
    return math.log(_KEPT + (1 - _KEPT) / preset_alpha(plan)) if found else math.log(_KEPT)


def advance_preset(
    plan: WatchPlan,
    spec: MetricSpec,
    state: MetricState,
    tick: MetricTick,
    started_at: datetime,
    now: datetime,
) -> MetricState:
    """Return the state after a tick that was compared, with a preset look if it is time for one."""
    if not has_preset_looks(plan, spec):
        return state
    kept = state.preset or PresetState()
    if state.compared_at == now:
        kept = (
            _add_pods(kept, tick)
            if spec.kind is MetricKind.GAUGE
            else _add_events(kept, tick, _divisor(state))
        )
    due = _due(plan, spec, (now - started_at).total_seconds())
    if due > kept.taken and not kept.found:
        look = _look_at_gauge if spec.kind is MetricKind.GAUGE else _look_at_events
        kept = replace(look(plan, spec, kept, due), taken=due)
    return replace(state, preset=kept)


def _looks(plan: WatchPlan, spec: MetricSpec) -> int:
    return GAUGE_LOOKS if spec.kind is MetricKind.GAUGE else plan.looks


def _due(plan: WatchPlan, spec: MetricSpec, elapsed: float) -> int:
    """Return how many looks there are to be by now."""
    looks = _looks(plan, spec)
    return min(looks, math.floor(elapsed / plan.planned_seconds * looks + 1e-9))


def _sides(spec: MetricSpec) -> tuple[bool, ...]:
    """Return the sides to test, upper as true."""
    return {Direction.HIGHER: (True,), Direction.LOWER: (False,), Direction.BOTH: (True, False)}[
        spec.direction
    ]


def _divisor(state: MetricState) -> float:
    """Return what the tick's counts were divided by; where nobody could tell, they count for nothing."""
    return state.divided or math.inf


def _add_events(kept: PresetState, tick: MetricTick, by: float) -> PresetState:
    """Add a tick's events; of overdispersed ones, one for every ``by``, so that all are whole."""
    law, (both, mine) = Law(kept.offset, kept.masses), kept.weighed
    events, ours, expected = kept.events, kept.ours, kept.expected
    for stratum in tick.strata:
        theirs, candidate = stratum.baseline, stratum.candidate
        if theirs.exposure <= 0 or candidate.exposure <= 0:
            continue
        share = candidate.exposure / (theirs.exposure + candidate.exposure)
        more = theirs.events + candidate.events
        law = add_events(law, math.floor(both + more / by) - math.floor(both), share)
        both, mine = both + more / by, mine + candidate.events / by
        events, ours, expected = events + more, ours + candidate.events, expected + more * share
    return replace(
        kept, offset=law.offset, masses=law.masses, events=events, ours=ours, expected=expected,
        weighed=(both, mine),
    )  # fmt: skip


def _look_at_events(plan: WatchPlan, spec: MetricSpec, kept: PresetState, due: int) -> PresetState:
    law, spent = Law(kept.offset, kept.masses), list(kept.spent)
    sides = _sides(spec)
    seen = math.floor(kept.weighed[1])
    crossed, smallest = False, 1.0
    for upper in sides:
        smallest = min(smallest, tail_of(law, seen, upper=upper))
        place = 0 if upper else 1
        allowed = spent_by(due / plan.looks, preset_alpha(plan) / len(sides), plan.spending) - spent[place]
        bound, used, law = cross(law, allowed, upper=upper)
        spent[place] += used
        crossed |= seen >= bound if upper else seen <= bound
    kept = replace(kept, spent=(spent[0], spent[1]), offset=law.offset, masses=law.masses, p_value=smallest)
    ratio = _ratio(kept)
    matters = _matters(spec, ratio)
    if crossed and matters and kept.events >= plan.min_events:
        times = f"×{number(ratio)}" if math.isfinite(ratio) else "on the candidate alone,"
        return replace(kept, found=f"{times} at preset look {due} of {plan.looks}")
    return kept


def _ratio(kept: PresetState) -> float:
    """Return the ratio of rates by Mantel and Haenszel's kind of estimate: observed over expected."""
    theirs, expected = kept.events - kept.ours, kept.events - kept.expected
    if kept.expected <= 0 or expected <= 0:
        return 1.0
    return (kept.ours / kept.expected) / (theirs / expected) if theirs > 0 else math.inf


def _matters(spec: MetricSpec, ratio: float) -> bool:
    """Proven, perhaps, but too small to matter: what rejects less often than α stays within it."""
    more = ratio >= spec.effect_that_matters and spec.direction is not Direction.LOWER
    return more or (ratio <= 1 / spec.effect_that_matters and spec.direction is not Direction.HIGHER)


def _add_pods(kept: PresetState, tick: MetricTick) -> PresetState:
    """Add each instance's level, and its distance from the mean of all of them at this tick.

    Distances are what is compared: a level that rises and falls for all of them is no difference, also
    between instances that were not there all the time.
    """
    levels = _levels(tick.last)
    if not levels:
        return kept
    middle = sum(levels.values()) / len(levels)
    pods = {(p.arm, p.instance): p for p in kept.pods}
    for (arm, instance), level in levels.items():
        pod = pods.get((arm, instance)) or Pod(arm, instance)
        pods[arm, instance] = replace(
            pod, ticks=pod.ticks + 1, level=pod.level + level, apart=pod.apart + level - middle
        )
    return replace(kept, pods=tuple(pods[key] for key in sorted(pods)))


def _levels(readings: Sequence[Reading]) -> dict[tuple[Arm, str], float]:
    sums: dict[tuple[Arm, str], list[float]] = {}
    for reading in readings:
        sums.setdefault((reading.arm, reading.instance), []).append(reading.value)
    return {key: math.fsum(values) / len(values) for key, values in sums.items()}


def _of(kept: PresetState, arm: Arm) -> tuple[list[float], list[float]]:
    """Return each instance's distance and level on an arm."""
    mine = [p for p in kept.pods if p.arm is arm and p.ticks]
    return [p.apart / p.ticks for p in mine], [p.level / p.ticks for p in mine]


def _per_look(plan: WatchPlan, spec: MetricSpec) -> float:
    return preset_alpha(plan) / GAUGE_LOOKS / len(_sides(spec))


def _look_at_gauge(plan: WatchPlan, spec: MetricSpec, kept: PresetState, due: int) -> PresetState:
    theirs, ours = _of(kept, Arm.BASELINE)[0], _of(kept, Arm.CANDIDATE)[0]
    if not theirs or not ours:
        return kept
    p_value = min(rank_sum_p(theirs, ours) if upper else rank_sum_p(ours, theirs) for upper in _sides(spec))
    kept = replace(kept, p_value=p_value)
    if p_value <= _per_look(plan, spec) and _gauge_matters(spec, kept):
        return replace(kept, found=f"at preset look {due} of {GAUGE_LOOKS}, by instances p = {p_value:.2g}")
    return kept


def _gauge_ratio(kept: PresetState) -> float | None:
    theirs, ours = _of(kept, Arm.BASELINE)[1], _of(kept, Arm.CANDIDATE)[1]
    if not theirs or not ours or sum(theirs) <= 0:
        return None
    return (sum(ours) / len(ours)) / (sum(theirs) / len(theirs))


def _gauge_matters(spec: MetricSpec, kept: PresetState) -> bool:
    """Where the usual level is not above 0 there is no ratio: then any proven difference matters."""
    ratio = _gauge_ratio(kept)
    return ratio is None or _matters(spec, ratio)


def judge_preset(plan: WatchPlan, spec: MetricSpec, state: MetricState, row: MetricRow) -> MetricRow:
    """Return the row with what its preset looks say; a metric without them as it is."""
    if not has_preset_looks(plan, spec):
        return row
    row = replace(row, log_evidence=preset_evidence(plan, state))
    kept = state.preset or PresetState()
    if spec.kind is MetricKind.GAUGE:
        return _gauge_row(plan, spec, kept, row)
    when = _when(plan, spec, kept)
    observed = f"{row.observed}; {kept.found}" if kept.found else row.observed
    return replace(row, reason=f"{row.reason}; {when}", observed=observed)


def _when(plan: WatchPlan, spec: MetricSpec, kept: PresetState) -> str:
    looks = _looks(plan, spec)
    if kept.found:
        return f"proven {kept.found}"
    last = f", p = {kept.p_value:.2g} at the last" if kept.p_value is not None else ""
    return f"{kept.taken} of {looks} preset looks taken{last}"


def _gauge_row(plan: WatchPlan, spec: MetricSpec, kept: PresetState, row: MetricRow) -> MetricRow:
    if row.cause is not Cause.NOT_COMPARED:
        return row
    theirs, ours = _of(kept, Arm.BASELINE)[1], _of(kept, Arm.CANDIDATE)[1]
    levels = f"{spec.name}: {_mean(ours)} against {_mean(theirs)} on {len(ours)} and {len(theirs)} instances"
    row = replace(row, effect=Effect(_gauge_ratio(kept), confidence=row.effect.confidence))
    if smallest_p(len(theirs), len(ours)) > _per_look(plan, spec):
        why = _too_few(len(theirs), len(ours), _per_look(plan, spec))
        return replace(
            row, reason=f"{levels}: {why}; it is held to its limit only" if spec.limit else f"{levels}: {why}"
        )
    observed = f"{levels}, {kept.found}" if kept.found else levels
    why = _when(plan, spec, kept)
    if not kept.found and kept.p_value is not None and kept.p_value <= _per_look(plan, spec):
        why += f": apart, but by less than ×{spec.effect_that_matters:g}, the smallest effect that matters"
    return replace(row, cause=Cause.COLLECTING, observed=observed, reason=f"{levels}: {why}")


def even_instances(alpha: float) -> int:
    """Return how many instances each side needs to be able to reach ``alpha``."""
    return next(k for k in range(1, 1000) if smallest_p(k, k) <= alpha)


def _too_few(theirs: int, ours: int, alpha: float) -> str:
    even = even_instances(alpha)
    beside = instances_needed(theirs, alpha)
    more = f", or {beside} of the candidate beside these {theirs}" if beside > max(ours, even) else ""
    return f"too few instances to compare: {even} on each side are needed{more}"


def _mean(levels: Sequence[float]) -> str:
    return number(sum(levels) / len(levels)) if levels else "nothing yet"
