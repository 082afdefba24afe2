"""A new draft renews what the record wrote; what people wrote, changed or took out is left to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from amends.application.discussing import read_discussion
from amends.application.reviewing import draft_review, list_revisions, read_revision, save_revision
from amends.events import payloads as p
from amends.reviews.redraft import cited_numbers
from amends.reviews.sections import split_sections
from tests.escapes import Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        draft_review(told.log, "INC-1")
        yield told


def sections(told: Escape) -> dict[str, str]:
    return {s.title: s.text for s in split_sections(read_revision(told.log, "INC-1").text)}


def edit(told: Escape, old: str, new: str) -> None:
    latest = read_revision(told.log, "INC-1")
    assert old in latest.text
    text = latest.text.replace(old, new)
    save_revision(told.log, "INC-1", text, based_on=latest.number, role="scribe")


def note(told: Escape, text: str = "A customer wrote to us.") -> None:
    told.log.record(
        "note.taken", p.NoteTaken(incident="INC-1", service="shop", text=text, at=told.clock.now(), role="qa")
    )


def test_peoples_words_stay_and_the_rest_is_renewed(told: Escape) -> None:
    edit(told, "## What went well\n", "## What went well\n\nWe had a runbook.\n")
    note(told)
    number = draft_review(told.log, "INC-1", again=True)
    found = sections(told)
    assert number == 3
    assert "We had a runbook." in found["What went well"]
    assert "A customer wrote to us." in found["Timeline"]
    revisions = list_revisions(told.log, "INC-1")
    marks = read_discussion(told.log, "INC-1", revisions, revisions[-1]).sections
    origins = {m.section.title: m.origin for m in marks}
    assert (origins["What went well"], origins["Timeline"]) == ("edited", "drafted")


def test_what_people_wrote_outlasts_several_drafts(told: Escape) -> None:
    edit(told, "## Evidence\n", "## Thanks\n\nTo the night shift.\n\n## Evidence\n")
    for text in ("It was loud.", "It was quiet."):
        note(told, text)
        draft_review(told.log, "INC-1", again=True)
    assert sections(told)["Thanks"].strip() == "## Thanks\n\nTo the night shift."


def test_a_section_that_people_took_out_stays_out(told: Escape) -> None:
    edit(told, sections(told)["What went well"], "")
    note(told)
    draft_review(told.log, "INC-1", again=True)
    assert "What went well" not in sections(told)


def test_nothing_new_is_no_new_revision(told: Escape) -> None:
    edit(told, "## Evidence\n", "## Thanks\n\n\n\nTo the night shift.\n\n\n\n## Evidence\n")
    assert draft_review(told.log, "INC-1", again=True) == 2


def test_every_citation_keeps_its_event_and_leads_somewhere(told: Escape) -> None:
    before = cited_numbers(read_revision(told.log, "INC-1").text)
    edit(told, "## Summary\n", "## Summary\n\nOur own words [e1].\n")
    edit(told, sections(told)["Evidence"], "## Evidence\n\nSee the dashboards, too.\n")
    note(told)
    draft_review(told.log, "INC-1", again=True)
    text = read_revision(told.log, "INC-1").text
    after = cited_numbers(text)
    assert {int(n) for n in re.findall(r"\[e(\d+)\]", text)} <= set(after.values())
    assert len(set(after.values())) == len(after)
    assert all(after[event] == number for event, number in before.items() if event in after)
