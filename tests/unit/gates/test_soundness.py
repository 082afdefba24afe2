"""What contradicts itself in a policy, never opens or has no effect, each at its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amends.gates.gate import Intervals
from amends.gates.soundness import Finding, Weight, soundness_of
from tests.unit.gates.record import DAY, NOW, intervals, policy

NONE = intervals()
YEAR = 366 * DAY


def findings(*entries: Any, calendars: dict[str, Intervals] | None = None,
             past: dict[str, Intervals] | None = None, **fields: Any) -> list[Finding]:  # fmt: skip
    found = soundness_of(policy(*entries, **fields), calendars or {}, past or calendars or {}, NOW)
    return [one for one in found if one.place != ("environments", 0) and one.place[0] != "environments"]


def told(*entries: Any, **kw: Any) -> list[tuple[Weight, Any]]:
    return [(one.weight, one.place[2]) for one in findings(*entries, **kw)]


def test_a_policy_that_can_be_met_has_no_findings() -> None:
    assert findings({"review": {}}, {"window": {"days": ["mon..thu"], "hours": "09:00-16:00"}}) == []


def test_a_freeze_without_end_leaves_the_window_shut() -> None:
    window = {"window": {"days": ["mon"], "freezes": "f.ics"}}
    ever = intervals((NOW - DAY, NOW + 2 * YEAR, "stop"))
    found = findings(window, calendars={"file:f.ics": ever})
    assert [(one.weight, one.place) for one in found] == [
        (Weight.FAULT, ("gates", "production", 0, "window"))
    ]
    assert "freezes cover every opening of mon UTC" in found[0].text
    ends = intervals((NOW - DAY, NOW + 300 * DAY, "stop"))
    assert findings(window, calendars={"file:f.ics": ends}) == []


@pytest.mark.parametrize(
    ("one", "other", "contradicts"),
    [
        ({"days": ["mon..wed"]}, {"days": ["thu..sun"]}, True),
        ({"hours": "09:00-12:00"}, {"hours": "12:00-17:00"}, True),
        ({"hours": "09:00-12:00"}, {"hours": "11:00-17:00", "days": ["mon"]}, False),
        # hours that run into the next day belong to the day on which they begin
        ({"days": ["mon"], "hours": "22:00-06:00"}, {"days": ["tue"], "hours": "05:00-07:00"}, False),
        ({"hours": "09:00-10:00", "time_zone": "Asia/Tokyo"}, {"hours": "09:00-10:00"}, True),
    ],
)
def test_windows_that_are_never_open_together_contradict_each_other(
    one: Any, other: Any, contradicts: bool
) -> None:
    expected = [(Weight.FAULT, 1)] if contradicts else []
    assert told({"window": one}, {"window": other}) == expected


def test_three_windows_may_contradict_each_other_where_no_two_do() -> None:
    days = (["mon", "tue"], ["tue", "wed"], ["wed", "mon"])
    assert told(*({"window": {"days": day}} for day in days)) == [(Weight.FAULT, 2)]


def test_a_freeze_of_what_a_release_needs_closes_with_the_window() -> None:
    needs = {"depends_on": {"services": [{"service": "bank", "freezes": "f.ics"}]}}
    ever = {"file:f.ics": intervals((NOW - DAY, NOW + 2 * YEAR, "stop"))}
    assert told(needs, calendars=ever) == [(Weight.FAULT, 0)]
    mondays = {"window": {"days": ["mon"], "hours": "00:00-01:00"}}
    but_one = intervals((NOW - DAY, NOW + 4 * DAY, ""), (NOW + 4.5 * DAY, NOW + 2 * YEAR, ""))
    assert told(needs, mondays, calendars={"file:f.ics": but_one}) == [(Weight.FAULT, 1)]
    assert told(mondays, needs, calendars={"file:f.ics": intervals((NOW, NOW + DAY, ""))}) == []


def test_a_window_that_only_observes_may_be_another_on_trial() -> None:
    trial = {"window": {"days": ["sun"]}, "mode": "observe"}
    assert told({"window": {"days": ["mon"]}}, trial) == [(Weight.DOUBT, 1)]


def test_windows_for_different_tiers_do_not_meet() -> None:
    other = {"window": {"days": ["sun"]}, "when": {"tiers": ["system-wide"]}}
    assert told({"window": {"days": ["mon"]}}, other) == [(Weight.NOTE, 1)]


def test_a_calendar_that_has_ended_is_doubtful() -> None:
    past = intervals((NOW - 20 * DAY, NOW - 10 * DAY, "old"))
    window = {"window": {"freezes": "f.ics"}}
    found = findings(window, calendars={"file:f.ics": NONE}, past={"file:f.ics": past})
    assert [one.weight for one in found] == [Weight.DOUBT]
    assert f"its last one ended {NOW - timedelta(days=10):%Y-%m-%d}" in found[0].text


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ({"review": {"approvals": 1}}, {"review": {"approvals": 2}}),
        (
            {"soak": {"environment": "staging", "for": "1d"}},
            {"soak": {"environment": "staging", "for": "2d"}},
        ),
        ({"tests": {"suites": ["unit"]}}, {"tests": {"suites": ["unit", "slow"]}}),
        ({"review": {}, "when": {"lines_over": 9}}, {"review": {}}),
        ({"review": {}, "mode": "observe"}, {"review": {}}),
    ],
)
def test_a_gate_that_adds_nothing_to_another_has_no_effect(weak: Any, strong: Any) -> None:
    assert told(weak, strong) == [(Weight.DOUBT, 0)]
    assert told(strong, weak) == [(Weight.DOUBT, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"review": {"approvals": 1}}, {"review": {"approvals": 2}, "when": {"paths": ["db/**"]}}),
        ({"review": {"approvals": 1}}, {"review": {"approvals": 2}, "mode": "observe"}),
        ({"soak": {"environment": "staging", "for": "1d"}}, {"soak": {"environment": "dev", "for": "2d"}}),
        ({"tests": {"suites": ["unit"]}}, {"tests": {"suites": ["slow"]}}),
    ],
)
def test_gates_that_each_ask_something_of_their_own_are_left_alone(one: Any, other: Any) -> None:
    assert told(one, other) == []


def test_a_role_cannot_try_a_release_where_it_is_not_yet() -> None:
    assert told({"sign_off": {"role": "qa", "environment": "production"}}) == [(Weight.DOUBT, 0)]
    assert told({"sign_off": {"role": "qa", "environment": "staging"}}) == []


def test_gates_that_all_observe_hold_nothing() -> None:
    found = findings({"review": {}, "mode": "observe"})
    assert [(one.weight, one.place) for one in found] == [(Weight.NOTE, ("gates", "production"))]
