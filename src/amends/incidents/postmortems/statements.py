"""Trigger, detection, rollback and action items: sentences of the document, sorted by what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from amends.incidents.postmortems.document import fields_of
from amends.incidents.postmortems.facts import ActionItem, Rollback, Statement
from amends.incidents.postmortems.sections import Part, Sectioned, sentences

_LONGEST = 600
_SHORTEST = 15
_FIRST_SENTENCES = 25
_ENOUGH = 2.5
_TRIGGER_FIELD = re.compile(r"triggers?|triggered by|trigger event", re.IGNORECASE)
_CAUSE_FIELD = re.compile(r"(?:root |probable |likely )?causes?|root cause\(s\)|reason", re.IGNORECASE)
_DETECTION_FIELD = re.compile(
    r"detection|detected by|how (?:was it )?detected|detection method|discovered by", re.IGNORECASE
)
_HARM = re.compile(
    r"\b(?:outage|fail\w*|error\w*|unavailable|down|crash\w*|broke\w*|degrad\w+|bug|issue|incident|disrupt\w*|deleted)\b",
    re.IGNORECASE,
)


def _kinds(*pairs: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in pairs)


_TRIGGERS = _kinds(
    ("certificate", r"\bcertificates?\b[^.]{0,40}\bexpir|\bexpired (?:\w+ )?(?:certificate|cert|tls|ssl)"),
    ("config", r"\b(?:mis)?configur\w+|\bconfig\b|\bfeature flag\b|\bsetting\b|\bfirewall rule|\brouting (?:rule|polic)\w*|\bdns record|\bpermissions? change|\brate[ -]limit\w* (?:rule|polic)|\brenam(?:ed|ing) \w+ argument|\bargument name"),
    ("deploy", r"\bdeploy\w*|\breleas(?:e|ed|ing)\b|\broll(?:ed)?[ -]?out\b|\bupgrad\w+|\bnew version\b|\bversion bump|\bbump(?:ed)?\b|\bcommit\b|\bmerg(?:e|ed)\b|\bpull request\b|\bcode change\b|\brefactor\w*|\bpatch\b"),
    ("infrastructure_change", r"\bmigrat\w+|\bmaintenance\b|\bnode (?:upgrade|drain|replac)\w*|\breplac(?:ed|ing) (?:\w+ ){0,3}(?:node|network|server|hardware|disk|equipment)|\bdelet(?:ed|ion|ing)\b|\bdecommission\w*|\bremov(?:ed|ing) (?:\w+ ){0,3}(?:server|node|capacity|cluster)"),
    ("load", r"\b(?:traffic|load|requests?|demand) (?:\w+ )?(?:spike|surge|increase|peak)\w*|\b(?:spike|surge|increase|flood) (?:in|of) (?:\w+ )?(?:traffic|load|requests|users|demand)|\bout of (?:memory|disk|capacity)|\bno space left|\bexhaust\w+|\bcapacity\b|\bquota\b|\boverload\w*|\bddos\b"),
    ("third_party", r"\b(?:upstream|third[ -]party|vendor|provider|aws|gcp|google cloud|azure|cloudflare|github)\b[^.]{0,60}\b(?:outage|incident|fail\w*|issue|degrad\w+|down)\b"),
    ("infrastructure_failure", r"\b(?:hardware|disk|power|network|node|host|server|database|switch|router|cooling)s?\b[^.]{0,30}\b(?:fail\w*|lost|crash\w*|died|down|outage|fault)\b|\blost\b[^.]{0,20}\bnodes?\b"),
    ("attack", r"\battack\w*|\bmalicious\b|\bcompromis\w+|\bvulnerabilit\w+|\bexploit\w*"),
)  # fmt: skip
_CAUSAL = re.compile(
    r"\b(?:caus(?:ed|es|ing|e)\b|because\b|due to\b|trigger\w*|root cause|result(?:ed|ing)? (?:in|of|from)|led to\b|introduc\w+|as a (?:result|consequence)|stemm\w+ from|after (?:an?|the) (?:\w+ ){0,4}(?:deploy|release|upgrade|change|update)\w*|by (?:an?|the) (?:\w+ ){0,4}(?:bug|change|update|deploy\w*|upgrade|failure|typo))",
    re.IGNORECASE,
)
_DETECTIONS = _kinds(
    ("alert", r"\b(?:alert(?:s|ed|ing)?|alarms?|pag(?:ed|er\w*)|monitoring (?:\w+ )?(?:detect|notif|alert|trigger|caught|system|show)\w*|automated (?:warning|monitoring|check)s?|health ?checks? fail\w*|uptime check)\b"),
    ("ci_deploy_failure", r"\b(?:deploy\w*|ci|travis|jenkins|build|pipeline|release)\b[^.]{0,40}\b(?:fail(?:ed|s|ure)?|errored|broke)\b|\btried to deploy\b[^.]{0,60}\bfailed\b"),
    ("customer_report", r"\b(?:customers?|clients?|support (?:ticket|engineer|team|case)s?|merchants?|subscribers?)\b"),
    ("partner_report", r"\b(?:partners?|federation members?|third[ -]part(?:y|ies)|researchers?)\b"),
    ("internal_report", r"\b(?:developers?|colleagues?|employees?|internal (?:user|team|report)s?|another team|other teams?|co-?workers?)\b[^.]{0,60}\b(?:report|notif|inform|notic|complain|ask|rais|flag)\w*"),
    ("user_report", r"\b(?:users?|community|someone|project members?|github issue|twitter|slack|gitter|forum|reddit|outside)\b"),
    ("operator_observation", r"\b(?:notic\w+|observ\w+|spott\w+|saw|seen|discover\w+|witness\w+|found|identif\w+|detected|looking|we)\b"),
)  # fmt: skip
_NOT_ALERT = re.compile(
    r"\b(?:no|not|without|n't|lack\w*|missing|absence of|never|rather than|instead of|did not|failed to)\b[^.;]{0,60}\b(?:alert|alarm|monitor|pag)",
    re.IGNORECASE,
)
_LEARNING = re.compile(
    r"\b(?:detect\w*|notic\w+|alert\w*|report(?:s|ed)?|discover\w*|aware|observ\w+|inform(?:ed|s)|paged|pinged|identified|witness\w+|complain\w*|reached out)\b",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"\b(?:was|were|received|got|became|noticed|alerted|informed|reported|paged|saw|observed|detected)\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:roll(?:ed|s|ing)?[ -]?back|rollbacks?|revert(?:s|ed|ing)?|downgrad(?:ed|e|ing)|back(?:ed)?[ -]out|undo(?:ne|ing)?|restor(?:ed|ing) (?:\w+ ){0,4}(?:previous|last known|old\w*|earlier))\b",
    re.IGNORECASE,
)
_ONLY_TALK = re.compile(
    r"\b(?:would|could|should|might|may|if|did not|didn't|without|can't|cannot|instead of|no|avoid\w*|consider\w*|difficult|before|next time|procedure documentation)\b[^.;]{0,50}$",
    re.IGNORECASE,
)
_BACK_FAILED = re.compile(
    r"\b(?:roll(?:ed)?[ -]?back|rollback|revert\w*)\b[^.]{0,80}\b(?:fail\w*|did not|didn't|insufficient|not (?:help|work|fix|resolve|effective|actually|enough)|never|could not|unable|blocked|persist\w*|remain\w*)\b|\b(?:despite|fail\w*|unable to|could not|couldn't|not able to)\b[^.;]{0,30}\b(?:roll(?:ing)?[ -]?back|rollback|revert\w*)\b|\bneither\b[^.]{0,40}\brollback\b",
    re.IGNORECASE,
)
_TIMELESS = (Part.LESSONS, Part.ACTIONS, Part.TALK)
_DONE = re.compile(
    r"✅|✔|☑|\[x\]|\((?:done|completed?|fixed)\)|~~|^\s*(?:done|completed)\b|\b(?:done|completed)\s*$",
    re.IGNORECASE,
)
_COLUMN = re.compile(
    r"action|item|task|description|what|improvement|follow|todo|title|summary|remediation|recommendation",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^[\s✅✔☑❌🔲☐:–—-]+")


def read_trigger(parts: Sequence[Sectioned], start: tuple[str, int] | None) -> Statement | None:
    """Return what set it off: the trigger's section, else a causal sentence, else the line where it began."""
    told = [one for one in sentences(parts, Part.TRIGGER) if len(one[0]) > _SHORTEST]
    told = told or _named(parts, _TRIGGER_FIELD) or _named(parts, _CAUSE_FIELD)
    if told:
        kind = next((k for text, _ in told if (k := _kind(_TRIGGERS, text))), "unknown")
        return Statement(kind, told[0][0][:_LONGEST], told[0][1], 0.9 - 0.2 * (kind == "unknown"))
    weighed = [
        (_causal_weight(text) + bonus, -place, text, line)
        for wanted, bonus in ((Part.CAUSE, 0.5), (Part.SUMMARY, 0.5), (Part.OTHER, 0.0))
        for place, (text, line) in enumerate(sentences(parts, wanted))
        if place < _FIRST_SENTENCES and len(text) > _SHORTEST
    ]
    best = max(weighed, default=None)
    if best and best[0] >= _ENOUGH:
        return Statement(_kind(_TRIGGERS, best[2]) or "unknown", best[2][:_LONGEST], best[3], 0.65)
    if start and (kind := _kind(_TRIGGERS, start[0])):
        return Statement(kind, start[0][:_LONGEST], start[1], 0.5)
    return None


