"""What becomes stricter, looser, new and gone between two policies."""

from __future__ import annotations

from typing import Any

import pytest

from amends.gates.differences import Change, compare_policies
from tests.unit.gates.record import policy

SOAK = {"environment": "staging", "for": "7d"}


def applying(**when: Any) -> dict[str, Any]:
    return {"review": {}, "when": when}


def changes(old: list[Any], new: list[Any], **fields: Any) -> list[str]:
    return [one.change.value for one in compare_policies(policy(*old), policy(*new, **fields))]


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ({"review": {"approvals": 1}}, {"review": {"approvals": 2}}),
        ({"review": {"not_author": False}}, {"review": {}}),
        ({"tests": {"suites": ["a"]}}, {"tests": {"suites": ["b", "a"]}}),
        ({"soak": {**SOAK, "for": "1d"}}, {"soak": SOAK}),
        ({"soak": SOAK}, {"soak": {**SOAK, "min_requests": 9}}),
        ({"window": {}}, {"window": {"days": ["mon"]}}),
        ({"window": {"hours": "08:00-18:00"}}, {"window": {"hours": "09:00-17:00"}}),
        ({"window": {}}, {"window": {"holidays": {"country": "DE"}}}),
        ({"watchers": {"at_least": 1}}, {"watchers": {"at_least": 2}}),
        ({"review": {}, "mode": "observe"}, {"review": {}}),
        ({"review": {}, "when": {"tiers": ["system-wide"]}}, {"review": {}}),
        ({"edge_cases": {}}, {"edge_cases": {"suites": ["unit"]}}),
        (
            {"depends_on": {"needed_by": ["web"]}},
            {"depends_on": {"needed_by": ["web"], "services": [{"service": "bank"}]}},
        ),
        (applying(paths=["db/**"]), applying(paths=["db/**", "api/**"])),
        (applying(lines_over=9), applying(lines_over=5)),
        (applying(lines_over=9), applying(lines_over=9, files_over=1)),
    ],
)
def test_each_parameter_points_one_way(weak: Any, strong: Any) -> None:
    assert changes([weak], [strong]) == ["stricter"]
    assert changes([strong], [weak]) == ["looser"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"review": {"approvals": 2, "owners": False}}, {"review": {"approvals": 1, "owners": True}}),
        ({"window": {"hours": "08:00-12:00"}}, {"window": {"hours": "09:00-17:00"}}),
        ({"window": {"time_zone": "UTC"}}, {"window": {"time_zone": "Europe/Berlin"}}),
        ({"soak": SOAK}, {"soak": {**SOAK, "environment": "dev"}}),
        ({"expr": {"cel": "release.lines < 9"}}, {"expr": {"cel": "release.lines < 8"}}),
        ({"watchers": {"at_least": 2}}, {"watchers": {"at_least": {"client-specific": 1}}}),
    ],
)
def test_what_is_neither_is_called_neither(old: Any, new: Any) -> None:
    assert changes([old], [new]) == ["changed"]


def test_new_and_gone_gates_are_told_with_what_they_ask() -> None:
    found = compare_policies(policy({"review": {}}), policy({"tests": {"suites": ["unit"]}}))
    assert [(one.change, one.gate) for one in found] == [(Change.NEW, "tests"), (Change.GONE, "review")]
    assert found[0].text == "asks: unit succeeded for this version."


def test_gates_find_each_other_by_name_and_by_what_they_ask() -> None:
    fast = {"tests": {"suites": ["fast"]}}
    slow = {"tests": {"suites": ["slow"]}}
    assert changes([fast, slow], [slow]) == ["gone"]
    named = [{**fast, "name": "a"}, {**slow, "name": "b"}]
    assert changes(named, named[::-1]) == []
    assert changes([{**fast, "name": "a"}], [{"tests": {"suites": ["fast", "more"]}, "name": "a"}]) == [
        "stricter"
    ]


def test_the_same_policy_differs_in_nothing() -> None:
    assert changes([{"review": {}}], [{"review": {}}]) == []


def test_owners_and_reasons_are_words() -> None:
    assert changes([{"review": {}}], [{"review": {}, "owner": "pay"}]) == ["words"]


def test_environments_and_the_tier_are_told() -> None:
    old = policy(environments=["dev", "production"], gates={"dev": []})
    new = policy(environments=["production", "staging", "dev"], gates={"production": []}, tier="system-wide")
    told = [(one.change.value, one.environment) for one in compare_policies(old, new)]
    assert told == [
        ("changed", ""), ("changed", ""), ("looser", "production"), ("new", "staging"), ("stricter", "dev"),
    ]  # fmt: skip
