"""One record in four lengths, each with what concerns its readers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amends.application.notices.office import Desk, Office, open_incident_desk
from amends.events.payloads.notices import AudienceKind
from amends.reviews.audiences.rendering import LONGEST, render
from amends.reviews.audiences.settings import NoticePolicy
from tests.story import Story

KINDS: tuple[AudienceKind, ...] = ("team", "leadership", "dependants", "customers")


@pytest.fixture(scope="module")
def desk() -> Desk:
    story = Story().tell()
    policy = NoticePolicy(public_url="https://amends.example.com/", products={"shop": "the web shop"})
    office = Office(story.log, policy, story.opened.people, lambda name: None)  # type: ignore[arg-type,return-value]
    return open_incident_desk(office, story.incident)


def told(desk: Desk, kind: AudienceKind) -> str:
    text = render(desk.story, kind, desk.redactor)
    return f"{text.subject}\n{text.body}"


def test_each_audience_reads_what_concerns_it(desk: Desk) -> None:
    team, leadership, dependants, customers = (told(desk, kind) for kind in KINDS)
    assert "How it got past the gates" in team
    assert "/incidents/INC-1/review" in team
    assert "It lasted" in leadership
    assert "AM-2 (gate, proven)" in leadership
    assert "If you call shop" in dependants
    assert "the web shop" in customers
    assert "1.4.0" not in customers
    assert "amends.example.com" not in customers


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_its_length_however_long_the_record(desk: Desk, kind: AudienceKind) -> None:
    rows = tuple(
        replace(row, gate=f"{row.gate}-{n}", reason=f"{row.reason} Run {n}. " * 5)
        for n in range(30)
        for row in desk.story.matrix.rows
    )
    opened = replace(desk.story.incident, opened=_longer(desk.story.incident.opened))
    story = replace(
        desk.story, matrix=replace(desk.story.matrix, rows=rows), incident=opened, public_url="",
        mends=desk.story.mends * 40,
    )  # fmt: skip
    text = render(story, kind, desk.redactor)
    assert len(text.body.split()) <= LONGEST[kind]
    assert len(text.brief.split()) <= 45


def _longer(opened: object) -> object:
    import msgspec

    return msgspec.structs.replace(opened, summary="much happened and " * 300)  # type: ignore[type-var]


def test_lengths_fall_from_the_team_outward(desk: Desk) -> None:
    words = [len(told(desk, kind).split()) for kind in KINDS[:3]]
    assert words == sorted(words, reverse=True)


def test_customers_read_nothing_that_was_written_for_colleagues(desk: Desk) -> None:
    import msgspec

    free = "Dana broke db01.internal with password=hunter22"
    opened = msgspec.structs.replace(desk.story.incident.opened, summary=free, team=free, role=free)
    mends = tuple(replace(one, title=free) for one in desk.story.mends)
    story = replace(desk.story, incident=replace(desk.story.incident, opened=opened), mends=mends, impact=())
    assert told(replace(desk, story=story), "customers") == told(desk, "customers")


@pytest.mark.parametrize("kind", KINDS)
def test_what_colleagues_wrote_is_cleaned(desk: Desk, kind: AudienceKind) -> None:
    import msgspec

    opened = msgspec.structs.replace(
        desk.story.incident.opened, summary="Dana Reyes deployed to db01.corp with token=abc123def456"
    )
    story = replace(desk.story, incident=replace(desk.story.incident, opened=opened))
    text = told(replace(desk, story=story), kind)
    assert "Dana" not in text
    assert "abc123def456" not in text
    assert ("db01.corp" in text) == (kind == "team")


def test_what_is_not_over_is_not_called_over(desk: Desk) -> None:
    open_ended = tuple(one for one in desk.story.milestones if one.name in ("started", "detected"))
    story = replace(desk.story, milestones=open_ended)
    assert "It is not over." in render(story, "leadership", desk.redactor).body
    assert "impaired" in render(story, "dependants", desk.redactor).subject
    assert "We are working on it" in render(story, "customers", desk.redactor).body


def test_nobody_counted_is_not_nobody_hurt(desk: Desk) -> None:
    text = render(replace(desk.story, impact=()), "leadership", desk.redactor).body
    assert "was not counted; that is no sign that they met nothing" in text
