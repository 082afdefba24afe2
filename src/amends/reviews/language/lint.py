"""Reads a review's text and says what in it blames, judges with hindsight or stops at one cause.

It warns; it blocks nothing, and it counts nothing per person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amends.reviews.language import blame, causes, counterfactual, hindsight, idioms, people
from amends.reviews.language.findings import Finding, Hit, Label
from amends.reviews.language.passages import Kind, Passage, passages
from amends.reviews.language.sentences import Sentence, sentences
from amends.reviews.language.suppressions import Remark, allowance_for, read_suppressions

_JUDGES: dict[Label, Callable[[Sentence], Iterator[Hit]]] = {
    Label.BLAME: blame.judge,
    Label.COUNTERFACTUAL: counterfactual.judge,
    Label.HINDSIGHT: hindsight.judge,
    Label.SINGLE_CAUSE: causes.judge,
    Label.PERSON_NAMED: people.judge,
}
# A section that thanks or lists its people names them on purpose; one that defines words quotes them.
_NAMES_ON_PURPOSE = re.compile(
    r"thank|acknowledg|credit|contributors|author|attend|participa|contact|present\b|kudos|shout|reviewers"
    r"|people involved"
)
_ABOUT_WORDS = re.compile(
    r"glossary|guideline|template|how to write|about this (?:document|report)|blameless|terminology"
)
# In what will be done, "would have caught it" states what an action is proven against.
_WILL_BE_DONE = re.compile(
    r"action|next step|follow[- ]?up|recommend|prevent|remediat|corrective|improvement"
)


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in the order of the text, how many a reasoned comment allowed, and remarks on comments."""

    findings: tuple[Finding, ...]
    allowed: int
    remarks: tuple[Remark, ...]


def lint_text(source: str) -> Report:
    """Lint a Markdown (or plain) text.

    At most one finding for each label and sentence. Code, quotations, HTML and front matter are not judged;
    headings are judged for blame and names alone.
    """
    allowances, remarks = read_suppressions(source)
    found: list[Finding] = []
    allowed = after = 0
    for passage in passages(source):
        block = (passage.places[0][1], passage.places[-1][1])
        for finding in _judge(passage):
            if allowance_for(allowances, finding.label, block, after):
                allowed += 1
            else:
                found.append(finding)
        after = block[1]
    return Report(tuple(found), allowed, tuple(remarks))


def _judge(passage: Passage) -> Iterator[Finding]:
    labels = _labels_of(passage)
    if not labels:
        return
    for sentence in sentences(passage):
        hits = [hit for label in labels if (hit := _first(sentence, label))]
        for hit in sorted(hits, key=lambda hit: hit.first):
            yield _finding(passage, sentence, hit)


def _labels_of(passage: Passage) -> tuple[Label, ...]:
    if passage.kind is Kind.QUOTATION or _ABOUT_WORDS.search(passage.section):
        return ()
    named = () if _NAMES_ON_PURPOSE.search(passage.section) else (Label.PERSON_NAMED,)
    if passage.kind is Kind.HEADING:
        return (Label.BLAME, *named)
    return (Label.BLAME, Label.COUNTERFACTUAL, Label.HINDSIGHT, Label.SINGLE_CAUSE, *named)


def _first(sentence: Sentence, label: Label) -> Hit | None:
    for hit in (*_JUDGES[label](sentence), *idioms.judge(sentence, label)):
        spoken = set(range(hit.first, hit.last + 1)) & sentence.quoted
        if not spoken and not _planned(sentence, hit):
            return hit
    return None


def _planned(sentence: Sentence, hit: Hit) -> bool:
    would = hit.label is Label.COUNTERFACTUAL and sentence.words[hit.first] in ("would", "could", "might")
    return would and bool(_WILL_BE_DONE.search(sentence.section))


def _finding(passage: Passage, sentence: Sentence, hit: Hit) -> Finding:
    first, last = sentence.tokens[max(hit.first, 0)], sentence.tokens[min(hit.last, len(sentence.tokens) - 1)]
    line, column = passage.place_of(first.start)
    text = " ".join(passage.text[first.start : last.end].split())
    return Finding(line, column, hit.label, text, hit.message, hit.suggestion)
