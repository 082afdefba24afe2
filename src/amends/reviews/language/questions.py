"""Questions that accuse: "Why didn't anyone test this?", "Who pushed it?". Asking what and how opens more."""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Agent, classify
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

_MESSAGE = "This asks why or who as one asks an accused."
_SUGGESTION = (
    "Ask what and how: “What did the people at work see at that point?”, “How did it get past this check?”"
)
_AUXILIARY = v.word_set("did do does was were is are had has have could would should")
_FAULTS = v.FAULT | v.FORGET | v.word_set(
    """
    forget ignore miss skip fail break bypass overlook neglect approve merge push deploy delete
    dismiss
    """
)  # fmt: skip
_CARE = (
    v.DILIGENCE
    | v.DILIGENCE_DONE
    | v.word_set("caught noticed tested detected done spotted notice catch spot")
)
_PEOPLE = v.SELF | {"they", "he", "she", "you", "anyone", "anybody", "someone", "nobody", "no"}


def accusing_questions(sentence: Sentence) -> Iterator[Hit]:
    """Yield questions after why and who that accuse."""
    words = sentence.words
    for i, low in enumerate(words[:-2]):
        if low == "why" and _accuses(sentence, i):
            yield Hit(Label.BLAME, i, min(i + 3, len(words) - 1), _MESSAGE, _SUGGESTION)
        if low in ("who", "whose") and i <= 2 and "?" in words and _hunts(words, i):
            yield Hit(Label.BLAME, i, min(i + 2, len(words) - 1), _MESSAGE, _SUGGESTION)


def _accuses(sentence: Sentence, why: int) -> bool:
    words = sentence.words
    if words[why + 1] not in _AUXILIARY:
        return False
    negated = "not" in words[why + 1 : why + 5] or words[why + 2] in ("nobody", "no")
    subject = why + 3 if words[why + 2] == "not" else why + 2
    rest = set(words[subject + 1 : subject + 9])
    person = subject < len(words) and _is_person(sentence, subject)
    if person:
        if _is_copula(words, why):
            return negated and bool(rest & _CARE)
        return negated or bool(rest & _FAULTS)
    return (
        negated
        and words[why + 1] in ("was", "were", "is", "did")
        and bool(rest & _CARE)
        and _is_copula(words, why)
    )


def _is_copula(words: tuple[str, ...], why: int) -> bool:
    return words[why + 1] in ("was", "were", "is")


def _is_person(sentence: Sentence, subject: int) -> bool:
    words = sentence.words
    if words[subject] in _PEOPLE:
        return True
    head = subject
    while head + 1 < len(words) and (
        words[head] in v.DETERMINERS or classify(sentence.tokens, head) is Agent.THING
    ):
        if head - subject > 3:
            break
        head += 1
    return words[subject] in v.DETERMINERS and classify(sentence.tokens, head) is Agent.PERSON


def _hunts(words: tuple[str, ...], who: int) -> bool:
    blamed = words[who] == "whose" and words[who + 1] in v.MISTAKES
    return blamed or words[who + 1] in v.HARM | _FAULTS | {"approved", "broke", "caused"} - {
        "decided",
        "thought",
    }
