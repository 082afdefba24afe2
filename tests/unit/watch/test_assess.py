"""What a watch says of a candidate that is worse, well, dead, silent or hardly used."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from amends.verdicts import Decision
from amends.watch.assess import assess, conclude
from amends.watch.assessment import Cause, Health, Verdict
from amends.watch.measurements import Arm, MetricKind
from amends.watch.plan import Direction, Limit, MetricSpec, WatchPlan
from amends.watch.state import WatchState, begin_step, begin_watch
from tests.unit.watch.watch_feed import START, Feed, at, latency, ratio

ERRORS = MetricSpec("5xx", events="e", total="t")
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram="h")
PLAN = WatchPlan((ERRORS, LATENCY))
ALIVE = Health(True, True)


def test_more_errors_are_rolled_back_with_the_reason_in_a_sentence() -> None:
    said = Feed(PLAN).run(60, candidate=0.03)
    assert (said.verdict, said.cause, said.moved) == (Verdict.ROLL_BACK, Cause.PROVEN_WORSE, ("5xx",))
    assert said.log_evidence >= said.log_threshold
    row = said.metrics[0]
    assert row.decision is Decision.BLOCK
    assert row.effect.lower is not None
    assert row.effect.lower > 1
    assert said.reason.startswith("5xx: ")
    assert "at least ×" in said.reason
    assert "with 99% confidence, after" in said.reason
    assert said.metrics[1].decision is not Decision.BLOCK


def test_slower_requests_are_rolled_back() -> None:
    said = Feed(PLAN).run(60, candidate=0.004, slower=1.4)
    assert (said.cause, said.moved) == (Cause.PROVEN_WORSE, ("latency",))
    assert "slower in" in said.reason


def test_few_but_much_slower_requests_are_found_by_the_tail() -> None:
    feed = Feed(PLAN)
    feed.look()
    for _ in range(60):
        feed.seconds += 5
        feed.serve(Arm.BASELINE, 100, 0.004)
        feed.serve(Arm.CANDIDATE, 97, 0.004)
        feed.serve(Arm.CANDIDATE, 3, 0.004, median=1.5)
        said = feed.look()
        if said.verdict is Verdict.ROLL_BACK:
            break
    assert said.moved == ("latency",)


def test_proven_but_too_small_to_matter_goes_on() -> None:
    heavy = {"candidate": 0.004, "requests": 8000, "slower": 1.03}
    strict = Feed(WatchPlan((replace(LATENCY, smallest_effect=1.0),))).run(40, **heavy)
    easy = Feed(WatchPlan((replace(LATENCY, smallest_effect=1.5),))).run(40, **heavy)
    assert strict.verdict is Verdict.ROLL_BACK
    assert easy.verdict is Verdict.WATCHING


def test_alike_is_promoted_at_the_end_only() -> None:
    feed = Feed(PLAN)
    said = feed.run(60, candidate=0.004)
    assert said.verdict is Verdict.WATCHING
    end = conclude(PLAN, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.PROMOTE, Cause.WITHIN_MARGIN)
    assert {r.decision for r in end.metrics} == {Decision.PASS}


def test_no_errors_at_all_can_be_promoted() -> None:
    feed = Feed(WatchPlan((ERRORS,)))
    feed.run(20, candidate=0.0, baseline=0.0)
    assert conclude(feed.plan, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE


def test_better_is_promoted_and_worse_the_other_way_is_not() -> None:
    """Where lower is worse (sign-ups), the same numbers mean the opposite."""
    sign_ups = replace(ERRORS, direction=Direction.LOWER, negligible=0.0)
    worse = Feed(WatchPlan((sign_ups,))).run(60, candidate=0.05, baseline=0.15)
    assert worse.verdict is Verdict.ROLL_BACK
    assert "at most ×0." in worse.reason
    feed = Feed(WatchPlan((sign_ups,)))
    assert feed.run(30, candidate=0.15, baseline=0.05).verdict is Verdict.WATCHING
    assert conclude(feed.plan, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE


@pytest.mark.parametrize(("ticks", "cause"), [(0, Cause.TOO_LITTLE_DATA), (1, Cause.TOO_LITTLE_DATA)])
def test_too_little_is_inconclusive(ticks: int, cause: Cause) -> None:
    feed = Feed(WatchPlan((ERRORS,), min_requests=500))
    feed.run(ticks, candidate=0.0)
    end = conclude(feed.plan, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, cause)


def test_each_step_shows_its_own_margin_while_the_evidence_goes_on() -> None:
    feed = Feed(WatchPlan((ERRORS,)))
    feed.run(20, candidate=0.0, baseline=0.0)
    assert conclude(feed.plan, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE
    before = feed.state.metric("5xx")
    feed.state = begin_step(feed.state)
    assert feed.state.metric("5xx").evidence == before.evidence
    end = conclude(feed.plan, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.TOO_LITTLE_DATA)
    assert "0 of the 100 requests needed in this step" in end.reason
    feed.run(1, candidate=0.0, baseline=0.0)
    end = conclude(feed.plan, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.MARGIN_NOT_SHOWN)
    assert "after 5 s and 200 requests in this step: not yet shown" in end.reason
    feed.run(10, candidate=0.0, baseline=0.0)
    assert conclude(feed.plan, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE


def in_steps(plan: WatchPlan, *steps: tuple[int, tuple[float, float], tuple[float, float]]):
    """Serve each step's (ticks, baseline's events and requests per tick, candidate's); the last looks."""
    counts = {arm: np.zeros(2) for arm in Arm}
    state, seconds, said = begin_watch(START), 0, None
    for k, (ticks, theirs, ours) in enumerate(steps):
        state = begin_step(state) if k else state
        for tick in range(ticks + (not k)):
            readings = [ratio(arm, seconds, *map(float, counts[arm])) for arm in Arm]
            state, said = assess(plan, state, readings, ALIVE, at(seconds))
            if said.verdict is Verdict.ROLL_BACK:
                return state, said, (k + 1, tick)
            counts[Arm.BASELINE] += theirs
            counts[Arm.CANDIDATE] += ours
            seconds += 10
        readings = [ratio(arm, seconds, *map(float, counts[arm])) for arm in Arm]
        state, said = assess(plan, state, readings, ALIVE, at(seconds))
    return state, said, (0, 0)


