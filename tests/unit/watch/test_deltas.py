"""From cumulative readings to what happened, whatever goes missing in between."""

import math

import pytest

from amends.watch.deltas import MetricTick, count_tick, rebin
from amends.watch.measurements import Arm, MetricKind, Reading
from tests.unit.watch.watch_feed import at, latency, ratio

B, C = Arm.BASELINE, Arm.CANDIDATE


def tick(last: list[Reading], now: list[Reading], seconds: float = 10, metric: str = "5xx") -> MetricTick:
    return count_tick(metric, last, now, at(seconds), max_gap_seconds=60)


def pair(seconds: float, ours: tuple[float, float], theirs: tuple[float, float]) -> list[Reading]:
    return [ratio(B, seconds, *theirs), ratio(C, seconds, *ours)]


def test_the_first_readings_count_nothing() -> None:
    first = tick([], pair(0, (5, 900), (2, 800)))
    assert first.strata == ()
    assert len(first.last) == 2


def test_both_arms_over_the_same_window() -> None:
    done = tick(pair(5, (5, 900), (2, 800)), pair(10, (8, 1000), (2, 950)))
    (stratum,) = done.strata
    assert (stratum.candidate.events, stratum.candidate.exposure) == (3, 100)
    assert (stratum.baseline.events, stratum.baseline.exposure) == (0, 150)


def test_while_one_arm_is_silent_the_other_waits() -> None:
    last = pair(5, (5, 900), (2, 800))
    waiting = tick(last, [ratio(C, 10, 8, 1000)])
    assert waiting.strata == ()
    assert not waiting.settled
    assert waiting.candidate.events == 3  # its own limit does not wait
    back = tick(list(waiting.last), pair(15, (9, 1100), (3, 1000)), seconds=15)
    assert (back.strata[0].candidate.exposure, back.strata[0].baseline.exposure) == (200, 200)


def test_after_a_long_silence_comparing_starts_afresh_and_says_so() -> None:
    back = tick(pair(5, (5, 900), (2, 800)), pair(80, (50, 1100), (3, 1000)), seconds=80)
    assert back.strata == ()
    assert "75 s" in back.problems[0]
    assert len(back.last) == 2


def test_a_fallen_counter_is_a_restart() -> None:
    done = tick(pair(5, (5, 900), (2, 800)), pair(10, (1, 40), (2, 950)))
    assert (done.strata[0].candidate.events, done.strata[0].candidate.exposure) == (1, 40)
    assert done.problems == ("5xx: candidate-1 restarted; counted from zero.",)


def test_a_restart_that_overtook_its_old_count_is_seen_by_the_start_time() -> None:
    last = [ratio(B, 5, 0, 100), ratio(C, 5, 0, 10, started=1000.0)]
    done = tick(last, [ratio(B, 10, 0, 150), ratio(C, 10, 2, 30, started=1007.5)])
    assert (done.strata[0].candidate.events, done.strata[0].candidate.exposure) == (2, 30)


def test_an_instance_that_was_away_is_not_charged_for_the_time() -> None:
    both = [ratio(B, 5, 0, 100), ratio(C, 5, 0, 100, "c-1"), ratio(C, 5, 0, 100, "c-2")]
    gone = tick(both, [ratio(B, 10, 0, 150), ratio(C, 10, 0, 150, "c-1")])
    assert gone.strata[0].candidate.exposure == 50
    assert "c-2 gave no reading" in gone.problems[0]
    back = tick(
        list(gone.last),
        [ratio(B, 15, 0, 200), ratio(C, 15, 0, 200, "c-1"), ratio(C, 15, 9, 200, "c-2")],
        seconds=15,
    )
    assert (back.strata[0].candidate.events, back.strata[0].candidate.exposure) == (0, 50)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -1.0])
def test_a_number_that_is_none_is_left_out_and_told(broken: float) -> None:
    done = tick(pair(5, (5, 900), (2, 800)), [ratio(B, 10, 2, 900), ratio(C, 10, broken, 1000)])
    assert done.strata == ()
    assert done.arms == {B}
    assert "candidate-1" in done.problems[0]


def test_more_events_than_requests_is_a_wrong_selector_not_evidence() -> None:
    done = tick(pair(5, (0, 900), (0, 800)), pair(10, (50, 910), (0, 900)))
    assert done.strata[0].candidate.exposure == 0
    assert "selectors" in done.problems[0]


