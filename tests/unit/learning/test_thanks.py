"""Thanks name somebody by choice, keep no name in the log, and hold no blame."""

from __future__ import annotations

import json
import re

import pytest

from amends.application.incidents import incident_data, incident_view, open_incident
from amends.application.reviewing import draft_text
from amends.application.thanking import FORGOTTEN, list_thanks, thank, thanks_data, withdraw
from amends.errors import NotFoundError, UsageError
from amends.learning.thanks import open_names, reproach_in
from tests.story import BAD, GOOD, SERVICE, Story

BLAME = (
    "Ana broke it and then mended it",
    "Although you should have seen it, thank you",
    "It was Ana's fault, yet the fix was good",
    "For breaking the checkout so thoroughly",
    "Thanks for causing the outage",
    "You quickly forgot the index, but found it",
    "Even a careless change has its good",
    "Next time, you must test first",
    "Nobody blames you",
)
THANKS = (
    "For finding what broke within minutes",
    "Ana stayed calm and wrote down every step",
    "For the graph that showed when it failed",
    "You explained the cause to three teams",
    "For asking whether the fault was in the cache",
    "For catching the missed case in staging",
    "For saying that the test should have a second input",
)


@pytest.fixture
def story() -> Story:
    story = Story()
    story.incident = open_incident(
        story.log, service=SERVICE, release=BAD, previous=GOOD, environment="production", summary="it failed",
        opened_by="person",
    )  # fmt: skip
    return story


@pytest.mark.parametrize("text", BLAME)
def test_blame_is_refused_with_its_words_and_the_way_to_mend_it(story: Story, text: str) -> None:
    with pytest.raises(UsageError, match="thanks hold no blame") as refusal:
        thank(story.log, story.opened.people, story.incident, "Ana", text)
    assert "what the person did" in refusal.value.remedy
    assert list_thanks(story.log, story.opened.people, story.incident) == []


@pytest.mark.parametrize("text", THANKS)
def test_thanks_are_not(text: str) -> None:
    assert reproach_in(text, "Ana") is None


def test_the_log_holds_no_name_and_the_page_shows_it(story: Story) -> None:
    people = story.opened.people
    fact = thank(story.log, people, story.incident, "Ana Lima", "Ana's notes helped; well done, Ana Lima!")
    assert not re.search(r"\b(?:ana|lima)\b", repr(fact.recorded).lower())
    shown = list_thanks(story.log, people, story.incident)
    assert [(one.name, one.text) for one in shown] == [
        ("Ana Lima", "Ana Lima's notes helped; well done, Ana Lima!")
    ]
    assert thanks_data(shown)[0]["event"] == fact.id


def test_who_is_forgotten_is_named_no_more(story: Story) -> None:
    people = story.opened.people
    thank(story.log, people, story.incident, "bo", "Bo kept us company")
    people.forget("bo")
    (shown,) = list_thanks(story.log, people, story.incident)
    assert (shown.name, shown.text) == (FORGOTTEN, "… kept us company")


def test_thanks_are_taken_back_once_and_only_what_was_given(story: Story) -> None:
    people = story.opened.people
    fact = thank(story.log, people, story.incident, "bo", "for the cake")
    withdraw(story.log, story.incident, fact.id)
    assert list_thanks(story.log, people, story.incident) == []
    with pytest.raises(NotFoundError, match="no thanks"):
        withdraw(story.log, story.incident, fact.id)


@pytest.mark.parametrize(("name", "text"), [("", "for it"), ("bo", "  "), ("bo", "x" * 1001)])
def test_nobody_nothing_and_too_much_are_refused(story: Story, name: str, text: str) -> None:
    with pytest.raises(UsageError):
        thank(story.log, story.opened.people, story.incident, name, text)


def test_the_review_is_the_only_place(story: Story) -> None:
    thank(story.log, story.opened.people, story.incident, "Zebedee", "Zebedee brought cake")
    told = json.dumps(incident_data(incident_view(story.log, story.incident)))
    assert "brought cake" not in told
    assert "brought cake" not in draft_text(story.log, story.incident)


def test_a_name_is_left_open_as_a_whole_word_only() -> None:
    assert open_names("Ann annotated it for Ann", "Ann") == "{name} annotated it for {name}"
