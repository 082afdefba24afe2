"""Sentences about a past that was not: "should have tested", "an alert would have told us".

After Dekker, *The Field Guide to Understanding 'Human Error'*, and Bergström's three traps. What the system
was expected to do ("the proxy should have rejected it"), what may have happened ("data could have been
read") and what ought to be ("alerts should have an owner") are other things, and stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Agent, agent_of, is_adverb
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence
from amends.reviews.language.wishes import MESSAGE, wishes
from amends.reviews.language.wishes import SUGGESTION as _GENERAL

_MODALS = v.word_set("should could would might ought must may 'd")
_PEOPLE = (Agent.PERSON, Agent.THEY, Agent.ORGANISATION, Agent.NOBODY)


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield what is counterfactual in a sentence."""
    words = sentence.words
    if _asks_what_to_improve(words):
        return
    for i, low in enumerate(words):
        if low in _MODALS and (found := _perfect(sentence, i)):
            yield found
    yield from _wishes(sentence)
    yield from wishes(sentence)


def _asks_what_to_improve(words: tuple[str, ...]) -> bool:
    """Know the questions of templates: "What could have gone better?", "Things we could improve"."""
    plain = [w for w in words if w[0].isalnum()]
    while plain and plain[0][0].isdigit():
        plain = plain[1:]
    return (
        len(plain) <= 10
        and plain[:1] != []
        and plain[0] in ("what", "things", "areas", "how", "where", "anything")
    )


def _perfect(sentence: Sentence, modal: int) -> Hit | None:
    """Read "should [not] [adverbs] have [adverbs] participle"."""
    words = sentence.words
    have = _skip(words, modal + 1)
    if words[modal] == "ought" and have < len(words) and words[have] == "to":
        have = _skip(words, have + 1)
    agent = agent_of(sentence.tokens, modal)
    if _inverted(words, modal):
        have, agent = _after_subject(sentence, modal)
    if have >= len(words) or words[have] not in ("have", "of"):
        return None
    verb = _skip(words, have + 1)
    passive = verb < len(words) and words[verb] in ("been", "be")
    if passive:
        verb = _skip(words, verb + 1)
    if verb >= len(words) or not _judged(sentence, modal, verb, agent, passive):
        return None
    return _hit(sentence, modal, verb, passive)


def _skip(words: tuple[str, ...], i: int) -> int:
    while i < len(words) and (words[i] in ("not", "n't") or is_adverb(words[i])) and words[i] != "better":
        i += 1
    return i


def _inverted(words: tuple[str, ...], modal: int) -> bool:
    """Tell whether it is a question: "could we have noticed it?"."""
    after = words[modal + 1] if modal + 1 < len(words) else ""
    if after == "not" and modal + 2 < len(words):
        after = words[modal + 2]
    return after in v.SELF | {"they", "he", "she", "it", "this", "you"} or (
        modal == 0 and after in v.DETERMINERS
    )


def _after_subject(sentence: Sentence, modal: int) -> tuple[int, Agent]:
    words = sentence.words
    for have in range(modal + 2, min(modal + 8, len(words))):
        if words[have] == "have":
            return have, agent_of(sentence.tokens, have)
    return len(words), Agent.ABSENT


def _judged(sentence: Sentence, modal: int, verb: int, agent: Agent, passive: bool) -> bool:
    words, low = sentence.words, sentence.words[verb]
    if not passive and not _is_participle(low):
        return False
    kind = "would" if words[modal] == "'d" else words[modal]
    if kind in ("should", "ought"):
        return _obligation(words, modal, verb, agent, passive)
    if kind in ("would", "could"):
        return _possibility(words, modal, verb, agent, passive)
    return kind == "might" and _might(words, verb, agent, passive)


def _is_participle(word: str) -> bool:
    return word in v.IRREGULAR or (len(word) > 3 and word.endswith("ed"))


def _named_value(low: str, agent: Agent) -> bool:
    """Tell whether what follows "should have been" is what it was not: a number, a measure, a thing."""
    larger = low.endswith("er") and agent is not Agent.POINTER
    return low[0].isdigit() or low in _MEASURES or larger


def _obligation(words: tuple[str, ...], modal: int, verb: int, agent: Agent, passive: bool) -> bool:
    low = words[verb]
    if words[modal - 1 : modal] == ("one",) or (passive and _named_value(low, agent)):
        return True
    if passive:
        if low in v.MACHINE or low.startswith(("re-", "auto-")) or low.endswith(("able", "ible")):
            return False
        if words[verb + 1 : verb + 3] in (("by", "now"), ("by", "then")):
            return False
        between = words[modal + 1 : verb]
        if any(w in v.BY_ITSELF for w in (*between, *words[verb + 1 : verb + 2])):
            return False
        if low.endswith("ing"):
            return agent in _PEOPLE
        return _is_participle(low) or low in v.BETTER | v.EXPECTED_OF_PEOPLE | _PLACES
    if low in v.DESCRIBING and verb + 1 < len(words) and words[verb + 1] not in _AFTER_VERBS:
        return False
    if agent in (*_PEOPLE, Agent.ABSENT):
        return True
    subject = words[max(modal - 1, 0)]
    if agent is Agent.POINTER or subject in _OF_MACHINES:
        return low == "had" or (low in _ARRANGED and bool({"not", "never"} & set(words[modal:verb])))
    return low in _ARRANGED or (subject in v.ARTEFACTS and low in v.DESIGNED)


