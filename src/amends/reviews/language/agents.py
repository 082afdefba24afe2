"""Who does a verb: a person or team, those affected, an organisation, a thing, or nobody that is named.

A shallow reading of English word order, no parser: from the verb leftwards over adverbs and auxiliaries to
the noun, from there over "of the …" to the head of its phrase, and through "and" to the subject of the clause
before. It needs no model, so it works wherever amends is installed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from amends.reviews.language import vocabulary as v
from amends.reviews.language.names import GIVEN
from amends.reviews.language.sentences import Token


class Agent(StrEnum):
    """What the grammar says about who acts."""

    PERSON = "person"
    THEY = "they"
    NOBODY = "nobody"
    ORGANISATION = "organisation"
    AFFECTED = "affected"
    THING = "thing"
    POINTER = "pointer"  # it, this; a change, which stands for whoever wrote it
    ABSENT = "absent"


Words = Sequence[Token]
_DEEPEST = 4
_COMMIT = re.compile(r"(?=[a-z]*\d)[0-9a-fi]{7,41}")
_HANDLE = re.compile(r"@[A-Za-z][\w-]{1,38}$")


def agent_of(words: Words, verb: int) -> Agent:
    """Return who does the verb at this place."""
    i = skip_left(words, verb)
    if i < 0 or words[i].low in (":", ";", "—", "–", "(", "-", "•", "|"):
        return Agent.ABSENT
    low = words[i].low
    if low in v.CONJUNCTIONS:
        return leading_agent(words, i)
    if low == ",":
        return _across_comma(words, i)
    if low in ("that", "which"):
        return _antecedent(words, i)
    return _direct(words, i)


def skip_left(words: Words, start: int) -> int:
    """Go left over adverbs and auxiliaries to the next word that is neither."""
    i = start - 1
    while i >= 0 and (words[i].low in v.AUXILIARIES or is_adverb(words[i].low)):
        i -= 1
    if i > 1 and words[i].low == ")":  # "we (I) forgot"
        opening = next((j for j in range(i - 1, max(i - 12, -1), -1) if words[j].low == "("), i)
        return opening - 1 if opening < i else i
    return i


def is_adverb(word: str) -> bool:
    """Tell whether a word can stand between a subject and its verb."""
    return word in v.ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in v.NOT_ADVERBS)


def _direct(words: Words, i: int) -> Agent:
    low = words[i].low
    if low == "who":
        return _antecedent(words, i)
    if low in v.PRONOUNS:
        return Agent.NOBODY if i and words[i - 1].low == "not" else Agent.PERSON
    if low in v.NOBODY or (low == "one" and i and words[i - 1].low == "no"):
        return Agent.NOBODY
    if low == "they":
        return Agent.THEY
    if low in v.THINGS:
        return Agent.POINTER
    return noun_phrase(words, i)


def _across_comma(words: Words, comma: int) -> Agent:
    """Read "we, in haste, forgot" and "I tested it, forgot to copy it"."""
    for i in range(comma - 1, max(comma - 10, -1), -1):
        if words[i].low == "," and i:
            kind = _direct(words, i - 1)
            if kind in (Agent.PERSON, Agent.THEY, Agent.POINTER):
                return kind
    return leading_agent(words, comma)


def _antecedent(words: Words, relative: int) -> Agent:
    """Return what "who", "which" or "that" stands for; a commit stands for whoever wrote it."""
    i = relative - 1
    while i >= 0 and words[i].low in (",", "-", "–", "(", ")"):
        i -= 1
    if i < 0:
        return Agent.PERSON if words[relative].low == "who" else Agent.POINTER
    kind = Agent.POINTER if _COMMIT.fullmatch(words[i].low) else noun_phrase(words, i)
    if kind is Agent.THING and words[relative].low == "who":
        return Agent.PERSON
    return kind


def leading_agent(words: Words, end: int) -> Agent:
    """Return the subject of the clause before ``end``: what "and forgot to …" goes on from."""
    begin = end
    while begin > 0 and words[begin - 1].low not in (";", ":", "—", "(", "|") and end - begin < 60:
        begin -= 1
    for i in range(end - 1, begin - 1, -1):
        if words[i].low == "which" and i and words[i - 1].low == ",":
            return _antecedent(words, i)
        if _subject_pronoun(words, i, end):
            return _direct(words, i)
    return _first_noun(words, begin, end)


def _subject_pronoun(words: Words, i: int, end: int) -> bool:
    low = words[i].low
    if low not in v.SELF | {"he", "she", "they", "someone", "somebody", "who", "it"}:
        return False
    if low == "it" and i and words[i - 1].low not in v.SUBORDINATORS | v.CONJUNCTIONS | {","}:
        return False  # an object: "merged it"
    return i + 1 < end and words[i + 1].low not in v.PREPOSITIONS | {",", "."}


def _first_noun(words: Words, begin: int, end: int) -> Agent:
    """Find the noun that opens a clause; a clause that opens with its verb has none."""
    i = begin
    while i < end and (
        is_adverb(words[i].low) or words[i].low in v.SUBORDINATORS - {"that", "which"} | {","}
    ):
        i += 1
    if i >= end:
        return Agent.ABSENT
    if words[i].low in ("that", "which"):
        return Agent.POINTER
    if _looks_past(words[i].low):
        return Agent.ABSENT
    stop = i
    while stop < end and not _closes_phrase(words, stop, i):
        stop += 1
    return noun_phrase(words, max(stop - 1, i))


def _closes_phrase(words: Words, at: int, begin: int) -> bool:
    low = words[at].low
    closed = low in v.PREPOSITIONS or low in v.AUXILIARIES or low in (",", "which", "that", "who")
    return closed or (at > begin and _looks_past(low))


def _looks_past(word: str) -> bool:
    return (len(word) > 4 and word.endswith("ed")) or word in (
        "made",
        "did",
        "wrote",
        "ran",
        "sent",
        "put",
        "set",
    )


def noun_phrase(words: Words, end: int, depth: int = 0) -> Agent:
    """Classify the noun phrase that ends at ``end`` by its head: "a member of the team" is its member."""
    begin = end
    while begin > 0 and not _bounds_phrase(words[begin - 1].low) and end - begin < 8:
        if words[begin].low in v.DETERMINERS and begin != end:
            break
        begin -= 1
    before = begin - 1
    own = classify(words, end)
    if before < 1 or words[before].low not in v.PREPOSITIONS - {"before", "after", "since", "until", "than"}:
        return own
    head = words[before - 1].low
    if head in v.TRANSPARENT or depth >= _DEEPEST or not head[0].isalpha() or _bounds_phrase(head):
        return own
    if own is Agent.PERSON and (head in v.AUXILIARIES or _looks_past(head)):
        return own
    return noun_phrase(words, before - 1, depth + 1)


def _bounds_phrase(word: str) -> bool:
    if word in v.PREPOSITIONS or word in v.AUXILIARIES or word in v.CONJUNCTIONS or word in v.SUBORDINATORS:
        return True
    return not (word[0].isalnum() or word[0] == "@" or word[0] == "\ufffc")


def classify(words: Words, i: int) -> Agent:
    """Tell what a noun stands for."""
    token = words[i]
    low = token.low
    if low in v.NOBODY or low in v.PRONOUNS:
        return _direct(words, i)
    if is_named(words, i):
        return Agent.PERSON
    before = words[i - 1] if i else None
    if low in v.PEOPLE:
        if before and before.low == "no":
            return Agent.NOBODY
        # "the Prometheus operator", "a replica group", "a failed security group" are software.
        if low in ("operator", "group", "groups", "lead", "leads", "support", "owner"):
            return Agent.PERSON if _person_compound(words, i) else Agent.THING
        return Agent.PERSON
    if low in v.CHANGES:
        return Agent.POINTER
    if low in v.ORGANISATIONS:
        return Agent.ORGANISATION
    return Agent.AFFECTED if low in v.AFFECTED else Agent.THING


def _person_compound(words: Words, i: int) -> bool:
    if not i:
        return words[i].low not in ("group", "groups", "lead", "leads", "support")
    before = words[i - 1]
    if words[i].low == "operator":
        return before.low not in v.SOFTWARE and (before.text.islower() or before.low in ("a", "an", "our"))
    return before.low in v.DETERMINERS | {
        "network",
        "data",
        "human",
        "duty",
        "tech",
        "support",
        "working",
        "by",
    }


def is_named(words: Words, i: int) -> bool:
    """Tell whether the word names somebody: a handle, or a given name written as one."""
    text = words[i].text
    if text.startswith("@"):
        return bool(_HANDLE.match(text))
    if text.endswith(("'s", "’s")):
        text = text[:-2]
    return len(text) > 1 and text[0].isupper() and text[1:].islower() and text.lower() in GIVEN


def is_hypothetical(words: Words, at: int) -> bool:
    """Tell whether a verb is only supposed: after a modal, or in a clause of "if", "in case", "so that"."""
    i = at - 1
    while i >= 0 and (words[i].low in v.AUXILIARIES or is_adverb(words[i].low)):
        if words[i].low in v.MODALS:
            return True
        i -= 1
    for j in range(i, max(i - 14, -1), -1):
        low = words[j].low
        if low in (
            "if",
            "unless",
            "lest",
            "whenever",
            "whether",
            "suppose",
            "imagine",
            "prevent",
            "avoid",
            "ensure",
        ):
            return True
        if low == "case" and j and words[j - 1].low == "in":
            return True
        if low in (",", ";", ":", "—", "because", "but"):
            return False
        if low in ("may", "might", "could", "can") and j + 1 < len(words) and words[j + 1].low != "have":
            return True
    return False


def is_passive(words: Words, participle: int) -> bool:
    """Tell whether a participle stands in a passive: some form of "be" in its verb group."""
    i = participle - 1
    while i >= 0 and (words[i].low in v.AUXILIARIES | {"'s"} or is_adverb(words[i].low)):
        if words[i].low in v.BE:
            return True
        i -= 1
    return False
