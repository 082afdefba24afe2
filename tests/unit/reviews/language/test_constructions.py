"""Blame by construction: each with who may fill it, and what only looks like it."""

from __future__ import annotations

import pytest

from amends.reviews.language.lint import lint_text
from amends.reviews.language.passages import passages
from amends.reviews.language.sentences import sentences
from amends.reviews.language.skeletons import reduce


def labels(text: str) -> set[str]:
    return {finding.label.value for finding in lint_text(text).findings}


def skeleton(text: str) -> str:
    (passage,) = passages(text)
    (sentence,) = sentences(passage)
    return reduce(sentence).text


@pytest.mark.parametrize(
    ("sentence", "reduced"),
    [
        ("The engineers of the supplier apparently never asked our SREs.", "Ħ never asked Ħ ."),
        ("The dashboard of the team failed.", "the dashboard of ħ failed ."),
        ("Marketing launched it without us.", "Đ launched it without ŵ ."),
        ("The security group has no marketing rule.", "the security group has no marketing rule ."),
        ("They told the vendor's technician.", "Ŧ told Ħ ."),
    ],
)
def test_people_become_one_sign(sentence: str, reduced: str) -> None:
    assert skeleton(sentence) == reduced


@pytest.mark.parametrize(
    "sentence",
    [
        # left undone
        "Purchasing did not even open the letter.",
        "The subcontractor never labelled the cable.",
        "Marketing sent the mail without warning us.",
        "Without thinking, she rebooted the host.",
        "The board pressed on in spite of our objections.",
        "Nobody in the guild cared.",
        "The drill was skipped again by the night shift.",
        "Missed one of the mirrors.",
        # harm done
        "The trainee wiped the volume.",
        "The second restart by him made it worse, and he made everything worse again.",
        "The technician left the door unlocked.",
        "Our helpdesk gave callers misleading advice.",
        "The web guild keeps breaking the contract.",
        "The responders reacted far too late.",
        "The admin ran it on the wrong cluster.",
        "I had the two names mixed up.",
        "I copied the staging key instead of the production key.",
        # what people are like
        "The crew was hopelessly disorganised.",
        "His half-hearted review let it pass.",
        "It went wrong because of a rash decision.",
        "In her haste she picked the old image.",
        "The mail was sent by a tired administrator.",
        "There was a lack of diligence in the release team.",
        # faults by their owner
        "The error was made by the supplier.",
        "It is the fault of the hosting company.",
        "This was an oversight on our part.",
        "A typo of mine took it down.",
        "I take the blame for it.",
        # sarcasm
        "As usual the backend people changed it.",
        "They changed the schema behind our backs.",
        "The platform people are hopeless at documentation.",
    ],
)
def test_a_construction_of_blame(sentence: str) -> None:
    assert "blame" in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The controller did not even open the file.",
        "The job wiped the volume.",
        "The security group never matched the rule.",
        "The resource group was left open by the template.",
        "The replica lost track of the leader.",
        "We deleted the pod without downtime.",
        "The team did not know the limit.",
        "The reviewer had not seen the generated file.",
        "On-call did not receive the page.",
        "They were not merged in time.",
        "The database team did not deploy anything that day.",
        "Engineers never saw the error, because it is not logged.",
        "We left the flag enabled for one hour to collect data.",
        "Operations brought down the old cluster as planned.",
        "Security asked for a report.",
        "If the technician leaves the door open, an alarm rings.",
        "Missed heartbeats were counted.",
        "Requests failed because of careless-mode=off in the file.",
        "The engineers broke the dependency on the queue.",
        "The human error budget is unchanged.",
        "The failure of the primary was detected.",
        "The operator pod was evicted.",
        "The team was told by the vendor.",
        "> The trainee wiped the volume.",
        "The customer wrote that “your people never cared”, and was called back.",
        "`the trainee wiped the volume`",
    ],
)
def test_what_only_looks_like_a_construction(sentence: str) -> None:
    assert labels(sentence) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "It need not have come to this.",
        "They needed only to ask.",
        "The key was supposed to be rotated in June.",
        "But for the stale index, it would have finished.",
        "Were there a second copy, nothing would have been lost.",
        "Shoulda rolled back at once.",
        "It wouldve been caught in staging.",
        "It might have been wiser to wait.",
        "Better to have waited.",
        "With a checklist this would never have happened.",
        "A longer soak would have spared us the rollback.",
        "The escalation should have happened at nine.",
        "The threshold should have been half of that.",
        "One should have asked.",
        "We'd have seen it with a dashboard.",
        "We could have been back in ten minutes.",
    ],
)
def test_a_past_that_was_not(sentence: str) -> None:
    assert "counterfactual" in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The check that was meant to prevent this is off by default.",
        "The service would have answered from its cache.",
        "The host should have been removed automatically.",
        "We need only two replicas.",
        "Unnecessary failure domains were removed.",
        "The limit could be raised to 2,000.",
        "It is not avoidable.",
    ],
)
def test_what_only_looks_like_another_past(sentence: str) -> None:
    assert labels(sentence) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "Knowing what we know today, nobody would choose it.",
        "Afterwards it is easy to see.",
        "It was clear from the start that it would break.",
        "It was always going to break.",
        "This could not have ended well.",
        "The hints had been there for weeks.",
        "Everyone knew it.",
        "It comes as no surprise that the host gave up.",
        "One did not need to be an expert.",
        "How could anyone have missed it?",
    ],
)
def test_knowing_better_afterwards(sentence: str) -> None:
    assert "hindsight" in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The alert is clear: it names the host.",
        "Clearly named dashboards helped.",
        "The server was bound to port 8080.",
        "We do not see any red flag at the moment.",
        "It is clear that the page is down.",
        "It was clear from the logs that the disk was full.",
        "The commit was found after the fact in the audit log.",
        "Failures are inevitable, so we rehearse.",
    ],
)
def test_what_only_looks_like_hindsight(sentence: str) -> None:
    assert labels(sentence) == set()


def test_a_suggestion_fits_the_construction_and_is_clean() -> None:
    said = {
        text: lint_text(text).findings[0].suggestion
        for text in (
            "Purchasing never opened the letter.",
            "The technician left the door unlocked.",
            "It is the fault of the hosting company.",
        )
    }
    assert len(set(said.values())) == 3
    assert all(labels(suggestion) == set() for suggestion in said.values())
