"""The watchers gate by example."""

from __future__ import annotations

from tests.unit.gates.record import HOUR, NOW, ask, shift

TWO = {"watchers": {"role": "on-call", "at_least": {"system-wide": 2, "client-specific": 1}}}
SINCE = NOW - 2 * HOUR


def test_the_tier_decides_how_many_are_needed() -> None:
    one = shift("p-ann", SINCE)
    assert ask(TWO, one, tier="client-specific").decision == "pass"
    row = ask(TWO, one, tier="system-wide")
    assert row.decision == "undecided"
    assert row.reason.startswith(
        "1 person of pay on acknowledged shift as on-call; required: 2 for system-wide"
    )


def test_the_same_person_on_two_shifts_is_one() -> None:
    facts = [shift("p-ann", SINCE), shift("p-ann", SINCE - HOUR)]
    assert ask(TWO, *facts, tier="system-wide").decision == "undecided"
    assert ask(TWO, *facts, shift("p-bob", SINCE), tier="system-wide").decision == "pass"


def test_a_shift_that_nobody_acknowledged_does_not_count() -> None:
    assert ask(TWO, shift("p-ann", SINCE, acknowledged=False)).decision == "undecided"


def test_a_shift_taken_back_does_not_count() -> None:
    taken_back = shift("p-ann", SINCE, acknowledged=False, at=NOW - HOUR / 2)
    assert ask(TWO, shift("p-ann", SINCE), taken_back).decision == "undecided"


def test_it_waits_for_the_next_acknowledged_shift() -> None:
    row = ask(TWO, shift("p-ann", SINCE, hours=1), shift("p-bob", NOW + 3 * HOUR))
    assert (row.decision, row.until) == ("undecided", NOW + 3 * HOUR)
    assert ask(TWO).until is None


def test_another_team_or_role_does_not_count_and_team_names_are_compared_bare() -> None:
    assert (
        ask(TWO, shift("p-ann", SINCE, team="web"), shift("p-bob", SINCE, role="dev")).decision == "undecided"
    )
    named = {"watchers": {"team": "@org/web", "at_least": 1}}
    assert ask(named, shift("p-ann", SINCE, team="web")).decision == "pass"
