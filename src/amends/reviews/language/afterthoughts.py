"""Turns that judge by the outcome, by what they claim: a view from later, an obviousness, a fate, a sign, a knowing.

Patterns over the plain words of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amends.reviews.language.findings import Hit, Label
from amends.reviews.language.sentences import Sentence

MESSAGE = "This judges by what was known only afterwards."
SUGGESTION = (
    "Say what was known at that moment and where it could be seen; what was learned later, say as such."
)
_FATE = (
    "Say how often and when it came, and what was known of the risk; that it came proves nothing of before."
)
_SIGN = "Say who could see it, where, and among what else; afterwards the one sign stands out of the many."
_VERY = r"(?:(?:so|quite|very|all|too|clearly|entirely|completely|painfully|perfectly|crystal|plainly|glaringly|abundantly|blindingly|fairly|really|always|already|totally|pretty|easily|perhaps|probably|just) )*"
_PLAIN = r"(?:obvious|self-evident|evident|plain|clear|apparent|unmistakable|predictable|foreseeable|glaring)"
_ALL = r"(?:anyone|anybody|everyone|everybody|any \w+|a child|a blind man|even a \w+|every \w+|all of us|we all|one)"
_SEE = r"(?:see|seen|tell|told|known|know|knows|knew|recognised|recognized|noticed|spotted|realised|realized|guessed|predicted|foreseen|foresee|sensed|understood|expected|anticipated|spot|notice|guess|predict)"
_SIGNS = r"(?:sign|signs|hints?|clues?|symptoms?|signals?|evidence|warnings?|indications?|indicators?|red flags?|pointers|writing|omens?|clue|danger|pattern|traces)"
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        SUGGESTION,
        (
            r"hindsight(?! bias)", r"(?:in )?retrospect(?:ively)?", r"(?:seen|viewed|looked at|judged|read) (?:from|in the light of|with|in light of) (?:today|what|now|the outcome|afterwards|later|our|the present|this|all)",
            r"know(?:ing)? what (?:we|i|they|he|she|one|you) (?:know|knows|learned|learnt) (?:now|today|since|later|then)?", r"with (?:today 's|our present|our current|the wisdom|20/20) (?:knowledge|eyes|understanding|vision|of|insight)|with what (?:we|is) (?:now )?known?\b",
            r"(?:in the light of|given|after) what (?:followed|happened (?:next|later|after)|came)", r"^(?:\w+ )?after the fact", r"(?:afterwards?|later|now) (?:,? ?it is|it 's|everything is|one is|we are all) (?:easy|clear|obvious|plain|simple|wise)", r"20/20",
            r"(?:was|were|proved|turned out to be) (?:a |an )?(?:mistake|error|wrong|folly|illusion)[^.;]* as it turned out", r"(?:we|i) (?:now|only now|today) (?:know|see|realise|realize|understand|recognise|recognize)\b", r"(?:is|was|are|were|looks?|seems?|appears?|become|became) now (?:\w+ )?(?:clear|obvious|evident|plain|foolish|naive)",
            rf"(?:is|are|looks?|seems?|appears?) {_VERY}(?:{_PLAIN}|foolish|naive|reckless|absurd|silly) (?:now|today|afterwards|by now|after all)", r"wise after the event", r"looking back (?:,|now|on|at (?:it|this|the decision)|from|today|we|i|it|the|with)", r"as we (?:now|all) know", r"the benefit of",
            r"with the wisdom of", r"if (?:we|i|they) had known then", r"little did (?:we|i|they|he|she|anyone|the)", r"we know better now",
        ),
    ),
    (
        SUGGESTION,
        (
            rf"(?:was|were|been|be) {_VERY}{_PLAIN} that", rf"(?:was|were|had been|is|are|been|be|as) {_VERY}{_PLAIN} (?:to all|to everyone|to everybody|to anyone|to any|from (?:the |day )?(?:start|beginning|outset|first|one|very)|all along|even|for \w+|long before|beforehand|well before|in advance|at the time|enough|weeks|months|years)",
            r"(?:should|must|ought to) have been (?:\w+ )?(?:obvious|clear|evident|plain|apparent|self-evident|foreseeable|foreseen|anticipated|expected|known|suspected|predicted|recognised|recognized)",
            r"such an? obvious|(?:an?|the|this) (?:\w+ )?(?:obvious|glaring|blatant|predictable|foreseeable) (?:\w+ )?(?:mistake|spike|problem|risk|sign|flaw|error|gap|danger|omission|outcome|result|consequence|warning|weakness|bug|failure|candidate|cause|step|oversight|trap)",
            rf"(?:was|were|is) {_VERY}(?:predictable|foreseeable|self-evident|obvious|inevitable|unavoidable|predestined|fated)(?= ?$| ?[.!,;]| (?:in|with|months|weeks|days|years|months|from|given|and|since|long))",
            rf"(?:was|were|is|are|been) {_VERY}(?:easy|not hard|not difficult|hardly difficult|simple) (?:enough )?to (?:foresee|see|predict|guess|anticipate|spot|tell)",
            r"(?:could|can|might|may) (?:easily |well |all )?have been (?:foreseen|predicted|anticipated|known|expected|guessed)",
            r"^(?:(?:but|and|so|\() )?(?:clearly|obviously|naturally|evidently|inevitably|predictably|unsurprisingly|surely|of course|needless to say|plainly|self-evidently|not surprisingly|logically|undoubtedly|as expected|true to form|retrospectively)(?: ,)? (?:the|this|that|these|those|it|our|we|he|she|they|a|an|nobody|no|someone|there|all|every|any|his|her|their|with|when|as|one)\b(?! (?:should|must|will|can|is no|need|want))",
            r"as (?:was|were|had|is) (?:only )?(?:to be )?(?:expected|predicted|feared|foreseeable|foreseen)",
            r"(?:plainly|clearly|obviously|unmistakably) (?:visible|pointed|pointing|there|recognisable|heading|coming|doomed|unsafe|foreseeable)", r"(?:pointed|pointing|point|led|spoke) (?:quite |very )?(?:unmistakably|clearly|plainly|straight|directly|obviously) (?:to|at|towards)",
            r"(?:plain|there for all|there for everyone|for all|for everyone|for anyone) to see", r"in plain (?:sight|view)", r"crystal clear", r"hiding in plain", r"(?:staring|stared) (?:\w+ ){1,3}in the face", r"right (?:there )?(?:in front of|before) (?:our|their|his|her|everyone 's|your|the team 's) (?:very )?(?:eyes|noses?)", r"under (?:our|their|everyone 's) (?:very )?noses?",
        ),
    ),
    (
        _FATE,
        (
            r"(?:was|were|been|be|it) (?:\w+ )?(?:bound|doomed|destined|certain|sure|fated|condemned|set up|guaranteed) to (?:\w+ )?(?:fail|break|happen|come|crash|collapse|overflow|end|occur|go|be|hit|repeat|blow|explode|fall|backfire|bite|run out|burst|cause|give)", r"(?:was|were) (?:doomed|inevitable)", r"(?:had|was) to (?:fail|happen|break|come|go wrong|blow up|end|crash|collapse)\b (?:at|one|some|sooner|eventually|like|this way|in|badly|sometime|someday)", r"(?:was|were) (?:always|never) going to (?!be an?\b)\w+", r"foregone conclusion",
            r"(?:only|just|simply|merely) a (?:matter|question) of time", r"(?:a|an|the) (?:\w+ )?(?:accident|disaster|catastrophe|failure|outage|incident) waiting", r"waiting to (?:happen|fail|explode|go wrong|break)", r"time ?- ?bomb|ticking bomb|powder keg|house of cards", r"recipe for (?:disaster|trouble|failure)", r"could (?:not|never|only) (?:have )?(?:end|ended|go|gone|work|worked|last|lasted|hold|held|succeed|fail|turned out)\b (?:well|good|right|wrong|badly|out|forever|\.|,|in tears|this way|for long|long)", r"could (?:never|not) (?:have )?(?:work|worked|succeed|succeeded|hold|held) ?(?:$|\.|,|;)",
            r"(?:no|hardly a|not a|little|scarcely a) (?:big |great |real )?(?:surprise|wonder|coincidence)", r"(?:not|hardly|scarcely|little) (?:really |at all )?(?:surprising|surprised|unexpected)", r"unsurprisingly", r"sooner or later", r"(?:would|had to) (?:happen|fail|break|come|blow up|catch up) (?:one day|some day|someday|at some point|eventually|sooner or later|sometime|in the end)", r"one day or another", r"heading (?:for|towards) (?:trouble|disaster|a \w+|failure|an? \w+)", r"ends? in tears", r"asking for trouble", r"an? (?:\w+ )?accident waiting",
        ),
    ),
    (
        _SIGN,
        (
            rf"{_SIGNS} (?:of \w+ )?(?:were|was|are|had been|have been|had) (?:all |already |always |long |clearly |right |everywhere )*(?:there|visible|everywhere|obvious|present|pointing|on the wall|in front|in the|in our|plain|clear|given|impossible|overlooked|ignored|unmistakable|piling|numerous|plenty|abundant|legion)", rf"(?:all|many|enough|plenty of|no lack of|several|every|clear|early|ample) (?:the |of the )?(?:early |warning )?{_SIGNS} (?:\w+ )?(?:pointed|pointing|were|was|had|there|that)", r"the (?:early )?warning signs", r"red flags (?:were|had|everywhere|all)", r"the writing was on the wall", r"(?:logs?|graphs?|dashboards?|metrics|data|numbers|charts?|curve|monitoring) (?:all )?(?:had )?(?:clearly|plainly|unmistakably|obviously|already) (?:showed|shown|told|said|announced|predicted|indicated|pointed) (?:what|where|that|how)", r"(?:we|they|he|she|i|you|everyone|management|ops|the \w+ team) (?:was|were|had been) (?:\w+ )?warned\b(?! by the (?:tool|system|script|alert|linter))", r"had (?:long )?been (?:visible|heading|brewing|coming|foreseeable|obvious|apparent|evident|clear|known)(?: \w+)? for (?:a|some|two|three|several|many|weeks|months|years|days|hours|long|quite)",
            r"(?:had )?(?:the )?\w+ (?:told|tells) the (?:whole|full|entire) story",
        ),
    ),
    (
        SUGGESTION,
        (
            rf"{_ALL} (?:with \w+(?: \w+)? |else |at all |in (?:his|her|their) \w+ \w+ |who \w+(?: \w+){{0,3}} )?(?:(?:would|could|can|might|should|must) (?:\w+ly )?(?:have )?{_SEE}|knew|knows)\b(?! (?:how|by|each|about (?:it|the) by))(?<!one see)(?<!one know)(?<!one tell)", r"(?:should|could|must|might|ought to) (?:really |well |easily |all )?have (?:seen|known|realised|realized|anticipated|foreseen|predicted|guessed|suspected|sensed) (?:it|this|that|these|the|what|better|from|how|all|coming|already|long)", r"(?:saw|see|seen) (?:it|this|that|trouble|the \w+) coming", r"everyone (?:knew|knows|saw|expected)", r"as everyone knows", r"(?:not|never) (?:need|have|take|require) (?:to be )?(?:an?|much|any|a lot of) (?:\w+ )?(?:expert|genius|expertise|imagination|rocket|prophet|specialist|engineer|detective|foresight)", r"every reason to know", r"knew or should", r"(?:how|why) could (?:anyone|anybody|we|they|one|you|nobody|no one) (?:have |not have |not |ever )*(?:missed|miss|overlooked|overlook|ignored|not|believed|thought|seen)", r"should have (?:been|raised|rung|set off) (?:a |an |the )?(?:obvious|alarm|alarms|bells|tell|warning|red flag|clear|giveaway|clue|hint)",
        ),
    ),
)  # fmt: skip
_COMPILED = tuple(
    (re.compile(r"(?<!\S)(?:" + "|".join(f"(?:{turn})" for turn in turns) + r")(?!\w)"), suggestion)
    for suggestion, turns in _GROUPS
)
_DENYING = re.compile(
    r"\b(?:not|never|whether|if|no longer|nor|nothing|make|makes|made|until|what|isn|far from)(?: \w+)? ?$"
)


def afterthoughts(sentence: Sentence) -> Iterator[Hit]:
    """Yield the first turn of each kind in a sentence."""
    said = " ".join(sentence.words)
    for pattern, suggestion in _COMPILED:
        found = pattern.search(said)
        if found and not _DENYING.search(said[max(found.start() - 40, 0) : found.start()]):
            first = said.count(" ", 0, found.start())
            yield Hit(Label.HINDSIGHT, first, first + found[0].rstrip().count(" "), MESSAGE, suggestion)
