"""Should anyone apologise? The answer never depends on a person, and is never a mail from one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amends.application.notices.office import Office, open_incident_desk
from amends.reviews.apology import advise
from amends.reviews.audiences.settings import NoticePolicy
from amends.reviews.audiences.story import Story as Told
from tests.story import Story


@pytest.fixture(scope="module")
def told() -> Told:
    story = Story().tell()
    office = Office(story.log, NoticePolicy(), story.opened.people, lambda name: None)  # type: ignore[arg-type,return-value]
    return open_incident_desk(office, story.incident).story


@pytest.mark.parametrize("failures", [None, 0, 28])
@pytest.mark.parametrize("statement", ["none", "waits for approval", "published"])
def test_it_is_never_a_mail(told: Told, failures: int | None, statement: str) -> None:
    advice = advise(replace(told, failures=failures, statement=statement))
    assert advice.answer.startswith("No mail")
    assert advice.offer[-1] == "Cake."


def test_customers_who_were_hurt_are_owed_the_organisations_words(told: Told) -> None:
    advice = advise(replace(told, failures=28))
    assert advice.hurt == "yes"
    assert "We are sorry" in advice.organisation
    assert advise(replace(told, failures=28, statement="published")).organisation == ""


def test_counted_and_none_is_not_the_same_as_not_counted(told: Told) -> None:
    assert advise(replace(told, failures=0)).hurt == "no"
    assert advise(replace(told, failures=None, impact=())).hurt == "not known"
    assert advise(replace(told, failures=0)).organisation == ""


def test_it_says_what_the_process_missed_and_what_is_in_place(told: Told) -> None:
    advice = advise(told, looked_after_by="on-call", published=False)
    assert any("tests" in line for line in advice.missed)
    assert "on-call" in advice.acknowledged
    assert "AM-1" in advice.offer[0]
    assert advise(replace(told, mends=())).offer[0].startswith("An amendment")