@pytest.mark.parametrize("first", [(90, 900, 10, 100), (0, 900, 0, 100), (450, 900, 50, 100)])
def test_harm_in_a_later_step_is_found_whatever_an_earlier_one_saw(first: tuple[float, ...]) -> None:
    """20 times the errors (2% against 0.1%) after an outage that both arms shared, or after none."""
    quiet, harm = (20, first[:2], first[2:]), (6, (0.5, 500), (10, 500))
    _, said, (step, look) = in_steps(WatchPlan((ERRORS,)), quiet, harm)
    assert (step, said.cause) == (2, Cause.PROVEN_WORSE)
    assert look <= 3
    assert said.reason.startswith("5xx: 2% against 0.1%, at least ×")
    assert said.reason.endswith("requests in this step")


def test_an_outage_in_an_earlier_step_shows_no_margin_in_this_one() -> None:
    """Too few requests in step 2 to prove harm or health: step 1's thousands of errors are no answer."""
    plan = WatchPlan((ERRORS,))
    state, said, _ = in_steps(plan, (20, (90, 900), (10, 100)), (1, (0, 150), (3, 150)))
    assert said.verdict is Verdict.WATCHING
    end = conclude(plan, state, at(999))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.MARGIN_NOT_SHOWN)
    assert end.metrics[0].effect.upper is None or end.metrics[0].effect.upper > ERRORS.margin


def test_harm_that_each_step_shows_a_little_is_proven_over_all_of_them() -> None:
    steps = [(2, (4, 1000), (11, 1000))] * 4
    _, said, (step, _) = in_steps(WatchPlan((ERRORS,)), *steps)
    assert step > 1
    assert said.reason.endswith("requests in all steps")


