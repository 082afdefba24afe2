"""What a tick adds to a metric's state: totals, e-processes and what confidence bounds are made from."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import numpy as np

from amends.stats.combination import Floats, log_mean_exp
from amends.stats.confidence import NORMALISER_GRID, matched_increment, update_normaliser, wins_increment
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.stats.rank import (
    TAIL_GRID,
    TAIL_QUANTILES,
    count_bucket_wins,
    exceedances,
    rank_evidence,
    rank_increment,
    tail_evidence,
    tail_positions,
)
from amends.watch.deltas import Increment, MetricTick, Stratum, rebin
from amends.watch.measurements import Arm, MetricKind
from amends.watch.noise import Factors, add_noise, factors_of
from amends.watch.plan import Direction, MetricSpec
from amends.watch.state import MetricState, SelfTest, StepState, Totals

_Part = TypeVar("_Part", MetricState, StepState)  # the whole watch, or its current step


def advance_metric(
    spec: MetricSpec,
    state: MetricState,
    tick: MetricTick,
    now: datetime,
    *,
    comparing: bool,
    alpha: float = 0.01,
) -> MetricState:
    """Return the state of a metric after a tick; unless ``comparing`` (warm-up) only its readings move on.

    ``alpha`` is this metric's part of the watch's: an estimated overdispersion is raised until it holds.
    """
    state = replace(
        state,
        last=tick.last,
        fresh=tick.fresh,
        baseline_at=now if Arm.BASELINE in tick.arms else state.baseline_at,
        candidate_at=now if Arm.CANDIDATE in tick.arms else state.candidate_at,
    )
    if not comparing or not tick.strata:
        return state
    state = _fit_bounds(state, tick)
    tick = _fit_strata(tick, state.bounds)
    history = state.baseline.counts
    state = replace(state, ticks=state.ticks + 1, compared_at=now)
    by = factors_of(spec, state.noise, tick.strata, history, alpha)
    state = _test_itself(spec, state, tick.halves, history, alpha)
    if by.largest != 1.0:  # what was divided once stays labelled so
        state = replace(state, divided=by.largest if math.isfinite(by.largest) else 0.0)
    step = state.step
    for stratum in tick.strata:
        state = _add_stratum(spec, state, stratum, history, by)
        step = _match(spec, _add_stratum(spec, step, stratum, history, by), stratum, by)
    return replace(state, step=replace(step, log_evidence=log_evidence(spec, step)))


def self_evidence(spec: MetricSpec, state: MetricState) -> float:
    """Return ln of the e-value against "the baseline's halves are alike", in either direction."""
    return log_evidence(_either_way(spec), state.self_test.part)


def _either_way(spec: MetricSpec) -> MetricSpec:
    return replace(spec, direction=Direction.BOTH)


def _test_itself(
    spec: MetricSpec,
    state: MetricState,
    halves: tuple[Stratum, ...],
    history: tuple[float, ...],
    alpha: float,
) -> MetricState:
    """Advance the baseline's test against itself, divided like the watch's own, then learn its noise."""
    if spec.kind is MetricKind.GAUGE:
        return state
    if not halves:
        why = "the baseline has one instance"
        return replace(state, self_test=replace(state.self_test, untested=why))
    by = factors_of(spec, state.noise, halves, history, alpha)
    part = state.self_test.part
    for stratum in halves:
        part = _add_stratum(_either_way(spec), part, stratum, history, by)
    tested = SelfTest(state.self_test.ticks + 1, part)
    return replace(state, noise=add_noise(spec, state, halves), self_test=tested)


def log_evidence(spec: MetricSpec, part: MetricState | StepState) -> float:
    """Return ln of the e-value of the whole watch or of a step alone.

    0 (nothing known) before anything was compared, and for gauges.
    """
    if spec.kind is MetricKind.LATENCY:
        return _latency_evidence(spec, part)
    return float(mixture_evidence(part.evidence)) if part.evidence else 0.0


def odds(share: float) -> float:
    """Return share/(1 − share), infinite at 1."""
    return share / (1 - share) if share < 1 else math.inf


def _latency_evidence(spec: MetricSpec, part: MetricState | StepState) -> float:
    higher, lower = _directions(spec)
    ranks = float(rank_evidence(*part.rank, higher=higher, lower=lower))
    share = part.wins[0] / part.wins[1] if part.wins[1] else 0.5
    ratio = odds(share)
    matters = (higher and ratio >= spec.effect_that_matters) or (
        lower and ratio <= 1 / spec.effect_that_matters
    )
    if not matters:
        # Proven, perhaps, but too small to matter. An e-value that is only ever lowered stays one.
        ranks = min(ranks, 0.0)
    if not part.tail:
        return float(log_mean_exp([ranks, 0.0]))
    return float(log_mean_exp([ranks, float(tail_evidence(part.tail))]))


def _directions(spec: MetricSpec) -> tuple[bool, bool]:
    return spec.direction is not Direction.LOWER, spec.direction is not Direction.HIGHER


def _tail_grid(spec: MetricSpec) -> Floats:
    higher, lower = _directions(spec)
    return np.concatenate(([TAIL_GRID] if higher else []) + ([-TAIL_GRID] if lower else []))


def _fit_bounds(state: MetricState, tick: MetricTick) -> MetricState:
    """Keep only the bucket bounds that earlier ticks and this one share."""
    if not tick.bounds or state.bounds == tick.bounds:
        return state
    if not state.bounds:
        return replace(state, bounds=tick.bounds)
    shared = tuple(b for b in state.bounds if b in tick.bounds)
    return replace(
        state,
        bounds=shared,
        baseline=_rebin(state.baseline, state.bounds, shared),
        candidate=_rebin(state.candidate, state.bounds, shared),
        step=replace(
            state.step,
            baseline=_rebin(state.step.baseline, state.bounds, shared),
            candidate=_rebin(state.step.candidate, state.bounds, shared),
        ),
    )


def _rebin(totals: Totals, bounds: tuple[float, ...], onto: tuple[float, ...]) -> Totals:
    return replace(totals, counts=rebin(bounds, totals.counts, onto)) if totals.counts else totals


def _fit_strata(tick: MetricTick, bounds: tuple[float, ...]) -> MetricTick:
    if tick.bounds == bounds:
        return tick

    def fit(side: Increment) -> Increment:
        return replace(side, counts=rebin(tick.bounds, side.counts, bounds))

    def both(strata: tuple[Stratum, ...]) -> tuple[Stratum, ...]:
        return tuple(replace(s, baseline=fit(s.baseline), candidate=fit(s.candidate)) for s in strata)

    return replace(tick, strata=both(tick.strata), halves=both(tick.halves))


def _add_stratum(
    spec: MetricSpec, part: _Part, stratum: Stratum, history: tuple[float, ...], by: Factors
) -> _Part:
    """Add a stratum in which both arms served; one without its counterpart says nothing about an effect."""
    baseline, candidate = stratum.baseline, stratum.candidate
    if baseline.exposure <= 0 or candidate.exposure <= 0:
        return part
    if spec.kind is MetricKind.LATENCY:
        part = _add_latency(spec, part, stratum, history, by)
    elif spec.kind is not MetricKind.GAUGE:
        part = _add_events(spec, part, stratum, by.whole)
    return replace(part, baseline=_plus(part.baseline, baseline), candidate=_plus(part.candidate, candidate))


def _match(spec: MetricSpec, step: StepState, stratum: Stratum, by: Factors) -> StepState:
    if spec.kind is not MetricKind.RATIO:
        return step
    b, c = stratum.baseline, stratum.candidate
    more = matched_increment(b.events, b.exposure, c.events, c.exposure)
    theirs, ours, both = (x + m / by.whole for x, m in zip(step.matched, more, strict=True))
    return replace(step, matched=(theirs, ours, both))


def _plus(totals: Totals, step: Increment) -> Totals:
    counts = (
        tuple(a + b for a, b in zip(totals.counts, step.counts, strict=True))
        if totals.counts
        else step.counts
    )
    return Totals(totals.events + step.events, totals.exposure + step.exposure, counts)


def _add_events(spec: MetricSpec, part: _Part, stratum: Stratum, factor: float) -> _Part:
    baseline, candidate = stratum.baseline, stratum.candidate
    higher, lower = _directions(spec)
    grid = effect_grid(spec.effect_that_matters, higher=higher, lower=lower)
    share = candidate.exposure / (baseline.exposure + candidate.exposure)
    theirs, ours = baseline.events / factor, candidate.events / factor
    before = weighed_events(spec, part)
    events = ours + theirs
    log_e = update_mixture(part.evidence or np.zeros(grid.size), grid, events, ours, share)
    psi = update_normaliser(part.normaliser or np.zeros(NORMALISER_GRID.size), events, share)
    return replace(
        part,
        evidence=tuple(float(e) for e in log_e),
        normaliser=tuple(float(p) for p in psi),
        weighed=(before[0] + theirs, before[1] + ours),
    )


def weighed_events(spec: MetricSpec, part: MetricState | StepState) -> tuple[float, float]:
    """Return both arms' events after their division, baseline first.

    States from before these were kept divided all events by the number in the policy.
    """
    if part.weighed != (0.0, 0.0) or not part.normaliser:
        return part.weighed
    by = spec.dispersion if isinstance(spec.dispersion, float | int) else 1.0
    return part.baseline.events / by, part.candidate.events / by


def _add_latency(
    spec: MetricSpec, part: _Part, stratum: Stratum, history: tuple[float, ...], by: Factors
) -> _Part:
    theirs, ours = stratum.baseline.counts, stratum.candidate.counts
    n, m = float(sum(theirs)), float(sum(ours))
    wins = float(count_bucket_wins(theirs, ours))
    s, v = (float(x) / by.whole for x in rank_increment(wins, n, m))
    weighted, weight = (x / by.whole for x in wins_increment(wins, n, m))
    return replace(
        part,
        rank=(part.rank[0] + s, part.rank[1] + v),
        wins=(part.wins[0] + weighted, part.wins[1] + weight),
        tail=_add_tail(spec, part, stratum, history, by.tails),
    )


def _add_tail(
    spec: MetricSpec,
    part: MetricState | StepState,
    stratum: Stratum,
    history: tuple[float, ...],
    factors: tuple[float, ...],
) -> tuple[tuple[float, ...], ...]:
    positions = tail_positions(history)
    if not positions:
        return part.tail
    theirs, ours = stratum.baseline.counts, stratum.candidate.counts
    share = sum(ours) / (sum(theirs) + sum(ours))
    grid = _tail_grid(spec)
    before = part.tail or ((0.0,) * grid.size,) * len(TAIL_QUANTILES)
    mine = np.array([exceedances(ours, p) for p in positions]) / factors
    both = mine + np.array([exceedances(theirs, p) for p in positions]) / factors
    after = update_mixture(before, grid, both, mine, np.full(len(positions), share))
    return tuple(tuple(float(e) for e in row) for row in after)
