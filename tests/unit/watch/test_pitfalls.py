"""One test for each row of the pitfalls table in docs/explanation/pitfalls-of-a-watch.md.

Every one is a candidate that is no worse, or one that is, seen through something that goes wrong on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from amends.watch.assess import assess, conclude
from amends.watch.assessment import Assessment, Cause, Health, Verdict
from amends.watch.measurements import Arm, Reading
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import WatchState, begin_watch

from .watch_feed import START, at, ratio

PLAN = WatchPlan((MetricSpec("5xx", events="e", total="t"),), min_requests=50)
TICKS, EVERY = 60, 5


class Service:
    """Instances that serve; what a source reads of them may be spoilt before the watch sees it."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.counts: dict[tuple[Arm, str, str], np.ndarray] = {}

    def serve(self, arm: Arm, instance: str, n: int, rate: float, segment: str = "") -> None:
        held = self.counts.setdefault((arm, instance, segment), np.zeros(2))
        held += (self.rng.binomial(n, rate), n)

    def restart(self, instance: str) -> None:
        for key in self.counts:
            if key[1] == instance:
                self.counts[key] = np.zeros(2)

    def read(self, seconds: float) -> list[Reading]:
        return [
            ratio(arm, seconds, float(e), float(n), instance, segment=segment)
            for (arm, instance, segment), (e, n) in self.counts.items()
        ]


Spoil = Callable[[int, list[Reading], Service], list[Reading]]


