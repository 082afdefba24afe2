"""What the rules hand over: where in a sentence, which label, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a sentence may do to its reader. Labels are of sentences, never of people."""

    BLAME = "blame"
    COUNTERFACTUAL = "counterfactual"
    HINDSIGHT = "hindsight"
    SINGLE_CAUSE = "single-cause"
    PERSON_NAMED = "person-named"


@dataclass(frozen=True, slots=True)
class Hit:
    """Words of a sentence, by the first and the last token, and what to say about them."""

    label: Label
    first: int
    last: int
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit at its place in the source: ``line`` and ``column`` count from 1, columns in characters."""

    line: int
    column: int
    label: Label
    text: str
    message: str
    suggestion: str
