"""Which service's release began an incident, and which services stand around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from amends.application.casework import clear, concern
from amends.application.incidents import (
    incident_view,
    list_incidents,
    open_incident,
    think_of_neighbours,
)
from amends.application.record import require_incident
from amends.errors import NotAllowedError, UsageError
from amends.events import payloads as p
from amends.incidents.neighbourhood import Edge, around
from tests.escapes import Escape, escape

HEAD = "service: {0}\nteam: {0}-team\nenvironments: [production]\ngates:\n  production:\n"


@pytest.fixture
def told() -> Iterator[Escape]:
    """web needs shop, shop needs ledger, reports needs ledger."""
    with escape() as told:
        policy(told, "shop", "    - depends_on: {services: [{service: ledger}], needed_by: [web]}\n")
        policy(told, "ledger", "    - depends_on: {needed_by: [reports]}\n")
        yield told


def policy(told: Escape, service: str, gates: str) -> None:
    text = HEAD.format(service) + gates
    told.tell("policy.adopted", p.PolicyAdopted(service=service, digest=f"of-{service}", text=text))


def deployed(told: Escape, service: str, release: str, *, minutes: float = 1) -> None:
    taken = p.ServiceDeployed(service=service, release=release, environment="production")
    told.tell("service.deployed", taken, minutes=minutes)


def watched(told: Escape, service: str, release: str, verdict: Any) -> None:
    told.tell("deployment.requested", p.DeploymentRequested(
        deployment=f"d-{service}", service=service, release=release, environment="production", plan={},
        policy="",
    ))  # fmt: skip
    told.tell("step.started", p.StepStarted(
        deployment=f"d-{service}", service=service, environment="production", step=1, weight=10, seconds=60,
    ))  # fmt: skip
    told.tell("watch.assessed", p.WatchAssessed(
        deployment=f"d-{service}", service=service, environment="production", step=1, tick=1, verdict=verdict,
        reason="errors", state={},
    ))  # fmt: skip


def opened(told: Escape, service: str = "shop", release: str = "5") -> str:
    told.clock.wait(60)
    return open_incident(
        told.log, service=service, release=release, previous="", environment="production", summary="errors",
        opened_by="alert",
    )  # fmt: skip


def origin(told: Escape, incident: str) -> Any:
    return incident_view(told.log, incident).around.origin


def test_services_are_found_both_ways_and_by_way_of_others_even_in_a_circle() -> None:
    def edge(service: str, needs: str) -> Edge:
        return Edge(service, "production", needs, "production", f"{service}-{needs}")

    found = around(
        [edge("web", "shop"), edge("shop", "ledger"), edge("ledger", "bank"), edge("bank", "ledger")],
        "shop", "production",
    )  # fmt: skip
    assert [(one.service, one.relation, one.path) for one in found] == [
        ("ledger", "upstream", ()), ("bank", "upstream", ("ledger",)), ("web", "downstream", ()),
    ]  # fmt: skip
    assert around([edge("web", "shop")], "shop", "staging") == ()


def test_a_watch_upstream_outweighs_a_release_that_only_came_later(told: Escape) -> None:
    watched(told, "ledger", "2", "roll_back")
    deployed(told, "shop", "5")
    found = origin(told, opened(told))
    assert (found.begun.service, found.begun.release, found.shown) == ("ledger", "2", True)


def test_its_own_watch_outweighs_one_upstream_for_both_arms_had_the_same_upstream(told: Escape) -> None:
    watched(told, "ledger", "2", "roll_back")
    watched(told, "shop", "5", "roll_back")
    found = origin(told, opened(told))
    assert (found.begun.service, found.upstream) == ("shop", False)


def test_the_order_of_time_alone_is_only_perhaps_and_two_releases_leave_it_open(told: Escape) -> None:
    deployed(told, "ledger", "2")
    found = origin(told, opened(told, release="4"))
    assert found.upstream
    assert not found.shown
    assert found.sentence.startswith("Perhaps")
    deployed(told, "shop", "5")
    found = origin(told, opened(told))
    assert found.begun is None
    assert "ledger 2" in found.sentence
    assert "shop 5" in found.sentence


def test_a_release_of_last_week_began_nothing_today(told: Escape) -> None:
    deployed(told, "ledger", "2")
    told.clock.wait(8 * 86400)
    found = origin(told, opened(told))
    assert found.begun is None
    assert found.sentence.startswith("Open: no release")


def test_a_release_that_was_taken_back_hours_ago_began_nothing_now(told: Escape) -> None:
    watched(told, "ledger", "2", "roll_back")
    told.tell("service.rolledback", p.ServiceRolledBack(
        service="ledger", release="2", restored="1", environment="production"
    ))  # fmt: skip
    told.clock.wait(1800)
    assert origin(told, opened(told)).shown
    told.clock.wait(3600)
    assert origin(told, opened(told)).begun is None
    deployed(told, "ledger", "2")
    assert origin(told, opened(told)).begun.release == "2"


def test_owners_around_it_are_told_with_the_incident_and_who_is_far_is_left_alone(told: Escape) -> None:
    incident = opened(told)
    found = {one.service: (one.relation, one.team) for one in require_incident(told.log, incident).neighbours}
    assert found == {"ledger": ("upstream", "ledger-team"), "web": ("downstream", "")}
    assert [one.id for one in list_incidents(told.log, service="ledger")] == [incident]
    kinds = [fact.kind for fact in told.log.stream(f"incident/{incident}")]
    assert kinds == ["incident.detected", "neighbour.concerned", "neighbour.concerned"]


def test_what_else_needs_the_service_that_began_it_is_told_too(told: Escape) -> None:
    watched(told, "ledger", "2", "roll_back")
    incident = require_incident(told.log, opened(told))
    assert ("reports", "beside") in {(one.service, one.relation) for one in incident.neighbours}


def test_looking_again_adds_what_is_known_by_now_and_never_what_was_cleared(told: Escape) -> None:
    incident = opened(told)
    clear(told.log, incident, "web", role="on-call", reason="it has a cache")
    assert think_of_neighbours(told.log, incident) == []
    watched(told, "ledger", "2", "roll_back")
    assert think_of_neighbours(told.log, incident) == []
    concern(told.log, incident, "mail", relation="downstream", role="on-call", team="@org/mail-team")
    names = {one.service: one.team for one in require_incident(told.log, incident).neighbours}
    assert names == {"ledger": "ledger-team", "mail": "mail-team"}


def test_a_service_is_no_neighbour_of_itself(told: Escape) -> None:
    incident = opened(told)
    with pytest.raises(UsageError, match="which other service"):
        concern(told.log, incident, "shop", relation="upstream", role="on-call")
    with pytest.raises(UsageError, match="upstream, downstream, beside"):
        concern(told.log, incident, "mail", relation="above", role="on-call")
    with pytest.raises(NotAllowedError):
        clear(told.log, incident, "mail", role="on-call")


def test_without_dependencies_nothing_is_said_of_where_it_began() -> None:
    with escape() as told:
        view = incident_view(told.log, told.live_through())
        assert view.around.origin is None
        assert not view.incident.neighbours


def test_a_policy_that_cannot_be_read_keeps_no_incident_from_opening(told: Escape) -> None:
    broken = p.PolicyAdopted(service="mail", digest="x", text="gates: [depends_on: {")
    told.tell("policy.adopted", broken)
    assert require_incident(told.log, opened(told)).neighbours
