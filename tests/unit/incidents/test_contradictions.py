"""Times that cannot all be true are found and shown; what rounding explains is not one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.application.casewords import state_duration
from amends.application.incidents import incident_view, set_milestone
from amends.application.record import require_incident
from amends.errors import UsageError
from amends.incidents.contradictions import Contradiction
from tests.escapes import BEGAN, Escape, escape, minutes


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        yield told


def found(told: Escape, incident: str) -> list[Contradiction]:
    return list(incident_view(told.log, incident).record.contradictions)


def test_a_plain_incident_contradicts_nothing(told: Escape) -> None:
    assert found(told, told.live_through()) == []


def test_resolved_before_it_was_detected_is_shown_with_both_sources_and_not_mended(told: Escape) -> None:
    incident = told.live_through()
    set_milestone(told.log, incident, "resolved", at=BEGAN - minutes(60), role="support")
    order = [one for one in found(told, incident) if one.kind == "order"]
    assert any("Resolved" in one.text and "lies before detected" in one.text for one in order)
    assert all(one.events for one in order)
    resolved = incident_view(told.log, incident).record.milestones[-1]
    assert resolved.at == BEGAN - minutes(60)


def test_an_interval_contradicts_only_where_no_moment_of_it_fits(told: Escape) -> None:
    incident = told.live_through()
    detected = require_incident(told.log, incident).detected_at
    early, late = detected - minutes(30), detected + minutes(30)
    set_milestone(told.log, incident, "resolved", earliest=early, latest=late, role="support")
    assert found(told, incident) == []
    set_milestone(told.log, incident, "resolved", latest=early, role="support")
    assert {one.kind for one in found(told, incident)} == {"order"}


def test_two_sources_disagree_and_who_corrects_a_time_contradicts_nobody(told: Escape) -> None:
    incident = told.live_through()
    at = require_incident(told.log, incident).detected_at + minutes(40)
    set_milestone(told.log, incident, "cause_found", at=at, role="on-call")
    set_milestone(told.log, incident, "cause_found", at=at + minutes(20), role="on-call")
    assert found(told, incident) == []
    set_milestone(told.log, incident, "cause_found", at=at, role="support")
    (one,) = found(told, incident)
    assert one.kind == "sources"
    assert "stated by support" in one.text
    assert "stated by on-call" in one.text


def test_a_time_written_to_the_minute_stands_for_that_minute(told: Escape) -> None:
    incident = told.live_through()
    at = require_incident(told.log, incident).detected_at.replace(second=0) + minutes(5)
    set_milestone(told.log, incident, "cause_found", at=at, role="on-call")
    set_milestone(told.log, incident, "cause_found", at=at.replace(second=42), role="support")
    assert found(told, incident) == []


@pytest.mark.parametrize(("hours", "precision", "kinds"), [
    (2, 3600, set()),  # two hours, told in hours
    (2, 60, {"duration"}),  # two hours to the minute
    (4, 3600, {"duration"}),
])  # fmt: skip
def test_a_stated_duration_is_held_to_the_milestones_as_precisely_as_it_was_said(
    told: Escape, hours: float, precision: float, kinds: set[str]
) -> None:
    incident = told.live_through()
    detected = require_incident(told.log, incident).detected_at
    set_milestone(told.log, incident, "resolved", at=detected + minutes(140), role="on-call")
    state_duration(
        told.log, incident, begins="detected", ends="resolved", seconds=hours * 3600, precision=precision,
        source="status page",
    )  # fmt: skip
    assert {one.kind for one in found(told, incident)} == kinds
    assert all("resolved − detected" in one.text for one in found(told, incident))


def test_a_duration_that_is_none_is_refused(told: Escape) -> None:
    incident = told.live_through()
    with pytest.raises(UsageError, match="allowed are started"):
        state_duration(told.log, incident, begins="began", ends="resolved", seconds=60)
    with pytest.raises(UsageError, match="a duration has a length"):
        state_duration(told.log, incident, begins="detected", ends="resolved", seconds=-1)
