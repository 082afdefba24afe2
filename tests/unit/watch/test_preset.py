"""Preset looks: gauges by their instances, and events in a group-sequential watch."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from amends.verdicts import Decision
from amends.watch.assess import assess, conclude
from amends.watch.assessment import Assessment, Cause, Health, Verdict
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import Direction, Limit, MetricSpec, Mode, WatchPlan
from amends.watch.state import WatchState, begin_watch

from .watch_feed import START, at, ratio

MEMORY = MetricSpec("memory", MetricKind.GAUGE, events="m", smallest_effect=1.2)
ERRORS = MetricSpec("5xx", events="e", total="t")
GAUGES = WatchPlan((MEMORY,), planned_seconds=300)
GROUPS = WatchPlan((ERRORS,), mode=Mode.GROUP_SEQUENTIAL, planned_seconds=400, max_gap_seconds=500)


def levels(seconds: float, theirs: list[float], ours: list[float]) -> list[Reading]:
    return [
        Reading(arm, f"{arm}-{i}", "memory", MetricKind.GAUGE, at(seconds), level)
        for arm, found in ((Arm.BASELINE, theirs), (Arm.CANDIDATE, ours))
        for i, level in enumerate(found)
    ]


def watch_levels(plan: WatchPlan, theirs: list[float], ours: list[float], until: int = 300) -> Assessment:
    state = begin_watch(START)
    for second in range(0, until + 1, 10):
        drift = 1 + second / 100  # all of them grow together
        read = levels(second, [x * drift for x in theirs], [x * drift for x in ours])
        state, said = assess(plan, state, read, Health(), at(second))
        if said.verdict is Verdict.ROLL_BACK:
            break
    return said


LOW = [100.0, 103, 98, 101, 99, 102, 97]
HIGH = [140.0, 139, 141, 150, 148, 152, 145]


def test_a_gauge_that_is_higher_on_every_instance_is_rolled_back_at_the_first_look() -> None:
    said = watch_levels(GAUGES, LOW, HIGH)
    assert (said.verdict, said.elapsed_seconds) == (Verdict.ROLL_BACK, 100)
    assert "on 7 and 7 instances, at preset look 1 of 3" in said.reason
    assert said.metrics[0].decision is Decision.BLOCK
    assert said.log_evidence >= said.log_threshold


def test_a_hundred_scrapes_of_two_instances_are_two_instances() -> None:
    said = watch_levels(GAUGES, LOW[:2], HIGH[:2])
    assert said.verdict is Verdict.WATCHING
    assert said.metrics[0].cause is Cause.NOT_COMPARED
    assert "too few instances to compare: 6 on each side are needed" in said.metrics[0].reason


@pytest.mark.parametrize(
    ("spec", "theirs", "ours", "found"),
    [
        (MEMORY, HIGH, LOW, False),
        (replace(MEMORY, direction=Direction.LOWER), HIGH, LOW, True),
        (replace(MEMORY, direction=Direction.BOTH), HIGH, LOW, True),
        (replace(MEMORY, smallest_effect=1.6), LOW, HIGH, False),
        (MEMORY, LOW, LOW, False),
    ],
    ids=["better", "lower is worse", "both", "too small to matter", "alike"],
)
def test_direction_and_smallest_effect_of_a_gauge(
    spec: MetricSpec, theirs: list[float], ours: list[float], found: bool
) -> None:
    said = watch_levels(replace(GAUGES, metrics=(spec,)), theirs, ours)
    assert (said.verdict is Verdict.ROLL_BACK) is found


def test_a_gauge_that_was_not_worse_stands_in_no_promotion_s_way() -> None:
    errors = replace(ERRORS, name="5xx")
    plan = WatchPlan((errors, replace(MEMORY, limit=Limit(above=1e6))), planned_seconds=300)
    state = begin_watch(START)
    for second in range(0, 301, 10):
        read = levels(second, LOW, LOW) + [ratio(arm, second, second / 2, second * 100.0) for arm in Arm]
        state, _ = assess(plan, state, read, Health(), at(second))
    said = conclude(plan, state, at(300))
    assert said.verdict is Verdict.PROMOTE
    assert said.metrics[1].cause is Cause.COLLECTING


def events(second: float, theirs: float, ours: float) -> list[Reading]:
    """Per second one request in ten goes to the candidate."""
    return [
        ratio(Arm.BASELINE, second, theirs, second * 9.0),
        ratio(Arm.CANDIDATE, second, ours, second * 1.0),
    ]


def watch_events(plan: WatchPlan, theirs: float, ours: float, store=None) -> Assessment:
    """Errors that come evenly, so many in all, in 400 seconds."""
    state = begin_watch(START)
    for second in range(0, 401, 20):
        part = second / 400
        read = events(second, math.floor(theirs * part), math.floor(ours * part))
        state, said = assess(plan, state, read, Health(), at(second))
        state = store(state) if store else state
        if said.verdict is Verdict.ROLL_BACK:
            break
    return said


def test_few_events_are_enough_at_the_end_of_a_fixed_window() -> None:
    """Five of ten errors on a tenth of the traffic: a test that looks all the time asks for more."""
    said = watch_events(GROUPS, 5, 5)
    assert said.verdict is Verdict.ROLL_BACK
    assert "preset look" in said.reason
    assert watch_events(replace(GROUPS, mode=Mode.ALWAYS), 5, 5).verdict is Verdict.WATCHING


def test_errors_on_the_candidate_alone_have_no_ratio_and_are_found() -> None:
    said = watch_events(GROUPS, 0, 6)
    assert said.verdict is Verdict.ROLL_BACK
    assert "on the candidate alone" in said.reason


def test_between_its_looks_nothing_is_decided() -> None:
    said = watch_events(GROUPS, 10, 100)
    assert said.verdict is Verdict.ROLL_BACK
    assert said.elapsed_seconds in (100, 200)


@pytest.mark.parametrize(
    ("spec", "theirs", "ours", "found"),
    [
        (ERRORS, 90, 10, False),
        (ERRORS, 90, 0, False),
        (replace(ERRORS, direction=Direction.LOWER), 190, 0, True),
        (replace(ERRORS, smallest_effect=20.0), 20, 30, False),
        (replace(ERRORS, dispersion=8.0), 4, 6, False),
    ],
    ids=["alike", "better", "lower is worse", "too small to matter", "overdispersed"],
)
def test_direction_and_smallest_effect_of_events(
    spec: MetricSpec, theirs: float, ours: float, found: bool
) -> None:
    said = watch_events(replace(GROUPS, metrics=(spec,)), theirs, ours)
    assert (said.verdict is Verdict.ROLL_BACK) is found


def test_fewer_events_than_the_policy_asks_for_prove_nothing() -> None:
    assert watch_events(replace(GROUPS, min_events=20), 4, 6).verdict is Verdict.WATCHING


def test_a_restart_at_every_tick_gives_the_same_numbers() -> None:
    def kept(state: WatchState) -> WatchState:
        return WatchState.from_data(msgspec.json.decode(msgspec.json.encode(state.to_data())))

    assert watch_events(GROUPS, 9, 3, kept) == watch_events(GROUPS, 9, 3)
    plan = replace(GAUGES, metrics=(MEMORY,))
    state = begin_watch(START)
    for second in range(0, 120, 10):
        state, _ = assess(plan, state, levels(second, LOW, HIGH[:3]), Health(), at(second))
    assert kept(state) == state


def test_without_a_planned_time_nothing_can_be_preset() -> None:
    assert watch_events(replace(GROUPS, planned_seconds=0.0), 4, 60).verdict is Verdict.ROLL_BACK
    row = watch_levels(replace(GAUGES, planned_seconds=0.0), LOW, HIGH).metrics[0]
    assert (row.decision, row.cause) == (Decision.UNDECIDED, Cause.NOT_COMPARED)
