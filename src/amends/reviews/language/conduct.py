"""Blame by construction: somebody at work, and a judgement of what they did, left out, or are like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amends.reviews.language.constructions import CUES, constructions
from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.names import GIVEN
from amends.reviews.language.sentences import Sentence
from amends.reviews.language.skeletons import PEOPLE, Skeleton, reduce

_TRAIT = "Leave out the judgement; say what was seen and done, and what made it sensible at the time."
_SIGN = re.compile("(?<!\\S)[ĦŴĐŦØ](?!\\S)")
# What begins with a sign is tried there and at the beginning alone: most sentences have few people.
_AT_SIGNS: list[tuple[re.Pattern[str], str]] = []
_ANYWHERE: list[tuple[re.Pattern[str], str]] = []
for _pattern, _suggestion in constructions():
    _opening = _pattern.pattern.removeprefix(r"(?<!\S)(?:")
    _at_sign = _opening.startswith(("[", "Ħ", "Ŵ", "Đ", "Ŧ", "Ø", "^"))
    (_AT_SIGNS if _at_sign else _ANYWHERE).append((_pattern, _suggestion))
_SUPPOSED = re.compile(
    r"\b(?:if|unless|whenever|whether|lest|in case|prevent\w*|avoid\w*|ensure\w*|reduc\w+|risk of|suppose"
    r"|imagine|when|do not|did not|until|less likely)\b[^,;:—]*$"
    r"|\b(?:would|could|might|may|should|will|can|not|never)(?: \S+){0,2} ?$"
)
_NAMES = PEOPLE | GIVEN
_ELLIPTIC = re.compile(r"\w+(?:ed|read|broke|ept|ent)$|^(?:did|had|without)$")


def judged_conduct(sentence: Sentence, message: str) -> Iterator[Hit]:
    """Yield constructions that judge somebody's conduct."""
    words = sentence.words
    cued = not CUES.isdisjoint(words)
    peopled = not _NAMES.isdisjoint(words) or any(word[0] == "@" for word in words)
    if not (cued or peopled or _ELLIPTIC.match(words[0])):
        return
    skeleton = reduce(sentence)
    for first, last in skeleton.judged:
        yield Hit(Label.BLAME, first, last, message, _TRAIT)
    for found, suggestion in _found(skeleton, cued):
        if not _SUPPOSED.search(skeleton.text, max(found.start() - 60, 0), found.start()):
            first, last = skeleton.tokens(*found.span())
            yield Hit(Label.BLAME, first, last, message, suggestion)


def _found(skeleton: Skeleton, cued: bool) -> Iterator[tuple[re.Match[str], str]]:
    text = skeleton.text
    places = dict.fromkeys([0, *(sign.start() for sign in _SIGN.finditer(text))])
    for pattern, suggestion in _AT_SIGNS:
        for place in places:
            if found := pattern.match(text, place):
                yield found, suggestion
    if cued:
        for pattern, suggestion in _ANYWHERE:
            if found := pattern.search(text):
                yield found, suggestion
