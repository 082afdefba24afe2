"""A review is a draft, in review, or published; the roles of the policy agree with what is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from amends.application.approving import move, read_progress
from amends.application.reviewing import publish, save_revision
from amends.errors import NotAllowedError, UsageError
from amends.events import payloads as p
from amends.reviews.progress import SOMEBODY_ELSE, ReviewState
from tests.escapes import POLICY, Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        save_revision(told.log, "INC-1", "first", based_on=0, role="scribe")
        yield told


def adopt(told: Escape, rules: str) -> None:
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="d", text=f"{POLICY}{rules}\n"))


def test_the_roles_of_the_policy_agree_with_the_revision_that_is_published(told: Escape) -> None:
    adopt(told, "review: {reviewers: [QA lead, service owner], settle: 3d}")
    with pytest.raises(NotAllowedError, match="QA lead, service owner"):
        publish(told.log, "INC-1")
    move(told.log, "INC-1", "submitted", role="scribe")
    move(told.log, "INC-1", "approved", role="service owner")
    assert move(told.log, "INC-1", "approved", role="qa  LEAD").missing == ()
    save_revision(told.log, "INC-1", "second", based_on=1, role="scribe")
    assert read_progress(told.log, "INC-1").missing == ("QA lead", "service owner")
    with pytest.raises(NotAllowedError, match="agreed with revision 1"):
        publish(told.log, "INC-1")
    published = publish(told.log, "INC-1", number=1)
    assert read_progress(told.log, "INC-1").settles_at == published.occurred_at + timedelta(days=3)


def test_an_earlier_revision_is_no_way_around_the_roles(told: Escape) -> None:
    adopt(told, "review: {reviewers: [QA lead]}")
    save_revision(told.log, "INC-1", "second", based_on=1, role="scribe")
    with pytest.raises(NotAllowedError, match="QA lead"):
        publish(told.log, "INC-1", number=1)


def test_without_rules_somebody_else_agrees_with_what_was_submitted(told: Escape) -> None:
    assert read_progress(told.log, "INC-1").missing == ()
    assert move(told.log, "INC-1", "submitted", role="scribe").missing == (SOMEBODY_ELSE,)
    assert move(told.log, "INC-1", "approved", role="Scribe").missing == (SOMEBODY_ELSE,)
    assert move(told.log, "INC-1", "approved", role="qa").missing == ()
    publish(told.log, "INC-1")
    assert read_progress(told.log, "INC-1").state is ReviewState.PUBLISHED


def test_returned_it_is_a_draft_with_a_reason_and_an_edit_after_publishing_is_one_too(told: Escape) -> None:
    move(told.log, "INC-1", "submitted", role="scribe")
    move(told.log, "INC-1", "approved", role="qa")
    after = move(told.log, "INC-1", "returned", role="qa", reason="the impact is missing")
    assert (after.state, after.approvals, after.reason) == (ReviewState.DRAFT, (), "the impact is missing")
    publish(told.log, "INC-1")
    save_revision(told.log, "INC-1", "second", based_on=1)
    after = read_progress(told.log, "INC-1")
    assert (after.state, after.latest, after.published) == (ReviewState.DRAFT, 2, 1)


def test_words_that_the_state_does_not_allow_are_refused(told: Escape) -> None:
    with pytest.raises(NotAllowedError, match="only one in review"):
        move(told.log, "INC-1", "approved", role="qa")
    move(told.log, "INC-1", "submitted", role="scribe")
    with pytest.raises(NotAllowedError, match="only a draft"):
        move(told.log, "INC-1", "submitted", role="scribe")
    with pytest.raises(UsageError, match="with a reason"):
        move(told.log, "INC-1", "returned", role="qa")
    with pytest.raises(UsageError, match="who says so"):
        move(told.log, "INC-1", "approved", role=" ")


def test_a_policy_that_nobody_can_read_leaves_the_defaults(told: Escape) -> None:
    adopt(told, "review: {reviewer: typo}")
    assert read_progress(told.log, "INC-1").missing == ()
