"""Preset looks by simulation: one α for all of a watch, and more found in a fixed window with little traffic.

α is .2 here, so that a few hundred runs say something. A count of false alarms fails a test only if a true
rate of α would give it less than once in a thousand seeds.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from amends.stats.forecast import Stretch, preset_chances
from amends.stats.group_sequential import Spending
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.watch.deltas import Increment, MetricTick, Stratum
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import MetricSpec, Mode, WatchPlan
from amends.watch.preset import advance_preset, preset_alpha
from amends.watch.state import MetricState
from tests.unit.watch.watch_feed import START

ALPHA, RUNS, TICKS, SECONDS = 0.2, 500, 12, 600
ERRORS = MetricSpec("errors", events="e", total="t", smallest_effect=1.0)
MEMORY = MetricSpec("memory", MetricKind.GAUGE, events="m", smallest_effect=1.0)
PLAN = WatchPlan(
    (ERRORS, MEMORY), alpha=ALPHA, min_events=1, mode=Mode.GROUP_SEQUENTIAL, planned_seconds=SECONDS
)


def ticks(rng: np.random.Generator, worse: float, base: float):
    """A fifth of the traffic on the candidate, and an error rate that changes for both."""
    for tick in range(TICKS):
        rate, (n, m) = base * (1 + tick % 3), rng.poisson((160, 40))
        theirs, ours = rng.binomial(n, rate), rng.binomial(m, min(1.0, rate * worse))
        yield Stratum(Increment(float(theirs), float(n)), Increment(float(ours), float(m)))


def finds_errors(plan: WatchPlan, rng: np.random.Generator, worse: float, base: float) -> bool:
    state = MetricState("errors")
    for number, stratum in enumerate(ticks(rng, worse, base), start=1):
        now = START + timedelta(seconds=number * SECONDS / TICKS)
        tick = MetricTick((stratum,), settled=True)
        state = advance_preset(plan, ERRORS, replace(state, compared_at=now), tick, START, now)
    assert state.preset is not None
    return bool(state.preset.found)


def finds_memory(plan: WatchPlan, rng: np.random.Generator, pods: int = 8) -> bool:
    """Each instance has its own level, and all of them drift together."""
    state = MetricState("memory")
    own = {(arm, i): rng.lognormal(0, 0.3) for arm in Arm for i in range(pods)}
    for number in range(1, TICKS + 1):
        now, drift = START + timedelta(seconds=number * SECONDS / TICKS), rng.lognormal(0, 0.2)
        read = tuple(
            Reading(arm, f"i{i}", "memory", MetricKind.GAUGE, now, level * drift)
            for (arm, i), level in own.items()
        )
        state = replace(state, compared_at=now)
        state = advance_preset(plan, MEMORY, state, MetricTick(last=read, settled=True), START, now)
    assert state.preset is not None
    return bool(state.preset.found)


@pytest.mark.parametrize("base", [0.002, 0.05])
@pytest.mark.parametrize("spending", list(Spending))
def test_events_and_instances_share_one_alpha(base: float, spending: Spending) -> None:
    rng = np.random.default_rng(31)
    plan = replace(PLAN, spending=spending)
    found = sum(finds_errors(plan, rng, 1.0, base) or finds_memory(plan, rng) for _ in range(RUNS))
    assert 0 < found <= stats.binom.ppf(0.999, RUNS, ALPHA)


def test_little_traffic_in_a_fixed_window_is_where_preset_looks_find_more() -> None:
    """About 8 errors on the baseline and 6 on the candidate's fifth of the traffic, at α = .01."""
    plan, grid = replace(PLAN, metrics=(ERRORS,), alpha=0.01), effect_grid(1.0)
    preset = always = 0
    for seed in range(RUNS):
        preset += finds_errors(plan, np.random.default_rng(seed), 3.0, 0.002)
        log_e, highest = np.zeros(grid.size), -np.inf
        for stratum in ticks(np.random.default_rng(seed), 3.0, 0.002):
            theirs, ours = stratum.baseline, stratum.candidate
            share = ours.exposure / (ours.exposure + theirs.exposure)
            log_e = update_mixture(log_e, grid, ours.events + theirs.events, ours.events, share)
            highest = max(highest, float(mixture_evidence(log_e)))
        always += highest >= np.log(100)
    assert preset > 1.3 * always


@pytest.mark.parametrize("worse", [1.5, 2.0])
def test_the_forecast_of_preset_looks_is_about_what_they_find(worse: float) -> None:
    """About 150 to 200 events in all; with a handful, normal boundaries say only roughly what is exact."""
    plan, base = replace(PLAN, metrics=(ERRORS,), alpha=0.01), 0.03
    usual = base * 2  # its mean over the ticks
    said = preset_chances(
        [Stretch(SECONDS, 0.2)],
        200 * TICKS / SECONDS,
        usual,
        worse,
        plan.looks,
        preset_alpha(plan),
        plan.spending,
    )
    seen = np.mean([finds_errors(plan, np.random.default_rng(seed), worse, base) for seed in range(RUNS)])
    assert said[-1][0] == SECONDS
    assert said[-1][1] == pytest.approx(seen, abs=0.08)
