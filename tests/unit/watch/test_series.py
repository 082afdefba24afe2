"""A pair of plain series: when it is a rollback, a promotion, or one of the kinds of hold."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from amends.watch.outcome import Final
from amends.watch.plan import Direction
from amends.watch.series import SeriesPair, judge_series

NOISE = tuple(float(v) for v in 100 + np.random.default_rng(1).standard_normal(60))
ALIKE = tuple(float(v) for v in 100 + np.random.default_rng(2).standard_normal(10))
ROUGH = tuple(float(v) for v in np.random.default_rng(3).standard_normal(60))
WORSE = (130.0, 128.0, 131.0)


def pair(baseline: tuple[float, ...], candidate: tuple[float, ...], **more: object) -> SeriesPair:
    return SeriesPair("latency", baseline, candidate, **more)  # type: ignore[arg-type]


def test_what_is_far_beyond_the_baseline_is_rolled_back_at_the_point_that_proves_it() -> None:
    told = judge_series(pair(NOISE, WORSE, interval=300.0, start=datetime(2026, 3, 1, tzinfo=UTC)))
    assert told.decision is Final.ROLLBACK
    assert told.decided_at == datetime(2026, 3, 1, 0, 10, tzinfo=UTC)
    assert [tick.verdict for tick in told.ticks] == ["watching", "roll_back"]
    assert told.metrics[0].log_evidence >= math.log(100)
    assert told.metrics[0].effect == pytest.approx(29, abs=1)


def test_without_times_the_moment_is_seconds_or_points_since_the_candidate_began() -> None:
    assert judge_series(pair(NOISE, WORSE, interval=60.0)).decided_at == 120
    assert judge_series(pair(NOISE, WORSE)).decided_at == 2


def test_what_is_alike_for_long_enough_is_promoted() -> None:
    assert judge_series(pair(NOISE, ALIKE)).decision is Final.PROMOTE


def test_a_shift_in_the_direction_that_is_no_worse_is_no_rollback() -> None:
    assert judge_series(pair(NOISE, WORSE), direction=Direction.LOWER).decision is not Final.ROLLBACK
    assert judge_series(pair(NOISE, WORSE), direction=Direction.HIGHER).decision is Final.ROLLBACK


def test_a_shift_too_small_to_matter_is_no_rollback_however_certain() -> None:
    calm = tuple(100 + 0.0001 * v for v in range(60))
    assert judge_series(pair(calm, (100.2,) * 10)).decision is not Final.ROLLBACK


HOLDS = {
    "no data": ((), (), "neither arm"),
    "no candidate": (NOISE, (), "candidate has no point"),
    "no baseline": ((), WORSE, "no point to compare"),
    "only gaps": (NOISE, (math.nan, math.nan), "nothing is known"),
    "fell silent": (NOISE, (*ALIKE, math.nan, math.nan), "stopped reporting"),
    "four against four": ((1.0, 2.0, 3.0, 4.0), (9.0, 9.5, 10.0, 11.0), "too few .* points of the candidate"),
    "a flat line": ((1.0,) * 60, (1.0,) * 10, "flat line"),
    "few and alike": (ROUGH, ROUGH[:2], "takes . points of the candidate"),
}


@pytest.mark.parametrize("case", HOLDS)
def test_a_hold_says_which_hold_it_is(case: str) -> None:
    baseline, candidate, why = HOLDS[case]
    told = judge_series(pair(baseline, candidate))
    assert (told.decision, told.decided_at) == (Final.HOLD, None)
    assert re.search(why, told.reason), told.reason


def test_the_reasons_of_holds_all_differ() -> None:
    reasons = {judge_series(pair(b, c)).reason for b, c, _ in HOLDS.values()}
    assert len(reasons) == len(HOLDS)


def test_gaps_are_left_out_and_told() -> None:
    gappy = (130.0, math.nan, 128.0, 131.0)
    told = judge_series(pair((*NOISE, math.nan), gappy, interval=60.0))
    assert told.decision is Final.ROLLBACK
    assert told.decided_at in (60 * 3, 60 * 4)
    assert "1 of the candidate's points is no number" in told.reason


def test_the_numbers_needed_are_enough() -> None:
    told = judge_series(pair((1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 2.0, 4.0, 3.0), (90.0, 95.0)))
    needed = int(told.reason.split("it takes at least ")[1].split()[0])
    more = tuple(90.0 * 9**k for k in range(needed))
    assert (
        judge_series(pair((1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 2.0, 4.0, 3.0), more)).decision
        is Final.ROLLBACK
    )


def test_the_very_same_points_prove_nothing_whatever_their_course() -> None:
    rising = tuple(float(i) for i in range(1, 61))
    assert judge_series(SeriesPair("x", rising, rising)).decision is Final.HOLD


def test_one_point_missing_at_the_end_does_not_silence_a_candidate() -> None:
    found = judge_series(SeriesPair("x", NOISE, (*NOISE[:20], math.nan)))
    assert "stopped reporting" not in found.reason


@pytest.mark.parametrize(("n", "k"), [(120, 120), (1440, 60), (60, 500)])
def test_a_shift_beyond_what_floating_point_can_tell_from_never_is_a_rollback(n: int, k: int) -> None:
    rng = np.random.default_rng(8)
    pair = SeriesPair("x", tuple(rng.normal(100, 1, n)), tuple(rng.normal(200, 1, k)))
    found = judge_series(pair)
    assert found.decision is Final.ROLLBACK
    assert math.isfinite(found.metrics[0].to_data()["evidence"])
