"""Overrides and bypasses put themselves on the agenda of the next review."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from amends.application.agenda import read_agenda
from amends.application.incidents import open_incident
from amends.application.reviewing import draft_review, draft_text, publish
from amends.events import payloads as p
from tests.escapes import POLICY, Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
        yield told


def override(told: Escape, release: str, service: str = "shop") -> str:
    said = p.OverrideGranted(
        service=service, release=release, environment="production", reason="checkout is down",
        requested_by="p-000000000001", approved_by="p-000000000002", approver_role="release-manager",
        expires_at=told.clock.now() + timedelta(hours=4),
    )  # fmt: skip
    return told.tell("override.granted", said).id


def around(told: Escape, release: str) -> str:
    said = p.ServiceDeployed(service="shop", release=release, environment="production")
    return told.tell("service.deployed", said).id


def incident(told: Escape, release: str) -> str:
    told.clock.wait(60)
    return open_incident(
        told.log, service="shop", release=release, previous="", environment="production", summary="errors",
        opened_by="person",
    )  # fmt: skip


def reviewed(told: Escape, name: str) -> None:
    told.clock.wait(60)
    draft_review(told.log, name)
    publish(told.log, name)


def events(told: Escape, name: str) -> list[str]:
    return [topic.event for topic in read_agenda(told.log, name).topics]


def test_the_agenda_holds_what_came_since_the_last_review(told: Escape) -> None:
    before = [override(told, "0.8"), around(told, "0.9")]
    first = incident(told, "1.0")
    assert events(told, first) == before
    reviewed(told, first)
    since = [around(told, "1.1"), override(told, "1.2")]
    second = incident(told, "1.2")
    assert events(told, second) == since
    assert read_agenda(told.log, second).review == first
    assert events(told, first) == before, "what came later is not on the agenda of a review that is over"


def test_those_of_the_incidents_own_release_are_there_however_old(told: Escape) -> None:
    mine = override(told, "1.2")
    reviewed(told, incident(told, "1.0"))
    override(told, "9.9", service="elsewhere")
    (topic,) = read_agenda(told.log, incident(told, "1.2")).topics
    assert (topic.event, topic.own) == (mine, True)


def test_the_draft_lists_them_with_a_question_and_their_events(told: Escape) -> None:
    ids = [override(told, "1.1"), around(told, "1.1")]
    text = draft_text(told.log, incident(told, "1.1"))
    section = text.split("## Overrides and bypasses since the last review")[1].split("\n## ")[0]
    assert "override of this release: 1.1 was let past every gate of production until" in section
    assert "approved by release-manager: checkout is down." in section
    assert "bypass of this release: 1.1 met production without a decision of its gates." in section
    assert section.count("?*") == 2
    assert all(f"`{event}`" in text for event in ids)
    assert "p-00000000" not in text


def test_where_there_is_none_that_is_said(told: Escape) -> None:
    first = incident(told, "1.0")
    assert "None is recorded so far." in draft_text(told.log, first)
    reviewed(told, first)
    assert f"None is recorded since the review of {first}" in draft_text(told.log, incident(told, "1.1"))


def test_of_very_many_deployments_the_latest_are_looked_at_and_that_is_said(
    told: Escape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amends.application.agenda.MOST", 2)
    late = [around(told, f"0.{number}") for number in range(4)][2:]
    name = incident(told, "1.0")
    assert events(told, name) == late
    assert read_agenda(told.log, name).began == "so far, of the latest 2 deployments"