def test_segments_are_kept_apart_and_a_new_one_began_at_zero() -> None:
    last = [ratio(a, 5, 0, 100, segment="eu") for a in Arm]
    now = [
        *(ratio(a, 10, 1, 130, segment="eu") for a in Arm),
        *(ratio(a, 10, 2, 20, segment="us") for a in Arm),
    ]
    assert [s.candidate.exposure for s in tick(last, now).strata] == [30, 20]


def test_without_a_total_time_is_the_exposure() -> None:
    last = [ratio(B, 0, 1, None), ratio(C, 0, 1, None)]
    now = [ratio(B, 10, 2, None), ratio(C, 10, 5, None)]
    done = tick([Reading(**_fields(r)) for r in last], [Reading(**_fields(r)) for r in now])
    assert (done.strata[0].candidate.events, done.strata[0].candidate.exposure) == (4, 10)


def _fields(reading: Reading) -> dict[str, object]:
    names = ("arm", "instance", "metric", "at", "value", "exposure")
    return {n: getattr(reading, n) for n in names} | {"kind": MetricKind.COUNT}


def test_histograms_meet_on_the_bounds_they_share() -> None:
    last = [latency(B, 5, [1, 2, 3, 4], (0.1, 0.2, 0.5)), latency(C, 5, [0, 0, 0], (0.1, 0.5))]
    now = [latency(B, 10, [2, 5, 7, 9], (0.1, 0.2, 0.5)), latency(C, 10, [1, 4, 6], (0.1, 0.5))]
    done = tick(last, now, metric="latency")
    assert done.bounds == (0.1, 0.5)
    assert done.strata[0].baseline.counts == (1, 3, 1)
    assert done.strata[0].candidate.counts == (1, 3, 2)


def test_histograms_without_a_shared_bound_are_not_compared() -> None:
    last = [latency(B, 5, [1, 2], (0.1,)), latency(C, 5, [0, 0], (0.2,))]
    now = [latency(B, 10, [2, 5], (0.1,)), latency(C, 10, [1, 4], (0.2,))]
    done = tick(last, now, metric="latency")
    assert done.strata == ()
    assert "no bucket bound in common" in done.problems[0]


def test_a_histogram_read_while_it_is_written_stays_a_histogram() -> None:
    last = [latency(a, 5, [0, 0, 0], (0.1, 0.5)) for a in Arm]
    now = [latency(B, 10, [2, 5, 7], (0.1, 0.5)), latency(C, 10, [6, 5, 5], (0.1, 0.5))]
    assert tick(last, now, metric="latency").strata[0].candidate.counts == (5, 0, 0)


def test_rebin() -> None:
    assert rebin((0.1, 0.2, 0.5), (1, 2, 3, 4), (0.2,)) == (3, 7)


def test_an_instance_that_starts_later_is_compared_once_it_is_warm() -> None:
    """The candidate's second instance joins at 10 s; its limit counts at once, the comparison after 30 s."""
    last: tuple[Reading, ...] = ()
    fresh: tuple = ()
    exposures, alone = [], []
    for seconds in range(0, 70, 10):
        now = [
            ratio(Arm.BASELINE, seconds, 0, seconds),
            ratio(Arm.CANDIDATE, seconds, 0, seconds),
            *([ratio(Arm.CANDIDATE, seconds, 0, 100 * seconds, instance="late")] if seconds >= 10 else []),
        ]
        tick = count_tick("5xx", last, now, at(seconds), 60, fresh, warmup_seconds=30)
        last, fresh = tick.last, tick.fresh
        exposures.append(sum(s.candidate.exposure for s in tick.strata))
        alone.append(tick.candidate.exposure)
    assert exposures == [0, 10, 10, 10, 1010, 1010, 1010]
    assert alone == [0, 10, 1010, 1010, 1010, 1010, 1010]


def test_a_restart_during_the_watch_warms_up_anew_and_a_missed_scrape_does_not() -> None:
    def read(seconds: float, total: float, started: float) -> list[Reading]:
        return [
            ratio(Arm.BASELINE, seconds, 0, seconds),
            ratio(Arm.BASELINE, seconds, 0, total, instance="other", started=at(started).timestamp()),
            ratio(Arm.CANDIDATE, seconds, 0, seconds),
        ]

    before = tuple(read(100, 500, -900))
    restarted = count_tick("5xx", before, read(110, 7, 104), at(110), 60, warmup_seconds=30)
    assert [name for _, name, _ in restarted.fresh] == ["other"]
    assert restarted.strata[0].baseline.exposure == 10
    missed = tuple(r for r in before if r.instance != "other")
    assert count_tick("5xx", missed, read(110, 520, -900), at(110), 60, warmup_seconds=30).fresh == ()
    assert count_tick("5xx", before, read(110, 7, 104), at(110), 60).fresh == ()
