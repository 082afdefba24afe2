"""What the parts of a post-mortem are about, by their headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from amends.incidents.postmortems.blocks import Block, Heading
from amends.incidents.postmortems.cues import SENTENCES
from amends.incidents.postmortems.times import mentions_in, zone_of


class Part(StrEnum):
    TIMELINE = "timeline"
    ACTIONS = "actions"
    TRIGGER = "trigger"
    CAUSE = "cause"
    DETECTION = "detection"
    RESOLUTION = "resolution"
    IMPACT = "impact"
    SUMMARY = "summary"
    FIGURES = "figures"
    LESSONS = "lessons"
    TALK = "talk"  # chats, appendices, people: they quote and mention, and state nothing
    OTHER = "other"


# In this order: "action items from the timeline" are actions, "how it was detected and resolved" a detection.
_HEADINGS = (
    (Part.TALK, r"chat|slack|transcript|thread\b|append?dix|apendix|references|glossary|attendees|authors?\b|participants|people|owners?\b|links\b|see also|acknowledge?ments?$|credits"),
    (Part.LESSONS, r"lessons|what (?:went|worked|did)|where we got lucky|takeaways?|insights|learnings|learnt|learned|retrospective|5 whys|five whys|could have gone"),
    (Part.ACTIONS, r"action|follow[ -]?ups?|remediat|corrective|prevent|next steps|^to[ -]?dos?\b|improvements?|future work|recommend|going forward|moving forward|what (?:are we|we are|we're|will we|we will|we'll|are we) do|what(?:'s| is| comes) next|tasks|our (?:commitment|plan)|planned (?:changes|work)|changes we|steps (?:we|taken to (?:prevent|avoid))|what we(?:'re| are|'ll| will)? (?:chang|improv|do)|avoid(?:ing)? (?:this|it|a) |how (?:do|will|can|are) we"),
    (Part.TIMELINE, r"time ?line|chronolog|sequence of events|order of events|incident log|event log|log of events|history of (?:the )?(?:incident|events)|(?:detailed|play)[ -]by[ -]|status updates|incident updates"),
    (Part.TRIGGER, r"trigger"),
    (Part.DETECTION, r"detect|discover|how (?:did )?we (?:found|find|notice|kn[oe]w)|alerting$"),
    (Part.CAUSE, r"cause|fault\b|what (?:actually )?broke|contributing|why (?:did|it|this)|technical (?:details|background|explanation|analysis)|analysis|background|problem|how did (?:it|this) happen"),
    (Part.RESOLUTION, r"resolution|resolv|recover|mitigat|response|restor|how (?:it|this|we) (?:was )?(?:fix|solv)|fix\b|repair"),
    (Part.IMPACT, r"impact|affected|customer|user|damage|scope|symptom|effects?\b|severity"),
    (Part.FIGURES, r"stats|statistics|metrics|key figures|at a glance|facts|durations?$|incident details|metadata|overview table"),
    (Part.SUMMARY, r"summary|overview|abstract|tl;?dr|what happened|description|introduction|in brief|background|the incident|the outage|incident$|outage$"),
)  # fmt: skip
_PATTERNS = tuple((part, re.compile(words, re.IGNORECASE)) for part, words in _HEADINGS)
_TIME_WORDS = re.compile(r"\btime(?:s|line|stamps?|[ -]?zones?)?\b|\bclock", re.IGNORECASE)
_ZONE_WORDS = re.compile(
    r"\b(?:UTC|GMT)(?: ?[+\u2212-] ?\d{1,2}(?::?\d\d)?)?|\b[A-Z]{2,5}\b|\b[A-Z][a-z]+/[A-Z][A-Za-z_]+|\b(?:Pacific|Eastern)\b"
)
_LONGEST = 2_000
_LONGEST_STATEMENT = 160
_WORD = re.compile(r"[^\W\d_]")
_LOOKS_LIKE, _FEW_WORDS = 7, 6  # a sentence that ends with a colon heads no part of a document


@dataclass(frozen=True, slots=True)
class Sectioned:
    """A block with what it is part of. ``heading`` is the one that says so.

    ``sentences`` are those of a text, item or row with their lines, cut once for all who read them.
    """

    block: Block
    part: Part
    heading: Heading | None = None
    sentences: tuple[tuple[str, int], ...] = ()


def part_named(heading: str) -> Part:
    """Return what a heading announces; ``Part.OTHER`` if it does not say."""
    words = heading[:120]
    return next((part for part, pattern in _PATTERNS if pattern.search(words)), Part.OTHER)


def sectioned(blocks: Iterable[Block]) -> list[Sectioned]:
    """Give each block its part: that of the nearest heading above that announces one, the title left aside.

    A heading that begins with a time of day, or is only a date, is a line of a timeline whatever it says
    ("10:00 - Problem starts"): it announces nothing, and stays in the part that it follows.
    """
    found: list[Sectioned] = []
    announced = _Announced()
    title: Heading | None = None
    before: tuple[Part, Heading | None] = (Part.OTHER, None)
    for block in blocks:
        above = block.path
        if block.kind == "heading":
            own = Heading(block.text, block.level, block.line)
            title = title or (own if block.level < _LOOKS_LIKE else None)
            above = (*block.path, own)
            if own != title and _is_time(block.text):
                announced.of_times[block.line] = before
        before = announced.by(above, title)
        told = tuple(_sentences_of(block)) if block.kind in ("text", "item", "row") else ()
        found.append(Sectioned(block, *before, told))
    return found


def sentences(parts: Iterable[Sectioned], *wanted: Part) -> Iterator[tuple[str, int]]:
    """Yield the sentences of some parts of a document with their lines."""
    for part in parts:
        if not wanted or part.part in wanted:
            yield from part.sentences


def _sentences_of(block: Block) -> Iterator[tuple[str, int]]:
    """Yield a block's sentences, a wrapped one with the line where it begins."""
    text = block.text
    joined = text.replace("\n", " ")
    wrapped = "\n" in text
    position, line = 0, block.line
    for hit in [*SENTENCES.finditer(joined), None]:
        end = hit.start() if hit else len(joined)
        sentence = joined[position:end].strip()
        if sentence:
            yield sentence[:_LONGEST], line
        following = hit.end() if hit else end
        line += text.count("\n", position, following) if wrapped else 0
        position = following


