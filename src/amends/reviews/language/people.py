"""Sentences that name a person, where a role would tell the reader more and expose nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Words, is_adverb
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.names import GIVEN
from amends.reviews.language.roles import DEPARTMENTS
from amends.reviews.language.sentences import Sentence

_MESSAGE = "This names a person. Reviews speak of roles and teams."
_SUGGESTION = "Write the role instead: “the engineer on call”, “a maintainer”, “the team that owns …”."
_HANDLE = re.compile(r"@[A-Za-z][A-Za-z0-9-]{1,38}$")
_NOT_PEOPLE = v.word_set(
    """
    @channel @here @everyone @all @oncall @on-call @team @latest @next @main @master @override @types
    @media @param @return @deprecated @dependabot @bot @beta @alpha @stable @import @decorator
    @property
    """
)
_THANKS = v.word_set("thanks thank thankful kudos credit credits shout-out shoutout grateful congratulations")
_CALLED = v.word_set(
    """
    asked ask asks pinged ping paged page told tell contacted contact called by with from to and cc
    notified informed for assigned
    """
)


def judge(sentence: Sentence) -> Iterator[Hit]:
    """Yield people named, by handle or by given name."""
    words = sentence.tokens
    if _THANKS & set(sentence.words):
        return  # in thanks, people are named on purpose
    for i in range(len(words)):
        if _is_handle(words, i) or _is_name(words, i):
            end = i + 1 if _is_surname(words, i + 1) else i
            yield Hit(Label.PERSON_NAMED, i, end, _MESSAGE, _SUGGESTION)


def _is_handle(words: Words, i: int) -> bool:
    """Know "@sean" from "@org/team", "@scope/package" and "@latest"."""
    token = words[i]
    if (
        not _HANDLE.match(token.text)
        or token.low in _NOT_PEOPLE
        or token.low.endswith(("-bot", "-team", "-oncall"))
    ):
        return False
    return not (i and words[i - 1].end == token.start and words[i - 1].text[-1].isalnum())


def _given(text: str) -> bool:
    return len(text) > 1 and text[0].isupper() and text[1:].islower() and text.lower() in GIVEN


def _is_surname(words: Words, i: int) -> bool:
    return i < len(words) and bool(re.fullmatch(r"[A-Z][a-zé]+(?:-[A-Z][a-z]+)?|[A-Z]\.?", words[i].text)) \
        and words[i].low not in v.PRONOUNS  # fmt: skip


def _is_name(words: Words, i: int) -> bool:
    text = words[i].text
    if _given(text):
        return _used_as_name(words, i)
    # A name that no list has: it asks, suggests, agrees. Products do not.
    if not re.fullmatch(r"[A-Z][a-zà-ÿ]{2,14}", text) or not _opens(words, i):
        return False
    after = _after(words, i)
    return after in _HUMAN_ONLY and words[i].low not in _NOT_NAMES


_HUMAN_ONLY = v.word_set(
    """
    asks wonders agrees realises realizes volunteers apologises apologizes asked agreed realised
    realized volunteered apologised apologized wondered
    """
)
_NOT_NAMES = (
    v.PEOPLE | DEPARTMENTS | v.AFFECTED | v.ORGANISATIONS | v.PRONOUNS | v.THINGS | v.DETERMINERS | v.ADVERBS
    | v.NOBODY | v.SUBORDINATORS | v.PREPOSITIONS | v.CONJUNCTIONS
    | v.word_set(
    """
    they somebody google support engineering documentation log error message kubernetes slack
    """
)
)  # fmt: skip


def _opens(words: Words, i: int) -> bool:
    """Tell whether the word begins a sentence, a line or an entry of a timeline."""
    return i == 0 or not words[i - 1].text[0].isalpha()


def _after(words: Words, i: int) -> str:
    j = i + 1
    while j < len(words) and is_adverb(words[j].low):
        j += 1
    return words[j].low if j < len(words) else ""


_WORKS = v.word_set(
    """
    talk talks list lists blog post posts law laws book paper article razor theorem guide
    """
)


def _not_a_person(words: Words, i: int) -> bool:
    """Know "Jan 17", "San Jose", and a work that is cited by its author."""
    texts = [words[j].text if 0 <= j < len(words) else "" for j in (i - 1, i + 1, i + 2, i + 3)]
    dated = words[i].low == "jan" and (texts[0][:1].isdigit() or texts[1][:1].isdigit())
    cited = any(mark in ("'s", "’s") and work.lower() in _WORKS for mark, work in pairwise(texts[1:]))
    return dated or cited or texts[0] in ("San", "Santa", "St", "Saint", "Los", "Fort", "Port")


def _used_as_name(words: Words, i: int) -> bool:
    """A given name acts, is asked or told, owns something, has a surname, or stands with another name."""
    before = words[i - 1].low if i else ""
    following = words[i + 1] if i + 1 < len(words) else None
    if _not_a_person(words, i):
        return False
    if _after(words, i) in v.ACTING or before in _CALLED:
        return True
    if following is None:
        return before in _CALLED | {"(", "[", "/", ":"}
    if following.low in ("'s", ",", "and", "/", "&", ")", "]", ":", "+") or _is_surname(words, i + 1):
        return True
    return following.low in v.AUXILIARIES
