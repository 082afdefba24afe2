"""What a rollout can find, before it begins."""

from __future__ import annotations

import pytest

from amends.watch.forecast import Traffic, forecast_watch
from amends.watch.foretold import PlannedStep, forecast_lines
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, Mode, WatchPlan

ERRORS = MetricSpec("5xx", events="e", total="t")
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram="h")
STEPS = [PlannedStep(10, 600), PlannedStep(50, 600)]


def told(traffic: Traffic, *specs: MetricSpec, steps=STEPS, **plan):
    return forecast_watch(WatchPlan(specs or (ERRORS,), **plan), steps, [traffic])


def test_what_is_not_found_in_time_is_said_in_a_sentence() -> None:
    found = told(Traffic("5xx", 10, 0.005))
    row = found.metrics[0]
    by_effect = {e.effect: e for e in row.effects}
    assert by_effect["×1.5"].step == by_effect["×2"].step == 0
    assert by_effect["×5"].step == 1
    assert "the rollout compares for 20 min: they will most likely not be found" in row.sentence
    first, both = row.by_step
    assert first is not None
    assert both is not None
    assert 2 < both < first < 5
    assert any("5xx" in line and "none" in line for line in forecast_lines(found))


def test_twenty_metrics_need_longer_than_one_and_dispersion_longer_still() -> None:
    def needed(*specs: MetricSpec) -> float:
        found = told(Traffic("5xx", 10, 0.005), *specs).metrics[0].effects[1].seconds
        assert found is not None
        return found

    more = [MetricSpec(f"m{i}", events="e", total="t") for i in range(19)]
    alone = needed(ERRORS)
    assert alone < needed(ERRORS, *more) < needed(MetricSpec("5xx", events="e", total="t", dispersion=3.0))


def test_what_the_last_watch_had_to_divide_by_lengthens_the_forecast_as_a_stated_number_does() -> None:
    estimated = told(Traffic("5xx", 10, 0.005, divided=3.0)).metrics[0].effects
    stated = told(Traffic("5xx", 10, 0.005), MetricSpec("5xx", events="e", total="t", dispersion=3.0))
    assert estimated == stated.metrics[0].effects


def test_warm_up_and_steps_with_one_version_alone_compare_nothing() -> None:
    steps = [PlannedStep(0, 300), PlannedStep(10, 600), PlannedStep(100, 900)]
    found = told(Traffic("5xx", 10, 0.005), steps=steps, warmup_seconds=420)
    assert found.seconds == 480
    assert "nothing is compared" in told(Traffic("5xx", 10, 0.005), steps=steps[::2]).remark


@pytest.mark.parametrize(
    ("traffic", "said"),
    [
        (Traffic("another", 10, 0.1), "its traffic is not known"),
        (Traffic("5xx", 10, 0.0), "a multiple of nothing is nothing"),
        (Traffic("5xx", 10, None), "is not known"),
        (Traffic("5xx", 0, 0.1), "no traffic"),
    ],
)
def test_what_is_not_known_is_not_made_up(traffic: Traffic, said: str) -> None:
    row = told(traffic).metrics[0]
    assert said in row.unknown
    assert row.effects == ()


def test_fewer_is_worse_where_the_policy_says_so() -> None:
    lower = MetricSpec("orders", MetricKind.COUNT, events="e", total="t", direction=Direction.LOWER)
    row = told(Traffic("orders", 50, 0.3), lower).metrics[0]
    assert row.effects[-1].step == 1


def test_a_slow_tail_is_read_from_the_histogram() -> None:
    """Requests of 10 ms that take five times as long never pass 100 ms: only ranks could see that."""
    quick = Traffic("latency", 20, bounds=(0.01, 0.1, 1.0), counts=(980.0, 10.0, 10.0, 0.0))
    unknown = told(Traffic("latency", 20), LATENCY).metrics[0].effects[-1]
    assert told(quick, LATENCY).metrics[0].effects[-1].seconds != unknown.seconds
    assert unknown.step == 1


def test_a_few_events_are_waited_for() -> None:
    def needed(least: int) -> float | None:
        return told(Traffic("5xx", 1, 0.001), min_events=least).metrics[0].effects[-1].seconds

    assert (needed(100) or 0) > (needed(3) or 0)


def test_a_group_sequential_watch_is_told_by_its_looks_and_chances() -> None:
    found = told(Traffic("5xx", 10, 0.005), mode=Mode.GROUP_SEQUENTIAL).metrics[0]
    chances = [e.chance or 0.0 for e in found.effects]
    assert chances == sorted(chances)
    assert chances[0] < 0.3
    assert chances[-1] > 0.99
    assert found.effects[-1].seconds in (300, 600, 900, 1200)
    assert "of 100 such rollouts" in found.sentence


def test_a_gauge_is_told_by_instances() -> None:
    gauge = MetricSpec("memory", MetricKind.GAUGE, events="m")
    assert "at least 6 on each side" in told(Traffic("memory", 1), gauge).metrics[0].unknown
