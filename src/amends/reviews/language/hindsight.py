"""Sentences that judge by what was known only afterwards.

Fischhoff (1975), "Hindsight is not equal to foresight": once the outcome is known, the way to it looks
obvious.
"""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.afterthoughts import MESSAGE, SUGGESTION, afterthoughts
from amends.reviews.language.agents import Agent, agent_of
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

_OBVIOUS = v.word_set("obvious predictable self-evident")


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield what judges with hindsight."""
    words = sentence.words
    yield from afterthoughts(sentence)
    for i in range(len(words)):
        if span := _looks_back(sentence, i) or _ought_to_know(sentence, i) or _obvious(words, i):
            yield Hit(Label.HINDSIGHT, i, span, MESSAGE, SUGGESTION)


def _looks_back(sentence: Sentence, i: int) -> int:
    words = sentence.words
    if words[i : i + 2] != ("looking", "back") or i > 3:
        return 0
    return i + 1 if words[i + 2 : i + 3] in ((",",), ("now",), ("on",), ()) else 0


def _ought_to_know(sentence: Sentence, i: int) -> int:
    """Find "we should have known", "they could have foreseen"."""
    words = sentence.words
    if words[i] not in ("should", "could", "must") or words[i + 1 : i + 2] != ("have",):
        return 0
    known = words[i + 2 : i + 3]
    foreseen = known and known[0] in {
        "known",
        "realised",
        "realized",
        "anticipated",
        "foreseen",
        "predicted",
        "guessed",
    }
    return i + 2 if foreseen and agent_of(sentence.tokens, i) in (Agent.PERSON, Agent.THEY) else 0


def _obvious(words: tuple[str, ...], i: int) -> int:
    """Find "it was obvious that", "the risk was clearly predictable"."""
    if words[i] not in ("was", "were"):
        return 0
    j = i + 1
    while j < len(words) and words[j] in (
        "so",
        "clearly",
        "entirely",
        "quite",
        "always",
        "painfully",
        "very",
    ):
        j += 1
    obvious = (
        j + 1 < len(words)
        and words[j] in _OBVIOUS
        and words[j + 1] in ("that", "to", "what", "how", "from", ".", ",")
    )
    return j if obvious and "not" not in words[i : j + 1] and _no_doubt(words, i) else 0


def _no_doubt(words: tuple[str, ...], i: int) -> bool:
    return not (set(words[max(i - 4, 0) : i]) & (v.NOBODY | {"what", "whether", "if", "no", "nothing"}))
