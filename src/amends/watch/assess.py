"""From readings of both arms to what the watch says, one look at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from amends.stats.combination import mean_evidence, moved
from amends.verdicts import Decision
from amends.watch.assessment import Assessment, Cause, Health, MetricRow, Verdict
from amends.watch.deltas import Increment, MetricTick, count_tick, rebin
from amends.watch.evidence import advance_metric
from amends.watch.judgement import broken_limit, judge_metric
from amends.watch.measurements import MetricKind, Reading
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.preset import advance_preset, is_tested, judge_preset
from amends.watch.state import MetricState, Totals, WatchState

_UNKNOWN = Health()
_UNREAD = (Cause.CANDIDATE_SILENT, Cause.BASELINE_SILENT, Cause.NO_DATA)


@dataclass(frozen=True, slots=True)
class _Looked:
    rows: tuple[MetricRow, ...]
    broken: dict[str, str]
    problems: tuple[str, ...]


def assess(
    plan: WatchPlan,
    state: WatchState,
    readings: Sequence[Reading],
    health: Health,
    now: datetime,
    problems: Sequence[str] = (),
) -> tuple[WatchState, Assessment]:
    """Take one look at both arms.

    Parameters
    ----------
    state:
        What the last look returned, or `begin_watch`.
    readings:
        What the metric source could read; anything may be missing.
    health:
        What the deployer sees. A dead candidate beside a baseline that answers rolls back at once.
    problems:
        The source's sentences about what it could not read; passed on.

    Returns
    -------
    The state for the next look and the assessment, ``ROLL_BACK`` or ``WATCHING``. Only `conclude` promotes.
    """
    warming = (now - state.started_at).total_seconds() < plan.warmup_seconds
    metrics, looked = _look(plan, state, readings, now, comparing=not warming)
    after = WatchState(state.started_at, now, metrics)
    cause, reason = _still_watching(looked.rows, warming=warming)
    said = Assessment(
        at=now,
        verdict=Verdict.WATCHING,
        cause=cause,
        reason=reason,
        log_evidence=_joint(plan, looked.rows),
        log_threshold=math.log(1 / plan.alpha),
        elapsed_seconds=(now - state.started_at).total_seconds(),
        metrics=looked.rows,
        problems=(*problems, *looked.problems, *_doubts(looked.rows), *_health_problems(health)),
        guarantee=_guarantee(looked.rows),
    )
    return after, _with_harm(plan, said, looked.broken, health)


def conclude(plan: WatchPlan, state: WatchState, now: datetime, health: Health = _UNKNOWN) -> Assessment:
    """Say at a step's end whether the candidate may go on.

    ``PROMOTE`` only if in this step every compared metric has its minimum of requests on both arms and its
    effect's bound within the margin; ``ROLL_BACK`` if something is proven worse; otherwise ``INCONCLUSIVE``
    with the reason. Judges the last look, with the ``health`` that it found: what it did not see is not
    assumed, and a candidate that does not answer never goes on. Limits are for `assess`, at each look.

    The plan's alpha bounds false rollbacks, over the whole watch. Of a promotion is claimed less: at each
    step, a candidate whose effect is beyond the margin in that step passes with probability at most alpha
    by its ratio or slower pairs and at most alpha by its negligible difference, for every metric.
    """
    rows = tuple(_judged(plan, s, state.metric(s.name), state.started_at, state.at) for s in plan.metrics)
    said = Assessment(
        at=now,
        verdict=Verdict.INCONCLUSIVE,
        cause=Cause.NO_METRICS,
        reason="the policy compares no metric, so nothing shows that the candidate is well",
        log_evidence=_joint(plan, rows),
        log_threshold=math.log(1 / plan.alpha),
        elapsed_seconds=(now - state.started_at).total_seconds(),
        metrics=rows,
        problems=_doubts(rows),
        guarantee=_guarantee(rows),
    )
    said = _with_harm(plan, said, {}, health)
    if said.verdict is Verdict.ROLL_BACK:
        return said
    if health.candidate_alive is False:
        return replace(said, cause=Cause.CANDIDATE_DEAD, reason="the candidate does not answer")
    if said.refused:
        return said
    judged = [r for r in rows if r.kind is not MetricKind.GAUGE]
    waiting = [r for r in judged if r.decision is not Decision.PASS] + _unread_gauges(plan, rows)
    if waiting:
        return replace(said, cause=waiting[0].cause, reason="; ".join(r.reason for r in waiting))
    if judged:
        reason = "; ".join(r.reason for r in judged)
        return replace(said, verdict=Verdict.PROMOTE, cause=Cause.WITHIN_MARGIN, reason=reason)
    return _levels_alone(said)


def _levels_alone(said: Assessment) -> Assessment:
    """Say what levels show where nothing else was compared: they take a release back, never promote it."""
    if not said.metrics:
        return said
    shown = "; ".join(r.reason for r in said.metrics)
    return replace(said, cause=said.metrics[0].cause, reason=f"{shown}. Levels alone promote nothing")


def _still_watching(rows: Sequence[MetricRow], *, warming: bool) -> tuple[Cause, str]:
    unread = [r for r in rows if r.cause in _UNREAD]
    if unread:
        return unread[0].cause, "; ".join(r.reason for r in unread)
    if warming:
        return Cause.WARMING_UP, "warming up: nothing is compared yet"
    return Cause.COLLECTING, "nothing is provably worse"


def _unread_gauges(plan: WatchPlan, rows: Sequence[MetricRow]) -> list[MetricRow]:
    limited = {s.name for s in plan.metrics if s.kind is MetricKind.GAUGE and s.limit}
    read = (Cause.NOT_COMPARED, Cause.COLLECTING)
    return [r for r in rows if r.metric in limited and r.cause not in read]


def _look(
    plan: WatchPlan, state: WatchState, readings: Sequence[Reading], now: datetime, *, comparing: bool
) -> tuple[tuple[MetricState, ...], _Looked]:
    metrics: list[MetricState] = []
    rows: list[MetricRow] = []
    broken: dict[str, str] = {}
    problems: list[str] = []
    earlier = {m.metric: m for m in state.metrics}
    given: dict[str, list[Reading]] = {}
    for reading in readings:
        given.setdefault(reading.metric, []).append(reading)
    alpha = plan.alpha / max(1, sum(s.kind is not MetricKind.GAUGE for s in plan.metrics))
    for spec in plan.metrics:
        before = earlier.get(spec.name) or MetricState(spec.name)
        tick = count_tick(
            spec.name,
            before.last,
            given.get(spec.name, ()),
            now,
            plan.max_gap_seconds,
            before.fresh,
            plan.warmup_seconds,
        )
        after = advance_metric(spec, before, tick, now, comparing=comparing, alpha=alpha)
        after, why = _hold_to_limit(spec, after, tick)
        if why:
            broken[spec.name] = why
        after = advance_preset(plan, spec, after, tick, state.started_at, now)
        metrics.append(after)
        rows.append(_judged(plan, spec, after, state.started_at, now))
        problems += tick.problems
    return tuple(metrics), _Looked(tuple(rows), broken, tuple(problems))


def _hold_to_limit(spec: MetricSpec, state: MetricState, tick: MetricTick) -> tuple[MetricState, str]:
    """Gather the candidate's requests until there are enough to judge its limit; then begin a new run.

    What has not settled (the baseline is silent) is judged too, but counted again at the next look.
    """
    if spec.limit is None:
        return state, ""
    run, bounds = _joined(state, tick.candidate, tick.bounds)
    why = broken_limit(spec, run, bounds)
    if not tick.settled:
        return state, why
    if run.exposure >= spec.limit.min_requests:
        run = Totals()
    return replace(state, run=run, run_bounds=bounds if run.counts else ()), why


def _joined(
    state: MetricState, step: Increment, bounds: tuple[float, ...]
) -> tuple[Totals, tuple[float, ...]]:
    run = state.run
    events, exposure = run.events + step.events, run.exposure + step.exposure
    if not run.counts or not step.counts:
        return Totals(events, exposure, run.counts or step.counts), state.run_bounds or bounds
    shared = tuple(b for b in state.run_bounds if b in bounds)
    ours, more = rebin(state.run_bounds, run.counts, shared), rebin(bounds, step.counts, shared)
    return Totals(events, exposure, tuple(a + b for a, b in zip(ours, more, strict=True))), shared


def _judged(
    plan: WatchPlan, spec: MetricSpec, state: MetricState, started_at: datetime, at: datetime
) -> MetricRow:
    return judge_preset(plan, spec, state, judge_metric(plan, spec, state, started_at, at))


def _tested(plan: WatchPlan, rows: Sequence[MetricRow]) -> list[MetricRow]:
    tested = {s.name for s in plan.metrics if is_tested(plan, s)}
    return [r for r in rows if r.metric in tested]


def _joint(plan: WatchPlan, rows: Sequence[MetricRow]) -> float:
    return mean_evidence([r.log_evidence for r in _tested(plan, rows)])


def _with_harm(plan: WatchPlan, said: Assessment, broken: dict[str, str], health: Health) -> Assessment:
    """Return the assessment as a rollback if there is a reason for one, the plainest reason first."""
    proven, refused = _proven(plan, said)
    rows = tuple(_blocked(r, broken, proven) for r in said.metrics)
    said = replace(said, metrics=rows, moved=proven)
    if health.candidate_alive is False and health.baseline_alive is True:
        detail = f" ({health.detail})" if health.detail else ""
        why = f"the candidate is dead{detail} while its baseline answers"
        return replace(said, verdict=Verdict.ROLL_BACK, cause=Cause.CANDIDATE_DEAD, reason=why)
    if broken:
        why = "; ".join(broken.values())
        return replace(said, verdict=Verdict.ROLL_BACK, cause=Cause.LIMIT_BROKEN, reason=why)
    if proven:
        why = "; ".join(r.reason for r in rows if r.metric in proven)
        return replace(said, verdict=Verdict.ROLL_BACK, cause=Cause.PROVEN_WORSE, reason=why)
    if refused:
        why = "; ".join(f"{r.observed}: {r.trust.reason}" for r in rows if r.metric in refused)
        why = f"a rollback by statistics is refused. {why}"
        return replace(said, cause=Cause.SELF_TEST_FAILED, reason=why, refused=True)
    return said


def _proven(plan: WatchPlan, said: Assessment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the metrics to name if the mean e-value has reached the line: e-BH's, or else the strongest.

    What a metric says whose baseline differs from itself is no evidence against the candidate (lowered to at
    most 1, an e-value stays one). The second of the two names such metrics if only they reach the line.
    """
    rows = _tested(plan, said.metrics)
    if not rows or said.log_evidence < said.log_threshold:
        return (), ()
    evidence = [min(r.log_evidence, 0.0) if r.trust.failed else r.log_evidence for r in rows]
    if mean_evidence(evidence) < said.log_threshold:
        return (), tuple(r.metric for r in rows if r.trust.failed and r.log_evidence > 0)
    named = moved(evidence, plan.alpha) or (evidence.index(max(evidence)),)
    return tuple(rows[i].metric for i in named), ()


def _guarantee(rows: Sequence[MetricRow]) -> Literal["exact", "approximate"]:
    return "exact" if all(r.trust.guarantee == "exact" for r in rows) else "approximate"


def _doubts(rows: Sequence[MetricRow]) -> tuple[str, ...]:
    return tuple(
        f"{r.metric}: {r.trust.reason}. Until that ends, it neither rolls back by statistics nor promotes; "
        "limits and a dead candidate still roll back."
        for r in rows
        if r.trust.failed
    )


def _blocked(row: MetricRow, broken: dict[str, str], proven: Sequence[str]) -> MetricRow:
    if row.metric in broken:
        return replace(row, decision=Decision.BLOCK, cause=Cause.LIMIT_BROKEN, reason=broken[row.metric])
    if row.metric in proven:
        return replace(row, decision=Decision.BLOCK, cause=Cause.PROVEN_WORSE, reason=row.observed)
    return row


def _health_problems(health: Health) -> tuple[str, ...]:
    if health.candidate_alive is False and health.baseline_alive is not True:
        other = (
            "neither does the baseline" if health.baseline_alive is False else "nor is the baseline's known"
        )
        return (f"the candidate does not answer, {other}: that decides nothing.",)
    return ()
