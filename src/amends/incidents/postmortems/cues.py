"""What a sentence of a timeline says happened: the words by which milestones are told apart.

Each cue is judged by sentence, and a hope, a question, a plan or a failed attempt ("this does not resolve the
issue", "believing it to be resolved") is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_WHAT = r"(?:outage|incident|impact|issues?|problems?|downtime|degradation|disruption|service disruption|interruption|failures?|errors?)"


def _cue(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in alternatives), re.IGNORECASE)


SENTENCES = re.compile(r"(?<=[.!?])[)\"'”]*\s+(?=[A-Z0-9\"'“(\[])|\n+")

_AGAIN = (
    r"(?:banned|blocked|restart\w*|reboot\w*|redeploy\w*|rolled|revert\w*|tried|trying|fail\w*|crash\w*|break\w*|paged|"
    r"report\w*|alert\w*|called|calling|asked|asking|started|increas\w*|rising|stopp\w*|killed|scaled|deleted|removed|added|"
    r"merged|posted|contacted|hit|hitting|degraded|degrading|check\w*|tested|testing|trigger\w*|happen\w*|occur\w*|overload\w*|"
    r"enabled|disabled|changed|changing|updated|investigat\w*|delayed|dropp\w*|spik\w*|climb\w*|reappear\w*|repeat\w*|unavailable|un\w+ed|suspect\w*|looking|seeing|having|notic\w*|getting|receiv\w*|experienc\w*|inaccess\w*|unreach\w*|missing|slow\w*|exceed\w*)"
)
_CLAUSES = re.compile(r"[,;]\s+| but | and then ")
STARTED = _cue(
    rf"\b{_WHAT} (?:first )?(?:start(?:s|ed)?|begins?|began|commenc\w+|onset)\b",
    rf"\b(?:start|beginning|onset) of (?:the |this |user |customer )?(?:\w+ ){{0,2}}{_WHAT}\b",
    rf"\b(?:{_WHAT}|first) (?:\w+ )?(?:impact|start|occurrence)(?:ed|s)?\b(?! (?:over|end))",
    r"\bfirst (?:\w+ ){0,2}(?:errors?|failures?|failed|5\d\d|timeouts?|symptoms?)\b",
)
SYMPTOM = _cue(
    r"\b(?:begins?|began|start(?:s|ed)?) (?:to )?(?:\w+ )?(?:fail|drop|experienc|return|reject|crash|tim(?:e|ing)[ -]?out|degrad|throw|los|report|see(?:ing)? (?:\w+ )?error|spik|ris|climb|increas|queu|backlog|stall|enter)",
    r"\b(?:drop(?:s|ped)?|f[ae]ll(?:s)?|falls|went|goes|gone) (?:\w+ )?(?:to zero|to 0|down|offline|dark|read-only)\b",
    r"\b(?:site|services?|website|api|systems?|app\w*|databases?|everything|cluster) (?:is|was|are|were) (?:\w+ )?(?:down|offline|unavailable|unreachable)\b",
    r"\b(?:fully |completely )down\b|\bbecomes? (?:\w+ )?(?:unavailable|unresponsive|unreachable|inaccessible|unhealthy|overloaded|slow)\b|\bbecame (?:\w+ )?(?:unavailable|unresponsive|unreachable|inaccessible|unhealthy|overloaded|slow)\b",
    r"\bcrash(?:es|ed|ing|[ -]?loop\w*)?\b|\b(?:loss|lost) (?:of )?(?:connectivity|traffic|power|network|access)|\bstops? (?:respond|work|process|receiv)\w*|\bstopped (?:respond|work|process|receiv)\w*",
    r"\b(?:error|failure|latency|cpu|load|5xx|timeout)s?(?: rates?| levels?)? (?:\w+ )?(?:spik|increas|ris|rose|climb|jump|elevat|grow|grew)",
    r"\b(?:spike|increase|surge|rise) (?:in|of) (?:\w+ ){0,3}(?:errors?|failures?|latency|5xx|5\d\d|timeouts?|load)",
    r"\b(?:status |http |of |return\w* )?5\d\d(?:s| errors?| (?:status )?messages?| responses?)\b|\bservice degradation begins\b",
    r"\bstop(?:s|ped)? (?!monitor|investigat|work on|the |all )\w+ing\b|\b(?:no longer|does not|do not|did not|doesn[\u2019']t|don[\u2019']t|didn[\u2019']t) (?:be )?(?:start|work|respond|accept|load|run|reach|resolve|connect|send|deliver|process|launch|available|reachable|accessible|function)\w*",
    r"\b(?:all|most|many|some|several|the first|first|a third of|half of|every|new) (?:\w+ ){0,3}(?:fail(?:s|ed|ing)?|time out|timed out|are rejected|were rejected)\b",
    r"\b(?:nobody|no one|users|customers|clients|people|they|we) (?:can|could|cannot|are|were|is|was) ?(?:no longer|not|n[\u2019']t|unable)? ?(?:unable to|able to|log ?in|access|reach|connect|see errors)\b(?<! can| are)",
    r"\b(?:certificates?|disks?|disc|memory|quota|queues?|partition|volume)\b[^.,;]{0,40}\b(?:expires?d?|(?:fills?|filled) up|(?:is|was|runs?|ran) (?:full|out)|exhausted)\b|\b(?:enter(?:s|ed)|(?:goes|went|gone) into) (?:an? |the )?(?:not ?ready|failed|error|degraded|unhealthy|read-?only|crash\w*)\b|\bmelt\w* down\b|\bfill(?:s|ed) up\b",
    r"\bdegrad(?:ation|es|ed)\b|\breturn(?:s|ed|ing) (?:http )?(?:status )?[45]\d\d\b|\b(?:reach(?:es|ed)|falls?|fell|drop(?:s|ped)?) (?:to )?(?:0\b|zero\b)",
)
EFFECT = _cue(
    r"\bcaus(?:ing|es|ed)\b|\b(?:faulty|buggy)\b|\bbreak(?:ing|s)\b|\bbroke\b|\bresult(?:ing|ed|s) in\b|\btrigger(?:ing|s|ed)\b|\bintroduc(?:ing|es|ed)\b[^.]{0,40}\b(?:bug|issue|problem|regression|error|defect|fault)",
)
CHANGE = _cue(
    r"\b(?:deploy(?:s|ed|ment|ments)?|releas(?:e|es|ed)|roll(?:s|ed)? ?-?out|rollout|upgrad(?:e|es|ed)|updat(?:e|es|ed)|merg(?:e|es|ed)|push(?:es|ed)|appl(?:y|ies|ied)|switch(?:es|ed)|migrat(?:e|es|ed|ion)|bump(?:s|ed)?|enabl(?:e|es|ed)|chang(?:e|es|ed)|rotat(?:e|es|ed)|delet(?:e|es|ed)|remov(?:e|es|ed)|upload(?:s|ed)|went live|goes live|drained|maintenance)\b",
)
REACTING = _cue(
    r"\bdeci(?:sion|de|des|ded)\b|\broll(?:s|ed|ing)?[ -]?back\b|\brollback\b|\brevert\w*|\brestart\w*|\bmitigat\w*|\bworkaround\b|\binvestigat\w*"
)
FAILING = _cue(
    r"\b(?:fail(?:s|ed|ing|ure|ures)|errors?|errored|down|broken|outage|unavailable|unresponsive)\b"
)
NOTICED = _cue(
    r"^\W*(?:discover(?:y|ed)|detect(?:ion|ed)) ?[:\u2013\u2014-] ",
    r"\bdetect(?:s|ed|ion)\b|\bnotic(?:es|ed|e)\b|\b(?:became|become|becomes|made|were|was) aware\b|\bspot(?:s|ted)\b|\breali[sz](?:e|es|ed|ation)\b",
    rf"\b{_WHAT} (?:is |was |were |has been |had been |gets |got )?(?:first )?(?:identified|discovered|found|observed|seen|spotted|witnessed|recogni[sz]ed)\b",
    r"\b(?:witness|observ)(?:es|ed)\b|\bdiscover(?:s|ed)? (?:that|the|an?|our|we|some)\b|\bwe (?:see|saw|find|found)\b",
    r"\bteam (?:\w+ )?identif(?:y|ies|ied)\b|\bengineers? (?:\w+ )?(?:identif|discover|see|saw)\w*",
)
ALERTED = _cue(
    r"\balert(?:s|ed|ing)?\b(?! (?:clear|resolv|auto|recover|stop|is added|are added|added|creat|closed))|\balarms? (?:\w+ )?(?:fir|trigger|rais|goes|went|sound|start)\w*|\bpager?(?:s|d|duty)?\b(?= (?:\w+ )?(?:fir|trigger|alert|went|goes|page|on|receiv|is|was|to|the|s?\b))|\bpaged\b|\bgets? paged\b",
    r"\bmonitoring (?:\w+ ){0,3}(?:detect|alert|show|notif|trigger|flag|report|fir|system)\w*|\b(?:uptime|health|synthetic) checks? (?:\w+ )?(?:fail|alert|trigger|fir)\w*|\bwarning from\b",
)
REPORTED = _cue(
    r"\b(?:phone )?calls? from\b|\bcalled by\b|\b(?:customers?|users?|clients?|people|they) (?:\w+ )?(?:call|calls|called|tell|tells|told|ask|asks|asked|write|writes|wrote) \b|\b(?:tells?|told|asks?|asked) us\b|\blet us know\b|\bcontact(?:s|ed|ing)? (?:\w+ )?(?:support|us\b)|\b(?:issue|case|ticket)\b[^,;]{0,100}\b(?:is|was|gets) (?:opened|raised|filed|submitted)\b",
    r"\breport(?:s|ed|ing)?\b(?! (?:are (?:there|missing|back)|is|was|were|are)? ?(?:publish|written|drafted|sent out))|\binform(?:s|ed)\b|\bcomplain\w*|\bsupport tickets?\b|\btickets? (?:from|about|start|come|came|arriv|rais|open)|\breach(?:es|ed) out\b|\bpinged\b|\bpings\b|\bescalat(?:es|ed|ion)\b|\bnotif(?:ies|ied)\b",
)
OUTSIDE = _cue(
    r"\b(?:users?|customers?|clients?|community|external|github|twitter|forum|gitter|slack|partners?|reddit|third[ -]part\w+|vendor)\b"
)
INSIDE = _cue(
    r"\b(?:we|us|our|on-?call|engineers?|engineering|developers?|sre|team|operators?|staff|internal|support engineer|member|responders?)\b"
)
PINGED = _cue(r"\bping(?:s|ed|ing)\b")  # a ping is no answer yet
INVESTIGATING = _cue(
    r"\binvestigat(?:ion|ions|ing|e|es|ed)\b[^.]{0,40}(?:\b(?:begin|began|begun|start|commenc|initiat|launch|kick)\w*)|\b(?:begin|began|begun|start|commenc|initiat)\w* (?:\w+ ){0,3}(?:investigat|triag|debug|look|troubleshoot)\w*|\binvestigating\b|\blooking into\b|\blooks into\b|\backnowledg\w+\b|\btriag\w+ (?:begin|start)",
)
DECLARED = _cue(
    r"\bincident (?:is |was |has been |gets )?(?:\w+ )?(?:declared|opened|raised|created|called|initiated|established)\b",
    r"\b(?:declar(?:e|es|ed|ing)|rais(?:e|es|ed|ing)|open(?:s|ed|ing)?|creat(?:e|es|ed|ing)|initiat(?:es|ed|ing)|start(?:s|ed) an) (?:an? |the |this |our )?(?:\w+[ -]){0,2}incident\b(?! (?:channel|doc|report|review|page|response plan))",
    r"\b(?:sev(?:erity)?[ -]?[0-5]|p[0-4])\b[^.]{0,30}\b(?:declared|opened|raised|created|called)\b|\b(?:declar|open|rais|call)(?:es|ed|ing|s) (?:an? )?(?:sev|p[0-4])",
    r"\b(?:war ?room|incident (?:call|bridge|response)) (?:is |was )?(?:opened|started|initiated|created|established|convened)\b|\bmajor incident (?:process|procedure) (?:start|initiat|invok)\w*",
)
FIXING = _cue(
    r"\broll(?:s|ed|ing)?[ -]?back\b|\brollback\b|\brevert(?:s|ed|ing)?\b|\bdowngrad\w+|\bfail(?:ed|s)? ?over\b|\bfailover\b|\bdisabl(?:e|ed|es)\b|\bscal(?:e|ed|es) (?:up|out|down)\b|\brestart(?:s|ed)?\b|\breboot(?:s|ed)?\b|\bhot ?fix\b|\bpatch(?:ed|es)?\b|\bfix(?:es|ed)?\b|\bworkaround\b|\breattach\w*|\brewritten\b|\bblock(?:ed|s)\b|\bdeploy(?:s|ed)\b|\breleased?\b|\bconfiguration changes?\b|\brun completed\b|\bre-?run\b|\breset\b|\bincreased?\b|\brestor(?:e|es|ing)\b|\bunban\w*|\badded\b|\bswitched\b|\bmitigations?\b|\bthrottl\w+|\b(?:correct|lower|renew|replac|enabl|remov|delet|clean|freed?|purg|unblock|re-?creat|raise|rewrit|migrat)(?:ed|d)\b|\bfreed\b|\b(?:re-?deploy(?:s|ed)?)\b",
)
UNFINISHED = _cue(
    r"\b(?:begin|began|begins|beginning|start(?:s|ed|ing)?|trigger(?:s|ed)?|initiat\w+|attempt\w*|try|tries|tried|trying|decid\w+|decision|prepar\w+|plan\w*|propos\w*|creat(?:e|es|ed) a (?:pr|pull)|work(?:s|ing)? on|consider\w*|discuss\w*|opens? a (?:pr|pull)|suspect\w*)\b"
)
RECOVERED = _cue(
    r"^\W*(?:recover(?:y|ed)|restored) ?[:\u2013\u2014-] ",
    rf"\b(?:(?:start(?:s|ed)|began|begins?|begun) (?:to )?)?(?!{_AGAIN})(?:\w+ing|\w+ed|\w+[ai]ble|able to \w+|works?|fine|up|there|online) (?:(?!again|fail|and|but|issue|problem|error|outage)[\w-]+ ){{0,4}}again\b(?! (?:fail|crash|with (?:the same )?error))|\bonce (?:again|more) \w+ing\b",
    r"\b(?:is|are|was|were) (?:now )?(?:fine|healthy|in sync|operational|stable)(?: now| again)?\b|\b(?:it|fix|everything|that|this) (?:now |indeed )?work(?:s|ed)\b|\bfinish\w* recover\w*|\brecovery (?:is |was )?complete\w*",
    r"\b(?:operating|functioning|working|running|behaving) (?:\w+ )?(?:normally|as (?:usual|normal|expected|intended|designed|before))|\bback (?:in |into )?(?:operation|service|action)\b|\b(?:requests?|uploads?|logins?|payments?|orders?|builds?|queries|messages?|connections?|calls) (?:now )?(?:succeed(?:s|ed|ing)?|go through|went through|get through)\b",
    r"\b(?:back|returns?|returned|returning|resumed?s?) (?:to )?(?:normal\w*|online|up|service|healthy|operational|working|baseline)|(?:back|returns?|returned|up) to 100 ?%|\bback (?:in|to) working\b|\b(?:up|works?|working|running|functioning|healthy|available|online|okay|ok|stable|operational) again\b|\b(?:returning|returned|bring\w*|brought) (?:\w+ ){0,4}to (?:working|normal|a healthy|full)\b",
    r"\b(?:service|services|everything|site|system|systems|traffic|operations?|functionality|cluster|api|access|connectivity|performance|availability|website|platform|all \w+|errors?|latency|success rates?|prow|database|pods?)\b[^.]{0,60}\b(?:restored|recovered|normal(?:ised|ized|ises|izes|ly)?|operational|healthy|functional|functioning|stable|stabili[sz]ed|up-to-date|fine)\b",
    r"\b(?:fully|completely|full service|service|services) (?:\w+ ){0,2}(?:restored|recovered|operational|restoration|recovery)\b|\bfull recovery\b|\ball[ -]clear\b|\bconfirmed expected behaviou?r\b|\bnormal (?:operations?|service|levels?|behaviou?r)\b",
    rf"\b(?:{_WHAT}|errors?|alerts?|5\d\ds?) (?:have |has |had )?(?:is |was |were |are )?(?:fully |completely |all )?(?:over|ends?|ended|cease[sd]?|stop(?:s|ped)?|subside[sd]?|clear(?:s|ed)?|gone|(?:goes|went) away|solved|disappear\w*|drop(?:s|ped)? (?:back |off)\w*)\b",
    rf"\bend of (?:the |this |customer |user )?(?:\w+ )?{_WHAT}\b|\b(?:solv|fix|resolv)(?:ed|es|ing) (?:the |this |these |all |our )?(?:\w+ )?{_WHAT}\b|\brecovered\b|\bverified (?:\w+ )?(?:working|operational)\b",
)
FULLY = _cue(r"\bfull(?:y)? (?:\w+ )?(?:restored|recovered|recovery)\b")
MITIGATED = _cue(
    r"\bmitigated\b|\bmitigation (?:is |was )?(?:in place|complete\w*|applied|deployed|effective|confirmed|successful)\b|\b(?:issue|impact|incident|problem) mitigat\w+"
)
RESOLVED = _cue(
    r"\bresolved\b|\bresolution (?:is |was )?(?:confirmed|complete\w*|verified)\b|\bincident (?:is |was |has been |formally |officially )?(?:closed|over|ended|concluded|marked)\b|\bclos(?:e|es|ed|ing) (?:the |this )?(?:incident|issue)\b|\b(?:issue|incident|problem) (?:is |was )?\[?(?:closed|solved)\b",
    rf"\b(?:permanent|long-term|final)(?:ly)? (?:fix|resolv|solv|solution|delet|remov)\w*|\b{_WHAT}\b (?:[\w-]+ ){{0,5}}(?:is|was|has been|and|finally) (?:\w+ )?fixed\b|\bcontains? (?:the |a )?fix\b|\b(?:outage|incident) (?:is |was )?(?:ends?|ended|over)\b|\bresolving the (?:outage|incident|issue)\b",
)
NOT_YET = _cue(
    r"(?:n[\u2019']t|\b(?:not|never|no longer able|cannot|unable|without|yet to|fail(?:s|ed|ing)? to))\b[^.;,]{0,40}$",
    r"\b(?:believ\w+|think\w*|guess\w*|stop\w*|ask\w*|hop\w+|expect\w+|assum\w+|suspect\w*|thought|should|will|would|may|might|could|if|until|once|when|wait\w*|try\w*|tries|tried|attempt\w*|in order|to be|need\w*|partial\w*|most(?:ly)?|some|gradual\w*|appear\w*|seem\w*|temporar\w+|begin\w*|began|start\w*|apparently|usually|often|generally|sometimes|before)\b[^.;]{0,50}$",
)
NOT_YET_DONE = _cue(
    r"(?:n[\u2019']t|\b(?:not|never|cannot|unable|without|fail(?:s|ed|ing)? to|if|should|would|could|may|might|to be))\b[^.;,]{0,40}$"
)
UNDERWAY = _cue(r"\b(?:begin|began|begins|beginning|start(?:s|ed|ing)?|initiat\w+|kick(?:s|ed) off)\b")
PARTLY = _cue(
    r"\b(?:but|however|though|although)\b[^.]{0,60}\b(?:fail|error|still|down|slow)\w*",
    r"\bpartial(?:ly)?\b|\bbegins? (?:to )?recover|\brecovering\b|\bmonitoring (?:for|recovery)|\bstill\b|\bdespite\b|\bunresolved\b|\bremain(?:s|ed)? (?:elevated|down|unavailable|high)",
)
CALM = _cue(
    r"\b(?:all (?:fine|good|ok)|tests? (?:pass|indicat)\w*|passed|look(?:s|ed)? (?:fine|good)|no (?:issues?|errors?|problems?))\b"
)
PERSISTING = _cue(
    r"\bstill (?:persist|occur|happen|see|fail|not|down|broken|there)\w*|\bpersists?\b|\bpersisting\b"
)
NOT_NOTICED = _cue(
    r"(?:n[\u2019']t|\b(?:no|not|never|without|fail(?:s|ed)? to))\b[^.;,]{0,30}$|\b(?:start(?:s|ed)?|begins?|began) $",
    r"\b(?:improv\w+|add(?:ed|s|ing)?|creat\w+|missing|better|new|clear\w*|resolv\w*|silenc\w*|error) $",
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What an entry says. Numbers are the sentence that says so first, from 0; ``None`` where none does."""

    started: int | None = None
    symptom: int | None = None
    effect: int | None = None
    change: int | None = None
    reacting: int | None = None
    failing: int | None = None
    noticed: int | None = None
    alerted: int | None = None
    reported: int | None = None
    investigating: int | None = None
    declared: int | None = None
    fixing: int | None = None
    mitigated: int | None = None
    recovered: int | None = None
    resolved: int | None = None
    fully: int | None = None
    underway: int | None = None
    outside: bool = False
    inside: bool = False

    @property
    def detected(self) -> int | None:
        """The first sentence in which somebody learns of it."""
        return _first(self.noticed, self.alerted, self.reported)

    @property
    def over(self) -> int | None:
        """The first sentence in which the harm ends."""
        return _first(self.mitigated, self.recovered, self.resolved, self.fully)


