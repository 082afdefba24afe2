"""The constructions of blame: patterns over skeletons (``skeletons``), with how to write each without blame.

``Ħ`` is somebody at work, ``Ŵ`` we or I, ``Đ`` a department by its name, ``Ŧ`` they, ``Ø`` nobody; in lower
case after a preposition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amends.reviews.language import vocabulary as v
from amends.reviews.language.traits import BAD_MANNERS, OF_DEEDS, TRAITS, VICES


def _any(words: frozenset[str] | str) -> str:
    listed = words.split() if isinstance(words, str) else words
    return "(?:" + "|".join(sorted(map(re.escape, listed), key=len, reverse=True)) + ")"


_PEOPLE, _THIRD, _KNOWN, _WHOSE = "[ĦŴĐŦ]", "[ĦĐŦ]", "[ĦĐ]", "(?:[Ħħ] 's|our|my|their|his|her|your)"
_OBLIQUE = "[ħŵđŧĦ]"
_GAP = r"(?: [^,;.:—()]\S*){0,%d}?"
_BE = r"(?:was|were|is|are|am|be|been|being|seems?|seemed|became|got)"
_VERY = r"(?: (?:\w+lessly|so|too|very|just|far|way|being|a|bit|rather|quite|that|all|plain))*"
_DONE = (
    r"(?:\w+ed|"
    + _any(v.HARM | v.IRREGULAR | {"chose", "gave", "took", "went", "wrote", "began", "let"})
    + ")"
)

_DESERTS = _any(
    """
    omitted neglected disregarded overruled withheld concealed hid lied pretended stalled procrastinated
    slacked dawdled dithered snoozed misled misinformed botched bungled fumbled blundered bodged fudged
    wiped trashed wrecked ruined overloaded clogged sabotaged panicked deserted abandoned boasted
    exaggerated meddled tampered flouted shirked squandered wasted confused broke mangled mistook
    misread misunderstood refused forgot overlooked underestimated overestimated misjudged fooled
    deceived jeopardised jeopardized endangered downplayed antagonised pressured pressed pushed-through
    rushed skipped bypassed circumvented ignored dismissed violated breached dodged evaded obstructed erred fucked messed screwed goofed blew slipped-up overwrote corrupted leaked nuked flooded
    hampered hindered prolonged worsened aggravated exacerbated derailed swamped overran
    """
)
_MIS = r"mis(?!s|match|use|sing|plac)\w+(?:ed|took|read|led|understood|judged|handled|placed)"
_UNTOLD = _any(
    """
    know see have need want find lose get receive expect experience observe use own agree feel suffer
    report change detect recover appear seem exist reach accept believe contribute had known seen needed found lost received expected been able used reached
     break affect cause
    realise realize recognise recognize mind object belong return rely yet fully really
    """
)
_CARING = _any(
    v.DILIGENCE_ING
    | v.word_set(
        """
        warning knowing seeking obtaining involving running trying rehearsing taking making backing
        opening reporting waiting having giving saying letting first caring bothering realising
        considering even
        """
    )
)
_DILIGENT = _any(v.DILIGENCE)
_DUTY = _any(
    v.DILIGENCE
    | v.DILIGENCE_DONE
    | v.word_set(
        """
        open opened do done label labelled rotate rotated clean cleaned secure secured lock locked close closed
        keep kept respect respected adopt adopted answer answered reply replied attend attended supervise
        supervised learn learned learnt understand understood complete completed maintain maintained share
        shared mention mentioned provide provided deliver delivered rehearse rehearsed help helped cooperate
        listen listened patch patched apologise apologised take taken bother stick give given hand handed
        correct corrected clarify clarified specify specified own owned enforce enforced back backed
        """
    )
    - {"react", "reacted", "respond", "responded", "investigate", "investigated", "request", "requested"}
)
_LEAVE = _any(
    """
    review reviews approval permission testing notice warning warnings consent verification tests
    rehearsal backup backups coordination authorisation authorization discussion thought care plan
    supervision reason eyes explanation excuse consultation announcement consideration due-diligence
    """
)
_VIRTUES = _any(
    """
    discipline care diligence attention competence skill skills rigour rigor ownership preparation
    experience knowledge understanding commitment supervision communication professionalism
    judgement judgment responsibility interest effort planning coordination concentration awareness
    expertise respect leadership common willingness thoroughness caution foresight patience effort
    """
)
_MANNER = "(?:" + _any(BAD_MANNERS) + r"|\w+lessly)"
_FAULTS = _any(
    """
    error errors mistake mistakes oversight fault lapse lapses blunder blunders slip slips omission
    omissions misjudgement misjudgment neglect negligence carelessness typo inattention miscalculation
    mishandling sloppiness misunderstanding misconduct incompetence inaction laziness mismanagement
    failings shortcomings ineptitude misstep missteps bungling foul-up
    """
)
_ACTS = (
    r"(?:(?:manual|database|production|last-minute|late|\w+al) )?(?:\w+(?:ing|tion|ment|sion|ance)|"
    + _any(
        """
        edit edits change restart test tests decision work shortcut attempt manner approach way commit
        push merge copy command act review rollout release fix fixes script code attitude answer upgrade
        cut-n-paste reply handover design behaviour behavior click keystroke job cleanup query rollback
        reboot deploy choice move plan call backup copy-paste
        """
    )
    + ")"
)
_LEFT = r"(?:open|unlocked|unattended|exposed|enabled|disabled|on|running|behind|unpatched|broken|un\w+ed|off|insecure|empty|half-\w+)"
_BADLY = _any(
    "wrong false misleading incorrect bad poor inaccurate confusing contradictory incomplete sloppy"
)

_LEFT_OUT = "Say which step was left out and what would have called for it: a prompt, a check, a reminder."
_HOW = "Leave out the judgement; say what was seen and done, and what made it sensible at the time."
_WHOSE_FAULT = "Leave out whose it was: say which condition let it happen, and which check it passed."
_HARM = "Tell the effect with the change or command as its subject, and say which guard it met or passed."
_CONDITIONS = (
    "Say what they saw and what the process offered at that point; name the missing check, not the person."
)

# fmt: off


def _left_undone() -> Iterator[tuple[str, str]]:
    """Yield what others did not do, and what anybody did without the care it wanted."""
    yield rf"{_KNOWN} (?:did|has|had|have) (?:once again |again )?(?:not even (?!{_UNTOLD}\b)\w+|not {_DUTY}\b)", _LEFT_OUT
    yield rf"{_KNOWN} (?:do|does) not (?:even |ever )?(?:{_DILIGENT}|understand|respect|learn|own|grasp|clean)\b", _LEFT_OUT
    yield rf"{_KNOWN} (?:had |has |have )?never (?!{_UNTOLD}\b|saw|heard|met|knew|got|received|left|lost|reached|found|been|be|was|were|again|had|has|have)\w+", _LEFT_OUT
    yield rf"{_PEOPLE} (?:just )?(?:could|can|can't) not be (?:bothered|trusted|troubled)", _LEFT_OUT
    yield rf"(?:^|{_PEOPLE} )(?:had |has |have )?{_DONE}{_GAP % 10} (?:without|with no)(?: (?:\w+ly|so|much|as|ever))* {_CARING}\b(?! to\b)", _LEFT_OUT
    yield rf"^without(?: (?:\w+ly|so|much|as|ever))* {_CARING}\b[^;:.]* , {_PEOPLE} (?:had |has |have )?{_DONE}", _LEFT_OUT
    yield rf"{_THIRD} not (?:even )?(?:sticking|following|reading|testing|checking|paying|doing|updating|communicating|telling|asking|knowing|caring|looking|bothering|thinking|talking|listening)\b", _LEFT_OUT
    yield r"Ŵ (?:did not|had not|have not|never) (?:even )?(?:notice|noticed|realise|realize|realised|realized|spot|catch|caught|spotted|bother)\b", _LEFT_OUT
    yield rf"(?:^| , |{_PEOPLE} (?:\S+ ){{0,4}}?)forgetting (?:that|to|about)\b(?=.*[ĦŴŦ])|[ĦŴŦ].* , forgetting (?:that|to|about)\b", _LEFT_OUT
    yield r"^(?:again )?(?:missed|overlooked|mistyped|misread|misspelled|mislabelled|mislabeled|misnamed|miscounted|misplaced|misconfigured|botched|broke|screwed|fumbled) (?!(?:by|and|or|out|up|down|into|off)\b)(?!\w+ (?:\S+ )?(?:was|were|is|are|will|would|can|could|have|has|had|should|do|did|\w+ed)\b)\S+", _LEFT_OUT
    yield rf"(?:^|{_PEOPLE} )(?:had |has |have )?{_DONE}{_GAP % 10} (?:without|with no)(?: (?:a|an|any|the|our|prior|proper|further|due|much|sufficient|adequate|peer|code|good|advance|second|pair|of|real|slightest)){{0,4}} {_LEAVE}\b", _LEFT_OUT
    yield rf"{_PEOPLE}{_GAP % 12} (?:in spite of|despite|against) (?:(?:our|the|all|several|repeated|my|explicit|clear|every|many|better|company|ħ 's) )+(?:warnings?|advice|objections?|protests?|policy|rules|instructions?|concerns|judge?ment|knowledge|requests?)", _LEFT_OUT
    yield r"Ø(?: (?:in|from|on|at|of|else)(?: \w+)? (?:ħ|đ))?(?: (?:had|has|ever|even|really))* (?:cared|bothered|checked|tested|thought|supervised|read|took|asked|told|warned|reviewed|questioned|followed|stopped|spoke|reacted|responded|verified|paid|informed|notified|mentioned|documented|owned|answered|updated|maintained|monitored|watched|let (?:me|us|ŵ|ħ) know)\b(?! part| over)", _LEFT_OUT
    yield r"Ø of [ŵħŧ] (?:had |even )?(?:caught|noticed|saw|spotted|checked|thought|realised|realized|knew)\b", _LEFT_OUT
    yield r"(?:^|[,(:;—-] )forgot(?:ten)? (?:to|the|a|an|this|that|about|it|some|how|one|another|my|our)\b", _LEFT_OUT
    yield r"Ŵ (?:had |have )not (?:really )?(?:planned for|considered|thought (?:of|about|through)|prepared for|looked at|understood)\b", _LEFT_OUT
    yield r"Ø(?: (?:in|from|on|at|of)(?: \w+)? (?:ħ|ŵ|đ))? (?:was|were|had been) (?:ever |even )?(?:consulted|asked)\b", _LEFT_OUT
    yield rf"{_PEOPLE}{_GAP % 3} (?:gave|gives|paid|pays|showed|shows) (?:no|little|too little|insufficient) (?:thought|attention|heed|warning|notice|consideration|care|regard|interest)\b", _LEFT_OUT
    yield rf"{_THIRD} (?:would|will) not (?:even )?(?:give|tell|listen|admit|cooperate|budge|share|be told)\b", _LEFT_OUT
    yield rf"{_THIRD} had (?:already |repeatedly |explicitly )?been (?:told|trained|warned|instructed|advised|reminded)\b.* (?:yet|still|nevertheless|anyway|regardless|but)\b", _LEFT_OUT
    yield r"^(?:\w+ , )?(?:did not|had not) (?:even )?(?:catch|notice|spot|realise|realize|check|test|verify|think|read|see|run)\b", _LEFT_OUT
    yield rf"{_PEOPLE} (?:had |then )?(?:ran|run|deleted|deletes|restarted|restarts|pushed|typed|edited|executed|applied|deployed|changed|copied|merged|picked|chose|pressed|clicked|used|entered|set|removed|dropped|pulled|unplugged|rebooted|committed)(?: [^,;.]\S*){{0,5}}? (?:the|a|my|our) wrong \w+", _HARM
    yield rf"{_THIRD} (?:had |have |has )?(?:repeatedly |badly )?(?:under|over)(?:funded|staffed|estimated|rated|tested|invested|promised|engineered|complicated|reacted|committed|sold|burdened|looked|ruled|provisioned)\b(?<!underprovisioned)(?<!overprovisioned)", _HARM
    yield r"\b(?:that|this|it|one|outage|incident|failure) (?:'s|is|was)(?: all| entirely| completely)? on (?:[ŵħŧđ]|you|me|us)(?=$| [.,;!]| for)", _WHOSE_FAULT
    yield r"\bin (?:his|her|their|its|your|our) right minds?\b", _CONDITIONS
    yield rf"\b(?:{_FAULTS}|bugs?|regression) (?:of|by) (?:ŵ|mine|ours)\b", _WHOSE_FAULT
    yield rf"(?:skipped|forgotten|ignored|neglected|disregarded|bypassed|overlooked|mishandled|botched|misconfigured|broken)(?: again| once more)? by {_OBLIQUE}", _LEFT_OUT
    yield rf"{_THIRD}{_GAP % 12} (?:did|do|does) not do (?:his|her|their|its|the) (?:\w+ )?(?:homework|job|jobs|duty|part)", _LEFT_OUT
    yield rf"{_KNOWN} (?:had |has )?(?:once again |again )?not (?:even )?(?:done|read|tested|checked|informed|told|asked|understood|bothered|followed|learned|learnt)", _LEFT_OUT
    yield rf"{_THIRD} (?:was|were) not (?:even aware of|doing|paying|listening|watching|interested|up to|following|telling|informing|asking|checking|taking)", _LEFT_OUT
    yield rf"{_KNOWN} (?:failed|fails|neglected|omitted|declined|refused) to\b", _LEFT_OUT


def _harm_done() -> Iterator[tuple[str, str]]:
    yield rf"Ħ(?: (?:had|has|have|chose|decided|to|then|again|once|just|not|even|simply))* (?:{_DESERTS}|{_MIS})\b(?! (?:back|in|to (?:help|the rescue)|(?:the |all |this |that |any )?(?:dependency|dependencies|link|loop|cycle|tie|deadlock|circuit)))", _HARM
    yield rf"Đ(?: (?:had|has|have|chose|decided|to|then|again|once))* (?:{_DESERTS}|{_MIS})\b(?<!broke)(?<!skipped)(?<!wiped)", _HARM
    yield rf"Ŵ(?: (?:had|have|then|again|once|just|even|must))* {_MIS}\b", _HARM
    yield rf"{_THIRD} (?:tried|tries|attempted|wanted|managed) to (?:rush|hide|cover|conceal|blame|dodge|shirk|push|force|fudge|bypass|circumvent|ignore|shift)\b", _HARM
    yield r"\b(?:cover|covering|covered) (?:his|her|their|our|my) (?:asses|ass|tracks|backs?|arses?)\b", _HARM
    yield rf"{_PEOPLE} (?:have |has |had |really |simply |clearly )*failed (?:at|in|on|here|miserably|badly|our|ħ|ŵ|Ħ|you|us|them|technically|again|completely)\b", _HARM
    yield rf"{_PEOPLE} (?:had |have |has )?(?:dropped|deleted|removed|restarted|pushed|deployed|rebooted|typed|entered|merged|set|copied|wiped|stopped|killed|unplugged|committed|changed|ran|put|used)(?: [^,;.]\S*){{1,6}}? instead of (?!\w+ing\b)\w+", _HARM
    yield rf"{_PEOPLE} (?:had|got|have|has)(?: [^,;.]\S*){{1,6}}? (?:mixed up|confused|backwards|the wrong way|wrong way|upside down|swapped)\b", _HARM
    yield rf"{_THIRD}{_GAP % 4} (?:chose|decided|opted|preferred|elected) to (?:disregard|ignore|skip|bypass|dismiss|omit|overlook|look away|forget|hide|neglect|take a shortcut)", _HARM
    yield rf"{_PEOPLE}(?: {_DONE})?{_GAP % 8} (?:made|making) (?:things|it|matters|everything|all|this|the (?:\w+ )?(?:outage|incident|situation|problem)) (?:even |much |a lot |far )?worse", _HARM
    yield rf"{_PEOPLE}{_GAP % 8} (?:cost|costing|delayed|hurt|set|left) (?:us|ŵ|everyone|Ħ) (?:\w+ ){{0,3}}(?:hours?|minutes?|days?|weeks?|data|customers|money|back|stranded|in the dark)", _HARM
    yield rf"{_PEOPLE} (?:took|brought|knocked)(?: [^,;.]\S*){{0,5}}? down\b(?!.* (?:old|spare|standby|idle|planned|maintenance|purpose|deliberately)\b)", _HARM
    yield rf"{_THIRD}{_GAP % 12} (?:made|making|rendered|left|leaving) (?:\S+ ){{1,5}}?(?:unstable|unusable|unavailable|inoperable|unreachable|insecure|impossible|inconsistent|vulnerable)\b", _HARM
    yield rf"{_PEOPLE} (?:have |has |had )?put (?:ŵ|ħ|us|Ħ|everyone|our \w+) (?:in|at) (?:\w+ ){{0,4}}?(?:position|spot|risk|danger|bind|mess)\b", _HARM
    yield rf"{_PEOPLE} (?:triggered|provoked|produced|had caused|have caused) (?:the|an|a|this|our|another|such an?)(?: \w+){{0,2}} (?:outage|incident|failure|crash|loss|leak|breach|disaster|mess|disruption|downtime|error|bug|regression)\b", _HARM
    yield r"(?:^|[ĦŴŦĐ] (?:totally |must have |had |have )*)(?:derped|goofed|flubbed|borked|hosed|spaced|blanked|biffed|fubared|whiffed|fudged|bodged|muffed|derailed|clobbered|fat-fingered)\b(?! \w+ (?:was|were|is|are)\b)", _HARM
    yield r"Ŵ (?:had |have )?left (?:out|behind|in) \w+", _LEFT_OUT
    yield r"Ŵ (?:can|could) not (?:even )?(?:read|type|spell|count|add|copy)\b(?= ?$| ?[.,;!])", _HOW
    yield r"\b(?:silly|stupid|dumb|foolish|shame on|bad) (?:me|ŵ)\b|Ŵ (?:really |totally )?suck\b", _HOW
    yield r"\bmy (?:\w+ )?(?:stupid|silly|dumb|idiotic|foolish|braindead|brain-dead|clumsy) \w+", _HOW
    yield rf"{_PEOPLE} (?:had |has )?left (?:[^,;.]\S* ){{1,5}}?{_LEFT}\b(?! (?:to|so|while|until|on purpose|for)\b)", _HARM
    yield rf"{_THIRD}(?: {_DONE})? (?:gave|give|gives|sent|told|provided|made)(?: [^,;.]\S*){{0,4}}? {_BADLY} \w+", _HARM
    yield rf"{_PEOPLE} (?:made|make|did|wrote|left|took|had made) (?:a |an |the |some |several )?(?:\w+ly )?{_BADLY} (?:job|work|decision|choice|configuration|assumption|call|mess|judgement|judgment|change)\b", _HARM
    yield rf"{_PEOPLE}{_GAP % 12} got (?:it|this|that|them|everything|the \w+) (?:badly |completely )?wrong", _HARM
    yield rf"{_PEOPLE}{_GAP % 6} let (?:(?:our|the|our own|all) )?(?:\w+|ħ|Ħ|ŵ) down\b", _HARM
    yield rf"{_THIRD} (?:keeps?|kept) (?:breaking|changing|forgetting|ignoring|pushing|skipping|overloading|deploying|merging|bypassing|deleting|on \w+ing|complaining|blaming)\b", _HARM
    yield rf"{_THIRD} (?:had )?(?:insisted on|refused|dragged|waved|rubber-stamped|dumped|stood by|looked away|looked the other|kept quiet|kept silent|turned a blind|walked away|sat on|sat idle|sat back|slept|gave up|shrugged|played down|hid behind|jumped the gun|stormed|hurried|signed off on)\b", _HARM
    yield rf"{_PEOPLE}{_GAP % 14} (?:gave up (?:far |much |way )?too|went back to (?:bed|sleep)|lost (?:control|patience|(?:his|her|their) (?:nerve|head|temper))|kept (?:quiet|silent)|looked away|look away|turned a blind eye|looked the other way|did (?:absolutely )?nothing\b(?! (?:about|for ħ to))|sat idle|stood by|walked away|(?:had|have|has) no (?:clue|business|excuse|right)|paid no (?:attention|heed)|took no (?:responsibility|interest|notice))", _HARM
    yield rf"{_PEOPLE} (?:only )?{_DONE}(?: [^,;.]\S*){{0,5}}? (?:far |way |much )?too (?:late|slowly|early|soon|long|quickly|hastily|eagerly|readily|lightly|easily|casually|often)\b", _HARM
    yield rf"(?:{_PEOPLE}|^) (?:had |have |has )?(?:typed|deleted|dropped|entered|pushed|changed|rebooted|restarted|applied|removed|merged|edited|deployed|made)(?: [^,;.]\S*){{0,7}}? by (?:mistake|error|accident)\b", _HARM
    yield r"(?:whoever|whichever Ħ|Ħ who) (?:\S+ )?(?:hardcoded|hard-coded|wrote|deleted|caused|broke|pushed|merged|approved|introduced|left|forgot|deployed|designed)\b", _WHOSE_FAULT


def _done_ill() -> Iterator[tuple[str, str]]:
    yield rf"{_THIRD} (?:had been|has been|have been|was|were|is|are|kept) (?:just |simply )?(?:sitting on|sitting idle|ignoring|neglecting|skipping|dragging|stalling|hiding|withholding|slacking|dawdling|bypassing|rushing|refusing|forgetting|misleading|cutting corners|passing the buck|pointing fingers|making excuses)\b", _LEFT_OUT
    yield rf"Ŧ (?:had |have |has )?(?:{_MIS}|neglected|disregarded|refused|lied|pretended|panicked|botched|bungled|fumbled|blundered)\b", _HARM
    yield r"Ŧ (?:always|never|never even) (?:blame[sd]?|look(?:s|ed)?|reads?|listen(?:s|ed)?|asks?|asked|tests?|tested|checks?|checked|tells?|told|bother(?:s|ed)?|learn(?:s|ed)?|documents?|documented|reviews?|reviewed|thinks?|thought|cared?|understood)\b", _LEFT_OUT
    yield r"nor Ħ (?:had |ever |even )*(?:bothered|cared|checked|tested|thought|asked|read|noticed|looked|reviewed|verified|told|took|informed|followed|tried|raised|spoke)\b", _LEFT_OUT
    yield rf"{_PEOPLE} (?:had |have |has )?(?:shipped|deployed|pushed|merged|released|committed|submitted|delivered|rolled out|wrote|approved|published|introduced|handed over) (?:an? |the |some |our |such )?(?:\w+ )?(?:un(?:tested|reviewed|checked|verified|readable|documented|finished|safe|stable|approved|maintainable)|half-\w+|broken|buggy|faulty|bad|sloppy|incorrect|wrong|insecure|flawed) \w+", _HARM
    yield rf"{_THIRD} (?:wrote|made|left|created|caused|produced) (?:an? |such an? |the |this |us (?:an? )?)(?:\w+ ){{0,2}}mess\b", _HARM
    yield rf"{_THIRD} (?:was|were|is|are|seemed|proved) (?:unable|incapable|unwilling|not able|too \w+) (?:to|of) (?:interpret\w*|understand\w*|read\w*|cope|coping|follow\w*|decid\w+|grasp\w*|explain\w*|learn\w*|listen\w*|admit\w*|communicat\w+|coordinat\w+)\b", _HOW


def _first_person() -> Iterator[tuple[str, str]]:
    yield rf"{_PEOPLE} (?:keep|keeps|kept) (?:on )?(?:forgetting|missing|breaking|messing|making (?:\w+ )?mistakes)\b", _LEFT_OUT
    yield rf"{_PEOPLE} (?:had been|have been|has been|was|were|am|are) (?:mistakenly|wrongly|foolishly|naively) \w+", _HOW
    yield rf"^{_MANNER} (?:left|broke|put|set|took|\w+ed) (?!\w+ (?:was|were|is|are|can|will|from|have|has)\b)\w+", _HOW
    yield r"Ŵ do not know how Ŵ (?:did not|missed|could|never)\b", _LEFT_OUT


def _likes() -> Iterator[tuple[str, str]]:
    """Yield what people are said to be like."""
    trait, deed, vice = _any(TRAITS), _any(OF_DEEDS), _any(VICES)
    yield rf"{_PEOPLE}(?: who)? {_BE}{_VERY} {trait}\b(?! (?:of|to) (?:the|what|any|see))", _HOW
    yield rf"{_PEOPLE} {_BE} (?:far |way |much )?(?:too|so) (?:afraid|scared|impatient|proud|eager|confident|slow|quick|late|optimistic|trusting)\b", _HOW
    yield rf"{_PEOPLE}{_GAP % 14} and {_MANNER}(?: , and(?: \w+)? {_MANNER} ,)? (?:\w+ed|deleted|broke|wrote|ran|took|set|put|left|cut)\b", _HOW
    yield r"\b(?:error|mistake|oversight|failure|laziness|stupidity|omission|slip|confusion|thinko|typo|neglect|fail|misreading|brainfart|ignorance) on (?:my|our|their|his|her|ħ 's) (?:part|side|end)\b", _WHOSE_FAULT
    yield r"\b(?:oversight|mistake|failing|flaw|error|carelessness) (?:here )?(?:in|of|was|with) (?:an? \w+ in )?how [ŴĦŦ]", _WHOSE_FAULT
    yield r"\b(?:human|operator|user) (?:and|or) \w+ (?:errors?|mistakes?)\b", _WHOSE_FAULT
    yield rf"{_THIRD} (?:is|are|was|were) (?:just |simply )?not (?:playing|cooperating|pulling|willing|up to|interested|capable|able to (?:read|follow|understand|learn|listen))\b", _HOW
    yield rf"{_PEOPLE}{_GAP % 12} being{_VERY} {trait}\b", _HOW
    yield rf"\b{trait} of {_OBLIQUE}", _HOW
    yield rf"{_WHOSE} (?:own )?(?:\w+ )??(?:{deed}|{vice})\b", _HOW
    yield rf"\b(?:a|an|the|this|that|such|some|too|very|by|due to|of) {deed} {_ACTS}\b", _HOW
    yield rf"\b(?:due to|because of|out of|through|sheer|pure|from|with|by|in) (?:\w+ )?{vice}\b(?! of the (?:disk|queue|buffer))(?<!panic)(?<!haste)", _HOW
    yield r"\bin (?:his|her|their|our|my) (?:haste|hurry|panic|ignorance|eagerness|zeal|rush)\b", _HOW
    yield rf"\b{vice} (?:of|by|in|on|from|among|at) (?:the part of )?{_OBLIQUE}", _HOW
    yield rf"{_THIRD} (?:showed?|shown|has shown|displayed|demonstrated) (?:such |so |a |an |the |remarkable |some |little |no )*(?:lack|absence|little|disregard|contempt)\b", _HOW
    yield rf"{_THIRD} (?:said|promised|claimed|reported|stated|announced|told)(?: [^,;.]\S*){{1,6}}? (?:not true|untrue|lies|false|nonsense)\b", _HARM
    yield r"\b(?:management|managerial|engineering|developer|operator|staff|admin|organisational) (?:blunders?|ineptitude|failures?|incompetence|negligence|errors?|mistakes?|failings?)\b(?! (?:rate|budget|log|message|code))(?<!engineering failure)(?<!engineering failures)(?<!developer errors)", _HOW
    yield rf"\b(?:lack of|insufficient|poor|inadequate|bad|missing|no|little) (?:\w+ )?{_VIRTUES}(?: sense)? (?:of|by|from|in|among|within|on the part of|amongst) {_OBLIQUE}", _HOW
    yield rf"{_WHOSE} (?:lack of|poor|inadequate|insufficient|bad) (?:\w+ )?{_VIRTUES}", _HOW
    yield rf"{_PEOPLE}{_GAP % 3} (?:has|have|had|showed?|lacks?|lacked) (?:no |little |the |any )?(?:basic )?(?:discipline|competence|diligence|ownership|respect|rigour|rigor)\b", _HOW
    yield rf"{_THIRD} (?:should|ought to) (?:really )?(?:be ashamed|know better|be fired|be more careful|pay more attention|learn to|have been more careful)", _HOW
    yield rf"{_THIRD} (?:should|must|can) not be (?:allowed|trusted|let) (?:near|to|with|anywhere|in)", _HOW
    yield rf"{_THIRD} (?:is|are|was|were) (?:just |simply )?(?:hopeless|useless|incapable|no good|bad|terrible) (?:at|of|with)\b", _HOW
    yield rf"{_THIRD} (?:was|were|is|are|had been) (?:caught )?(?:napping|asleep|half asleep|daydreaming|not awake|out of (?:its|their|his|her) depth|in over (?:its|their|his|her) head)\b", _HOW
    yield rf"{_PEOPLE} (?:were|was|am|are) not (?:being )?(?:careful|diligent|thorough|attentive|rigorous|disciplined|competent|professional|cautious|vigilant|qualified)\b", _HOW


def _faults_of() -> Iterator[tuple[str, str]]:
    """Yield faults by their owner."""
    kind = r"(?: (?:of|in) (?:concentration|attention|judge?ment|communication|discipline|memory|reasoning))?"
    yield rf"\b(?:{_FAULTS}){kind} (?:made |committed |caused )?(?:by|from|of|on the part of|on the side of) {_OBLIQUE}", _WHOSE_FAULT
    yield rf"{_WHOSE} (?:own |biggest |\w+ )?{_FAULTS}\b(?! (?:budget|rate|rates|log|logs|message|messages|page|handling|reporting|code|codes))(?<!errors)", _WHOSE_FAULT
    yield rf"\b{_FAULTS} (?:was|were|has been|had been) (?:made|committed|caused|introduced) by {_OBLIQUE}", _WHOSE_FAULT
    yield rf"\b(?:responsibility|blame|fault|guilt) (?:lies|lay|rests|rested|sits|is|falls) (?:\w+ )?(?:with|on) {_OBLIQUE}", _WHOSE_FAULT
    yield rf"{_PEOPLE} (?:take|takes|took|share|shares|carry|carries|bear|bears|deserve|deserves) (?:the |all |all the |full |most of the )?blame\b", _WHOSE_FAULT
    yield rf"\b(?:failure|inability|refusal|unwillingness|reluctance) (?:of|by|on the part of) {_OBLIQUE} to\b", _WHOSE_FAULT
    yield rf"\b(?:failure|inability|refusal|unwillingness|reluctance) to (?:\w+ ){{1,5}}?(?:of|by|from) {_OBLIQUE}", _WHOSE_FAULT
    yield rf"{_PEOPLE} (?:am|is|are|was|were) (?:\w+ )?(?:to blame|at fault|guilty|culpable|responsible for (?:the|this|that|all)(?: \w+)? (?:outage|incident|failure|mess|error|bug|loss|damage|crash|breakage|problem|disaster|delay))", _WHOSE_FAULT
    yield rf"{_PEOPLE} to blame\b", _WHOSE_FAULT
    yield rf"{_PEOPLE}(?: (?:am|must|keep|keeps|kept|be|is|are|was|were|had|have|has|,|tired))* (?:making|made|make|committed) (?:every |many |another |several |some |a |an |the |\w+ly )*(?:\w+ )?(?:mistakes?|errors?|blunders?|typos?|gaffe|slip)\b", _WHOSE_FAULT
    yield r"\b(?:mistakes?|errors?|typos?|bugs?|blunders?) (?:that |which )?(?:[Ŵ]|Ħ) (?:have |had |'ve )?(?:made|introduced|committed|caused)\b", _WHOSE_FAULT
    yield r"\b(?:my|our) (?:own )?(?:fault|mistake|screw-up|blunder|bad(?=$| [.,;:!)]| as| that| for))\b", _WHOSE_FAULT
    yield r"\b(?:self-inflicted|own goal|that was me|this one is on me|this is on me)\b", _WHOSE_FAULT
    yield rf"\b{_any('fat fat-fingered brain facepalm')} (?:finger(?:ed)?|freeze|fart)\b", _WHOSE_FAULT


def _sarcasm() -> Iterator[tuple[str, str]]:
    yield r"\b(?:as usual|as always|once again|once more|yet again)(?: ,)? (?:it was )?Ħ (?!(?:rolled|restored|thank|restarted))\w+", _CONDITIONS
    yield rf"\btoo much to ask (?:of|from) {_OBLIQUE}", _CONDITIONS
    yield r"\b(?:great|nice|brilliant|fine|good|stellar|excellent) (?:job|work|move) (?:by|of|from) (?:ħ|whoever)", _CONDITIONS
    yield r"^(?:\w+ )?Ħ? ?who (?:deploys|pushes|merges|does|writes|puts|tests|runs|thinks|thought)\b", _CONDITIONS
    yield r"\bwhat (?:were|was) Ħ thinking\b", _CONDITIONS
    yield r"\bbehind (?:our|their|my|everyone 's|ħ 's) backs?\b", _CONDITIONS
    yield rf"{_PEOPLE} {_DONE}(?: [^,;.]\S*){{0,6}}? (?:on a (?:hunch|whim)|at will|on impulse|by gut feeling|out of spite)", _CONDITIONS
    yield r"\bĦ (?:always|constantly) (?:blames?|forgets?|ignores?|breaks?|complains?|skips?)\b", _CONDITIONS
    yield r"\b(?:no|without) excuse for (?:ħ|ŵ|this|that|not)\b", _CONDITIONS


# fmt: on


def constructions() -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield each pattern with its suggestion."""
    for group in (_left_undone, _harm_done, _done_ill, _first_person, _likes, _faults_of, _sarcasm):
        for pattern, suggestion in group():
            yield re.compile(rf"(?<!\S)(?:{pattern})"), suggestion


