"""Sentences in which a person or team is at fault: by a verb, an adverb, a noun, an insult or a question.

The verb alone says nothing: "the pod failed to start" is a fact about a pod. The subject decides, with what
negates, supposes or passivises the verb.
"""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Agent, Words, agent_of, is_hypothetical, is_passive
from amends.reviews.language.conduct import judged_conduct
from amends.reviews.language.faults import fault_nouns
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.manner import MANNERS
from amends.reviews.language.questions import accusing_questions
from amends.reviews.language.sentences import Sentence
from amends.reviews.language.verbs import by_person, has_have, is_negated, low_at

MESSAGE = "This reads as blame of people. Readers learn more from the conditions they worked in."
_CONDITIONS = (
    "Say what they saw and what the process offered at that point; name the missing check, not the person."
)


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield what reads as blame in a sentence."""
    words = sentence.tokens
    for i in range(len(words)):
        for rule in (_verb, *MANNERS):
            if end := rule(words, i):
                yield Hit(Label.BLAME, i, end, MESSAGE, _suggest(sentence, i, end))
    yield from fault_nouns(sentence)
    yield from accusing_questions(sentence)
    yield from judged_conduct(sentence, MESSAGE)


def _verb(words: Words, i: int) -> int:
    """Find verbs of fault. Returns the last word of the hit, or 0."""
    low = words[i].low
    animate = low in v.FORGET or (low in v.UPSETS and low_at(words, i + 1) in ("up", "it", "this", "that"))
    done = low in v.FORGET_DONE and has_have(words, i)
    fault = (
        low in v.FAULT
        or (low in v.FAULT_DONE and (has_have(words, i) or is_passive(words, i)))
        or _phrase(words, i)
    )
    fails = low in v.FAILS and low_at(words, i + 1) == "to"
    gerund = low in v.FORGETTING
    if not (animate or done or fault or fails or gerund):
        return 0
    if low in ("took", "brought") and {low_at(words, j) for j in range(i + 1, i + 9)} & _ON_PLAN:
        return 0
    if low == "broke" and any(low_at(words, j) in _FOR_GOOD for j in range(i + 1, i + 3)):
        return 0
    if (low == "missed" and _missable(words, i)) or (
        low == "rushed" and low_at(words, i + 1) in ("back", "in", "out")
    ):
        return 0
    if low in _ON_PURPOSE and not {low_at(words, j) for j in range(i + 1, i + 6)} & _ON_PURPOSE[low]:
        return 0
    if is_passive(words, i):
        return by_person(words, i)
    if is_negated(words, i) or is_hypothetical(words, i):
        return 0
    if low in ("failing", "neglecting") and low_at(words, i - 1) in v.CONJUNCTIONS:
        return 0
    return _judged(words, i, animate or done, fails)


def _judged(words: Words, i: int, animate: bool, fails: bool) -> int:
    """Let who does the verb decide."""
    low = words[i].low
    agent = agent_of(words, i)
    loose = (Agent.PERSON, Agent.THEY, Agent.ABSENT, Agent.POINTER)
    if animate and low not in ("overlooked", "neglected"):
        return i + 1 if agent in loose else 0
    if low in ("overlooked", "misconfigured", "mistyped", "misplaced") or (low in v.UPSETS):
        return i if agent in (Agent.PERSON, Agent.THEY) else 0
    if (
        agent is Agent.ABSENT
        and low in ("missed",)
        and i <= 2
        and low_at(words, i + 1) in v.DETERMINERS | {"that"}
    ):
        return i
    if agent is Agent.THEY and low in _HUMAN_FAULTS:
        return i
    if fails and agent is Agent.ORGANISATION and low_at(words, i + 2) in v.DILIGENCE:
        return i + 1
    return (i + 1 if fails else i) if agent is Agent.PERSON else 0


def _phrase(words: Words, i: int) -> bool:
    """Find faults of several words: "took down production", "dropped the ball", "made a mistake"."""
    low = words[i].low
    after = [low_at(words, j) for j in range(i + 1, i + 6)]
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


# Faults only by what was left out; of other things it is told as a choice.
_FOR_GOOD = v.word_set("dependency dependencies link loop cycle tie deadlock")  # to break these mends
_ON_PLAN = v.word_set("old spare standby idle planned maintenance purpose deliberately")
_ON_PURPOSE = {"skipped": v.SKIPPABLE, "bypassed": v.SKIPPABLE, "ignored": v.SIGNALS, "dismissed": v.SIGNALS}
_HUMAN_FAULTS = v.word_set("ignored dismissed rushed underestimated disregarded violated panicked")
_SERVICES = v.word_set(
    "site website production prod service services database cluster system systems hub everything"
)


def _missable(words: Words, i: int) -> bool:
    return any(low_at(words, j) in v.MISSABLE for j in range(i + 1, i + 5))


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