def _first(*places: int | None) -> int | None:
    return min((place for place in places if place is not None), default=None)


_AT_ONCE = {"started", "symptom", "effect", "declared"}
_FIRST = 2  # what is told later in an entry happened later than its time
_PLAIN = {
    "started": STARTED, "effect": EFFECT, "change": CHANGE,
    "investigating": INVESTIGATING, "declared": DECLARED, "reacting": REACTING, "failing": FAILING,
}  # fmt: skip
_HAPPY = {"mitigated": MITIGATED, "recovered": RECOVERED, "resolved": RESOLVED, "fully": FULLY}
_ALARM = {"noticed": NOTICED, "alerted": ALERTED, "reported": REPORTED}


@lru_cache(maxsize=4096)
def signs_of(text: str) -> Signs:
    """Return what a timeline's entry says."""
    found: dict[str, int] = {}
    outside = inside = False
    for place, sentence in enumerate(SENTENCES.split(text)):
        for name in _in_sentence(sentence):
            if place <= _FIRST or name not in _AT_ONCE:
                found.setdefault(name, place)
        outside = outside or bool(OUTSIDE.search(sentence) or PINGED.search(sentence))
        inside = inside or bool(INSIDE.search(sentence) and not PINGED.search(sentence))
    return Signs(**found, outside=outside, inside=inside)


