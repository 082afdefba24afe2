"""The work on an incident: duties, merging, splitting, backdating; each said once and kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.adapters.stores import open_store
from amends.application.casework import (
    assess,
    backdate,
    leave_duty,
    merge,
    open_from_bypass,
    split,
    take_duty,
)
from amends.application.desk import Desk
from amends.application.incidents import incident_view, open_incident, reopen, resolve, take_note
from amends.application.record import require_incident
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.incidents.incident import Lifecycle
from tests.escapes import BEGAN, POLICY, Escape, escape, minutes


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        yield told


@pytest.fixture
def desk(told: Escape) -> Iterator[Desk]:
    opened = open_store("memory:")
    yield Desk(told.log, opened.people, "shop", "shop-team")
    opened.store.close()


def opened(told: Escape, service: str = "shop", release: str = "1.1") -> str:
    told.clock.wait(60)
    return open_incident(
        told.log, service=service, release=release, previous="1.0", environment="production",
        summary="errors", opened_by="person",
    )  # fmt: skip


def texts(told: Escape, incident: str) -> str:
    return "\n".join(line.text for line in incident_view(told.log, incident).record.timeline)


def test_the_last_assessment_holds_and_what_it_leaves_out_stays(told: Escape) -> None:
    incident = opened(told)
    assess(told.log, incident, role="on-call", severity="sev1", visibility="some")
    assess(told.log, incident, role="on-call", severity="sev2", reason="one client")
    found = require_incident(told.log, incident)
    assert (found.severity, found.visibility) == ("sev2", "some")
    assert "severity sev1" in texts(told, incident)


@pytest.mark.parametrize("wrong", [{}, {"severity": "<b>"}, {"visibility": "perhaps"}])
def test_an_assessment_that_says_nothing_is_refused(told: Escape, wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        assess(told.log, opened(told), role="on-call", **wrong)


def test_a_duty_goes_from_team_to_team_and_names_a_person_only_by_choice(told: Escape, desk: Desk) -> None:
    incident = opened(told)
    take_duty(desk, incident, "commander", team="@org/payments")
    take_duty(desk, incident, "commander", team="shop-team", login="Ana <ana@example.org>")
    take_duty(desk, incident, "scribe", team="support")
    leave_duty(desk, incident, "scribe")
    (duty,) = require_incident(told.log, incident).duties
    assert (duty.name, duty.team) == ("commander", "shop-team")
    assert desk.people.login(duty.person) == "ana@example.org"
    assert "ana" not in str([fact.payload for fact in told.log.stream(f"incident/{incident}")])
    with pytest.raises(NotAllowedError, match="nobody is scribe"):
        leave_duty(desk, incident, "scribe")


def test_there_is_no_duty_of_being_at_fault_and_none_without_a_team(told: Escape, desk: Desk) -> None:
    incident = opened(told)
    with pytest.raises(UsageError, match="commander, scribe, communications"):
        take_duty(desk, incident, "culprit", team="shop-team")
    with pytest.raises(UsageError, match="which team"):
        take_duty(desk, incident, "scribe", login="ana")


def test_a_merged_incident_is_closed_and_the_other_tells_of_both(told: Escape) -> None:
    first, second = opened(told), opened(told, "ledger", "7")
    take_note(told.log, second, "the ledger answers late")
    merge(told.log, second, first, role="on-call", reason="one and the same")
    gone = require_incident(told.log, second)
    assert (gone.state, gone.merged_into) == (Lifecycle.MERGED, first)
    assert "the ledger answers late" in texts(told, first)
    assert f"{second} merged into {first}" in texts(told, first)
    assert not next(m for m in incident_view(told.log, second).record.milestones if m.name == "resolved").at
    with pytest.raises(NotAllowedError, match="is merged"):
        resolve(told.log, second, role="on-call", reason="done")


def test_reopening_takes_a_merged_incident_out_again(told: Escape) -> None:
    first, second = opened(told), opened(told)
    take_note(told.log, second, "only of the second")
    merge(told.log, second, first, role="on-call")
    reopen(told.log, second, role="on-call", reason="they differ")
    assert require_incident(told.log, second).state is Lifecycle.OPEN
    assert "only of the second" not in texts(told, first)


def test_merges_never_go_round_in_a_circle(told: Escape) -> None:
    first, second = opened(told), opened(told)
    with pytest.raises(UsageError):
        merge(told.log, first, first, role="on-call")
    merge(told.log, second, first, role="on-call")
    with pytest.raises(NotAllowedError, match=f"itself merged into {first}"):
        merge(told.log, first, second, role="on-call")
    # Two processes at once may each merge into the other; reading still ends.
    moved = p.IncidentMoved(incident=first, service="shop", other=second)
    told.tell("incident.merged", moved)
    assert texts(told, first)


def test_a_split_moves_lines_and_says_so_on_both_sides(told: Escape, desk: Desk) -> None:
    incident = opened(told)
    kept = take_note(told.log, incident, "baskets are empty")
    moved = take_note(told.log, incident, "mails arrive twice")
    other = split(
        desk, incident, summary="mails arrive twice", role="on-call", events=[moved.id], service="mail"
    )
    assert require_incident(told.log, other).opened.split_from == incident
    assert "on-call" in texts(told, other)
    ids = [{line.event for line in incident_view(told.log, one).record.timeline} for one in (incident, other)]
    assert (kept.id in ids[0], moved.id in ids[0]) == (True, False)
    assert (kept.id in ids[1], moved.id in ids[1]) == (False, True)
    assert all(f"{other} split from {incident}" in texts(told, one) for one in (incident, other))


def test_a_split_moves_a_captured_failure_from_which_a_test_can_be_written(told: Escape, desk: Desk) -> None:
    incident = told.live_through()
    failure = told.capture(incident)
    other = split(desk, incident, summary="the failure alone", role="on-call", events=[failure.id])
    assert not incident_view(told.log, incident).failures
    view = incident_view(told.log, other)
    assert [fact.id for fact in view.failures] == [failure.id]
    assert view.incident.owns(failure)


def test_a_split_leaves_what_ran_where_and_what_is_not_there(told: Escape, desk: Desk) -> None:
    incident = told.live_through()
    deployed = told.log.facts(kinds=("service.deployed",))[-1]
    with pytest.raises(UsageError, match=r"service\.deployed"):
        split(desk, incident, summary="x", role="on-call", events=[deployed.id])
    with pytest.raises(UsageError, match="no event 'none'"):
        split(desk, incident, summary="x", role="on-call", events=["none"])


def test_backdating_moves_the_detection_and_keeps_what_was_said(told: Escape) -> None:
    told.clock.wait(3600)
    incident = opened(told)
    before = require_incident(told.log, incident).detected_at
    backdate(told.log, incident, BEGAN + minutes(5), role="support", reason="the first mail")
    record = incident_view(told.log, incident).record
    detected = next(m for m in record.milestones if m.name == "detected")
    assert detected.at == BEGAN + minutes(5)
    assert detected.source == "backdated by support"
    assert f"{before:%H:%M:%S}" in texts(told, incident)
    with pytest.raises(UsageError, match="still to come"):
        backdate(told.log, incident, told.clock.now() + minutes(1), role="support", reason="x")
    with pytest.raises(UsageError, match="why"):
        backdate(told.log, incident, BEGAN, role="support", reason=" ")


def test_a_way_around_the_gates_opens_one_incident(told: Escape) -> None:
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
    told.declare("1.1")
    with pytest.raises(NotFoundError, match="went around"):
        open_from_bypass(told.log, "shop", "1.1")
    seen = told.tell(
        "service.deployed",
        p.ServiceDeployed(service="shop", release="1.1", environment="production", previous="1.0"),
    )
    incident = open_from_bypass(told.log, "shop", "1.1", role="on-call")
    assert open_from_bypass(told.log, "shop", "1.1") == incident
    found = require_incident(told.log, incident).opened
    assert (found.opened_by, found.bypass, found.previous) == ("bypass", seen.id, "1.0")
    assert incident_view(told.log, incident).record.matrix.bypassed
