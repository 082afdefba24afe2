"""What stands around a verb: negation, "have", the passive's "by"; and whether a word can be an act."""

from __future__ import annotations

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Agent, Words, classify, is_adverb

_PHRASE_ENDS = v.PREPOSITIONS | v.AUXILIARIES | v.CONJUNCTIONS | v.SUBORDINATORS
_OBJECTS = v.word_set("me us him her them")


def low_at(words: Words, i: int) -> str:
    """Return the word at a place in lower case, or nothing outside the sentence."""
    return words[i].low if 0 <= i < len(words) else ""


def is_negated(words: Words, i: int) -> bool:
    """Tell whether the verb group is negated: "did not forget", "never forgot"."""
    j = i - 1
    while j >= 0 and (words[j].low in v.AUXILIARIES or is_adverb(words[j].low)):
        if words[j].low in ("not", "never"):
            return True
        j -= 1
    return False


def has_have(words: Words, i: int) -> bool:
    """Tell whether the verb group has "have" before the participle."""
    j = i - 1
    while j >= 0 and (is_adverb(words[j].low) or words[j].low in ("not", "been")):
        j -= 1
    return low_at(words, j) in ("have", "has", "had", "having", "'s", "'d")


def has_had(words: Words, i: int) -> bool:
    """A pluperfect; "we have not tested X" tells what the tests cover today."""
    return any(low_at(words, j) in ("had", "'d") for j in range(i - 4, i))


def is_active(word: str) -> bool:
    """Tell whether a word can be the past of an act."""
    return word in v.HARM or word in v.IRREGULAR or (len(word) > 4 and word.endswith("ed")) or word == "did"


def by_person(words: Words, i: int) -> int:
    """Read the agent of a passive: "was misconfigured by the network team"."""
    for j in range(i + 1, min(i + 9, len(words) - 1)):
        if words[j].low in (",", ";", "because", "and", "when"):
            return 0
        if words[j].low == "by":
            return _person_until(words, j + 1)
    return 0


def _person_until(words: Words, begin: int) -> int:
    """Return where the phrase that begins here ends, if a person is in it, or 0."""
    end = begin
    while end + 1 < len(words) and end - begin < 4 and words[end + 1].low.isalnum():
        if words[end + 1].low in _PHRASE_ENDS:
            break
        end += 1
    people = (words[k].low in _OBJECTS or classify(words, k) is Agent.PERSON for k in range(begin, end + 1))
    return end if any(people) else 0
