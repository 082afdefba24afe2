"""Which sentences get which label: by subject, modality and what is supposed, not by a word alone."""

from __future__ import annotations

import pytest

from amends.reviews.language.lint import lint_text


def labels(text: str) -> set[str]:
    return {finding.label.value for finding in lint_text(text).findings}


@pytest.mark.parametrize(
    "sentence",
    [
        "The platform team forgot to renew the certificate.",
        "A member of the network team ignored the alert.",
        "I tested the change on a clone and forgot to copy it back.",
        "Totally forgot about this last week.",
        "The commit added a flag but forgot to document it.",
        "The cable was accidentally cut by an engineer.",
        "They did not request a review.",
        "We never tested the fail-over.",
        "An engineer deployed it without asking the owners.",
        "The reviewer was careless.",
        "The wrong rule went out due to human error.",
        "It was my fault.",
        "Someone dropped the table.",
        "I should have checked the plan.",
        "Why did nobody test this?",
        "Who pushed this?",
        "I really am an idiot",
        "The maintainer merged it too hastily.",
        "It was merged by a developer without review.",
        "He restarted the wrong cluster.",
        "Nobody checked the plan.",
        "We (I) forgot the class.",
        "A plant operator accidentally opened the valve.",
    ],
)
def test_blame_of_people(sentence: str) -> None:
    assert "blame" in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The pod failed to start.",
        "The deployment by our team failed to start.",
        "The scheduler missed its deadline.",
        "We missed our SLO in May.",
        "The file was accidentally deleted.",
        "If someone forgets the variable, the deploy fails.",
        "We did not forget the mirror.",
        "Nobody ignored the page.",
        "Automation reduces the risk of human error.",
        "Customers who did not update the client were affected.",
        "The team responsible for the service is payments.",
        "We failed over to the second region.",
        "We do not blame anyone.",
        "Why did the pods restart?",
        "We didn't think that the size mattered.",
        "We have not tested concurrent jobs.",
        "Not needed here, so I skipped it.",
        "It isn't the fault of the individual.",
        "The Prometheus operator failed to reconcile.",
        "An engineer was told without delay.",
    ],
)
def test_what_is_not_blame(sentence: str) -> None:
    assert labels(sentence) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "We should've paged earlier.",
        "The restore should have been rehearsed.",
        "This shouldn't have been rushed to production.",
        "An alert would have caught it.",
        "Had we rolled back at once, the impact would have been smaller.",
        "It could have been a lot worse.",
        "Could we have noticed it in staging?",
        "If only we had read the notes.",
        "The engineer could have been paged sooner.",
        "If the alert had fired, users would have been told.",
        "The runbook should have mentioned the flag.",
    ],
)
def test_counterfactuals(sentence: str) -> None:
    assert "counterfactual" in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Alerts should have an owner.",
        "We should have a dashboard.",
        "The proxy should have rejected the request.",
        "Records should have been automatically corrected.",
        "It should not have been possible to upload that many.",
        "The block could have held more.",
        "Data could have been read by anyone with the link.",
        "Some customers would have seen old prices.",
        "I would have loved to see more graphs.",
        "What could have gone better?",
        "Things that could have gone better.",
        "We should add a test for this.",
        "The lock could have been held by another process.",
        "We should have automated tests for this.",
        "The file should have been restored by now.",
        "Currently, if only one value is there, it is kept.",
    ],
)
def test_what_is_not_counterfactual(sentence: str) -> None:
    assert labels(sentence) == set()


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("In hindsight, the graph says it all.", "hindsight"),
        ("It was obvious that the disk would fill.", "hindsight"),
        ("They should have known.", "hindsight"),
        ("The root cause was a missing index.", "single-cause"),
        ("This was caused by a small bug.", "single-cause"),
        ("The hub went down because the image was gone.", "single-cause"),
        ("22:17: Pietro asks for changes.", "person-named"),
        ("The outage is reported by @someone-outside.", "person-named"),
        ("Then Sean deployed it.", "person-named"),
    ],
)
def test_the_other_labels(sentence: str, label: str) -> None:
    assert label in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "On that shard alone, 70 failures were caused by this outage.",
        "The root cause was not found.",
        "The outage was caused by a combination of a full disk and a silent alert.",
        "The build uses @codemirror/merge and actions/checkout@v4.",
        "Travis deployed the chart and Jenkins ran the tests.",
        "On Jan 17 the disk filled up.",
        "Servers in San Jose answered.",
        "Mail sean@example.com for access.",
        "Looking back through the logs took an hour.",
    ],
)
def test_what_the_other_labels_leave(sentence: str) -> None:
    assert labels(sentence) == set()


def test_a_suggestion_uses_the_sentence_and_blames_nobody() -> None:
    for text in ("We forgot to pay the bill.", "The restore should have been rehearsed on Monday."):
        (found,) = lint_text(text).findings
        assert labels(found.suggestion) == set()
    assert "to pay the bill" in lint_text("We forgot to pay the bill.").findings[0].suggestion
    assert "was not rehearsed on Monday" in found.suggestion


@pytest.mark.parametrize(
    "text", ["", " ", "?", "should", "who?", "by mistake", "why did", "@", "had we", "lack of"]
)
def test_fragments_are_no_trouble(text: str) -> None:
    assert all((one.line, one.column > 0) == (1, True) for one in lint_text(text).findings)
