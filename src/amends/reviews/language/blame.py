"""Sentences in which a person or team is at fault: by a verb, an adverb, a noun, an insult or a question.

The verb alone says nothing: "the pod failed to start" is a fact about a pod. The subject decides, with what
negates, supposes or passivises the verb.
"""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import (
    Agent,
    Words,
    agent_of,
    classify,
    is_adverb,
    is_hypothetical,
    is_passive,
    leading_agent,
    skip_left,
)  # fmt: skip
from amends.reviews.language.faults import fault_nouns
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.questions import accusing_questions
from amends.reviews.language.sentences import Sentence

MESSAGE = "This reads as blame of people. Readers learn more from the conditions they worked in."
_CONDITIONS = (
    "Say what they saw and what the process offered at that point; name the missing check, not the person."
)


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield what reads as blame in a sentence."""
    words = sentence.tokens
    for i in range(len(words)):
        for rule in (_verb, _omission, _careless, _someone, _slow, _owed):
            if end := rule(words, i):
                yield Hit(Label.BLAME, i, end, MESSAGE, _suggest(sentence, i, end))
    yield from fault_nouns(sentence)
    yield from accusing_questions(sentence)


def _low(words: Words, i: int) -> str:
    return words[i].low if 0 <= i < len(words) else ""


def _negated(words: Words, i: int) -> bool:
    """Tell whether the verb group is negated: "did not forget", "never forgot"."""
    j = i - 1
    while j >= 0 and (words[j].low in v.AUXILIARIES or is_adverb(words[j].low)):
        if words[j].low in ("not", "never"):
            return True
        j -= 1
    return False


def _has_have(words: Words, i: int) -> bool:
    j = i - 1
    while j >= 0 and (is_adverb(words[j].low) or words[j].low in ("not", "been")):
        j -= 1
    return _low(words, j) in ("have", "has", "had", "having", "'s", "'d")


def _had(words: Words, i: int) -> bool:
    """A pluperfect; "we have not tested X" tells what the tests cover today."""
    return any(_low(words, j) in ("had", "'d") for j in range(i - 4, i))


def _verb(words: Words, i: int) -> int:
    """Find verbs of fault. Returns the last word of the hit, or 0."""
    low = words[i].low
    animate = low in v.FORGET or (low in v.UPSETS and _low(words, i + 1) in ("up", "it", "this", "that"))
    done = low in v.FORGET_DONE and _has_have(words, i)
    fault = low in v.FAULT or (low in v.FAULT_DONE and _has_have(words, i)) or _phrase(words, i)
    fails = low in v.FAILS and _low(words, i + 1) == "to"
    gerund = low in v.FORGETTING
    if not (animate or done or fault or fails or gerund):
        return 0
    if (low == "missed" and _missable(words, i)) or (
        low == "rushed" and _low(words, i + 1) in ("back", "in", "out")
    ):
        return 0
    if low in ("skipped", "bypassed") and not {_low(words, j) for j in range(i + 1, i + 6)} & v.SKIPPABLE:
        return 0
    if is_passive(words, i):
        return _by_person(words, i)
    if _negated(words, i) or is_hypothetical(words, i):
        return 0
    if low in ("failing", "neglecting") and _low(words, i - 1) in v.CONJUNCTIONS:
        return 0
    agent = agent_of(words, i)
    loose = (Agent.PERSON, Agent.THEY, Agent.ABSENT, Agent.POINTER)
    if (animate or done) and low not in ("overlooked", "neglected"):
        return i + 1 if agent in loose else 0
    if low in ("overlooked", "misconfigured", "mistyped", "misplaced") or (low in v.UPSETS):
        return i if agent in (Agent.PERSON, Agent.THEY) else 0
    if (
        agent is Agent.ABSENT
        and low in ("missed",)
        and i <= 2
        and _low(words, i + 1) in v.DETERMINERS | {"that"}
    ):
        return i
    return (i + 1 if fails else i) if agent is Agent.PERSON else 0


def _phrase(words: Words, i: int) -> bool:
    """Find faults of several words: "took down production", "dropped the ball", "made a mistake"."""
    low = words[i].low
    after = [_low(words, j) for j in range(i + 1, i + 6)]
    if low in ("took", "brought") and (after[0] == "down" or ("down" in after and set(after) & _SERVICES)):
        return True
    if low in ("dropped", "drop") and after[:2] == ["the", "ball"]:
        return True
    if low in ("lost", "losing") and after[0] in ("track", "sight"):
        return True
    if low in ("caused", "introduced") and set(after[:5]) & v.OUTAGE:
        return low == "caused" or bool(
            set(after[:5]) & {"bug", "regression", "defect", "error", "mistake", "issue"}
        )
    wrong = {"mistake", "mistakes", "blunder", "typo", "wrong", "bad", "poor", "error", "incorrect", "false"}
    if low in ("made", "making") and after[0] in v.DETERMINERS | wrong | {"several", "two", "few"}:
        return bool(set(after[:4]) & wrong)
    wrongly = low in ("jumped",) and after[:2] == ["to", "conclusions"]
    return (
        wrongly or (low == "cut" and after[0] == "corners") or (low == "got" and after[:2] == ["it", "wrong"])
    )


_SERVICES = v.word_set(
    "site website production prod service services database cluster system systems hub everything"
)


def _missable(words: Words, i: int) -> bool:
    return any(_low(words, j) in v.MISSABLE for j in range(i + 1, i + 5))


def _by_person(words: Words, i: int) -> int:
    """Read the agent of a passive: "was misconfigured by the network team"."""
    for j in range(i + 1, min(i + 9, len(words) - 1)):
        if words[j].low in (",", ";", "because", "and", "when"):
            return 0
        if words[j].low == "by":
            return _person_until(words, j + 1)
    return 0


_PHRASE_ENDS = v.PREPOSITIONS | v.AUXILIARIES | v.CONJUNCTIONS | v.SUBORDINATORS
_OBJECTS = v.word_set("me us him her them")


def _person_until(words: Words, begin: int) -> int:
    """Return where the phrase that begins here ends, if a person is in it, or 0."""
    end = begin
    while end + 1 < len(words) and end - begin < 4 and words[end + 1].low.isalnum():
        if words[end + 1].low in _PHRASE_ENDS:
            break
        end += 1
    people = (words[k].low in _OBJECTS or classify(words, k) is Agent.PERSON for k in range(begin, end + 1))
    return end if any(people) else 0


def _omission(words: Words, i: int) -> int:
    """Find diligence that was not: "did not test", "never verified", "without asking"."""
    low = words[i].low
    if low in v.DILIGENCE:
        verb_group = {_low(words, j) for j in range(i - 4, i)}
        told = "not" in verb_group and bool(verb_group & {"did"}) and _negated(words, i)
    elif low in v.DILIGENCE_DONE:
        told = _negated(words, i) and not is_passive(words, i)
        told = told and (_had(words, i) or _low(words, i - 1) == "never")
    elif low in v.DILIGENCE_ING:
        told = _low(words, i - 1) == "without" or (
            is_adverb(_low(words, i - 1)) and _low(words, i - 2) == "without"
        )
        return i if told and _acted(words, i) else 0
    else:
        return 0
    if not told or is_hypothetical(words, i) or _low(words, i + 1) == "over":
        return 0
    if low == "think" and _low(words, i + 1) not in ("to", "about", "of", "through"):
        return 0  # what somebody did not think was the case is what they knew, not what they left undone
    return i if agent_of(words, i) in (Agent.PERSON, Agent.THEY) else 0


def _acted(words: Words, i: int) -> bool:
    """Tell whether a person acted, in the past, in the clause before "without testing"."""
    if is_hypothetical(words, i) or leading_agent(words, i) is not Agent.PERSON:
        return False
    return any(
        w.low in v.HARM or (w.low.endswith("ed") and len(w.low) > 4) for w in words[max(i - 14, 0) : i]
    )


def _careless(words: Words, i: int) -> int:
    """Find "we accidentally deleted", "was hastily removed by an engineer", "I deleted it by mistake"."""
    low = words[i].low
    if low in ("accident", "mistake") and _low(words, i - 1) == "by":
        told = leading_agent(words, i - 1) is Agent.PERSON and not is_hypothetical(words, i)
        return i if told and not any(w.low in v.BE for w in words[max(i - 6, 0) : i]) else 0
    if low not in v.CARELESS or is_hypothetical(words, i) or _low(words, i - 1) == "not":
        return 0
    verb = i + 1
    while verb < len(words) and is_adverb(words[verb].low):
        verb += 1
    if _low(words, i - 1) in v.BE or is_passive(words, i):
        return _by_person(words, i)
    if _active(_low(words, verb)) and agent_of(words, i) in (Agent.PERSON, Agent.THEY):
        return verb
    return 0


def _active(word: str) -> bool:
    return word in v.HARM or word in v.IRREGULAR or (len(word) > 4 and word.endswith("ed")) or word == "did"


def _someone(words: Words, i: int) -> int:
    """Find "someone deleted": a hunt for who."""
    low = words[i].low
    if low not in ("someone", "somebody") and low != "whoever":
        return 0
    verb = i + 1
    while is_adverb(_low(words, verb)) or _low(words, verb) in ("had", "must", "have"):
        verb += 1
    harmful = _low(words, verb) in v.SOMEONE_DID and not is_hypothetical(words, i + 1)
    return verb if harmful and _low(words, i - 1) not in ("if", "when", "whenever") else 0


def _slow(words: Words, i: int) -> int:
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
    if low == "slow" and _low(words, i - 1) in ("too", "so") and agent_of(words, i) is Agent.PERSON:
        return i
    return 0


def _owed(words: Words, i: int) -> int:
    """Find "I should have checked", "the engineer should have": an obligation of one person or a role."""
    subject = skip_left(words, i)
    if words[i].low not in ("should", "ought") or subject < 0 or words[subject].low in ("we", "they", "it"):
        return 0
    have = i + 1
    while is_adverb(_low(words, have)) or _low(words, have) in ("not", "to"):
        have += 1
    verb = have + 1
    while is_adverb(_low(words, verb)):
        verb += 1
    if _low(words, have) != "have" or not _active(_low(words, verb)):
        return 0
    return have if agent_of(words, i) is Agent.PERSON else 0


def _suggest(sentence: Sentence, first: int, last: int) -> str:
    """Turn "forgot to pay the bill" round: nothing prompted anyone to pay the bill."""
    words = sentence.words
    to = next((k for k in range(first + 1, min(last + 3, len(words) - 1)) if words[k] == "to"), 0)
    if words[first] in v.FAILS | v.FORGET | {"forgetting"} and to:
        end = to + 1
        while end + 1 < len(words) and end - to < 8 and words[end + 1] not in _STOPS:
            end += 1
        rest = sentence.shown(to + 1, end)
        return f"Try “Nothing in the process prompted anyone to {rest}.”, and say what was there."
    return _CONDITIONS


_STOPS = frozenset([".", ",", ";", ":", "(", ")", "?", "!", "but", "because", "so", "—", "when", "which"])