def _in_sentence(sentence: str) -> list[str]:
    names = [name for name, cue in _PLAIN.items() if cue.search(sentence)]
    if "investigating" in names and "started" in names:
        names.remove("started")  # "investigation of the issue started"
    over = [name for name, cue in _HAPPY.items() if _said(cue, sentence, NOT_YET)]
    if over and PARTLY.search(sentence):
        over = []
    names += over
    if SYMPTOM.search(sentence) and not over:
        names.append("symptom")
    if not CALM.search(sentence) and not PERSISTING.search(sentence):
        names += [name for name, cue in _ALARM.items() if _said(cue, sentence, NOT_NOTICED)]
    fixes = [one for one in _CLAUSES.split(sentence) if _said(FIXING, one, NOT_YET_DONE)]
    if any(not UNFINISHED.search(one) and _said(FIXING, one, NOT_YET) for one in fixes):
        names.append("fixing")
    elif any(UNDERWAY.search(one) for one in fixes):
        names.append("underway")
    return names


def _said(cue: re.Pattern[str], sentence: str, unless: re.Pattern[str]) -> bool:
    """Return whether a cue stands in a sentence without something before it that takes it back."""
    return any(
        not unless.search(sentence[max(0, hit.start() - 60) : hit.start()]) for hit in cue.finditer(sentence)
    )
