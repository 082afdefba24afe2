from __future__ import annotations

import math

from amends.watch.deltas import count_tick
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.tabulated import TableRow, rows_between
from tests.unit.watch.watch_feed import at, latency, ratio

B, C = Arm.BASELINE, Arm.CANDIDATE


def rows(*looks: tuple[float, list[Reading]], step: float = 10, gap: float = 120) -> list[TableRow]:
    return list(rows_between([(at(seconds), readings) for seconds, readings in looks], step, gap))


def test_a_row_is_what_an_instance_did_in_the_tick_that_begins_at_its_time() -> None:
    found = rows(
        (0, [ratio(C, 0, 3, 100, "a"), ratio(C, 0, 0, 50, "b")]),
        (10, [ratio(C, 10, 5, 130, "a"), ratio(C, 10, 1, 60, "b")]),
    )
    assert [(r.time, r.value, r.weight, r.instance) for r in found] == [
        (at(0), 2, 30, "a"),
        (at(0), 1, 10, "b"),
    ]
    assert {(r.arm, r.metric, r.kind) for r in found} == {("candidate", "5xx", "count")}


def test_a_restart_counts_from_zero_and_a_gap_begins_afresh() -> None:
    looks = [
        (0.0, [ratio(C, 0, 3, 100)]), (10.0, [ratio(C, 10, 1, 20)]), (20.0, []),
        (30.0, [ratio(C, 30, 2, 50)]), (400.0, [ratio(C, 400, 90, 900)]), (410.0, [ratio(C, 410, 91, 910)]),
    ]  # fmt: skip
    assert [(r.time, r.value, r.weight) for r in rows(*looks)] == [
        (at(0), 1, 20), (at(20), 1, 30), (at(400), 1, 10)
    ]  # fmt: skip


def test_buckets_are_not_cumulative_and_end_at_infinity() -> None:
    bounds = (0.1, 0.5)
    found = rows((0, [latency(B, 0, [0, 0, 0], bounds)]), (10, [latency(B, 10, [4, 6, 7], bounds)]))
    assert [(r.kind, r.value, r.weight) for r in found] == [
        ("histogram", 0.1, 4), ("histogram", 0.5, 2), ("histogram", math.inf, 1)
    ]  # fmt: skip


def test_a_level_is_a_row_and_a_count_over_time_has_no_weight() -> None:
    level = [Reading(C, "a", "memory", MetricKind.GAUGE, at(s), 5.0 + s) for s in (0, 10)]
    calls = [Reading(C, "a", "calls", MetricKind.COUNT, at(s), 3.0 * s) for s in (0, 10)]
    found = rows((0, [level[0], calls[0]]), (10, [level[1], calls[1]]))
    assert [(r.metric, r.kind, r.value, r.weight) for r in found] == [
        ("memory", "gauge", 15, None), ("calls", "count", 30, None)
    ]  # fmt: skip


def test_rows_add_up_to_what_a_live_tick_counts() -> None:
    first = [ratio(arm, 0, 3, 100, name) for arm in Arm for name in "ab"]
    second = [ratio(arm, 10, 3 + i, 150 + i, f"{'ab'[i % 2]}") for i, arm in enumerate((B, B, C, C))]
    tick = count_tick("5xx", first, second, at(10), 120)
    found = rows((0, first), (10, second))
    for side, arm in ((tick.strata[0].baseline, B), (tick.strata[0].candidate, C)):
        mine = [r for r in found if r.arm == arm]
        assert (side.events, side.exposure) == (sum(r.value for r in mine), sum(r.weight or 0 for r in mine))
