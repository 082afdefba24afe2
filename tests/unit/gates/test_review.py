"""The review gate by example."""

from __future__ import annotations

from tests.unit.gates.record import HOUR, NOW, ask, declared, merged, reviewed

ONE = {"review": {"approvals": 1}}
TWO = {"review": {"approvals": 2}}
OWNED = {"review": {"approvals": 1, "owners": True}}


def test_one_approval_by_somebody_else_passes_and_names_the_team_only() -> None:
    row = ask(ONE, declared("c1"), merged(), reviewed("p-ann", team="@org/payments", id="r1"))
    assert row.decision == "pass"
    assert "1 approval (by payments)" in row.reason
    assert "p-ann" not in row.reason
    assert "r1" in row.events


def test_the_authors_own_approval_does_not_count() -> None:
    facts = [declared("c1"), merged(author="p-ann"), reviewed("p-ann")]
    assert ask(ONE, *facts).decision == "block"
    assert ask({"review": {"approvals": 1, "not_author": False}}, *facts).decision == "pass"


def test_the_same_reviewer_twice_is_one_approval() -> None:
    row = ask(TWO, declared("c1"), merged(), reviewed("p-ann"), reviewed("p-ann", at=NOW - 2 * HOUR))
    assert row.decision == "block"
    assert "c1 has 1 approval" in row.reason
    assert "required: every change has 2 approvals" in row.reason


def test_a_later_request_for_changes_takes_the_approval_back_until_it_is_approved_again() -> None:
    facts = [declared("c1"), merged(), reviewed("p-ann", at=NOW - 5 * HOUR), reviewed("p-bob")]
    refusal = reviewed("p-ann", "changes_requested", at=NOW - 4 * HOUR)
    assert ask(ONE, *facts, refusal).decision == "block"
    assert ask(ONE, *facts, refusal, reviewed("p-ann", at=NOW - 3 * HOUR)).decision == "pass"


def test_a_comment_is_no_verdict() -> None:
    facts = [declared("c1"), merged(), reviewed("p-ann", at=NOW - 5 * HOUR)]
    assert ask(ONE, *facts, reviewed("p-ann", "commented")).decision == "pass"
    assert ask(ONE, declared("c1"), merged(), reviewed("p-ann", "commented")).decision == "block"


def test_every_change_of_the_release_is_looked_at() -> None:
    facts = [declared("c1", "c2"), merged("c1"), merged("c2"), reviewed("p-ann", change="c1")]
    row = ask(ONE, *facts)
    assert row.decision == "block"
    assert "change c2" in row.reason


def test_what_nobody_recorded_is_undecided() -> None:
    assert ask(ONE).decision == "undecided"
    assert ask(ONE, declared()).decision == "undecided"
    assert "never recorded" in ask(ONE, declared("c1"), reviewed("p-ann")).reason
    assert ask(ONE, declared("c1"), merged(author=""), reviewed("p-ann")).decision == "undecided"


def test_each_group_of_owners_must_approve() -> None:
    facts = [declared("c1"), merged(owners=(("payments", "p-0123456789ab"), ("web",)))]
    row = ask(OWNED, *facts, reviewed("p-ann", team="payments"))
    assert row.decision == "block"
    assert "no approval by an owner (web)" in row.reason
    both = [reviewed("p-0123456789ab"), reviewed("p-bob", team="@org/web")]
    assert ask(OWNED, *facts, *both).decision == "pass"


def test_an_owner_who_is_a_person_is_never_named() -> None:
    facts = [declared("c1"), merged(owners=(("p-0123456789ab",),)), reviewed("p-ann")]
    assert "p-0123456789ab" not in ask(OWNED, *facts).reason


def test_owners_that_were_not_recorded_are_undecided_and_none_at_all_pass() -> None:
    assert ask(OWNED, declared("c1"), merged(), reviewed("p-ann")).decision == "undecided"
    assert ask(OWNED, declared("c1"), merged(owners=()), reviewed("p-ann")).decision == "pass"


def test_an_approval_whose_time_nobody_stated_is_undecided() -> None:
    row = ask(ONE, declared("c1"), merged(), reviewed("p-ann", known=None))
    assert row.decision == "undecided"
    assert "does not say when it was known" in row.reason


def test_an_approval_known_later_does_not_count_yet() -> None:
    facts = [declared("c1"), merged(), reviewed("p-ann", at=NOW - HOUR, known=NOW + HOUR)]
    assert ask(ONE, *facts).decision == "block"
    assert ask(ONE, *facts, at=NOW + HOUR).decision == "pass"


def test_a_change_of_which_nobody_recorded_reviews_is_undecided_until_one_is_known() -> None:
    unknown = [declared("c1"), merged(unrecorded=("reviews",))]
    row = ask(ONE, *unknown)
    assert (row.decision, "nobody recorded whether change c1 was reviewed" in row.reason) == (
        "undecided",
        True,
    )
    assert ask(ONE, *unknown, reviewed("p-ann")).decision == "pass"
    assert ask(ONE, *unknown, reviewed("p-ann", "changes_requested")).decision == "block"
