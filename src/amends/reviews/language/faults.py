"""Blame by a noun or an adjective: "human error", "my mistake", "a careless engineer", "is to blame"."""

from __future__ import annotations

from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Agent, Words, agent_of, classify, is_adverb, noun_phrase
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

_TRAITS = "Leave out the judgement; say what was seen and done, and what made it sensible at the time."
_ERROR = (
    "“Human error” ends the inquiry where it could begin: say what the person met, and why it made sense."
)
_WHOSE = "Leave out whose it was: say which condition let it happen, and which check it passed."
_AVOIDING = v.word_set(
    """
    prevent prevents avoid avoids reduce reduces reducing avoiding preventing prone risk risks room
    possibility eliminate eliminates minimise minimize against chance potential likelihood less
    relieve relieves lessen mitigate mitigates susceptible vulnerable opportunity opportunities
    possible protect protects
    """
)

_CARE = v.word_set("discipline care diligence attention competence skill rigour rigor")


def fault_nouns(sentence: Sentence) -> Iterator[Hit]:
    """Yield faults that no verb names."""
    words = sentence.tokens
    for i in range(len(words)):
        for rule, suggestion in _RULES:
            if span := rule(words, i):
                yield Hit(Label.BLAME, span[0], span[1], _MESSAGES[rule], suggestion)


def _low(words: Words, i: int) -> str:
    return words[i].low if 0 <= i < len(words) else ""


_Span = tuple[int, int] | None


def _human_error(words: Words, i: int) -> _Span:
    if (
        words[i].low not in ("error", "errors", "mistake", "mistakes")
        or _low(words, i - 1) not in v.ERRONEOUS
    ):
        return None
    before = {w.low for w in words[max(i - 6, 0) : i - 1]}
    after = _low(words, i + 1)
    if words[i].low == "errors" and _low(words, i - 1) in ("user", "manual", "developer", "program"):
        return None  # errors that users met
    if before & (_AVOIDING | {"never", "no"}) or after in (
        "prone",
        "-",
        "is",
        "rate",
        "rates",
        "are",
        "happen",
        "occur",
        "can",
        "will",
        "message",
        "budget",
    ):
        return None
    return (i - 1, i)


def _whose_mistake(words: Words, i: int) -> _Span:
    """Find "my bad", "the team's fault", "a mistake by the operator", "on the part of"."""
    low = words[i].low
    failure = low in ("failure", "inability", "refusal") and _low(words, i + 1) == "to"
    if (
        low not in v.MISTAKES
        and not failure
        and not (low == "error" and _low(words, i + 1) in ("", ".", ",", "of", "in", "on", "by"))
    ):
        return None
    if {_low(words, k) for k in range(i - 4, i)} & {"not", "never", "no", "nobody's"}:
        return None
    if (
        _low(words, i + 1) == "on"
        and _low(words, i + 2) in v.POSSESSIVES
        and _low(words, i + 3) in ("part", "side")
    ):
        return (i, i + 3)
    j = i - 1
    while _low(words, j) in ("own", "silly", "stupid", "honest", "big", "biggest", "small", "first"):
        j -= 1
    if low == "bad":
        return (
            (i - 1, i)
            if _low(words, i - 1) == "my" and _low(words, i + 1) in ("", ".", "!", ",", ":", ";", ")", "-")
            else None
        )
    if _low(words, j) in v.POSSESSIVES or (_low(words, j) == "'s" and classify(words, j - 1) is Agent.PERSON):
        return (j if _low(words, j) != "'s" else j - 1, i)
    if _low(words, i + 1) in ("by", "from", "of") and i + 3 < len(words):
        end = i + 3 if words[i + 2].low in v.DETERMINERS else i + 2
        return (i, end) if classify(words, end) is Agent.PERSON else None
    return None


def _carelessness(words: Words, i: int) -> _Span:
    """Find "due to carelessness", "sloppy cut-n-paste", "lack of attention by"."""
    low = words[i].low
    if low in v.CARELESSNESS and _low(words, i - 1) not in ("not", "no", "of", "user"):
        return (i, i)
    if low == "lack" and _low(words, i + 1) == "of" and _low(words, i + 2) in _CARE:
        return (i, i + 2)
    if low in ("stupid", "dumb") and _low(words, i + 1) not in v.PEOPLE | {"mistake", "mistakes"}:
        return None
    if low in v.ATTRIBUTIVE and _low(words, i + 1) in v.HUMAN_ACTS | v.PEOPLE - {
        "group",
        "groups",
        "operator",
    }:
        return (i, i + 1)
    if low in ("inexcusable", "unforgivable"):
        return (i, i)
    return None


