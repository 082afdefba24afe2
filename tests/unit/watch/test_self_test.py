"""The baseline against itself: what is refused while its halves differ, and what is learnt from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import pytest

from amends.verdicts import Decision
from amends.watch.assess import assess, conclude
from amends.watch.assessment import Assessment, Cause, Health, Verdict
from amends.watch.deltas import split
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import Limit, MetricSpec, WatchPlan
from amends.watch.state import WatchState, begin_watch
from tests.unit.watch.watch_feed import BOUNDS, START, at, ratio

ERRORS = MetricSpec("5xx", events="e", total="t")
PLAN = WatchPlan((ERRORS,))
PODS = ("a", "b", "c", "d")


@dataclass
class Fleet:
    """Instances that each serve 200 requests every ten seconds, at an error rate of their own."""

    plan: WatchPlan = PLAN
    seed: int = 1
    former: WatchState | None = None
    totals: dict[tuple[Arm, str], np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.state = begin_watch(START, self.former)

    def look(self, baseline: dict[str, float], candidate: dict[str, float]) -> Assessment:
        """Serve ten seconds and look."""
        readings = []
        sides = ((Arm.BASELINE, baseline), (Arm.CANDIDATE, candidate))
        for arm, name, rate in ((arm, *pod) for arm, pods in sides for pod in pods.items()):
            total = self.totals.setdefault((arm, name), np.zeros(2))
            if self.seconds:
                total += (self.rng.binomial(200, rate), 200)
            readings.append(ratio(arm, self.seconds, *map(float, total), instance=name))
        self.state, said = assess(self.plan, self.state, readings, Health(True, True), at(self.seconds))
        self.seconds += 10
        return said

    def run(self, ticks: int, baseline: dict[str, float], candidate: dict[str, float]) -> Assessment:
        for _ in range(ticks):
            said = self.look(baseline, candidate)
            if said.verdict is Verdict.ROLL_BACK or said.refused:
                break
        return said


def uneven() -> dict[str, float]:
    """A baseline one half of which is much worse than the other."""
    return {pod: 0.25 if pod in split(frozenset(PODS)) else 0.01 for pod in PODS}


ALIKE = dict.fromkeys(PODS, 0.01)
WORSE = {"new-1": 0.3, "new-2": 0.3}


def test_a_rollback_is_refused_while_the_baseline_differs_from_itself() -> None:
    said = Fleet(WatchPlan((replace(ERRORS, dispersion=1.0),))).run(30, uneven(), WORSE)
    assert (said.verdict, said.cause, said.refused) == (Verdict.WATCHING, Cause.SELF_TEST_FAILED, True)
    assert said.log_evidence >= said.log_threshold
    assert "refused" in said.reason
    assert "two halves differ beyond chance" in said.reason
    assert "limits and a dead candidate still roll back" in said.problems[-1]
    assert said.metrics[0].decision is Decision.UNDECIDED


def test_a_refused_rollback_ends_inconclusive() -> None:
    fleet = Fleet(WatchPlan((replace(ERRORS, dispersion=1.0),)))
    fleet.run(30, uneven(), WORSE)
    said = conclude(fleet.plan, fleet.state, at(fleet.seconds), Health(True, True))
    assert (said.verdict, said.refused) == (Verdict.INCONCLUSIVE, True)


def test_a_baseline_that_differs_from_itself_promotes_nothing() -> None:
    """The candidate is as good as the better half: nothing would be held against it."""
    fleet = Fleet(WatchPlan((replace(ERRORS, dispersion=1.0),)))
    fleet.run(60, uneven(), {"new-1": 0.01, "new-2": 0.01})
    said = conclude(fleet.plan, fleet.state, at(fleet.seconds), Health(True, True))
    assert (said.verdict, said.cause) == (Verdict.INCONCLUSIVE, Cause.SELF_TEST_FAILED)


def test_limits_and_a_dead_candidate_still_roll_back() -> None:
    plan = WatchPlan((replace(ERRORS, dispersion=1.0, limit=Limit(above=0.2)),))
    assert Fleet(plan).run(30, uneven(), WORSE).cause is Cause.LIMIT_BROKEN
    fleet = Fleet(WatchPlan((replace(ERRORS, dispersion=1.0),)))
    fleet.run(30, uneven(), WORSE)
    _, said = assess(fleet.plan, fleet.state, (), Health(True, False), at(fleet.seconds))
    assert (said.verdict, said.cause) == (Verdict.ROLL_BACK, Cause.CANDIDATE_DEAD)


def test_another_metric_whose_baseline_is_alike_still_rolls_back() -> None:
    plan = WatchPlan((replace(ERRORS, dispersion=1.0), replace(ERRORS, name="timeouts", dispersion=1.0)))
    fleet = Fleet(plan)
    calm = np.random.default_rng(5)
    counts = {(arm, pod): 0.0 for arm, pods in ((Arm.BASELINE, PODS), (Arm.CANDIDATE, WORSE)) for pod in pods}
    for tick in range(30):
        readings = []
        for (arm, pod), seen in counts.items():
            rate = uneven().get(pod, 0.01)
            bad = 0.01 if arm is Arm.BASELINE else 0.2
            total = fleet.totals.setdefault((arm, pod), np.zeros(1))
            if tick:
                total += calm.binomial(200, rate)
                seen += calm.binomial(200, bad)
            counts[arm, pod] = seen
            readings.append(ratio(arm, 10 * tick, float(total[0]), 200.0 * tick, instance=pod))
            readings.append(replace(readings[-1], metric="timeouts", value=seen))
        fleet.state, said = assess(plan, fleet.state, readings, Health(True, True), at(10 * tick))
        if said.verdict is Verdict.ROLL_BACK:
            break
    assert (said.cause, said.moved) == (Cause.PROVEN_WORSE, ("timeouts",))


def test_a_harmful_release_beside_an_even_baseline_rolls_back_exactly() -> None:
    said = Fleet().run(30, ALIKE, {"new-1": 0.1, "new-2": 0.1})
    assert (said.verdict, said.guarantee) == (Verdict.ROLL_BACK, "exact")
    trust = said.metrics[0].trust
    assert (trust.self_test, trust.dispersion) == ("passed", 1.0)
    assert trust.sentence.startswith("exact for independent requests; baseline against itself: ")


def test_a_single_instance_is_not_tested_and_says_so() -> None:
    trust = Fleet().run(5, {"a": 0.01}, {"new-1": 0.01}).metrics[0].trust
    assert (trust.self_test, trust.reason) == ("not tested", "the baseline has one instance")


def test_what_has_no_history_cannot_roll_back_if_the_policy_wants_an_estimate() -> None:
    plan = WatchPlan((replace(ERRORS, dispersion="estimated"),))
    said = Fleet(plan).run(30, {"a": 0.01}, {"new-1": 0.5})
    assert (said.verdict, said.guarantee) == (Verdict.WATCHING, "approximate")
    assert said.log_evidence == pytest.approx(0.0, abs=1e-9)
    assert "no history" in said.metrics[0].trust.sentence


def wandering(fleet: Fleet, ticks: int) -> Assessment:
    level = np.zeros(4)
    for _ in range(ticks):
        level = 0.9 * level + fleet.rng.normal(0, 0.25, 4)
        rates = dict(zip(PODS, 0.05 * np.exp(level), strict=True))
        said = fleet.look(rates, {"new-1": 0.05, "new-2": 0.05})
    return said


def test_a_later_watch_begins_with_what_former_ones_learnt() -> None:
    first = Fleet(seed=3)
    wandering(first, 300)
    ahead = Fleet(seed=4, former=first.state)
    assert ahead.state.metric("5xx").ticks == 0
    said = wandering(ahead, 3)
    assert said.guarantee == "approximate"
    assert said.metrics[0].trust.dispersion > 3
    assert "for overdispersion)" in said.metrics[0].reason
    assert wandering(Fleet(seed=4), 3).guarantee == "exact"


def test_a_stored_state_goes_on_with_the_same_numbers() -> None:
    whole, halved = Fleet(seed=6), Fleet(seed=6)
    wandering(whole, 20)
    wandering(halved, 20)
    stored = msgspec.json.encode(halved.state.to_data())
    halved.state = WatchState.from_data(msgspec.json.decode(stored))
    assert wandering(whole, 20) == wandering(halved, 20)
    assert whole.state == halved.state


def latency(arm: Arm, pod: str, tick: int, counts: np.ndarray) -> Reading:
    total = float(counts[-1])
    buckets = tuple(zip(BOUNDS, map(float, counts[:-1]), strict=True))
    return Reading(arm, pod, "latency", MetricKind.LATENCY, at(10 * tick), 0.0, total, buckets)


def test_latencies_of_slow_and_fast_instances_are_refused_too() -> None:
    plan = WatchPlan((MetricSpec("latency", MetricKind.LATENCY, histogram="h", dispersion=1.0),))
    rng, state = np.random.default_rng(7), begin_watch(START)
    totals = {pod: np.zeros(len(BOUNDS) + 1) for pod in (*PODS, "new")}
    for tick in range(20):
        readings = []
        for pod, total in totals.items():
            slow = 3.0 if pod in split(frozenset(PODS)) or pod == "new" else 1.0
            took = rng.lognormal(np.log(0.1 * slow), 0.6, 100)
            total += [*((took <= b).sum() for b in BOUNDS), 100]
            readings.append(latency(Arm.CANDIDATE if pod == "new" else Arm.BASELINE, pod, tick, total))
        state, said = assess(plan, state, readings, Health(True, True), at(10 * tick))
    assert said.refused
    assert len(state.metric("latency").noise) == 5


@pytest.mark.parametrize(
    "names", [("a", "b"), ("web-1", "web-2", "web-3"), tuple(f"pod-{i}" for i in range(9))]
)
def test_both_halves_have_an_instance_and_none_changes_sides(names: tuple[str, ...]) -> None:
    second = split(frozenset(names))
    assert 0 < len(second) < len(names)
    assert split(frozenset(reversed(names))) == second
    if len(names) > 3:
        assert split(frozenset(names[:-1])) == second - {names[-1]}
    assert split(frozenset(names[:1])) == frozenset()


def test_an_instance_that_starts_during_the_watch_is_judged_once_it_is_warm() -> None:
    """Cold for a minute, the new instance fails a third of its requests; then it is as good as the others."""
    outcomes = {}
    for warmup in (0.0, 60.0):
        fleet = Fleet(replace(PLAN, warmup_seconds=warmup))
        for tick in range(40):
            late = {"late": 0.3 if tick < 16 else 0.01} if tick > 9 else {}
            said = fleet.look(ALIKE, {"new-1": 0.01, **late})
            if said.verdict is Verdict.ROLL_BACK:
                break
        outcomes[warmup] = said.verdict
    assert outcomes == {0.0: Verdict.ROLL_BACK, 60.0: Verdict.WATCHING}
