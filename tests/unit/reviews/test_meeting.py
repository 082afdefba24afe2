"""The one meeting: its agenda is what is open, owners attend, minutes stand at their point."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.application.actions import Wanted, add_action
from amends.application.discussing import Said, comment, settle, take_minute
from amends.application.meeting import read_meeting
from amends.application.reviewing import draft_review, read_revision, save_revision
from amends.events import payloads as p
from tests.escapes import POLICY, Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.tell(
            "override.granted",
            p.OverrideGranted(
                service="shop", release="1.1", environment="production", reason="a fix is needed tonight",
                requested_by="p-2", approved_by="p-1",
                approver_role="service owner", expires_at=told.clock.now(),
            ),
        )  # fmt: skip
        told.live_through()
        draft_review(told.log, "INC-1")
        yield told


def points(told: Escape, kind: str) -> list[str]:
    return [point.text for point in read_meeting(told.log, "INC-1").points if point.kind == kind]


def test_rows_ways_around_questions_comments_and_dateless_items_are_on_it(told: Escape) -> None:
    assert any("tests, ran, sight unknown" in text for text in points(told, "row"))
    assert "a fix is needed tonight" in points(told, "override")[0]
    assert points(told, "question") == []
    text = read_revision(told.log, "INC-1").text
    text = text.replace("## Open questions\n", "## Open questions\n\n- Who watches at night?\n")
    save_revision(told.log, "INC-1", text, based_on=1)
    first = comment(told.log, "INC-1", Said("Really?", "qa"), quote="shop-team")
    add_action(told.log, "INC-1", Wanted("Write it down"))
    assert points(told, "question") == ["Who watches at night?"]
    assert points(told, "comment") == ["“shop-team”: Really?"]
    assert points(told, "action") == ["ACT-1 of shop-team: Write it down"]
    settle(told.log, "INC-1", first.id, role="qa")
    assert points(told, "comment") == []


def test_minutes_stand_at_their_point_and_others_at_the_end(told: Escape) -> None:
    topic = read_meeting(told.log, "INC-1").points[0].key
    take_minute(told.log, "INC-1", Said("The suite never divides.", "qa"), topic=topic)
    take_minute(told.log, "INC-1", Said("We met at ten.", "scribe"))
    found = read_meeting(told.log, "INC-1")
    assert [m.said.text for m in found.points[0].minutes] == ["The suite never divides."]
    assert [m.said.text for m in found.minutes] == ["We met at ten."]


def test_attendance_is_suggested_from_owners_each_with_why(told: Escape) -> None:
    rules = "review: {reviewers: [qa lead]}\n"
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="d", text=POLICY + rules))
    add_action(told.log, "INC-1", Wanted("Ask them", team="data-team"))
    found = {one.who: (one.kind, one.why) for one in read_meeting(told.log, "INC-1").attendance}
    assert found["shop-team"] == ("team", ("owns shop",))
    assert found["service owner"] == ("role", ("approved an override",))
    assert found["qa lead"] == ("role", ("has to agree with the review",))
    assert found["data-team"] == ("team", ("owns ACT-1",))
    assert not any(who.startswith("p-") for who in found)
