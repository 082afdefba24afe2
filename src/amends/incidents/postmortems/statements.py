"""Trigger, detection, rollback and action items: sentences of the document, sorted by what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from amends.incidents.postmortems.document import fields_of
from amends.incidents.postmortems.facts import ActionItem, Rollback, Statement
from amends.incidents.postmortems.sections import Part, Sectioned, sentences

LONGEST = 600
SHORTEST = 15
_DETECTION_FIELD = re.compile(
    r"detection|detected by|how (?:was it )?detected|detection method|discovered by", re.IGNORECASE
)


def kinds_by(*pairs: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in pairs)


_DETECTIONS = kinds_by(
    ("alert", r"\b(?:alert(?:s|ed|ing)?|alarms?|pag(?:ed|er\w*)|monitoring (?:\w+ )?(?:detect|notif|alert|trigger|caught|system|show)\w*|automated (?:warning|monitoring|check)s?|health ?checks? fail\w*|uptime check)\b"),
    ("ci_deploy_failure", r"\b(?:deploy\w*|ci|travis|jenkins|build|pipeline|release)\b(?:[^.]|\.(?=\d)){0,40}\b(?:fail(?:ed|s|ure)?|errored|broke)\b|\b(?:tried|attempt\w*) to (?:deploy|release|build)\b(?:[^.]|\.(?=\d)){0,60}\bfail\w*|\bfail\w* to (?:deploy|build|release)\b"),
    ("customer_report", r"\b(?:customers?|clients?|support (?:ticket|engineer|team|case)s?|merchants?|subscribers?)\b"),
    ("partner_report", r"\b(?:partners?|federation members?|third[ -]part(?:y|ies)|researchers?)\b"),
    ("internal_report", r"\b(?:developers?|colleagues?|employees?|internal (?:user|team|report)s?|another team|other teams?|co-?workers?)\b[^.]{0,60}\b(?:report|notif|inform|notic|complain|ask|rais|flag)\w*"),
    ("user_report", r"\b(?:users?|community|someone|project members?|github issue|twitter|slack|gitter|forum|reddit|outside)\b"),
    ("operator_observation", r"\b(?:notic\w+|observ\w+|spott\w+|saw|seen|discover\w+|witness\w+|found|identif\w+|detected|looking|we)\b"),
)  # fmt: skip
_NOT_ALERT = re.compile(
    r"\b(?:no|not|without|doesn[\u2019']t|didn[\u2019']t|weren[\u2019']t|wasn[\u2019']t|lack\w*|missing|absence of|never|rather than|instead of|did not|failed to)\b[^.;]{0,60}\b(?:alert|alarm|monitor|pag)",
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
ONLY_TALK = re.compile(
    r"\b(?:would|could|should|might|may|if|did not|didn[\u2019']t|without|can[\u2019']t|cannot|instead of|no|avoid\w*|consider\w*|difficult|before|next time|procedure documentation)\b[^.;]{0,50}$",
    re.IGNORECASE,
)
_BACK_FAILED = re.compile(
    r"\b(?:roll(?:ed)?[ -]?back|rollback|revert\w*)\b[^.]{0,80}\b(?:fail\w*|did not|didn't|insufficient|not (?:help|work|fix|resolve|effective|actually|enough)|never|could not|unable|blocked|persist\w*|remain\w*)\b|\b(?:despite|fail\w*|unable to|could not|couldn't|not able to)\b[^.;]{0,30}\b(?:roll(?:ing)?[ -]?back|rollback|revert\w*)\b|\bneither\b[^.]{0,40}\brollback\b",
    re.IGNORECASE,
)
_OFF = re.compile(r"\b(?:disabl\w+|(?:turn|switch)(?:ed|s)? (?:\w+ ){0,3}off)\b", re.IGNORECASE)
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


def named_values(parts: Sequence[Sectioned], wanted: re.Pattern[str]) -> list[tuple[str, int]]:
    """Return what stands beside a name: "Trigger: a deployment of 4.1"."""
    return [
        (field.value, field.line)
        for part in parts
        if part.part not in _TIMELESS
        for field in fields_of(part.block)
        if wanted.fullmatch(field.name) and len(field.value) > SHORTEST
    ]


def read_detection(parts: Sequence[Sectioned], line: tuple[str, int] | None) -> Statement | None:
    """Return how it was noticed: the section about it, else the timeline's line, else a sentence about it."""
    own = [one for one in sentences(parts, Part.DETECTION) if not one[0].startswith("http")]
    own = own or named_values(parts, _DETECTION_FIELD)
    own = [one for one in own if _LEARNING.search(one[0])] or own[:1]
    prose = sentences(parts, Part.SUMMARY, Part.IMPACT, Part.RESOLUTION, Part.OTHER)
    said = [
        *((*one, 0.85) for one in own[:3]),
        *([(*line, 0.75)] if line and _tells_how(line[0]) else []),
        *((*one, 0.5) for one in prose if not line and _LEARNING.search(one[0]) and _THEN.search(one[0])),
    ]
    for text, place, confidence in said:
        if kind := how_detected(text):
            return Statement(kind, text[:LONGEST], place, confidence)
    return Statement("unknown", said[0][0][:LONGEST], said[0][1], said[0][2] - 0.2) if said else None


def _tells_how(text: str) -> bool:
    return bool(_LEARNING.search(text)) or how_detected(text) == "ci_deploy_failure"


def how_detected(text: str) -> str:
    """Return by what means a text says that something was noticed; empty if it does not say."""
    quiet = _NOT_ALERT.sub(" ", text)
    return kind_of(_DETECTIONS, quiet)


def kind_of(kinds: Sequence[tuple[str, re.Pattern[str]]], text: str) -> str:
    """Return the first kind whose words a text has; empty for none."""
    return next((kind for kind, words in kinds if words.search(text)), "")


def read_rollback(parts: Sequence[Sectioned], *, ended: bool, repaired: str) -> Rollback:
    """Return whether going back was tried, and whether it worked.

    "Not attempted" is said only of a document that tells how it ended (``ended``), and not where what was
    repaired last (``repaired``) was to switch something off: that may be what had been switched on. Going
    back worked, whatever failed before, if it was that last repair.
    """
    tried: int | None = None
    worked: bool | None = None
    for text, line in sentences([x for x in parts if x.part not in _TIMELESS]):
        hit = _BACK.search(text)
        if hit is None or ONLY_TALK.search(text[max(0, hit.start() - 60) : hit.start()]):
            continue
        tried = tried or line
        if _BACK_FAILED.search(text):
            worked = False
        elif worked is None and ended:
            worked = True
    if tried is None:
        return Rollback(False if ended and not _OFF.search(repaired) else None)
    if _BACK.search(repaired) and not _BACK_FAILED.search(repaired):
        worked = True
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
    return ActionItem(_MARKS.sub("", text)[:LONGEST], line, bool(_DONE.search(whole or text)), confidence)
