"""The taxonomy of contributing factors, as code and as documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.cli.incident_words import read_length
from amends.errors import UsageError
from amends.incidents.escape import EscapeRow, EscapeState
from amends.incidents.factors import BY_WORD, TAXONOMY, suggested

PAGE = Path(__file__).parents[3] / "docs/reference/contributing-factors.md"


def test_the_documentation_lists_exactly_the_taxonomy_with_its_sources() -> None:
    listed = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert listed == [f"| `{f.word}` | {f.title} | {f.meaning} | {f.traced} |" for f in TAXONOMY]


def test_hints_are_words_of_the_taxonomy_with_the_gates_that_hint() -> None:
    rows = [EscapeRow(gate, "tests", "production", state, "", (), "") for gate, state in (
        ("unit", EscapeState.RAN_BLIND), ("smoke", EscapeState.RAN_BLIND), ("soak", EscapeState.UNDECIDED),
    )]  # fmt: skip
    assert suggested(rows) == {"test-data": ("unit", "smoke")}
    everything = [EscapeRow("g", "tests", "p", state, "", (), "") for state in EscapeState]
    assert suggested(everything).keys() <= BY_WORD.keys()


@pytest.mark.parametrize(("text", "length"), [
    ("2h", (7200, 3600)), ("1h20min", (4800, 60)), ("1 h 20 m", (4800, 60)), ("90s", (90, 1)),
])  # fmt: skip
def test_a_length_is_as_precise_as_its_last_unit(text: str, length: tuple[float, float]) -> None:
    assert read_length(text) == length


@pytest.mark.parametrize("text", ["", "two hours", "2", "h2", "2h later"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="found the length"):
        read_length(text)
