"""What set an incident off: the document's own words for it, and the kind that most of them speak for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from amends.incidents.postmortems.facts import Statement
from amends.incidents.postmortems.sections import Part, Sectioned, sentences
from amends.incidents.postmortems.statements import (
    LONGEST,
    ONLY_TALK,
    SHORTEST,
    kind_of,
    kinds_by,
    named_values,
)

_TRIGGER_FIELD = re.compile(r"triggers?|triggered by|trigger event", re.IGNORECASE)
_CAUSE_FIELD = re.compile(r"(?:root |probable |likely )?causes?|root cause\(s\)|reason", re.IGNORECASE)
_HARM = re.compile(
    r"\b(?:outage|fail\w*|error\w*|unavailable|down|crash\w*|broke\w*|degrad\w+|bug|issue|incident|disrupt\w*|deleted)\b",
    re.IGNORECASE,
)


_TRIGGERS = kinds_by(
    ("certificate", r"\bcertificates?\b[^.]{0,40}\bexpir|\bexpired (?:\w+ )?(?:certificate|cert|tls|ssl)"),
    ("config", r"\b(?:mis)?configur\w+|\bconfig\b|\bfeature flag\b|\bsetting\b|\bfirewall rule|\b(?:proxy|ingress|routing|dashboard|nat|waf|security) rules?\b|\btypo in (?:the |a )?(?:\w+ )?(?:file|zone)|\bzone file\b|\b(?:timeout|limit)s? (?:was |were )?(?:reduced|lowered|raised|increased|changed|set) (?:from|to)\b|\brouting (?:rule|polic)\w*|\bdns record|\bpermissions? change|\brate[ -]limit\w* (?:rule|polic)|\brenam(?:ed|ing) \w+ argument|\bargument name"),
    ("deploy", r"\bdeploy\w*|\breleas(?:e|ed|ing)\b|\broll(?:ed)?[ -]?out\b|\bupgrad\w+|\bnew version\b|\bversion (?:bump|update)|\bbuild \d+|\broll out\b|\bship(?:ped)?\b|\bnew code\b|\b(?:software|routine|automatic|scheduled|planned) updates?\b|\bupdate (?:reached|went|goes) |\bbump(?:ed)?\b|\bcommit\b|\bmerg(?:e|ed)\b|\bpull request\b|\bcode change\b|\brefactor\w*|\bpatch\b"),
    ("infrastructure_change", r"\bmigrat\w+|\bmaintenance\b|\bdrain\w*|\bcordon\w*|\bnode (?:upgrade|drain|replac)\w*|\breplac(?:ed|ing) (?:\w+ ){0,3}(?:node|network|server|hardware|disk|equipment)|\bdelet(?:ed|ion|ing)\b|\bdecommission\w*|\bremov(?:ed|ing) (?:\w+ ){0,3}(?:server|node|capacity|cluster)"),
    ("load", r"\b(?:traffic|load|requests?|demand) (?:\w+ )?(?:spike|surge|increase|peak)\w*|\b(?:spike|surge|increase|flood) (?:in|of) (?:\w+ )?(?:traffic|load|requests|users|demand)|\bout of (?:memory|disk|capacity)|\bno space left|\bexhaust\w+|\bcapacity\b|\bquota\b|\boverload\w*|\bddos\b"),
    ("third_party", r"\b(?:upstream|third[ -]party|vendor|provider|aws|gcp|google cloud|azure|cloudflare|github)\b[^.]{0,60}\b(?:outage|incident|fail\w*|issue|degrad\w+|down)\b"),
    ("infrastructure_failure", r"\b(?:hardware|disk|power|network|node|host|server|database|switch|router|cooling)s?\b[^.]{0,30}\b(?:fail\w*|lost|crash\w*|died|down|outage|fault)\b|\blost\b[^.]{0,20}\bnodes?\b"),
    ("attack", r"\battack\w*|\bmalicious\b|\bcompromis\w+|\bvulnerabilit\w+|\bexploit\w*"),
)  # fmt: skip
_CAUSAL = re.compile(
    r"\b(?:caus(?:ed|es|ing|e)\b|because\b|due to\b|trigger\w*|root cause|result(?:ed|ing)? (?:in|of|from)|led to\b|introduc\w+|as a (?:result|consequence)|stemm\w+ from|after (?:an?|the) (?:\w+ ){0,4}(?:deploy|release|upgrade|change|update)\w*|by (?:an?|the) (?:\w+ ){0,4}(?:bug|change|update|deploy\w*|upgrade|failure|typo))",
    re.IGNORECASE,
)
_OF_THE_RESPONSE = re.compile(
    r"\b(?:alert\w*|monitor\w*|detect\w*|rollback|roll(?:ed|ing)? back|recover\w*|mitigat\w*|would have|delay\w*|"
    r"a fix|the fix|health check|response|notic\w+)\b",
    re.IGNORECASE,
)
_FIRST_SENTENCES = 25
_CAUSAL_ENOUGH = 1.5
_OF_TIMELINE, _OF_TITLE, _OF_CAUSES = 2.0, 1.0, 0.5
_MAJORITY = 0.5


def read_trigger(
    parts: Sequence[Sectioned], title: str, changes: Sequence[tuple[str, int]]
) -> Statement | None:
    """Return what set it off: the trigger's section says so, else most of what sounds like a cause.

    ``changes`` are lines of the timeline where it began. Where the sentences speak for several kinds and none
    has the majority, the kind is ``unknown``.
    """
    told = [one for one in sentences(parts, Part.TRIGGER) if len(one[0]) > SHORTEST]
    told = told or named_values(parts, _TRIGGER_FIELD)
    if told:
        kind = next((k for text, _ in told if (k := kind_of(_TRIGGERS, text))), "unknown")
        return Statement(kind, told[0][0][:LONGEST], told[0][1], 0.9 - 0.2 * (kind == "unknown"))
    evidence = [*_sounding_like_causes(parts), *((_OF_TIMELINE, *line) for line in changes)]
    if not evidence:
        return None
    votes: dict[str, float] = defaultdict(float)
    for weight, text in (*((w, t) for w, t, _ in evidence), (_OF_TITLE, title)):
        found = kinds_in(text)
        for kind in found:
            votes[kind] += weight / len(found)
    winner, most = max(votes.items(), key=lambda one: one[1], default=("unknown", 0.0))
    level = [kind for kind, votes_for in votes.items() if votes_for == most]
    if len(level) > 1:  # what stood in the timeline when it began decides
        began = {kind for text, _ in changes for kind in kinds_in(text)} & set(level)
        winner = began.pop() if len(began) == 1 else "unknown"
    if most < _MAJORITY * sum(votes.values()):
        winner = "unknown"
    _, text, line = max(
        (one for one in evidence if winner == "unknown" or winner in kinds_in(one[1])),
        key=lambda one: one[0], default=evidence[0],
    )  # fmt: skip
    share = most / sum(votes.values()) if votes else 0.0
    return Statement(winner, text[:LONGEST], line, 0.4 if winner == "unknown" else 0.4 + 0.3 * share)


def kinds_in(text: str) -> list[str]:
    """Return all kinds of triggers whose words a text has."""
    return [kind for kind, words in _TRIGGERS if words.search(text)]


def _sounding_like_causes(parts: Sequence[Sectioned]) -> Iterator[tuple[float, str, int]]:
    for text, line in named_values(parts, _CAUSE_FIELD):
        yield _OF_TIMELINE, text, line
    for wanted in (Part.CAUSE, Part.SUMMARY, Part.OTHER):
        for place, (text, line) in enumerate(sentences(parts, wanted)):
            if place >= _FIRST_SENTENCES:
                break
            weight = (
                _causal_weight(text) + _OF_CAUSES * (wanted is Part.CAUSE) if len(text) > SHORTEST else 0.0
            )
            if weight >= _CAUSAL_ENOUGH:
                yield weight / 2, text, line


def _causal_weight(text: str) -> float:
    """How much a sentence sounds like what set it off: a cause, a change, and what came of it."""
    causal = min(2, len(_CAUSAL.findall(text)))
    return (
        causal
        + bool(kinds_in(text))
        + 0.5 * bool(_HARM.search(text))
        - 2 * bool(ONLY_TALK.search(text[:120]))
        - 1.5 * bool(_OF_THE_RESPONSE.search(text))
    )
