"""Why a change was reverted, as far as the words of whoever reverted it say: stated rules, never certainty.

A revert is not always a failure: a temporary measure ends, a change lands again, another way is found. Each
rule is a pattern with a name, and the first that fits counts. What none fits is *uncertain* and stays so:
nothing is presumed of a revert without a reason. How far the rules agree with labels that others made is in
docs/reference/reverts.md, with the command that measured it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Class = Literal["failure", "not_failure", "uncertain"]

About = Literal["reason", "title", "reverted title"]

LONGEST_REASON = 500
"""How many characters of a reason are kept; rules read no further."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It reads the reverter's ``reason``, the revert's ``title``, or the reverted change's own."""

    name: str
    classified: Class
    about: About
    pattern: re.Pattern[str]
    example: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules make of a revert; ``rule`` is the one that decided, or why none did."""

    classified: Class
    rule: str


def _rule(name: str, classified: Class, pattern: str, example: str, about: About = "reason") -> Rule:
    return Rule(name, classified, about, re.compile(pattern, re.IGNORECASE), example)


_REVERT = r"(?:partial\w*\W+)?revert\w*\W+"

RULES: tuple[Rule, ...] = (
    _rule(
        "landed-again", "not_failure",
        rf"\A\W*(?:{_REVERT}{_REVERT})+(?!\W*{_REVERT})|\A\W*(?:reland|re-land|reapply|re-apply|unrevert)\w*\b",
        'Revert "Revert "Cache the catalogue""', "title",
    ),
    _rule(
        "says-so", "not_failure",
        r"\A\W*(?:not[ _-]?(?:a[ _-])?failure|planned(?:[ _-]end)?|re-?land(?:ed|ing)?|clean-?up|intended)"
        r"\W*\Z",
        "planned end",
    ),
    _rule(
        "served-its-purpose", "not_failure",
        r"\b(?:no longer|not|isn't|aren't) (?:\w+ )?(?:need\w*|required|necessary)\b(?! to)|\bdid its job\b"
        r"|\b(?:maintenance|migration|upgrade|experiment|test(?:ing)?|switchover|work|reimage|import)\b"
        r"[^.\n]{0,30}\b(?:is|are|was|has been|now)? ?(?:over|done|finished|complete[d]?)\b"
        r"|\bfixed (?:upstream|now|in the meantime)\b|\b(?:is|are) (?:now )?(?:back|fixed|healthy|repooled)\b"
        r"|\b(?:has|have) (?:now )?been (?:fixed|resolved|repaired|replaced)\b"
        r"|\bback (?:to normal|in (?:service|rotation|production))\b",
        "the upgrade is done, not needed anymore",
    ),
    _rule(
        "breaks", "failure", r"\b(?:break(?:s|ing|age)?|broke|broken)\b", "breaks the build on Windows"
    ),
    _rule(
        "fails", "failure",
        r"\bfail(?:s|ed|ing|ure|ures)?\b(?![- ]?(?:over|safe|open))|\b(?:did|do|does)(?:n't| not) work\b"
        r"|\bnot working\b|\bunable to\b"
        r"|\bcan(?:not|'t|not be)\b[^.\n]{0,20}\b(?:start|boot|load|compile|build)\b",
        "login fails for half of the clients",
    ),
    _rule(
        "crashes", "failure",
        r"\b(?:crash\w*|segfault\w*|seg fault|panic\w*|assert(?:s|ion|ions)?|deadlock\w*|hang(?:s|ing)?"
        r"|leak(?:s|ing|ed)?|out of memory|oom|core dump\w*)\b",
        "crashes on start with an empty list",
    ),
    _rule("regresses", "failure", r"\bregress\w*\b", "a regression of 30% in start-up time"),
    _rule(
        "errors", "failure",
        r"\b(?:errors?|exceptions?|outages?|incidents?|unresponsive|unreachable|timeouts?|timing out"
        r"|50[0234]s?|5xx|data loss|corrupt\w*|went down|took down|downtimes?)\b",
        "500s on checkout since the deploy",
    ),
    _rule(
        "causes-trouble", "failure",
        r"\bcaus(?:e|es|ed|ing)\b(?! of\b)|\b(?:trigger|introduc)(?:s|es|ed|ing) (?:an?|some|more|new|many)\b"
        r"|\b(?:flak(?:e|es|y|ier|iness|ing)|too (?:slow|noisy|big|large|many)|slow(?:s|ed|er|down)"
        r"|unblock\w*|block(?:s|ing)|performance "
        r"(?:issue|problem|drop|impact|hit)s?|(?:negative|bad|adverse) (?:impact|effect)s?"
        r"|spam\w*|flood\w*|spike[sd]?)\b",
        "causes twice the load on the database",
    ),
    _rule(
        "wrong", "failure",
        r"\b(?:bugs?|buggy|defect(?:s|ive)?|incorrect\w*|wrong\w*|issues?|problems?|problematic|unexpected\w*|undesired"
        r"|unintended|side[- ]effects?|conflict(?:s|ed|ing) with|warnings?|missing|bogus)\b",
        "prices are wrong for baskets with a coupon",
    ),
    _rule(
        "another-way", "not_failure",
        r"\b(?:in favou?r of|superseded|replaced (?:by|with)|alternative (?:fix|approach|solution)"
        r"|(?:better|different|other|another|proper) (?:fix|way|approach|solution|plan|idea)"
        r"|(?:prefer|instead)|changed? (?:my|our) minds?|on second thought\w*)\b",
        "superseded by a different approach",
    ),
    _rule(
        "too-early", "not_failure",
        r"\b(?:not (?:yet|ready)|isn't ready|premature\w*|too (?:early|soon)|accident\w*"
        r"|by (?:mistake|error|accident)|until|waiting for|on hold|for now|hold off|freeze)\b",
        "merged by mistake, not ready yet",
    ),
    _rule(
        "was-temporary", "not_failure",
        r"\b(?:temp|temporar(?:y|ily)|for now|until|depool\w*|downtime\w*|maintenance|workaround|work around"
        r"|silence|experiment\w*|debug(?:ging)?|disable notifications?|hack|test(?:ing)?)\b",
        'Revert "disable the nightly dump temporarily"', "reverted title",
    ),
)  # fmt: skip

_LONGEST_BODY = 20_000
_QUOTED_BODY = re.compile(
    r"^\s*(?:original (?:change|patch|commit|issue)'?s? (?:description|message)?.*|>.*)\Z", re.I | re.M | re.S
)
_NOISE = re.compile(
    r"(?:it |this )?(?:partially )?revert(?:s|ed|ing)?(?: (?:commit|change|revision|patch))?:? "
    r"(?:\w+[-/])?[0-9a-f]{7,64}\b(?:,? ?reversing\s+changes made to [0-9a-f]{7,64})?\.?"
    r"(?:\s*\(?\"[^\"\n]*\"\)?\.?)?"
    r"|https?://\S+|^reason for revert:",
    re.IGNORECASE | re.MULTILINE,
)
_TRAILER = re.compile(
    r"^(?:[A-Za-z]+(?:-[A-Za-z]+){1,5}|bugs?|fix(?:es|ed)?|reverts|cc|tests?|link|closes|refs?|hosts?)\s?[:=].*$"
    r"|^\(cherry picked from .*\)$",
    re.IGNORECASE,
)
_TITLE = re.compile(r"\A\s*revert(?:ed|s|ing)?\b[\s:]*(?:commit\b|change\b|pull request\b)?[\s:]*", re.I)


def reason_of(body: str) -> str:
    """Return the words of a revert's message that are the reverter's own.

    Left out are the sentence that names the commit, links, trailers and the quoted original message.
    """
    own = _QUOTED_BODY.sub("", body[:_LONGEST_BODY])
    lines = (line.strip() for line in own.splitlines())
    kept = "\n".join(line for line in lines if line and not _TRAILER.match(line))
    return " ".join(_NOISE.sub("", kept).split()).strip(" .")[:LONGEST_REASON]


def original_title(title: str) -> str:
    """Return the title of what was reverted: of ``Revert "X"`` it is X; empty where it cannot be told."""
    found = _TITLE.match(title)
    if not found:
        return ""
    rest = title[found.end() :].strip()
    return rest[1:].removesuffix('"') if rest.startswith('"') else ""


def judge_revert(reason: str, *, title: str = "") -> Judgement:
    """Classify a revert by its reason and its title, for example ``Revert "X"``.

    Of the title only two things are read: that it reverts a revert, and that what it reverts was meant for a
    time. What a change says that it mends is no fault of it.
    """
    said: dict[About, str] = {
        "reason": reason.strip()[:LONGEST_REASON], "title": title.strip()[:LONGEST_REASON],
        "reverted title": original_title(title)[:LONGEST_REASON],
    }  # fmt: skip
    for rule in RULES:
        if rule.pattern.search(said[rule.about]):
            return Judgement(rule.classified, rule.name)
    return Judgement("uncertain", "no-rule-fits" if said["reason"] else "no-reason")