# Words without which no construction holds that names nobody at its beginning.
CUES = TRAITS | VICES | BAD_MANNERS | v.word_set(
    """
    error errors mistake mistakes oversight fault lapse lapses blunder blunders slip slips omission
    omissions misjudgement misjudgment neglect negligence typo typos inattention miscalculation
    mishandling misunderstanding misconduct inaction mismanagement failings failing shortcomings misstep
    missteps bungling failure failures inability refusal unwillingness reluctance responsibility blame
    guilt lack insufficient poor inadequate bad missing no little haste hurry panic eagerness zeal rush
    usual always once yet much great nice brilliant fine good stellar excellent what who behind excuse
    whoever whichever without forgot forgotten forgetting skipped ignored neglected disregarded bypassed
    overlooked mishandled botched misconfigured broken missed mistyped misread misspelled mislabelled
    mislabeled misnamed miscounted misplaced broke screwed fumbled did had cover covering covered derped
    goofed flubbed borked hosed spaced blanked biffed fubared whiffed fudged bodged muffed derailed
    clobbered fat-fingered silly shame self-inflicted goal one this that outage incident it right bug
    bugs regression brain fat facepalm thinko fail confusion laziness stupidity human operator user
    management managerial engineering developer staff admin organisational ineptitude incompetence my
    mishap flaw carelessness bungled nor
    """
)  # fmt: skip