@pytest.mark.parametrize(("more", "verdict"), [(0.0, Verdict.PROMOTE), (0.04, Verdict.INCONCLUSIVE)])
def test_a_split_that_changes_with_the_rate_is_no_difference_and_hides_none(
    more: float, verdict: Verdict
) -> None:
    """Pooled, the arms differ by 7 points in the first case and hardly in the second (Simpson)."""
    plan = WatchPlan((replace(ERRORS, margin=1.001, negligible=0.03, smallest_effect=20.0),), alpha=0.1)
    busy, calm = (2700, 300) if more else (300, 2700), (300, 2700) if more else (2700, 300)
    counts = {arm: np.zeros(2) for arm in Arm}
    state = begin_watch(START)
    for look in range(21):
        readings = [ratio(arm, look, *map(float, counts[arm])) for arm in Arm]
        state, _ = assess(plan, state, readings, ALIVE, at(look))
        rate, split = (0.1, busy) if look % 2 else (0.01, calm)
        for arm, n, worse in zip((Arm.BASELINE, Arm.CANDIDATE), split, (0.0, more), strict=True):
            counts[arm] += (n * (rate + worse), n)
    assert conclude(plan, state, at(30)).verdict is verdict


def test_a_state_from_before_there_were_steps_goes_on() -> None:
    feed = Feed(PLAN)
    feed.run(20, candidate=0.004)
    data = feed.state.to_data()
    for metric in data["metrics"]:
        del metric["step"]
        metric["step_from"] = [0.0, 0.0]
    state = WatchState.from_data(data)
    assert replace(state.metric("5xx"), step=feed.state.metric("5xx").step) == feed.state.metric("5xx")
    end = conclude(PLAN, state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.TOO_LITTLE_DATA)
    feed.state = state
    feed.run(60, candidate=0.004)
    assert conclude(PLAN, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE


def test_traffic_without_a_counterpart_says_nothing_of_an_effect() -> None:
    """A region that only the candidate serves fails; where both serve, they are alike."""
    plan = WatchPlan((replace(ERRORS, segment="region"),))
    state = begin_watch(START)
    for k in range(6):
        readings = [ratio(a, 5 * k, 10.0 * k, 1000.0 * k, segment="eu") for a in Arm]
        readings.append(ratio(Arm.CANDIDATE, 5 * k, 400.0 * k, 500.0 * k, segment="us"))
        state, said = assess(plan, state, readings, ALIVE, at(5 * k))
    assert said.verdict is Verdict.WATCHING
    assert said.metrics[0].effect.estimate == pytest.approx(1)
    assert said.metrics[0].candidate.rate == pytest.approx(0.01)


def test_enough_requests_but_a_wide_interval_is_inconclusive() -> None:
    feed = Feed(WatchPlan((replace(ERRORS, negligible=0.0),)))
    feed.run(3, candidate=0.05, baseline=0.05)
    end = conclude(feed.plan, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.MARGIN_NOT_SHOWN)
    assert "not yet shown to stay within ×2" in end.reason


def test_a_policy_without_metrics_shows_nothing() -> None:
    end = conclude(WatchPlan(), begin_watch(START), at(60))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.NO_METRICS)


def test_no_data_little_data_and_a_silent_candidate_are_three_things() -> None:
    none = Feed(WatchPlan((ERRORS,)))
    none.state, said = assess(none.plan, none.state, [], ALIVE, at(5))
    assert (said.verdict, said.cause) == (Verdict.WATCHING, Cause.NO_DATA)
    feed = Feed(WatchPlan((ERRORS,)))
    feed.run(20, candidate=0.0, baseline=0.0)
    feed.seconds += 5
    feed.serve(Arm.BASELINE, 100, 0.0)
    silent = feed.look(Arm.BASELINE)
    assert (silent.verdict, silent.cause) == (Verdict.WATCHING, Cause.CANDIDATE_SILENT)
    assert "stopped reporting 5 s ago while the baseline reports" in silent.reason
    end = conclude(feed.plan, feed.state, at(feed.seconds))
    assert (end.verdict, end.cause) == (Verdict.INCONCLUSIVE, Cause.CANDIDATE_SILENT)
    feed.seconds += 5
    assert feed.look(Arm.CANDIDATE).cause is Cause.BASELINE_SILENT


