"""Set phrases, and sentences that only look like them."""

from __future__ import annotations

import pytest

from amends.reviews.language.lint import lint_text


def labels(sentence: str) -> set[str]:
    return {finding.label.value for finding in lint_text(sentence).findings}


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("Platform dropped the ball on the renewal.", "blame"),
        ("The on-call person slept through three pages.", "blame"),
        ("The review was supposed to catch this.", "counterfactual"),
        ("All of this was avoidable.", "counterfactual"),
        ("More disk space would have given us another day.", "counterfactual"),
        ("They could have called the vendor right away.", "counterfactual"),
        ("The signals were plain to see.", "hindsight"),
        ("As we now know, the queue had been stuck.", "hindsight"),
    ],
)
def test_a_set_phrase_is_found(sentence: str, label: str) -> None:
    assert label in labels(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The job slept through its retry interval.",
        "The cluster was supposed to have five nodes.",
        "It was not avoidable.",
        "The ball was dropped by the animation library.",
        "> Platform dropped the ball.",
    ],
)
def test_what_only_looks_like_one_is_not(sentence: str) -> None:
    assert labels(sentence) == set()


def test_a_finding_shows_the_phrase() -> None:
    (found,) = lint_text("Again, platform dropped the ball here.").findings
    assert (found.column, found.text) == (17, "dropped the ball")
