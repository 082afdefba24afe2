"""Thanks: the one place where people are named, by the choice of whoever thanks them.

The log holds a pseudonym and a text in which the name is left open; who that is stands in the table beside
the log, so that a person who asks to be forgotten is. Words that blame are refused: a thanks that reproaches
somebody would put a name beside a fault, which no page of amends does. The rules look at who is said to have
done what, not at single words: *thanks for finding what broke* is one, *although you broke it* is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact

OPEN_NAME = "{name}"
"""Stands in a kept text where the name was."""
LONGEST = 1000

_WHO = r"(?:you|he|she|they|we|i|{name})"
_WHOSE = r"(?:your|his|her|their|our|my|{name}['’]s)"
_RULES = (
    ("a fault beside a "
     "person", rf"\b{_WHOSE}\s+(?:own\s+)?(?:fault|mistake|error|carelessness|negligence|blunder|mess)\b"),
    ("a deed held against a person",
     rf"\b{_WHO}\s+(?:\w+ly\s+)?(?:broke|caused|forgot|failed|messed|screwed|overlooked|ignored|neglected|missed)\b"),
    ("what a person should have done",
     rf"\b{_WHO}\s+(?:should|could|must|ought\s+to|might)\s*(?:not|n['’]t)?\s+have\b|\b(?:should|could)a\b"),
    ("a judgement of a person", r"\b(?:careless|sloppy|negligent|incompetent|stupid|lazy|reckless)\w*\b"),
    ("blame", r"\b(?:to|your|his|her|their)\s+blame\b"
     r"|\bblam(?:e|es|ed|ing)\s+(?:on\s+)?(?:you|him|her|them|{name})\b"),
    ("thanks for a fault",
     r"\b(?:thanks?|thank\s+you)\b[^.!?]{0,40}\bfor\s+(?:breaking|causing|forgetting|failing|ignoring|neglecting|ruining)\b"
     r"|\A\W*for\s+(?:breaking|causing|forgetting|failing|ignoring|neglecting|ruining)\b"),
    ("a reproach for next time",
     rf"\bnext\s+time,?\s+{_WHO}\s+(?:should|must|need|had\s+better|please)\b|\bfor\s+once\b"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reproach:
    """Words of a thanks that blame, and the rule that they met."""

    words: str
    rule: str


def reproach_in(text: str, name: str) -> Reproach | None:
    """Return the first words that blame somebody; ``None`` where there are none.

    Rules can be wrong: whoever meets one writes the sentence about what was done, which thanks are for.
    """
    who = "|".join(re.escape(part) for part in sorted(names_of(name), key=len, reverse=True)) or r"\Z\A"
    for rule, pattern in _RULES:
        found = re.search(pattern.replace("{name}", f"(?:{who})"), text, re.IGNORECASE)
        if found:
            return Reproach(found[0], rule)
    return None


def names_of(name: str) -> set[str]:
    """Return the ways in which a text may name somebody: whole, or by a part of three letters or more."""
    whole = name.strip().removeprefix("@")
    parts = re.findall(r"[^\W\d_]{3,}", whole.partition("@")[0])
    return {part for part in (whole, *parts) if part}


def open_names(text: str, name: str) -> str:
    """Return a text with the person's name left open, so that the log does not hold it."""
    for part in sorted(names_of(name), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", OPEN_NAME, text, flags=re.IGNORECASE)
    return text


@dataclass(frozen=True, slots=True)
class Thanks:
    """One thanks that holds. ``person`` is a pseudonym, ``text`` has the name left open."""

    event: str
    person: str
    text: str
    role: str
    at: datetime


def fold_thanks(facts: Iterable[Fact]) -> tuple[Thanks, ...]:
    """Return the thanks of an incident that were not taken back, in their order."""
    found: dict[str, Thanks] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.ThanksGiven):
            found[fact.id] = Thanks(fact.id, told.person, told.text, told.role, fact.occurred_at)
        elif isinstance(told, p.ThanksWithdrawn):
            found.pop(told.thanks, None)
    return tuple(found.values())