def _insult(words: Words, i: int) -> _Span:
    if words[i].low in v.INSULTS and _low(words, i + 1) not in ("proof", "-"):
        return (i, i)
    return None


def _predicate(words: Words, i: int) -> _Span:
    """Find "the reviewer was careless", "we are to blame", "she is responsible for the outage"."""
    low = words[i].low
    blamed = low == "blame" and _low(words, i - 1) == "to"
    at_fault = low == "fault" and _low(words, i - 1) == "at"
    answers = low in ("responsible", "accountable") and _low(words, i + 1) == "for" and _names_harm(words, i)
    if not (blamed or at_fault or answers or low in v.FAULTY):
        return None
    if answers and i and noun_phrase(words, i - 1) is Agent.PERSON:
        return (i - 1, i)
    verb = i - 1 if not (blamed or at_fault) else i - 2
    while is_adverb(_low(words, verb)) and _low(words, verb) not in ("not", "never"):
        verb -= 1
    if _low(words, verb) not in v.BE | {"being"} or _low(words, verb + 1) in ("not", "never"):
        return None
    return (verb, i) if agent_of(words, verb) in (Agent.PERSON,) and not _modal(words, verb) else None


def _modal(words: Words, i: int) -> bool:
    return any(_low(words, j) in v.MODALS | {"if", "'d"} for j in range(i - 3, i))


def _names_harm(words: Words, i: int) -> bool:
    return any(_low(words, j) in v.OUTAGE | {"breaking", "deleting"} for j in range(i + 2, i + 6))


def _blames(words: Words, i: int) -> _Span:
    """Find "I blame the network team" and "the engineer who caused this"."""
    low = words[i].low
    if low in ("blame", "blamed", "blames") and _low(words, i - 1) not in (
        "to",
        "not",
        "of",
        "assign",
        "without",
    ):
        end = i + 2 if _low(words, i + 1) in v.DETERMINERS else i + 1
        while classify(words, end) is Agent.THING and end < i + 4 and end + 1 < len(words):
            end += 1
        if (
            end < len(words)
            and classify(words, end) is Agent.PERSON
            and _low(words, i - 1) not in v.DETERMINERS
        ):
            return (i, end)
    if low == "who" and _low(words, i + 1) in (
        "caused",
        "broke",
        "introduced",
        "deleted",
        "pushed",
        "approved",
    ):
        return (i - 1, i + 1) if i and noun_phrase(words, i - 1) is Agent.PERSON else None
    if (
        low == "better"
        and _low(words, i - 1) in ("known", "knew", "know")
        and agent_of(words, i - 1) is Agent.PERSON
    ):
        return (i - 1, i)
    return None


def _interjection(words: Words, i: int) -> _Span:
    pair = (words[i].low, _low(words, i + 1))
    if pair in (("brain", "fart"), ("shame", "on"), ("mea", "culpa")):
        return (i, i + 1)
    opens = i == 0 or _low(words, i - 1) in (",", "(", ":", "-", ".", ";", "*", "—", "fix")
    opens = opens and words[i].low in (
        "oops",
        "whoops",
        "facepalm",
        "d'oh",
        "doh",
        "oopsie",
        "derp",
        "woops",
        "gargh",
        "argh",
    )
    return (i, i) if opens else None


_RULES = (
    (_human_error, _ERROR), (_whose_mistake, _WHOSE), (_carelessness, _TRAITS), (_insult, _TRAITS),
    (_predicate, _TRAITS), (_blames, _WHOSE), (_interjection, _WHOSE),
)  # fmt: skip
_TRAIT = "This judges a person. A review asks what the conditions were."
_MESSAGES = {
    _human_error: "This names people as the faulty part, and stops there.",
    _whose_mistake: "This says whose fault it was; the next person meets the same conditions.",
    _carelessness: _TRAIT, _insult: _TRAIT, _predicate: _TRAIT, _blames: _TRAIT, _interjection: _TRAIT,
}  # fmt: skip