# What things do only as people arranged it: "the alert should have gone to …".
_ARRANGED = v.word_set(
    """
    gone happened shipped run reached had included mentioned covered listed stayed come contained been named
    taken lasted started begun described required said warned told existed ended respected fit
    """
)
_MEASURES = v.word_set("half double twice less more fewer a an the our")
_OF_MACHINES = v.word_set(
    """
    service proxy server cluster node host balancer controller scheduler job script process pod container
    client database replica cache parser function method request requests packet packets value field
    query connection
    kernel driver api call it program tool code thread loop task agent daemon worker router switch
    """
)
# Subjects that were not there: "an alert", "more monitoring", "asking the vendor".
_NOT_THERE = v.word_set(
    "a an more better earlier one another no any less fewer even only just some proper closer"
)
_SPARED = v.word_set(
    """
    spared saved kept shown exposed averted given bought brought reminded pointed sufficed served made led
    left meant cost taken limited stopped contained halved cut put
    """
)


def _by_doing(words: tuple[str, ...], verb: int) -> bool:
    """Tell whether the sentence names what was not done: "by paying a visit", "instead of …"."""
    return "instead" in words or any(
        one == "by" and after.endswith("ing") for one, after in pairwise(words[verb:])
    )


def _imagines(words: tuple[str, ...], modal: int) -> bool:
    """Tell whether the subject of a clause is something that was not there."""
    begin = modal
    while begin > 0 and words[begin - 1] not in (
        ",",
        ";",
        ":",
        "—",
        "and",
        "but",
        "because",
        "that",
        "which",
    ):
        begin -= 1
    while begin < modal and words[begin] in ("perhaps", "maybe", "probably", "possibly", "certainly"):
        begin += 1
    opening = words[begin : begin + 1]
    return bool(opening) and (
        opening[0] in _NOT_THERE or (opening[0].endswith("ing") and opening[0] not in _NOUNS)
    )


_NOUNS = v.word_set("nothing something anything everything string thing king ping spring")
_WITHOUT = v.word_set("with without under instead")


def _circumstanced(words: tuple[str, ...]) -> bool:
    """Tell whether a sentence names other circumstances: "with a working rollback", "without the call"."""
    return any(
        low in _WITHOUT
        and (i == 0 or words[i - 1] in (",", "but") or {"would", "'d", "might", "could"} & set(words[:i]))
        for i, low in enumerate(words)
    )


def _possibility(words: tuple[str, ...], modal: int, verb: int, agent: Agent, passive: bool) -> bool:
    low, would = words[verb], words[modal] in ("would", "'d")
    if low in v.ATTITUDES and not passive:
        return False
    if agent is Agent.AFFECTED:
        return _supposes(words)
    imagined = _imagines(words, modal)
    if (
        would
        and (imagined or _circumstanced(words))
        and (low not in v.POSSIBLE or {"not", "never"} & set(words[modal:verb]))
    ):
        return True
    if passive and agent in (Agent.PERSON, Agent.THEY) and low in ("back", "done", "up", "online", "ready"):
        return True
    if passive:
        return _possible_passive(words, verb, would)
    if low in v.REMEDY or (imagined and low in _SPARED):
        return True
    if low == "gone" and would:
        return False
    if would and agent in _PEOPLE:
        return True
    if would or agent in (Agent.POINTER, Agent.THING):
        return _supposes(words) or (_sooner(words, verb) and agent in _PEOPLE)
    return agent in _PEOPLE and low not in v.POSSIBLE


_NOT_COMPARED = v.word_set(
    "other another after under over never either user server cluster container worker rather order number her"
)


def _possible_passive(words: tuple[str, ...], verb: int, would: bool) -> bool:
    """Judge "could have been told earlier", "would have been caught"."""
    low = words[verb]
    if low.endswith("er") and low not in _NOT_COMPARED:
        return True
    if low in v.BETTER or low in ("a", "an", "even", "the", "much", "far", "so", "way"):
        return _comparison(words, verb)
    if would:
        return low in v.REMEDY - _TOLD or _supposes(words) or _sooner(words, verb)
    if _sooner(words, verb):
        return True
    if _by_a_thing(words, verb) and low not in v.REMEDY:
        return False
    return low not in v.POSSIBLE | v.MACHINE | {"missed"} and (
        _is_participle(low) or low in ("in", "possible")
    )


