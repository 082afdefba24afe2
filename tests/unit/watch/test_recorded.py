"""Rows of a recording as the looks of a watch, judged as a live one is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from amends.errors import UsageError
from amends.stats.rank import count_wins, rank_increment
from amends.watch.assess import assess
from amends.watch.measurements import Arm, MetricKind
from amends.watch.outcome import Final, Outcome
from amends.watch.plan import Direction
from amends.watch.recorded import Row, RowKind, infer_plan, recording
from amends.watch.replaying import replay_watch
from amends.watch.state import begin_watch
from tests.unit.watch.watch_feed import Feed

START = 1_774_000_000.0


def errors(arm: Arm, ticks: range, share: float, requests: int = 200, metric: str = "5xx") -> list[Row]:
    return [Row(START + 10 * t, arm, metric, RowKind.COUNT, round(requests * share), requests) for t in ticks]


def latencies(arm: Arm, values: np.ndarray, spacing: float = 0.5) -> list[Row]:
    return [Row(START + spacing * i, arm, "latency", RowKind.LATENCY, float(v)) for i, v in enumerate(values)]


def judged(rows: list[Row], interval: float = 10.0) -> Outcome:
    return replay_watch(recording(rows, infer_plan(rows, interval=interval), interval))


def test_a_bad_candidate_is_rolled_back_and_an_alike_one_promoted() -> None:
    usual = errors(Arm.BASELINE, range(30), 0.01)
    assert judged(usual + errors(Arm.CANDIDATE, range(30), 0.06)).decision is Final.ROLLBACK
    assert judged(usual + errors(Arm.CANDIDATE, range(30), 0.01)).decision is Final.PROMOTE


def test_rows_are_judged_as_the_counters_of_a_live_watch() -> None:
    plan = infer_plan([*errors(Arm.BASELINE, range(1), 0.0)], Direction.HIGHER)
    feed = Feed(plan)
    rows: list[Row] = []
    feed.look()
    for tick in range(12):
        before = {arm: feed.counts[arm].copy() for arm in Arm}
        feed.serve(Arm.BASELINE, 100, 0.01)
        feed.serve(Arm.CANDIDATE, 100, 0.05)
        feed.seconds += 10
        feed.look()
        for arm in Arm:
            events, requests = (float(x) for x in feed.counts[arm] - before[arm])
            rows.append(Row(START + 10 * tick, arm, "5xx", RowKind.COUNT, events, requests))
    live = [look.log_evidence for look in feed.looks]
    again = replay_watch(recording(rows, plan, 10.0))
    assert [tick.log_evidence for tick in again.ticks] == live[: len(again.ticks)]
    assert any(e > 1 for e in live)


def test_single_latencies_keep_the_strength_of_their_ranks() -> None:
    rng = np.random.default_rng(4)
    theirs, ours = rng.lognormal(-2, 0.6, 400), rng.lognormal(-1.8, 0.6, 400)
    rows = latencies(Arm.BASELINE, theirs, 0.02) + latencies(Arm.CANDIDATE, ours, 0.02)
    recorded = recording(rows, infer_plan(rows), 10.0)
    state = begin_watch(recorded.started_at)
    for look in recorded.looks:
        state, _ = assess(recorded.plan, state, look.readings, look.health, look.at)
    exact = rank_increment(count_wins(theirs, ours), 400, 400)
    assert state.metric("latency").rank == pytest.approx(tuple(exact), rel=0.01)


def test_a_histogram_of_coarse_buckets_is_read_as_it_is() -> None:
    rows = [
        Row(START + 10 * t, arm, "latency", RowKind.HISTOGRAM, le, weight)
        for t in range(20)
        for arm, cells in ((Arm.BASELINE, (80, 15, 5)), (Arm.CANDIDATE, (30, 40, 30)))
        for le, weight in zip((0.1, 0.5, math.inf), cells, strict=True)
    ]
    told = judged(rows)
    assert told.decision is Final.ROLLBACK
    assert told.metrics[0].metric == "latency"


def test_segments_are_compared_with_their_like() -> None:
    """Both arms do equally well in each region, but their traffic is mixed differently."""
    rows = [
        Row(START + 10 * t, arm, "5xx", RowKind.COUNT, round(n * share), n, segment=region)
        for t in range(30)
        for arm, near, far in ((Arm.BASELINE, 180, 20), (Arm.CANDIDATE, 20, 180))
        for region, share, n in (("near", 0.0, near), ("far", 0.2, far))
    ]
    merged = [replace(r, segment="") for r in rows]
    assert judged(rows).decision is not Final.ROLLBACK
    assert judged(merged).decision is Final.ROLLBACK


def test_a_candidate_that_falls_silent_is_no_promotion_and_says_so() -> None:
    rows = errors(Arm.BASELINE, range(40), 0.01) + errors(Arm.CANDIDATE, range(20), 0.01)
    told = judged(rows)
    assert told.decision is Final.HOLD
    assert "stopped reporting" in told.reason


def test_a_baseline_from_before_is_told_and_not_compared() -> None:
    rows = errors(Arm.BASELINE, range(40), 0.01) + errors(Arm.CANDIDATE, range(50, 60), 0.5)
    told = judged(rows)
    assert told.decision is Final.HOLD
    assert any("40 rows of the baseline lie before" in problem for problem in told.problems)


def test_kinds_are_found_from_rows() -> None:
    rows = [
        *errors(Arm.BASELINE, range(2), 0.5),
        Row(START, Arm.BASELINE, "retries", RowKind.COUNT, 9, 5),
        Row(START, Arm.BASELINE, "restarts", RowKind.COUNT, 1),
        Row(START, Arm.BASELINE, "memory", RowKind.GAUGE, 1e9),
        Row(START, Arm.BASELINE, "took", RowKind.LATENCY, 0.1),
    ]
    kinds = {spec.name: spec.kind for spec in infer_plan(rows).metrics}
    assert kinds == {
        "5xx": MetricKind.RATIO, "retries": MetricKind.COUNT, "restarts": MetricKind.COUNT,
        "memory": MetricKind.GAUGE, "took": MetricKind.LATENCY,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Row(START, Arm.CANDIDATE, "5xx", RowKind.LATENCY, 1, where="f:9"), "kind latency for 5xx"),
        (Row(START, Arm.CANDIDATE, "n", RowKind.COUNT, 1, where="f:9"), "without a weight"),
    ],
)
def test_rows_that_contradict_others_are_refused_with_their_place(odd: Row, why: str) -> None:
    rows = [*errors(Arm.BASELINE, range(3), 0.1), Row(START, Arm.BASELINE, "n", RowKind.COUNT, 9, 5), odd]
    with pytest.raises(UsageError, match=why) as refused:
        judged(rows)
    assert refused.value.where == "f:9"


def test_too_many_ticks_are_refused() -> None:
    rows = [*errors(Arm.CANDIDATE, range(1), 0.1), Row(START + 1e9, Arm.BASELINE, "5xx", RowKind.COUNT, 1, 9)]
    with pytest.raises(UsageError, match="ticks"):
        judged(rows)


@pytest.mark.parametrize(("instances", "final"), [(8, Final.ROLLBACK), (2, Final.HOLD)])
def test_levels_are_compared_by_instances_over_the_time_recorded(instances: int, final: Final) -> None:
    rows = [
        Row(START + 10 * t, arm, "memory", RowKind.GAUGE, level + i, instance=f"{arm}-{i}")
        for t in range(30)
        for arm, level in ((Arm.BASELINE, 100.0), (Arm.CANDIDATE, 200.0))
        for i in range(instances)
    ]
    again = judged(rows)
    assert again.decision is final
    assert ("on each side are needed" in again.metrics[0].reason) is (final is Final.HOLD)


def test_a_last_tick_that_only_one_arm_has_is_left_out_and_two_are_told() -> None:
    usual = errors(Arm.BASELINE, range(32), 0.01)
    assert judged(usual + errors(Arm.CANDIDATE, range(31), 0.01)).decision is Final.PROMOTE
    found = judged(usual + errors(Arm.CANDIDATE, range(30), 0.01))
    assert (found.decision, "stopped reporting" in found.reason) == (Final.HOLD, True)


def test_levels_alone_say_what_they_show_and_promote_nothing() -> None:
    levels = [
        Row(START + 10 * t, arm, "memory", RowKind.GAUGE, level + i / 10, instance=f"{arm}-{i}")
        for t in range(30)
        for arm, level in ((Arm.BASELINE, 100.0), (Arm.CANDIDATE, 115.0))
        for i in range(8)
    ]
    found = judged(levels)
    assert found.decision is Final.HOLD
    assert "by less than ×1.2, the smallest effect that matters" in found.reason


def test_latencies_that_are_all_slower_are_said_to_be() -> None:
    rng = np.random.default_rng(3)
    rows = latencies(Arm.BASELINE, rng.uniform(0.1, 0.11, 60))
    found = judged(rows + latencies(Arm.CANDIDATE, rng.uniform(0.5, 0.51, 60)))
    assert found.decision is Final.ROLLBACK
    assert "slower in 100 of 100 pairs" in found.reason
