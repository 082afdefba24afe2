"""Sentences that stop at one cause of an incident. Several conditions come together, as a rule.

Only causes *of the incident* are meant: "70 test failures were caused by this outage" tells a consequence.
"""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import is_adverb
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

_MESSAGE = (
    "This names one cause of the incident. More conditions were needed for it to happen and to get this far."
)
_SUGGESTION = (
    "Try “One contributing condition was …”, and add the others: what let it pass each check, what made it "
    "hard to see."
)
_INCIDENT = v.word_set(
    """
    this that it issue issues incident incidents outage outages problem problems failure downtime
    disruption degradation bug crash interruption breakage
    """
)
_SEVERAL = v.word_set(
    """
    combination several multiple contributing contributed partly partially among factors causes
    conditions both either various numerous also mainly two three possible potential suspected likely
    probably possibly suspect assumed thought believed may might could unclear unknown if not
    """
)
_UNKNOWN = v.word_set(
    """
    not unknown unclear found identified determined discovered investigated confirmed established
    being still analysis analysed analyzed understood fixed resolved addressed to in
    """
)
_DOWN = v.word_set("down unavailable broken offline unreachable inaccessible")


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield statements of a single cause."""
    words = sentence.words
    if _SEVERAL & set(words):
        return
    for i in range(len(words) - 1):
        if (
            end := _root_cause(words, i)
            or _caused_by(words, i)
            or _down_because(words, i)
            or _human(words, i)
        ):
            yield Hit(Label.SINGLE_CAUSE, i, end, _MESSAGE, _SUGGESTION)


def _root_cause(words: tuple[str, ...], i: int) -> int:
    """Find "the root cause was X", "this is the cause of", "root cause: X"."""
    if words[i] != "cause" or {"a", "one", "secondary", "another"} & set(words[max(i - 4, 0) : i]):
        return 0
    named = words[i - 1] in (
        "root",
        "sole",
        "only",
        "single",
        "main",
        "primary",
        "underlying",
        "real",
        "true",
        "actual",
    )
    if words[i - 2 : i + 2] in (("is", "the", "cause", "of"), ("was", "the", "cause", "of")):
        return i + 1 if i >= 3 and words[i - 3] in ("this", "that", "which") else 0
    if not named and not (words[i - 1] == "the" and words[i + 1] in ("of", "was")):
        return 0
    for j in range(i + 1, min(i + 12, len(words) - 1)):
        if words[j] in ("was", "is", "were") and not (set(words[j + 1 : j + 3]) & _UNKNOWN):
            return j
        if words[j] in (",", ".", ";", "(") or words[j] in v.SUBORDINATORS:
            return 0
    return 0


def _caused_by(words: tuple[str, ...], i: int) -> int:
    """Find "this was caused by X", "the outage was due to X"."""
    if words[i] not in ("was", "were", "been"):
        return 0
    j = i + 1
    while j < len(words) and is_adverb(words[j]):
        j += 1
    tail = words[j : j + 2]
    if tail not in (("caused", "by"), ("due", "to"), ("triggered", "by"), ("because", "of")):
        return 0
    subject = words[i - 2] if i >= 2 and words[i - 1] in ("has", "have", "had") else words[i - 1] if i else ""
    return j + 1 if subject in _INCIDENT and "all" not in words[max(i - 3, 0) : i] else 0


def _human(words: tuple[str, ...], i: int) -> int:
    """Find "due to a human error", which is taken for all there is to say."""
    if words[i : i + 2] not in (("due", "to"), ("because", "of"), ("caused", "by")):
        return 0
    at = i + 3 if words[i + 2 : i + 3] in (("a",), ("an",)) else i + 2
    return (
        at + 1 if words[at : at + 2] in (("human", "error"), ("operator", "error"), ("user", "error")) else 0
    )


def _down_because(words: tuple[str, ...], i: int) -> int:
    """Find "the hub went down because", "downloads were broken due to"."""
    if words[i] not in ("went", "was", "were") or words[i + 1] not in _DOWN:
        return 0
    after = words[i + 2 : i + 4]
    return i + 2 if after[:1] == ("because",) or after == ("due", "to") else 0
