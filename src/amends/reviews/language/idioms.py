"""Set phrases that blame, wish or know better afterwards, whatever their grammar: "dropped the ball".

Only phrases that are said of nothing but people, or of nothing but a past that was not, stand here; single
words are judged by who does them (``blame``) and by their modality (``counterfactual``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

_BLAMING = (
    r"asleep at (?:the )?(?:wheel|switch)", r"(?:dropped|drop) the ball", r"rubber ?- ?stamp(?:ed|ing)",
    r"slept through (?:the |his |her |their |our |two |three |all |several )?(?:\w+ )?(?:page|pages|alert|alerts|alarm|alarms|call|calls)", r"(?:had|have|has) no business", r"(?:cut|cutting) corners", r"(?:let|lets|letting) (?:it|this|that|them) slip",
    r"sat on (?:the|this|that|our|it|a) (?:\w+ )?(?:ticket|issue|alert|bug|report|request|page|patch|fix|for)",
    r"can ?(?:not|n't|n’t) be trusted (?:with|to)", r"never (?:tells?|told|asks?|asked|bothers?|bothered) any(?:one|body)",
    r"(?:told|asked|informed) (?:nobody|no one)", r"left a mess", r"out of (?:laziness|carelessness|ignorance|spite|negligence)",
    r"for no good reason", r"(?:poor|bad) judge?ment (?:by|of|from|on the part)", r"kept (?:\w+ ){1,4}secret from",
    r"(?:the )?(?:fault|blame|responsibility) lies with (?:the )?(?:people|person|team|engineer|developer|author|operator|group|vendor)s?",
    r"(?:outage|incident|mistake|bug|one) (?:is|was) on (?:the \w+ team|us|me|him|her|them|you)",
    r"(?:the )?culprit (?:was|is|turned out to be) (?:a|an|the|our) (?:\w+ )?(?:hire|engineer|developer|admin|operator|colleague|intern|team|contractor|person)",
    r"nobody (?:in|on|from) the (?:\w+ )?team (?:took|takes|cared|bothered)", r"was ?(?:n't|n’t|not) (?:watching|paying attention|doing (?:his|her|their) job)",
    r"misinformed (?:users|customers|us|the team|people)", r"(?:team|group|folks|engineers?|developers?|operators?|admins?) neglected to",
)  # fmt: skip
_WISHING = (
    r"would (?:have been|be) (?:fine|enough|safe|spared)(?= (?:to|with|if|had))", r"would ?(?:n't|n’t|not) be here",
    r"the right (?:thing|decision|move|call) would have", r"would ?(?:not|n't|n’t) have taken much",
    r"(?:was|were) (?:entirely |completely |easily |all )?(?:avoidable|preventable)",
    r"had the chance to (?:stop|prevent|catch|fix|avoid)", r"one would have expected",
)  # fmt: skip
_AFTERWARDS = (
    r"(?:plain|there for all|there for everyone) to see", r"everybody could see", r"anyone could (?:tell|see|have)", r"^retrospectively", r"staring (?:us|them|everyone) in the face",
    r"as we (?:now|all) know", r"(?:is|was) now (?:clear|obvious|evident)", r"^unsurprisingly", r"(?:clues|signs|signals|hints) were (?:all )?there",
    r"every reason to know", r"^of course the", r"^obviously the",
)  # fmt: skip
_SAID = {
    Label.BLAME: (
        _BLAMING,
        "This reads as blame of people. Readers learn more from the conditions they worked in.",
        "Say what they saw and what the process offered at that point; name the missing check, not the person.",
    ),
    Label.COUNTERFACTUAL: (
        _WISHING,
        "This tells of a past that was not. It says little about why what was done made sense at the time.",
        "Say what happened, and what there was to go by; put what should be from now on into an action item.",
    ),
    Label.HINDSIGHT: (
        _AFTERWARDS,
        "This judges by what was known only afterwards.",
        "Say what was known at that moment and where it could be seen; what was learned later, say as such.",
    ),
}
_DENYING = re.compile(r"\b(?:not|never|nobody|whether|if|no longer)(?: \w+)? $")


@cache
def _pattern(label: Label) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(_SAID[label][0]) + r")(?!\w)")


def judge(sentence: Sentence, label: Label) -> Iterator[Hit]:
    """Yield the first set phrase of a sentence that a label is for."""
    if label not in _SAID:
        return
    _, message, suggestion = _SAID[label]
    said = " ".join(sentence.words)
    found = _pattern(label).search(said)
    if found and not _DENYING.search(said[: found.start()]):
        first = said.count(" ", 0, found.start())
        yield Hit(label, first, first + found[0].count(" "), message, suggestion)