def _named(parts: Sequence[Sectioned], wanted: re.Pattern[str]) -> list[tuple[str, int]]:
    """Return what stands beside a name: "Trigger: a deployment of 4.1"."""
    return [
        (field.value, field.line)
        for part in parts
        if part.part not in _TIMELESS
        for field in fields_of(part.block)
        if wanted.fullmatch(field.name) and len(field.value) > _SHORTEST
    ]


def _causal_weight(text: str) -> float:
    """How much a sentence sounds like what set it off: a cause, a change, and what came of it."""
    causal = min(2, len(_CAUSAL.findall(text)))
    return (
        causal
        + (1 if _kind(_TRIGGERS, text) else -1)
        + bool(_HARM.search(text))
        - 2 * bool(_ONLY_TALK.search(text[:120]))
    )


def read_detection(parts: Sequence[Sectioned], line: tuple[str, int] | None) -> Statement | None:
    """Return how it was noticed: the section about it, else the timeline's line, else a sentence about it."""
    own = [one for one in sentences(parts, Part.DETECTION) if not one[0].startswith("http")]
    own = own or _named(parts, _DETECTION_FIELD)
    own = [one for one in own if _LEARNING.search(one[0])] or own[:1]
    prose = sentences(parts, Part.SUMMARY, Part.IMPACT, Part.RESOLUTION, Part.OTHER)
    said = [
        *((*one, 0.85) for one in own[:3]),
        *([(*line, 0.75)] if line and _LEARNING.search(line[0]) else []),
        *((*one, 0.5) for one in prose if _LEARNING.search(one[0]) and _THEN.search(one[0])),
    ]
    for text, place, confidence in said:
        if kind := how_detected(text):
            return Statement(kind, text[:_LONGEST], place, confidence)
    return Statement("unknown", said[0][0][:_LONGEST], said[0][1], said[0][2] - 0.2) if said else None


