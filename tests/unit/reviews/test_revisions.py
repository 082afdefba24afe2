"""Revisions: immutable, compared without loss, and safe from concurrent edits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.application.reviewing import (
    compare,
    draft_review,
    list_revisions,
    publish,
    read_revision,
    restore,
    save_revision,
)
from amends.errors import NotFoundError, UsageError
from amends.reviews.revisions import RevisionConflictError, side_by_side
from tests.escapes import Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        yield told


def test_two_people_who_began_from_the_same_revision_lose_nothing(told: Escape) -> None:
    draft_review(told.log, "INC-1")
    save_revision(told.log, "INC-1", "first", based_on=1)
    with pytest.raises(RevisionConflictError) as caught:
        save_revision(told.log, "INC-1", "second", based_on=1)
    assert (caught.value.mine, caught.value.theirs, caught.value.latest) == ("second", "first", 2)
    assert [r.text for r in list_revisions(told.log, "INC-1")][1:] == ["first"]


def test_a_note_meanwhile_is_no_conflict(told: Escape) -> None:
    from amends.application.incidents import take_note

    draft_review(told.log, "INC-1")
    take_note(told.log, "INC-1", "meanwhile")
    assert save_revision(told.log, "INC-1", "text", based_on=1).number == 2


def test_a_draft_is_made_once_again_when_asked_and_never_over_peoples_words(told: Escape) -> None:
    assert draft_review(told.log, "INC-1") == draft_review(told.log, "INC-1") == 1
    assert draft_review(told.log, "INC-1", again=True) == 1
    told.capture("INC-1")
    assert draft_review(told.log, "INC-1", again=True) == 2
    save_revision(told.log, "INC-1", "ours", based_on=2)
    assert draft_review(told.log, "INC-1", again=True) == 3
    assert read_revision(told.log, "INC-1").text.strip() == "ours"


def test_restoring_writes_a_new_revision_and_publishing_marks_one(told: Escape) -> None:
    draft_review(told.log, "INC-1")
    save_revision(told.log, "INC-1", "ours", based_on=1)
    assert restore(told.log, "INC-1", 1).number == 3
    assert read_revision(told.log, "INC-1", 3).text == read_revision(told.log, "INC-1", 1).text
    publish(told.log, "INC-1", number=2)
    assert [r.published for r in list_revisions(told.log, "INC-1")] == [False, True, False]


def test_revisions_that_do_not_exist_and_empty_texts_are_refused(told: Escape) -> None:
    with pytest.raises(NotFoundError, match="no review yet"):
        read_revision(told.log, "INC-1")
    draft_review(told.log, "INC-1")
    with pytest.raises(NotFoundError, match="there are 1 to 1"):
        compare(told.log, "INC-1", 7)
    with pytest.raises(UsageError, match="empty"):
        save_revision(told.log, "INC-1", " \n", based_on=1)


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8).map("\n".join)


@given(_TEXTS, _TEXTS)
def test_side_by_side_holds_every_line_of_both_once_and_in_order(left: str, right: str) -> None:
    rows = side_by_side(left, right)
    assert [r.left for r in rows if r.left_number] == left.splitlines()
    assert [r.right for r in rows if r.right_number] == right.splitlines()
    assert all(r.left == r.right for r in rows if r.change == "same")
