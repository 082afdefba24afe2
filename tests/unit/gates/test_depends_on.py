"""The depends_on gate."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from amends.events import payloads as p
from amends.gates.entry import GateEntry
from tests.unit.gates.record import (
    DAY,
    HOUR,
    NOW,
    ask,
    declared,
    deployed,
    fact,
    incident,
    intervals,
    policy,
    resolved,
)

NEEDS: dict[str, Any] = {"depends_on": {"services": [{"service": "payments", "at_least": "2.3"}]}}
NEEDED: dict[str, Any] = {"depends_on": {"needed_by": ["web"]}}


def payments(version: str, environment: str = "production", **kw: Any) -> Any:
    return deployed(version, environment, "payments", **kw)


@pytest.mark.parametrize(
    ("version", "decision"),
    [("2.3", "pass"), ("v2.3", "pass"), ("2.10.1", "pass"), ("2.2.9", "block"), ("2.3-rc1", "block"),
     ("nightly", "undecided")],
)  # fmt: skip
def test_what_it_needs_runs_in_the_version_it_needs(version: str, decision: str) -> None:
    row = ask(NEEDS, declared(), payments(version, id="move"))
    assert (row.decision, row.events) == (decision, ("move",))
    assert f"payments {version} runs in production" in row.reason
    assert row.reason.endswith("required: payments 2.3 or later")


def test_nobody_recorded_what_runs_is_undecided() -> None:
    row = ask(NEEDS, declared(), payments("2.3", "staging"))
    assert row.decision == "undecided"
    assert "nobody recorded which payments runs in production" in row.reason
    named = {"depends_on": {"services": [{"service": "payments", "environment": "staging"}]}}
    assert ask(named, declared(), payments("2.3", "staging")).decision == "pass"


def test_the_last_move_counts_and_is_read_by_its_declaration() -> None:
    told = p.ReleaseDeclared(service="payments", version="2.4", commit="beef" * 10)
    rolled = p.ServiceRolledBack(service="payments", release="2.4", restored="2.1", environment="production")
    record = [
        declared(), fact("artifact.packaged", told, at=NOW - 9 * DAY), payments("beef" * 10, at=NOW - 4 * DAY)
    ]  # fmt: skip
    assert ask(NEEDS, *record).decision == "pass"
    assert ask(NEEDS, *record, fact("service.rolledback", rolled)).decision == "block"


def test_an_open_incident_of_what_needs_it_blocks() -> None:
    runs, trouble = (
        deployed("7", "production", "web", at=NOW - 9 * DAY),
        incident("INC-9", "6", "web", "production", at=NOW - 5 * DAY),
    )
    assert ask(NEEDED, declared(), runs).decision == "pass"
    row = ask(NEEDED, declared(), runs, trouble)
    assert (row.decision, "web has 1 open incident in production" in row.reason) == ("block", True)
    assert trouble.id in row.events
    assert ask(NEEDED, declared(), runs, trouble, resolved("INC-9")).decision == "pass"
    again = fact("incident.reopened", p.IncidentMoved(incident="INC-9", service="web"))
    assert ask(NEEDED, declared(), runs, trouble, resolved("INC-9", at=NOW - DAY), again).decision == "block"


def test_a_dependant_of_which_nothing_is_known_is_undecided() -> None:
    assert ask(NEEDED, declared()).decision == "undecided"
    ended = (incident("INC-9", "6", "web", "production", at=NOW - DAY), resolved("INC-9"))
    assert ask(NEEDED, declared(), *ended).decision == "undecided"


def test_a_freeze_of_what_it_needs_holds_until_its_end() -> None:
    gate: dict[str, Any] = {
        "depends_on": {"services": [{"service": "payments", "at_least": "2.3", "freezes": "pay.ics"}]}
    }
    calendars = {
        "file:pay.ics": intervals((NOW - HOUR, NOW + DAY, "year end"), (NOW + DAY, NOW + 2 * DAY, ""))
    }
    row = ask(gate, declared(), payments("2.3"), calendars=calendars)
    assert (row.decision, row.until) == ("undecided", NOW + 2 * DAY)
    assert "payments is in the freeze 'year end' until Thu 2026-03-19" in row.reason
    low = ask(gate, declared(), payments("2.2"), calendars=calendars)
    assert (low.decision, low.until) == ("block", None)
    after = ask(gate, declared(), payments("2.3"), calendars=calendars, at=NOW + 2 * DAY)
    assert after.decision == "pass"
    assert ask(gate, declared(), payments("2.3")).decision == "error"


def test_what_is_undated_leaves_it_undecided() -> None:
    late = payments("2.1", known=None, at=NOW - 3 * DAY)
    assert ask(NEEDS, declared(), payments("2.3"), late).decision == "undecided"


@pytest.mark.parametrize(
    "gate",
    [{}, {"services": [{"service": "payments", "at_least": "latest"}]}, {"needed_by": [{"name": "x"}]}],
)
def test_a_gate_that_asks_for_nothing_it_can_check_is_refused(gate: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateEntry.model_validate({"depends_on": gate})


def test_a_service_cannot_depend_on_itself() -> None:
    with pytest.raises(ValidationError, match="shop is this service itself"):
        policy({"depends_on": {"needed_by": ["shop"]}})