def how_detected(text: str) -> str:
    """Return by what means a text says that something was noticed; empty if it does not say."""
    quiet = _NOT_ALERT.sub(" ", text)
    return _kind(_DETECTIONS, quiet)


def _kind(kinds: Sequence[tuple[str, re.Pattern[str]]], text: str) -> str:
    return next((kind for kind, words in kinds if words.search(text)), "")


def read_rollback(parts: Sequence[Sectioned], *, ended: bool) -> Rollback:
    """Return whether going back was tried, and whether it worked.

    "Not attempted" is said only of a document that tells how it ended (``ended``).
    """
    tried: int | None = None
    worked: bool | None = None
    for text, line in sentences([x for x in parts if x.part not in _TIMELESS]):
        hit = _BACK.search(text)
        if hit is None or _ONLY_TALK.search(text[max(0, hit.start() - 60) : hit.start()]):
            continue
        tried = tried or line
        if _BACK_FAILED.search(text):
            worked = False
        elif worked is None and ended:
            worked = True
    if tried is None:
        return Rollback(False if ended else None)
    return Rollback(True, worked, tried)


def read_actions(parts: Iterable[Sectioned]) -> list[ActionItem]:
    """Return the action items: top items and rows of the parts about them; paragraphs where there are none."""
    wanted = [x for x in parts if x.part is Part.ACTIONS]
    listed = list(_listed(wanted))
    if listed:
        return listed
    paragraphs = [x.block for x in wanted if x.block.kind == "text" and len(x.block.text) > 15]
    return [_action(block.text.replace("\n", " "), block.line, 0.5) for block in paragraphs]


def _listed(parts: Sequence[Sectioned]) -> Iterator[ActionItem]:
    for part in parts:
        block = part.block
        if block.kind == "item" and block.level == 0 and len(block.text) > 3:
            yield _action(block.text.replace("\n", " "), block.line, 0.9)
        elif block.kind == "row" and any(block.cells):
            named = (
                c for c, head in zip(block.cells, block.header, strict=False) if c and _COLUMN.search(head)
            )
            text = next(named, "") or max(block.cells, key=len)
            yield _action(text, block.line, 0.85, block.text)


def _action(text: str, line: int, confidence: float, whole: str = "") -> ActionItem:
    return ActionItem(_MARKS.sub("", text)[:_LONGEST], line, bool(_DONE.search(whole or text)), confidence)
