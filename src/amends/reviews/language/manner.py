"""Blame by how something was done: carelessly, by mistake, to the wrong thing, too slowly, without care."""

from __future__ import annotations

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import (
    Agent,
    Words,
    agent_of,
    is_adverb,
    is_hypothetical,
    is_passive,
    leading_agent,
    skip_left,
)  # fmt: skip
from amends.reviews.language.traits import is_bad_manner
from amends.reviews.language.verbs import by_person, has_had, is_active, is_negated, low_at


def omission(words: Words, i: int) -> int:
    """Find diligence that was not: "did not test", "never verified", "without asking"."""
    low = words[i].low
    if low in v.DILIGENCE:
        verb_group = {low_at(words, j) for j in range(i - 4, i)}
        told = "not" in verb_group and bool(verb_group & {"did"}) and is_negated(words, i)
    elif low in v.DILIGENCE_DONE:
        told = is_negated(words, i) and not is_passive(words, i)
        told = told and (has_had(words, i) or low_at(words, i - 1) == "never")
    elif low in v.DILIGENCE_ING:
        told = low_at(words, i - 1) == "without" or (
            is_adverb(low_at(words, i - 1)) and low_at(words, i - 2) == "without"
        )
        return i if told and acted(words, i) else 0
    else:
        return 0
    if not told or is_hypothetical(words, i) or low_at(words, i + 1) == "over":
        return 0
    if low == "think" and low_at(words, i + 1) not in ("to", "about", "of", "through"):
        return 0  # what somebody did not think was the case is what they knew, not what they left undone
    return i if agent_of(words, i) in (Agent.PERSON, Agent.THEY) else 0


def acted(words: Words, i: int) -> bool:
    """Tell whether a person acted, in the past, in the clause before "without testing"."""
    if is_hypothetical(words, i) or leading_agent(words, i) is not Agent.PERSON:
        return False
    return any(
        w.low in v.HARM or (w.low.endswith("ed") and len(w.low) > 4) for w in words[max(i - 14, 0) : i]
    )


def careless(words: Words, i: int) -> int:
    """Find "we accidentally deleted", "was hastily removed by an engineer", "I deleted it by mistake"."""
    low = words[i].low
    if low in ("accident", "mistake") and low_at(words, i - 1) == "by":
        told = leading_agent(words, i - 1) is Agent.PERSON and not is_hypothetical(words, i)
        return i if told and not any(w.low in v.BE for w in words[max(i - 6, 0) : i]) else 0
    if not is_bad_manner(low) or is_hypothetical(words, i) or low_at(words, i - 1) == "not":
        return 0
    verb = i + 1
    while verb < len(words) and is_adverb(words[verb].low):
        verb += 1
    if low_at(words, i - 1) in v.BE or is_passive(words, i):
        return by_person(words, i)
    act = low_at(words, verb)
    if (is_active(act) or act.endswith("ing")) and agent_of(words, i) in (Agent.PERSON, Agent.THEY):
        return verb
    return 0


def someone(words: Words, i: int) -> int:
    """Find "someone deleted": a hunt for who."""
    low = words[i].low
    if low not in ("someone", "somebody") and low != "whoever":
        return 0
    verb = i + 1
    while is_adverb(low_at(words, verb)) or low_at(words, verb) in ("had", "must", "have"):
        verb += 1
    if low == "whoever" and is_active(low_at(words, verb)):
        return verb
    harmful = low_at(words, verb) in v.SOMEONE_DID and not is_hypothetical(words, i + 1)
    return verb if harmful and low_at(words, i - 1) not in ("if", "when", "whenever") else 0


def slow(words: Words, i: int) -> int:
    """Find "we spent way too long", "the team was too slow"."""
    low = words[i].low
    if (
        low in ("spent", "took", "waited")
        and agent_of(words, i) is Agent.PERSON
        and not is_hypothetical(words, i)
    ):
        for j in range(i + 1, min(i + 4, len(words) - 1)):
            if words[j].low == "too" and words[j + 1].low in ("much", "long", "many"):
                return j + 1
    if low == "slow" and low_at(words, i - 1) in ("too", "so") and agent_of(words, i) is Agent.PERSON:
        return i
    return 0