# Passives that tell what was so as often as what would have been: "the file would have been shown".
_TOLD = v.word_set("shown made given found allowed enabled told limited reduced flagged notified exposed")
_PLACES = v.word_set("as like so in part there here on under behind")
_AFTER_VERBS = (
    v.DETERMINERS | v.PREPOSITIONS | v.PRONOUNS | v.THINGS | v.word_set("them him her us me . , ; : ) ! ?")
)


def _comparison(words: tuple[str, ...], verb: int) -> bool:
    """Read "could have been a lot worse", "would have been much faster", "would have been a better idea"."""
    return any(w in v.BETTER for w in words[verb : verb + 4])


def _supposes(words: tuple[str, ...]) -> bool:
    """Tell whether the sentence names the other past: "if we had …", "had we …", "had there been …"."""
    for i, low in enumerate(words[:-1]):
        if (
            low == "if"
            and "to" not in words[i + 2 : i + 5]
            and {"had", "was", "were", "been", "'d", "known"} & set(words[i + 1 : i + 10])
        ):
            return True
        if low == "had" and _inverts(words, i):
            return True
    return False


def _inverts(words: tuple[str, ...], had: int) -> bool:
    """Tell "had we known" and "worse had the disk filled up" from "we had the disk"."""
    after, before = words[had + 1], words[had - 1] if had else ","
    if after in v.SELF | {"they", "he", "she"}:
        return True
    opens = before in (",", "and", "but", "—", "-", ";") or bool({"would", "could"} & set(words[:had]))
    return opens and after in v.DETERMINERS | {"there", "it", "someone"} and before not in v.PRONOUNS


def _by_a_thing(words: tuple[str, ...], verb: int) -> bool:
    """Tell "could have been held by another process", a guess, from "could have been done by the team"."""
    after = words[verb + 1 : verb + 6]
    return (
        after[:1] == ("by",)
        and len(after) > 1
        and not after[1].endswith("ing")
        and not set(after) & (v.PEOPLE | v.SELF | {"us"})
    )


def _sooner(words: tuple[str, ...], verb: int) -> bool:
    """Tell whether the other past is named by what it had better: "been paged sooner"."""
    return bool(
        {"sooner", "earlier", "faster", "quicker", "better", "differently"} & set(words[verb : verb + 8])
    )


_MENDS = v.word_set(
    """
    helped prevented avoided caught detected alerted averted mitigated reduced shortened limited
    saved lessened warned told revealed
    """
)


def _might(words: tuple[str, ...], verb: int, agent: Agent, passive: bool) -> bool:
    low = words[verb]
    if agent is Agent.AFFECTED:
        return False
    if agent is Agent.PERSON and (_supposes(words) or _by_doing(words, verb)):
        return True
    if passive:
        return low in v.REMEDY - {"noticed", "found", "shown"} or low in v.BETTER
    if {"not", "never"} & set(words[max(verb - 3, 0) : verb]) and _circumstanced(words):
        return True
    return low in _MENDS | (_SPARED - {"led", "left", "made", "put", "meant"})


def _wishes(sentence: Sentence) -> Iterator[Hit]:
    """Find "if only we had", "we wish we had", "had we known" without a modal that says the rest."""
    words = sentence.words
    for i in range(len(words) - 2):
        only = words[i : i + 2] == ("if", "only") and {"had", "'d"} & set(words[i + 2 : i + 7])
        wish = words[i] in ("wish", "wished") and {"had", "'d", "hadn't"} & set(words[i + 1 : i + 5])
        had = (
            words[i] == "had"
            and words[i + 1] in v.SELF | {"they"}
            and (i == 0 or words[i - 1] in (",", "but"))
        )
        if only or wish or had:
            yield Hit(Label.COUNTERFACTUAL, i, min(i + 3, len(words) - 1), MESSAGE, _GENERAL)


def _hit(sentence: Sentence, modal: int, verb: int, passive: bool) -> Hit:
    suggestion = _GENERAL
    rest = _rest(sentence, verb)
    if sentence.words[modal] in ("should", "ought"):
        negated = "not" in sentence.words[modal + 1 : verb]
        if passive:
            suggestion = (
                f"Try “… was {'' if negated else 'not '}{rest}”, then what made that sensible at the time."
            )
        elif sentence.words[modal - 1 : modal] in (("we",), ("i",), ("they",)):
            suggestion = (
                "Try what was done instead, and what was known then: “At the time, …”. What is missing goes "
                "into an action item."
            )
    return Hit(Label.COUNTERFACTUAL, modal, verb, MESSAGE, suggestion)


def _rest(sentence: Sentence, verb: int) -> str:
    end = verb
    while end + 1 < len(sentence.words) and end - verb < 7 and sentence.words[end + 1] not in _STOPS:
        end += 1
    return sentence.shown(verb, end)


_STOPS = frozenset(
    [".", ",", ";", ":", "(", ")", "?", "!", "but", "because", "so", "—", "if", "before", "when"]
)
