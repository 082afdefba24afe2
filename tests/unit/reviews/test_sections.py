"""Sections: which still say what the record drafted, until a person edits or accepts them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.application.discussing import accept_sections, read_discussion
from amends.application.reviewing import draft_review, list_revisions, read_revision, save_revision
from amends.errors import NotFoundError
from amends.reviews.sections import split_sections
from tests.escapes import Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        draft_review(told.log, "INC-1")
        yield told


def origins(told: Escape) -> dict[str, str]:
    revisions = list_revisions(told.log, "INC-1")
    found = read_discussion(told.log, "INC-1", revisions, revisions[-1])
    return {one.section.title: one.origin for one in found.sections}


def test_what_a_person_edits_is_theirs_and_the_rest_stays_drafted(told: Escape) -> None:
    text = read_revision(told.log, "INC-1").text
    text = text.replace("## What went well\n", "## What went well\n\nWe had a runbook.\n")
    save_revision(told.log, "INC-1", text + "\n## Thanks\n\nTo the night shift.\n", based_on=1, role="scribe")
    found = origins(told)
    assert (found["What went well"], found["Thanks"], found["Summary"]) == ("edited", "written", "drafted")


def test_what_a_person_accepts_is_accepted_as_it_stands_until_it_is_drafted_anew(told: Escape) -> None:
    accept_sections(told.log, "INC-1", role="service owner", titles=["Summary", "Timeline"])
    assert origins(told)["Timeline"] == "accepted"
    told.capture("INC-1")
    draft_review(told.log, "INC-1", again=True)
    assert (origins(told)["Summary"], origins(told)["Timeline"]) == ("accepted", "drafted")


def test_all_are_accepted_at_once_and_nothing_twice(told: Escape) -> None:
    assert len(accept_sections(told.log, "INC-1", role="service owner")) == len(origins(told))
    assert set(origins(told).values()) == {"accepted"}
    assert accept_sections(told.log, "INC-1", role="service owner") == ()
    with pytest.raises(NotFoundError, match="no section 'Blame'"):
        accept_sections(told.log, "INC-1", role="service owner", titles=["Blame"])


def test_a_heading_inside_code_begins_no_section() -> None:
    text = "before\n\n## One ##\n\n```\n## not a heading\n```\n\n### deeper\n\n## Two\n"
    assert [(s.title, s.line) for s in split_sections(text)] == [("", 1), ("One", 3), ("Two", 11)]


@given(st.lists(st.sampled_from(["## A", "text", "```", "## B", "", "# C"]), max_size=12).map("\n".join))
def test_sections_together_are_the_text(text: str) -> None:
    assert "".join(section.text for section in split_sections(text)) == text
