"""Turns of a past that was not which no "would have" announces: "need not have", "was supposed to", "but for".

Patterns over the plain words of a sentence; ``counterfactual`` reads modal verbs by their grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

MESSAGE = "This tells of a past that was not. It says little about why what was done made sense at the time."
SUGGESTION = (
    "Say what happened and what was known then; what is missing goes into an action item in the present "
    "tense, such as “Add an alert on …”."
)
_EVALUATED = (
    r"(?:better|wiser|safer|enough|simple|simpler|easy|easier|easiest|prudent|sensible|possible|best|trivial|"
    r"preferable|quicker|faster|sufficient|nice|good|useful|helpful|cheaper|smarter|straightforward|ideal|"
    r"advisable|appropriate|reasonable|desirable|more \w+|less \w+)"
)
_DUTY = (
    r"(?:catch|prevent|stop|detect|notice|check|verify|test|review|rotate|ask|tell|inform|warn|"
    r"watch|monitor|protect|alert|escalate|follow|remove|update|renew|document|approve|guard|cover|run|read|call)"
)
_ONE = r"(?:somebody|someone|anyone|anybody|nobody|everyone|it|there|the|this|that|these|those|our|we|i|he|she|they|you|a|an|any|one|more|all)"
_TURNS = (
    r"need(?:ed)? (?:not|never)(?: \w+ly)? (?:to )?have(?: \w+)?",
    r"needed only to \w+|need only have|only needed to \w+|had only to \w+|nobody needed to \w+",
    r"(?<!that )(?<!which )(?:was|were) (?:actually |originally |all |always )?(?:supposed|meant|required|obliged) to "
    rf"(?:regularly )?(?:(?:have been|be) (?:\w+ed|told|read|run|kept|done|\w+wn|set)|{_DUTY}\b)",
    r"(?:should|would|could|might|must)(?:a|of|ve|nt have|n've)(?= \w)",
    r"(?:it|this|that|which|what) (?:would|might|could|may)(?: \w+ly)? (?:have|of) been"
    rf"(?: (?:much|far|a lot|so|very|quite|also|just|perfectly|even|well|all))* {_EVALUATED}\b",
    r"(?:right|proper|correct|obvious|best|better|sensible|safe|safer|natural|logical|wise|prudent|appropriate|sane) "
    r"(?:\w+ ){0,4}?would have been",
    r"would(?: \w+ly)? have been (?:the |a |much |far )*(?:\w+er|better|best|right|enough|correct|wise|sensible|safe|sufficient|more \w+) ?(?:choice|option|way|thing|course|move|idea|approach|solution|plan)?(?= (?:to|if|off|than|in|with|had|for)|$| [.,;!])",
    r"would(?: \w+ly)? have (?:done|been) better",
    r"better (?:to have|not to have|had (?:we|they|he|she|you|i)) \w+",
    rf"(?:^|(?:[,;:—]|and|but|or|that|because) )(?:had|were) {_ONE}(?: \w+){{0,10}}?(?: ,)?(?: \w+){{0,7}}? (?:would|could|might|wouldn|'d)",
    rf"(?:would|could|might|'d|have|nobody needed)\b[^.;:]* ,? ?(?:had|were) {_ONE} (?:\S+ ){{0,6}}?(?:been|\w+ed|not|it|known|gone|read|done|made|taken|set|safe|place|there|kept|run)\b",
    r"(?:had it not been for|were it not for|if it had not been for|if it were not for|had there been|were there)",
    r"^but for (?:the|a|an|our|this|that)\b",
    r"wish(?:ed)? (?:that )?(?:we|i|they|he|she|somebody|someone|you)(?: would)? (?:had|have)\b",
    r"(?:was|were|is) (?:(?!not|never)\w+ )?(?:avoidable|preventable)|(?<!if )(?:avoidable|preventable) (?:outage|incident|failure|mistake|downtime|loss|error|damage)",
    r"one look would have|when \w+ \w+ would have",
    r"if (?:only|someone|somebody|anyone|anybody|we|they|he|she|i|the team) (?:had|would have)\b[^.;?]* (?:would|could|might|'d)\b",
    r"(?:would|could|might|'d) (?:not |never |still |all |have |be )[^.;?]* if (?:only |\w+ ){1,4}?had (?:not |never |just )?(?:been |\w+ed\b)",
    r"(?:if|unless) (?:\w+ ){1,5}had (?:not |never |only )?(?:been|\w+ed|known|read|gone|done|made|taken|set|kept|run|told|had|seen|spoken)\b[^.;?]* (?:would|could|might|'d) (?:not |never |still |all )?(?:have|be)\b",
    r"should (?:never |not )been", r"had to (?:\S+ ){1,8}?but (?:\w+ )?(?:did not|never)\b",
    r"(?:but|and|as|because) (?:we|they|i|he|she|you|someone|somebody) (?:should|could) (?:not )?have(?=$| [.,;!?])",
    r"there (?:should|ought to) have been",
)  # fmt: skip
_PATTERN = re.compile(r"(?<!\S)(?:" + "|".join(f"(?:{turn})" for turn in _TURNS) + r")")
_CUES = frozenset(
    [
        "need",
        "needed",
        "only",
        "supposed",
        "meant",
        "expected",
        "required",
        "due",
        "obliged",
        "would",
        "could",
        "might",
        "should",
        "'d",
        "had",
        "were",
        "was",
        "is",
        "wish",
        "wished",
        "better",
        "avoidable",
        "preventable",
        "unnecessary",
        "but",
        "must",
        "shoulda",
        "woulda",
        "coulda",
        "mighta",
        "shouldve",
        "wouldve",
        "couldve",
        "mightve",
        "shouldof",
        "wouldof",
        "shouldn",
        "wouldn",
        "couldn",
        "ought",
    ]
)
_LATER = frozenset(["will", "next", "future"])


def wishes(sentence: Sentence) -> Iterator[Hit]:
    """Yield the first such turn of a sentence."""
    words = sentence.words
    if not _CUES.intersection(words) or _LATER.intersection(words):
        return
    said = " ".join(words)
    if found := _PATTERN.search(said):
        first = said.count(" ", 0, found.start())
        yield Hit(Label.COUNTERFACTUAL, first, first + found[0].rstrip().count(" "), MESSAGE, SUGGESTION)