def test_metrics_that_vanish_on_both_sides_promote_nothing() -> None:
    feed = Feed(WatchPlan((ERRORS,)))
    feed.run(20, candidate=0.0, baseline=0.0)
    feed.state, said = assess(feed.plan, feed.state, [], ALIVE, at(feed.seconds + 5), ["no answer"])
    assert said.problems == ("no answer",)
    assert conclude(feed.plan, feed.state, at(feed.seconds + 5)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("health", "verdict"),
    [
        (Health(True, False, "exit code 137"), Verdict.ROLL_BACK),
        (Health(False, False), Verdict.WATCHING),
        (Health(None, False), Verdict.WATCHING),
        (Health(True, None), Verdict.WATCHING),
        (Health(False, True), Verdict.WATCHING),
    ],
)
def test_a_dead_candidate_beside_a_living_baseline(health: Health, verdict: Verdict) -> None:
    feed = Feed(replace(PLAN, warmup_seconds=60))
    said = feed.look(health=health)
    assert said.verdict is verdict
    if verdict is Verdict.ROLL_BACK:
        assert said.reason == "the candidate is dead (exit code 137) while its baseline answers"


def test_a_limit_holds_during_warm_up_and_whatever_the_baseline_does() -> None:
    limited = replace(ERRORS, limit=Limit(above=0.2, min_requests=200))
    feed = Feed(WatchPlan((limited,), warmup_seconds=600))
    feed.look()
    for part in range(2):
        feed.seconds += 5
        feed.serve(Arm.BASELINE, 120, 0.5)
        feed.serve(Arm.CANDIDATE, 120, 0.5)
        said = feed.look()
        assert (said.cause is Cause.LIMIT_BROKEN) is (part == 1)  # 120 requests are too few to say
    assert "over 240 requests; the team's limit is at most 0.2" in said.reason
    assert said.metrics[0].decision is Decision.BLOCK


def test_a_limit_needs_no_baseline_and_looks_at_recent_requests() -> None:
    limited = replace(ERRORS, limit=Limit(above=0.2, min_requests=200))
    feed = Feed(WatchPlan((limited,)))
    feed.look()
    feed.seconds += 5
    feed.serve(Arm.CANDIDATE, 5000, 0.0)
    assert feed.look().verdict is Verdict.WATCHING
    feed.seconds += 5
    feed.serve(Arm.CANDIDATE, 250, 0.4)  # 2% of all, 40% of the recent ones
    assert feed.look(Arm.CANDIDATE).cause is Cause.LIMIT_BROKEN


def test_a_limit_on_latency() -> None:
    limited = replace(LATENCY, limit=Limit(above=0.5, quantile=0.9, min_requests=100))
    plan = WatchPlan((limited,))
    for slow, verdict in ((5, Verdict.WATCHING), (40, Verdict.ROLL_BACK)):
        state, _ = assess(plan, begin_watch(START), [latency(Arm.CANDIDATE, 0, [0.0] * 9)], ALIVE, at(0))
        fast = 200.0 - slow
        counts = [0, 0, 0, 0, fast, fast, 200.0, 200.0, 200.0]
        _, said = assess(plan, state, [latency(Arm.CANDIDATE, 5, counts)], ALIVE, at(5))
        assert said.verdict is verdict


def test_warm_up_is_not_compared() -> None:
    feed = Feed(WatchPlan((ERRORS,), warmup_seconds=100))
    said = feed.run(15, candidate=0.3)
    assert (said.verdict, said.cause) == (Verdict.WATCHING, Cause.WARMING_UP)
    assert said.log_evidence == 0
    assert feed.run(15, candidate=0.3).verdict is Verdict.ROLL_BACK


def test_a_few_events_are_not_enough() -> None:
    """Three errors with a hundredth of the traffic are strong evidence, but the policy wants four."""
    found = []
    for least in (3, 4):
        plan = WatchPlan((ERRORS,), min_events=least)
        readings = [ratio(Arm.BASELINE, 0, 0, 0), ratio(Arm.CANDIDATE, 0, 0, 0)]
        state, _ = assess(plan, begin_watch(START), readings, ALIVE, at(0))
        readings = [ratio(Arm.BASELINE, 5, 0, 9900), ratio(Arm.CANDIDATE, 5, 3, 100)]
        found.append(assess(plan, state, readings, ALIVE, at(5))[1].verdict)
    assert found == [Verdict.ROLL_BACK, Verdict.WATCHING]


