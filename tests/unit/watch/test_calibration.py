"""A recorded baseline watched against itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from amends.watch.calibration import Calibration, calibrate, halve_looks, halve_rows
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.recorded import Look, Recording, Row, RowKind
from tests.unit.watch.watch_feed import START, at

ERRORS = MetricSpec("5xx", events="e", total="t", direction=Direction.BOTH, smallest_effect=1.1)
PODS = ("a", "b", "c", "d")


def recorded(spread: float, pods: tuple[str, ...] = PODS, ticks: int = 400, seed: int = 1) -> list[Row]:
    """Each pod serves 500 requests every ten seconds; its error rate of 2% wanders (φ = .9)."""
    rng = np.random.default_rng(seed)
    level, rows = np.zeros(len(pods)), []
    for tick in range(ticks):
        level = 0.9 * level + rng.normal(0, spread * np.sqrt(0.19), len(pods))
        for pod, rate in zip(pods, 0.02 * np.exp(level), strict=True):
            bad = float(rng.binomial(500, min(1.0, rate)))
            rows.append(Row(10.0 * tick, Arm.BASELINE, "5xx", RowKind.COUNT, bad, 500.0, instance=pod))
    return rows


def calibrated(rows: list[Row], dispersion: float | str) -> Calibration:
    plan = WatchPlan((replace(ERRORS, dispersion=dispersion),))  # type: ignore[arg-type]
    return calibrate(plan, [[way] for way in halve_rows(rows, plan, 10.0, 3)], 1000.0, 9)


def test_a_noisy_baseline_is_taken_back_until_its_counts_are_divided() -> None:
    rows = recorded(0.5)
    bare, divided = calibrated(rows, 1.0), calibrated(rows, "auto")
    assert (bare.runs, divided.runs) == (9, 9)
    assert bare.rolled_back >= 6
    assert bare.too_often
    assert divided.rolled_back <= 1
    assert not divided.too_often
    estimated, used = divided.metrics[0].estimated, divided.metrics[0].divided
    assert estimated is not None
    assert used is not None
    assert used > estimated > 5


def test_a_calm_baseline_stays_and_is_not_divided() -> None:
    told = calibrated(recorded(0.0), "auto")
    assert (told.rolled_back, told.metrics[0].divided) == (0, 1.0)
    assert told.to_data()["metrics"][0]["dispersion"]["estimated"] < 2
    assert told.to_data()["interval"][0] == 0.0


def test_a_single_instance_is_halved_by_time() -> None:
    told = calibrated(recorded(0.0, pods=("only",)), "auto")
    assert (told.by, told.rolled_back) == ("time", 0)
    assert told.runs == 8  # four stretches, and either half may begin


def test_too_short_a_recording_runs_nothing_and_claims_nothing() -> None:
    told = calibrated(recorded(0.0, ticks=5), "auto")
    assert (told.runs, told.interval(0)) == (0, (0.0, 1.0))
    assert not told.too_often


def test_an_estimate_without_other_stretches_takes_nothing_back() -> None:
    told = calibrated(recorded(0.5, ticks=101), "estimated")
    assert told.runs == 3
    assert (told.rolled_back, told.metrics[0].divided) == (0, None)


def live(pods: tuple[str, ...]) -> Recording:
    def reading(pod: str, arm: Arm, when: datetime, tick: int) -> Reading:
        return Reading(arm, pod, "5xx", MetricKind.RATIO, when, float(tick), 100.0 * tick)

    looks = []
    for tick in range(30):
        when = START + timedelta(seconds=10 * tick)
        ours = reading("new", Arm.CANDIDATE, when, 50 * tick)
        looks.append(Look(when, (*(reading(pod, Arm.BASELINE, when, tick) for pod in pods), ours)))
    return Recording(WatchPlan((ERRORS,)), START, tuple(looks))


def test_the_candidate_of_a_live_watch_takes_no_part() -> None:
    ways = halve_looks(live(("a", "b")), 10)
    assert len(ways) == 2
    told = calibrate(WatchPlan((ERRORS,)), [[way] for way in ways], 250.0, 10)
    assert (told.runs, told.rolled_back) == (2, 0)
    assert {r.instance for r in ways[0].recording.looks[-1].readings} == {"a", "b"}
    assert ways[0].recording.looks[-1].at == at(290)


def test_a_live_watch_of_one_instance_has_no_halves() -> None:
    assert halve_looks(live(("a",)), 10) == []


@pytest.mark.parametrize("most", [1, 4, 50])
def test_no_way_to_halve_comes_twice(most: int) -> None:
    plan = WatchPlan((ERRORS,))
    ways = halve_rows(recorded(0.3, ticks=60), plan, 10.0, most)
    halves = {frozenset((r.arm, r.value) for r in way.recording.looks[-1].readings) for way in ways}
    assert len(ways) == min(most, 6)
    assert len(halves) == min(most, 6)