def owed(words: Words, i: int) -> int:
    """Find "I should have checked", "the engineer should have": an obligation of one person or a role."""
    subject = skip_left(words, i)
    if words[i].low not in ("should", "ought") or subject < 0 or words[subject].low not in ("i", "he", "she"):
        return 0
    have = i + 1
    while is_adverb(low_at(words, have)) or low_at(words, have) in ("not", "to"):
        have += 1
    verb = have + 1
    while is_adverb(low_at(words, verb)):
        verb += 1
    if low_at(words, have) != "have" or not is_active(low_at(words, verb)):
        return 0
    return have if agent_of(words, i) is Agent.PERSON else 0


def wrong_thing(words: Words, i: int) -> int:
    """Find "restarted the wrong cluster": an act that is told by its error."""
    if words[i].low != "wrong" or low_at(words, i - 1) not in ("the", "a", "my", "our", "their"):
        return 0
    verb = i - 2
    while verb > 0 and low_at(words, verb) in (
        "on",
        "to",
        "in",
        "at",
        "into",
        "from",
        "against",
        "up",
        "off",
    ):
        verb -= 1
    acted = (
        is_active(low_at(words, verb))
        and low_at(words, verb) not in _RECEIVED
        and not is_passive(words, verb)
    )
    if not acted or is_hypothetical(words, verb) or is_negated(words, verb):
        return 0
    return i if agent_of(words, verb) is Agent.PERSON else 0


_RECEIVED = v.word_set(
    "got given found saw seen received had noticed discovered heard shown identified met fixed corrected"
)
_LEAVE = v.word_set(
    "review approval permission testing notice authorisation authorization consent verification tests"
)


def without_leave(words: Words, i: int) -> int:
    """Find "merged it without review", "was merged by a developer without approval"."""
    if words[i].low not in _LEAVE:
        return 0
    without = i - 1
    while low_at(words, without) in v.DETERMINERS | {
        "proper",
        "sufficient",
        "prior",
        "adequate",
        "peer",
        "code",
    }:
        without -= 1
    if low_at(words, without) != "without" or is_hypothetical(words, without):
        return 0
    passive = any(by_person(words, j) for j in range(max(without - 8, 0), without) if words[j].low in v.BE)
    return i if passive or acted(words, without) else 0


def too_hastily(words: Words, i: int) -> int:
    """Find "merged it too hastily": the adverb after the act."""
    if (
        not is_bad_manner(words[i].low)
        or words[i].low == "prematurely"
        or is_active(low_at(words, i + 1))
        or is_adverb(low_at(words, i + 1))
    ):
        return 0
    if low_at(words, i - 1) in v.BE or any(w.low in v.BE for w in words[max(i - 8, 0) : i]):
        return 0
    return i if acted(words, i) else 0


def inattentive(words: Words, i: int) -> int:
    """Find "wasn't paying attention"."""
    if words[i].low != "attention" or low_at(words, i - 1) not in ("paying", "pay", "paid"):
        return 0
    negated = is_negated(words, i - 1) and not is_hypothetical(words, i - 1)
    return i if negated and agent_of(words, i - 1) in (Agent.PERSON, Agent.NOBODY) else 0


def nobody_did(words: Words, i: int) -> int:
    """Find "nobody checked", "no one bothered to read": all are blamed at once."""
    if words[i].low not in v.DILIGENCE_DONE or is_passive(words, i) or is_hypothetical(words, i):
        return 0
    return i if agent_of(words, i) is Agent.NOBODY else 0


MANNERS = (
    omission, careless, someone, slow, owed, wrong_thing, without_leave, too_hastily, inattentive, nobody_did,
)  # fmt: skip
