"""What of a document is judged, where a finding says it is, and what a comment allows."""

from __future__ import annotations

import random

import pytest

from amends.reviews.language.lint import lint_text
from amends.reviews.language.passages import passages
from amends.reviews.language.sentences import sentences

DOCUMENT = """\
---
title: we forgot everything
---
# INC-7

> The customer wrote that we forgot them.

It began at night. We **forgot** to
renew `the thing`, and “you should have paid” was the answer.

```text
we forgot to pay
```

| time | what |
|---|---|
| 10:00 | fine |
| 10:05 | I forgot the flag |

- one
  - the team [missed](https://example.com/we-forgot) a step of the manual

## Authors

Sean and Tim

## Action items

- Add an alert which would have caught this
"""


def test_only_prose_is_judged_and_places_are_those_of_the_source() -> None:
    found = lint_text(DOCUMENT).findings
    lines = DOCUMENT.splitlines()
    assert [(f.line, f.label.value) for f in found] == [(8, "blame"), (18, "blame"), (21, "blame")]
    for f in found:
        start = lines[f.line - 1][f.column - 1 :]
        assert start.startswith(f.text.split()[0]), (f, start)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "we forgot it" and left.', 0),
        ('"We forgot it."', 1),
        ("    we forgot it", 0),
        ("`we forgot it` is logged.", 0),
        ("## Where we could have been faster", 0),
        ("## The team forgot the flag", 1),
        ("<!-- we forgot it -->", 0),
        ("We forgot it, and we forgot that.", 1),
        ("We forgot it. We forgot that.", 2),
        ("e.g. this we forgot, i.e. missed.", 1),
        ("we forgot it\r\n\r\nwe forgot it", 2),
    ],
)
def test_how_much_is_found(text: str, expected: int) -> None:
    assert len(lint_text(text).findings) == expected


@pytest.mark.parametrize(
    ("comment", "allowed", "remarks"),
    [
        ("<!-- amends-lint: allow blame: their own words, kept at their wish -->", 1, 0),
        ("<!-- amends-lint: allow hindsight, blame — quoted -->", 1, 0),
        ("<!-- amends-lint: allow blame -->", 0, 1),
        ("<!-- amends-lint: allow all: because -->", 0, 1),
        ("<!-- amends-lint: off -->", 0, 1),
        ("<!-- amends-lint: allow hindsight: another label -->", 0, 0),
    ],
)
def test_a_comment_allows_with_its_reason_only(comment: str, allowed: int, remarks: int) -> None:
    report = lint_text(f"{comment}\n\nWe forgot it.\n\nWe forgot that.\n")
    assert (report.allowed, len(report.findings)) == (allowed, 2 - allowed)
    assert [r.line for r in report.remarks] == [1] * remarks


def test_a_comment_in_the_paragraph_counts_for_it() -> None:
    text = "We forgot it. <!-- amends-lint: allow blame: agreed with the team -->\nWe forgot that."
    assert lint_text(text).findings == ()


def test_a_timeline_of_lines_is_cut_at_its_times() -> None:
    (passage,) = passages("10:00 deploy\n10:05 errors\n10:10 we roll back")
    assert len(list(sentences(passage))) == 3


def test_noise_neither_breaks_nor_hangs() -> None:
    draw = random.Random(7)
    pieces = [
        "we ",
        "forgot ",
        "`",
        "**",
        "[",
        "](",
        ")",
        "\n",
        "> ",
        "|",
        "should have ",
        "n't",
        "@",
        "<!--",
        "“",
        "\0",
        "é",
        "—",
    ]
    for _ in range(60):
        text = "".join(draw.choice(pieces) for _ in range(60))
        lines = text.split("\n")
        for found in lint_text(text).findings:
            assert 1 <= found.column <= len(lines[found.line - 1])
    for dense in (
        "[" * 4_000,
        "`" * 4_001,
        "we, " * 2_000,
        "because of the " * 1_000,
        "<a " * 2_000,
        "*_" * 2_000,
    ):
        lint_text(dense)
