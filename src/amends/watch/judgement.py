"""What one metric's state says: its row, with effect, bounds and the reason in a sentence."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Literal

import numpy as np

from amends.stats.confidence import rate_interval, ratio_estimate, ratio_interval, wins_interval
from amends.stats.mixture import effect_grid
from amends.stats.restarts import restarted_evidence
from amends.verdicts import Decision
from amends.watch import wording
from amends.watch.assessment import ArmSummary, Cause, Effect, MetricRow, Trust
from amends.watch.evidence import log_evidence, odds, self_evidence, weighed_events
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.state import MetricState, StepState, Totals


def judge_metric(
    plan: WatchPlan, spec: MetricSpec, state: MetricState, started_at: datetime, at: datetime
) -> MetricRow:
    """Return the metric's row: ``PASS`` where the margin is shown on enough requests, else ``UNDECIDED``.

    Effect, arms and margin are those of the rollout's current step. ``BLOCK`` is not given here: what is
    proven takes all metrics together (`amends.watch.assess`).
    """
    step = state.step
    effect = _effect(plan, spec, step)
    baseline = _summary(spec, step.baseline, state.bounds)
    candidate = _summary(spec, step.candidate, state.bounds)
    after = (at - (step.since or started_at)).total_seconds()
    where = " in this step" if step.number > 1 else ""
    trust = trust_of(plan, spec, state)
    basis = wording.basis(trust)
    seen = wording.comparison(spec, baseline, candidate, effect, after, where) + basis
    decision, cause, why = _decide(plan, spec, state, effect, at, trust)
    return MetricRow(
        metric=spec.name,
        kind=spec.kind,
        decision=decision,
        cause=cause,
        reason=f"{seen}: {why}" if step.baseline.exposure > 0 else f"{spec.name}: {why}",
        observed=_overall(plan, spec, state, (at - started_at).total_seconds(), basis) or seen,
        log_evidence=gated_evidence(plan, spec, state),
        log_threshold=math.log(1 / plan.alpha),
        effect=effect,
        baseline=baseline,
        candidate=candidate,
        trust=trust,
    )


def trust_of(plan: WatchPlan, spec: MetricSpec, state: MetricState) -> Trust:
    """Return how far the metric's guarantee goes: its label, and the baseline's test against itself."""
    if spec.kind is MetricKind.GAUGE:
        return Trust(reason="a level is not compared")
    trust = _trust(plan, spec, state)
    return replace(trust, sentence=wording.guarantee(trust))


def _trust(plan: WatchPlan, spec: MetricSpec, state: MetricState) -> Trust:
    divided = state.divided or None
    assumed = spec.dispersion in ("auto", 1)
    guarantee: Literal["exact", "approximate"] = "exact" if assumed and divided == 1.0 else "approximate"
    test = state.self_test
    if not test.ticks:
        return Trust(guarantee, divided, "not tested", test.untested or "nothing has been compared yet")
    evidence = self_evidence(spec, state)
    if _few(plan, spec, test.part):
        evidence = min(evidence, 0.0)
    failed = evidence >= math.log(1 / plan.alpha)
    return Trust(
        guarantee, divided, "failed" if failed else "passed", wording.self_test(evidence, failed), evidence
    )


def gated_evidence(plan: WatchPlan, spec: MetricSpec, state: MetricState) -> float:
    """Return the metric's log evidence of the watch, restarted with each step (`amends.stats.restarts`).

    What has fewer events than the policy asks for, step or watch, says nothing against the candidate.
    """
    if not state.ticks or spec.kind is MetricKind.GAUGE:
        return 0.0
    whole, step = (_enough(plan, spec, part) for part in (state, state.step))
    evidence = restarted_evidence(whole, step, state.step.log_stake, state.step.number)
    return min(evidence, 0.0) if _few(plan, spec, state) else evidence


def _enough(plan: WatchPlan, spec: MetricSpec, part: MetricState | StepState) -> float:
    evidence = log_evidence(spec, part)
    return min(evidence, 0.0) if _few(plan, spec, part) else evidence


def _few(plan: WatchPlan, spec: MetricSpec, part: MetricState | StepState) -> bool:
    events = part.baseline.events + part.candidate.events
    return spec.kind is not MetricKind.LATENCY and events < plan.min_events


def _overall(plan: WatchPlan, spec: MetricSpec, state: MetricState, after: float, basis: str) -> str:
    """Return the comparison over the whole watch where that shows the harm that the step alone does not."""
    step, whole = state.step, log_evidence(spec, state)
    shown = step.log_evidence >= math.log(1 / plan.alpha)
    leads = whole > max(0.0, step.log_evidence + step.log_stake + math.log(2))
    if step.number == 1 or shown or not leads:
        return ""
    baseline = _summary(spec, state.baseline, state.bounds)
    candidate = _summary(spec, state.candidate, state.bounds)
    effect = _effect(plan, spec, state)
    return wording.comparison(spec, baseline, candidate, effect, after, " in all steps") + basis


def broken_limit(spec: MetricSpec, run: Totals, bounds: tuple[float, ...]) -> str:
    """Return why the candidate's ``run`` of requests breaks the metric's limit; empty while it does not."""
    limit = spec.limit
    if limit is None or run.exposure <= 0 or run.exposure < limit.min_requests:
        return ""
    if spec.kind is MetricKind.LATENCY:
        return _slow_share(spec, run, bounds)
    rate = run.events / run.exposure
    high = limit.above is not None and rate > limit.above
    low = limit.below is not None and rate < limit.below
    if not (high or low):
        return ""
    observed = wording.percent(rate) if spec.kind is MetricKind.RATIO else f"{rate:.3g}"
    return wording.limit_broken(spec, observed, run.exposure)


def _slow_share(spec: MetricSpec, run: Totals, bounds: tuple[float, ...]) -> str:
    """Judge by the first bucket bound at or above the limit: what lies above that is slower for certain."""
    limit = spec.limit
    above = [i for i, b in enumerate(bounds) if limit and limit.above is not None and b >= limit.above]
    if limit is None or not above or not run.counts:
        return ""
    within = sum(run.counts[: above[0] + 1]) / run.exposure
    if within >= limit.quantile:
        return ""
    return wording.limit_broken(spec, f"only {wording.percent(within)} in time", run.exposure)


def _effect(plan: WatchPlan, spec: MetricSpec, part: MetricState | StepState) -> Effect:
    confidence = 1 - plan.alpha
    if spec.kind is MetricKind.LATENCY:
        weighted, weight = part.wins
        if weight <= 0:
            return Effect(confidence=confidence)
        low, high = wins_interval(weighted, weight, plan.alpha)
        estimate = odds(weighted / weight)
        return Effect(
            estimate if math.isfinite(estimate) else None,
            odds(low) if low > 0 else None,
            odds(high) if high < 1 else None,
            confidence,
        )
    if not part.normaliser:
        return Effect(confidence=confidence)
    theirs, ours = weighed_events(spec, part)
    steps = effect_grid(spec.effect_that_matters)
    lower, upper = ratio_interval(part.normaliser, ours, theirs, plan.alpha, steps)
    estimated = ratio_estimate(part.normaliser, ours, theirs)
    return Effect(estimated, lower, upper, confidence)


def _summary(spec: MetricSpec, totals: Totals, bounds: tuple[float, ...]) -> ArmSummary:
    rate = totals.events / totals.exposure if totals.exposure > 0 else None
    if spec.kind is not MetricKind.LATENCY or not totals.counts:
        return ArmSummary(totals.events, totals.exposure, rate)
    cumulative = np.cumsum(totals.counts)
    return ArmSummary(
        totals.events,
        totals.exposure,
        rate,
        p50=quantile(bounds, totals.counts, 0.5),
        p99=quantile(bounds, totals.counts, 0.99),
        buckets=tuple((b, float(c)) for b, c in zip(bounds, cumulative, strict=False)),
    )


def quantile(bounds: tuple[float, ...], counts: tuple[float, ...], share: float) -> float | None:
    """Return a quantile, linear within its bucket as Prometheus' ``histogram_quantile`` has it.

    ``None`` without observations, and where it lies above the last bound.
    """
    total = sum(counts)
    if total <= 0:
        return None
    cumulative = np.cumsum(counts)
    place = int(np.searchsorted(cumulative, share * total, side="left"))
    if place >= len(bounds):
        return None
    floor = bounds[place - 1] if place else 0.0
    before = float(cumulative[place - 1]) if place else 0.0
    return floor + (bounds[place] - floor) * (share * total - before) / counts[place]


def _decide(
    plan: WatchPlan, spec: MetricSpec, state: MetricState, effect: Effect, at: datetime, trust: Trust
) -> tuple[Decision, Cause, str]:
    missing = _missing(state, at)
    if missing:
        return Decision.UNDECIDED, *missing
    if spec.kind is MetricKind.GAUGE:
        return Decision.UNDECIDED, Cause.NOT_COMPARED, "a level is held to its limit only, not compared"
    scarce = _scarce(plan, state.step)
    if scarce:
        return Decision.UNDECIDED, Cause.TOO_LITTLE_DATA, scarce
    if trust.failed:
        return Decision.UNDECIDED, Cause.SELF_TEST_FAILED, trust.reason
    if _within_margin(spec, effect):
        return Decision.PASS, Cause.WITHIN_MARGIN, f"within the margin of ×{spec.margin:g}"
    if spec.kind is MetricKind.RATIO and _excess(plan, spec, state.step) <= spec.negligible:
        few = wording.percent(spec.negligible)
        return Decision.PASS, Cause.WITHIN_MARGIN, f"worse for at most {few} of requests"
    return Decision.UNDECIDED, Cause.MARGIN_NOT_SHOWN, f"not yet shown to stay within ×{spec.margin:g}"


def _scarce(plan: WatchPlan, step: StepState) -> str:
    theirs, ours = step.baseline.exposure, step.candidate.exposure
    least = min(ours, theirs)
    if least >= plan.min_requests:
        return ""
    during = " in this step" if step.number > 1 else ""
    arm = "both arms have" if ours == theirs else f"the {'candidate' if ours < theirs else 'baseline'} has"
    return f"{arm} served {wording.number(least)} of the {plan.min_requests} requests needed{during}"


def _missing(state: MetricState, at: datetime) -> tuple[Cause, str] | None:
    """Tell apart: nothing was ever read, an arm fell silent, or no tick could be compared yet."""
    ours, theirs = state.candidate_at, state.baseline_at
    if ours is None and theirs is None:
        return Cause.NO_DATA, "no readings from either arm"
    if ours is None or theirs is None:
        return Cause.NO_DATA, f"the {'candidate' if ours is None else 'baseline'} has given no reading"
    if ours < at <= theirs:
        gone = wording.seconds((at - ours).total_seconds())
        return (
            Cause.CANDIDATE_SILENT,
            f"the candidate stopped reporting {gone} ago while the baseline reports",
        )
    if theirs < at <= ours:
        gone = wording.seconds((at - theirs).total_seconds())
        return Cause.BASELINE_SILENT, f"the baseline stopped reporting {gone} ago, nothing to compare with"
    if ours < at:
        return (
            Cause.NO_DATA,
            f"no readings from either arm for {wording.seconds((at - ours).total_seconds())}",
        )
    if not state.ticks:
        return Cause.TOO_LITTLE_DATA, "nothing has been compared yet"
    return None


def _within_margin(spec: MetricSpec, effect: Effect) -> bool:
    up = effect.upper is not None and effect.upper <= spec.margin
    down = effect.lower is not None and effect.lower >= 1 / spec.margin
    return {Direction.HIGHER: up, Direction.LOWER: down, Direction.BOTH: up and down}[spec.direction]


def _excess(plan: WatchPlan, spec: MetricSpec, step: StepState) -> float:
    """Return the largest difference of rates, in the direction that is worse, that the data leave open."""
    events, exposure = step.matched[:2], step.matched[2]
    theirs, ours = (rate_interval(e, exposure, plan.alpha / 2) for e in events)
    more, fewer = ours[1] - theirs[0], theirs[1] - ours[0]
    return {Direction.HIGHER: more, Direction.LOWER: fewer, Direction.BOTH: max(more, fewer)}[spec.direction]