@dataclass(slots=True)
class _Announced:
    """What headings announce: by their words, and for those that are times by their line."""

    of_words: dict[str, Part] = field(default_factory=dict)
    of_times: dict[int, tuple[Part, Heading | None]] = field(default_factory=dict)

    def by(self, above: Sequence[Heading], title: Heading | None) -> tuple[Part, Heading | None]:
        """Return the part that the nearest heading announces, with that heading."""
        for one in reversed(above):
            if one == title or (one.level == _LOOKS_LIKE and len(one.text.split()) > _FEW_WORDS):
                continue
            if one.line in self.of_times:
                part, heading = self.of_times[one.line]
            else:
                part, heading = self.of_words.setdefault(one.text, part_named(one.text)), one
            if part is not Part.OTHER:
                return part, heading
        return Part.OTHER, None


def _is_time(text: str) -> bool:
    """Tell a heading that is a date, or begins with a time of day, from one with words of its own."""
    mentions = mentions_in(text[:_LONGEST_STATEMENT])
    if not mentions or _WORD.search(text[: mentions[0].start]):
        return False
    return mentions[0].clock is not None or not _WORD.search(text[mentions[0].end :])


def stated_zone(text: str) -> tzinfo | None:
    """Return the zone that a statement about times names ("All times in CET", "Time (UTC)"), if it does."""
    for line in text.split("\n"):
        found = _TIME_WORDS.search(line) if len(line) <= _LONGEST_STATEMENT else None
        if found:
            zones = (zone_of(word[0].replace(" ", "")) for word in _ZONE_WORDS.finditer(line))
            if zone := next((zone for zone in zones if zone is not None), None):
                return zone
    return None