def test_one_bad_metric_among_many_still_rolls_back() -> None:
    others = tuple(replace(ERRORS, name=f"other {i}") for i in range(9))
    feed = Feed(WatchPlan((ERRORS, *others)))
    said = feed.run(60, candidate=0.03)
    assert said.moved == ("5xx",)


def test_a_restart_continues_the_same_evidence() -> None:
    """The state goes through JSON at every look and between steps; every number stays what it was without."""
    plain, resumed = Feed(PLAN), Feed(PLAN)
    for feed in (plain, resumed):
        for tick in range(12):
            if tick in (4, 8):
                feed.state = begin_step(feed.state)
            if feed is resumed:
                data = msgspec.json.encode(feed.state.to_data())
                feed.state = WatchState.from_data(msgspec.json.decode(data))
            feed.seconds += 5
            feed.serve(Arm.BASELINE, 100, 0.004)
            feed.serve(Arm.CANDIDATE, 100, 0.01)
            feed.look()
    assert resumed.looks == plain.looks
    assert resumed.state == plain.state
    assert plain.state.metric("latency").step.number == 3


def test_an_assessment_is_plain_json() -> None:
    said = Feed(PLAN).run(3, candidate=0.02)
    data = msgspec.json.decode(msgspec.json.encode(said))
    assert data["metrics"][0]["log_evidence"] == said.metrics[0].log_evidence
    assert data["verdict"] == said.verdict


def test_buckets_that_change_in_mid_watch_keep_the_evidence() -> None:
    """A release with other buckets takes over from the third tick; the shared bounds carry on."""
    feed = Feed(WatchPlan((LATENCY,)))
    feed.run(3, candidate=0.0, slower=1.3)
    before = feed.state.metric("latency").rank[1]
    coarse = (0.05, 0.1, 0.25, 0.5)
    for k, seconds in enumerate((20, 25)):
        readings = [
            latency(a, seconds, [10.0 * k, 50.0 * k, 90.0 * k, 100.0 * k, 100.0 * k], coarse) for a in Arm
        ]
        feed.state, _ = assess(feed.plan, feed.state, readings, ALIVE, at(seconds))
    after = feed.state.metric("latency")
    assert after.bounds == coarse
    assert after.rank[1] > before
    assert sum(after.baseline.counts) == after.baseline.exposure


def test_a_gauge_is_held_to_its_limit_and_never_compared() -> None:
    memory = MetricSpec("memory", MetricKind.GAUGE, events="rss", limit=Limit(above=500, min_requests=3))
    plan = WatchPlan((memory,))
    state = begin_watch(START)
    for k in range(5):
        readings = [
            replace(ratio(a, 5 * k, level, None), metric="memory", kind=MetricKind.GAUGE)
            for a, level in ((Arm.BASELINE, 300.0), (Arm.CANDIDATE, 900.0))
        ]
        state, said = assess(plan, state, readings, ALIVE, at(5 * k))
        if said.verdict is Verdict.ROLL_BACK:
            break
    assert (k, said.cause) == (3, Cause.LIMIT_BROKEN)
    assert conclude(plan, state, at(30)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("seed", range(6))
def test_a_ramp_while_both_get_worse_is_no_harm(seed: int) -> None:
    """Traffic moves to the candidate while a shared dependency makes errors and latency rise tenfold."""
    feed = Feed(PLAN, seed=seed)
    feed.look()
    for tick in range(40):
        part = tick / 40
        feed.seconds += 5
        ours = round(400 * (0.05 + 0.9 * part))
        for arm, requests in ((Arm.CANDIDATE, ours), (Arm.BASELINE, 400 - ours)):
            feed.serve(arm, requests, 0.01 + 0.1 * part, 0.05 + 0.5 * part)
        assert feed.look().verdict is Verdict.WATCHING


def test_what_does_not_answer_is_not_concluded_to_be_well() -> None:
    feed = Feed(PLAN)
    feed.run(400, candidate=0.004, requests=4000)
    assert conclude(PLAN, feed.state, at(feed.seconds)).verdict is Verdict.PROMOTE
    said = conclude(PLAN, feed.state, at(feed.seconds), Health(candidate_alive=False))
    assert (said.verdict, said.cause) == (Verdict.INCONCLUSIVE, Cause.CANDIDATE_DEAD)