def as_it_is(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    return read


def run(
    seed: int,
    rate: Callable[[int], float] = lambda tick: 0.02,
    share: Callable[[int], float] = lambda tick: 0.5,
    times: float = 1.0,
    spoil: Spoil = as_it_is,
    plan: WatchPlan = PLAN,
) -> tuple[Assessment, WatchState]:
    """Watch two instances on each side, until a rollback or the end."""
    service, state = Service(seed), begin_watch(START)
    for tick in range(TICKS):
        for arm, part, worse in ((Arm.BASELINE, 1 - share(tick), 1.0), (Arm.CANDIDATE, share(tick), times)):
            for i in (1, 2):
                service.serve(arm, f"{arm}-{i}", round(400 * part), min(1.0, rate(tick) * worse))
        read = spoil(tick, service.read(tick * EVERY), service)
        state, said = assess(plan, state, read, Health(), at(tick * EVERY))
        if said.verdict is Verdict.ROLL_BACK:
            break
    return said, state


def test_what_is_worse_is_found_where_nothing_goes_wrong() -> None:
    """Without this the tests below would prove nothing."""
    assert run(1, times=3.0)[0].verdict is Verdict.ROLL_BACK


@pytest.mark.parametrize("seed", range(5))
def test_a_traffic_ramp_while_the_shared_rate_rises(seed: int) -> None:
    said, _ = run(seed, lambda tick: 0.002 + tick / 300, lambda tick: 0.05 + 0.9 * tick / TICKS)
    assert said.verdict is Verdict.WATCHING


@pytest.mark.parametrize("seed", range(5))
def test_a_shared_outage(seed: int) -> None:
    said, _ = run(seed, lambda tick: 0.6 if 20 < tick < 40 else 0.005, lambda tick: 0.1)
    assert said.verdict is Verdict.WATCHING


@pytest.mark.parametrize(("segment", "verdict"), [("plan", Verdict.WATCHING), ("", Verdict.ROLL_BACK)])
def test_another_mix_of_traffic_is_compared_segment_by_segment(segment: str, verdict: Verdict) -> None:
    """Errors depend on the customer's plan only, and the candidate gets most of the bad one."""
    service, state = Service(3), begin_watch(START)
    said = None
    for tick in range(TICKS):
        for arm, free in ((Arm.BASELINE, 50), (Arm.CANDIDATE, 300)):
            service.serve(arm, f"{arm}-1", free, 0.08, "free" if segment else "")
            service.serve(arm, f"{arm}-1", 350 - free, 0.01, "paid" if segment else "")
        state, said = assess(PLAN, state, service.read(tick * EVERY), Health(), at(tick * EVERY))
        if said.verdict is Verdict.ROLL_BACK:
            break
    assert said is not None
    assert said.verdict is verdict


def cold(tick: int) -> float:
    return 3.0 if tick < 10 else 1.0


@pytest.mark.parametrize(("warmup", "verdict"), [(60.0, Verdict.WATCHING), (0.0, Verdict.ROLL_BACK)])
def test_a_cold_start_is_left_out_as_warm_up(warmup: float, verdict: Verdict) -> None:
    service, state = Service(4), begin_watch(START)
    plan = WatchPlan(PLAN.metrics, warmup_seconds=warmup)
    for tick in range(TICKS):
        service.serve(Arm.BASELINE, "b", 400, 0.02)
        service.serve(Arm.CANDIDATE, "c", 400, 0.02 * cold(tick))
        state, said = assess(plan, state, service.read(tick * EVERY), Health(), at(tick * EVERY))
        if said.verdict is Verdict.ROLL_BACK:
            break
    assert said.verdict is verdict


def test_a_cold_start_beside_a_fresh_baseline_is_the_same_on_both() -> None:
    said, _ = run(5, lambda tick: 0.02 * cold(tick))
    assert said.verdict is Verdict.WATCHING


def resets(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    if tick % 15 == 7:
        service.restart("candidate-1")
    return read


def skewed(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    """The candidate's clock is an hour ahead, the baseline's behind, and start times jitter."""
    ahead = {Arm.BASELINE: -3600.0, Arm.CANDIDATE: 3600.0}
    jitter = 0.4 * (tick % 2)
    return [ratio(r.arm, tick * EVERY, r.value, r.exposure, r.instance,
                  started=START.timestamp() + ahead[r.arm] + jitter) for r in read]  # fmt: skip


def missing(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    """Every third scrape of one instance fails, every seventh of the whole candidate."""
    kept = [r for r in read if not (tick % 3 == 1 and r.instance == "baseline-2")]
    return [r for r in kept if not (tick % 7 == 3 and r.arm is Arm.CANDIDATE)]


def not_numbers(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    if tick % 4:
        return read
    return [ratio(r.arm, tick * EVERY, math.nan, r.exposure, r.instance)
            if r.instance == "candidate-2" else r for r in read]  # fmt: skip


def replaced(tick: int, read: list[Reading], service: Service) -> list[Reading]:
    """An instance goes in mid-watch, and another one comes with a count that it brought along."""
    if tick == 20:
        service.counts[Arm.CANDIDATE, "candidate-3", ""] = np.array([900.0, 1000.0])
    return [r for r in read if not (tick >= 20 and r.instance == "candidate-1")]


SPOILT = [resets, skewed, missing, not_numbers, replaced]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("times", "verdict"), [(1.0, Verdict.WATCHING), (3.0, Verdict.ROLL_BACK)])
def test_spoilt_readings_neither_make_harm_nor_hide_it(spoil: Spoil, times: float, verdict: Verdict) -> None:
    said, state = run(6, times=times, spoil=spoil)
    assert said.verdict is verdict
    assert all(math.isfinite(e) for e in state.metric("5xx").evidence)


def test_clocks_of_instances_do_not_enter_any_number() -> None:
    assert run(7, spoil=skewed)[1].metric("5xx").evidence == run(7)[1].metric("5xx").evidence


def gone(arms: tuple[Arm, ...]) -> Spoil:
    return lambda tick, read, service: [r for r in read if not (tick > 30 and r.arm in arms)]


@pytest.mark.parametrize(
    ("spoil", "cause", "said"),
    [
        (lambda tick, read, service: [], Cause.NO_DATA, "no readings from either arm"),
        (gone((Arm.CANDIDATE,)), Cause.CANDIDATE_SILENT, "the candidate stopped reporting"),
        (gone(tuple(Arm)), Cause.NO_DATA, "no readings from either arm for"),
    ],
    ids=["no data", "the candidate stops", "the metric disappears"],
)
def test_what_is_not_there_is_told_apart_and_never_promotes(spoil: Spoil, cause: Cause, said: str) -> None:
    _, state = run(8, spoil=spoil)
    end = conclude(PLAN, state, at(TICKS * EVERY))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, cause)
    assert said in end.reason


def test_too_little_data_is_a_third_thing() -> None:
    plan = WatchPlan(PLAN.metrics, min_requests=10**6)
    end = conclude(plan, run(9, plan=plan)[1], at(TICKS * EVERY))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.TOO_LITTLE_DATA)
    assert "of the 1000000 requests needed" in end.reason
