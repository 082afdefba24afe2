"""What customers are told is the organisation's voice, or it is refused."""

from __future__ import annotations

import pytest

from amends.reviews.audiences.redaction import redactor
from amends.reviews.notices.statements import flaws

ours = redactor(names=["dreyes"], public_hosts=["status.example.com"])
GOOD = "Between 15:18 and 15:22 UTC some requests failed.\n\nWe are sorry, and our checks now stop this."


def test_the_organisations_voice_passes() -> None:
    assert flaws("Checkout: an incident, resolved", GOOD, ours) == ()
    assert flaws("Checkout", f"{GOOD} See https://status.example.com/a.", ours) == ()


@pytest.mark.parametrize(
    "line",
    [
        "I am sorry.", "It was my fault.", "I’ve fixed it.", "An engineer made a mistake.",
        "The cause was human error.", "One of our developers misread it: a junior developer did.",
        "dreyes has been spoken to.", "The host db01.internal was down.", "See /srv/app/price.",
        "Reach us at ada@example.org.", "the token=abcdef123456 leaked",
    ],
)  # fmt: skip
def test_a_line_that_is_not_is_named(line: str) -> None:
    found = flaws("Checkout", f"{GOOD}\n{line}", ours)
    assert found
    assert any(line in flaw or "it would read" in flaw for flaw in found)


def test_the_title_is_read_too_and_nothing_is_nothing() -> None:
    assert flaws("I broke it", GOOD, ours)
    assert flaws("", GOOD, ours)
    assert flaws("Checkout", " \n", ours)
