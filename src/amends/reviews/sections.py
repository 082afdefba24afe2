"""The sections of a review, and which of them are still as the record drafted them.

A section begins with a heading of the second level; what comes before the first one is a section without a
title. A section counts as *drafted* as long as its text is what the last draft wrote there; once a person
changed it, it is *edited*, and one that no draft wrote is *written*. Who takes drafted words as they stand
accepts the section: that holds for exactly this text, so that a new draft asks again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.revisions import Revision

_HEADING = re.compile(r"##(?!#)[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_PEOPLES = ""  # no section's digest
Origin = Literal["drafted", "accepted", "edited", "written"]


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its heading. ``line`` is its first, counted from 1."""

    title: str
    text: str
    line: int

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the text without white space around it."""
        return hashlib.sha256(self.text.strip().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Marked:
    """A section and where its words come from. ``by`` is the role that accepted them."""

    section: Section
    origin: Origin
    by: str = ""
    event: str = ""


def split_sections(text: str) -> tuple[Section, ...]:
    """Return a Markdown text's sections, in order; joined they are the text. Headings in code are none."""
    found: list[Section] = []
    title, began, fence = "", 1, ""
    held: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        fence = _fence_after(fence, line)
        heading = _HEADING.match(line.rstrip("\r\n")) if not fence else None
        if heading is not None:
            if held:
                found.append(Section(title, "".join(held), began))
            title, began, held = heading.group(1).strip(), number, []
        held.append(line)
    if held:
        found.append(Section(title, "".join(held), began))
    return tuple(found)


def _fence_after(fence: str, line: str) -> str:
    hit = _FENCE.match(line)
    if hit is None:
        return fence
    if not fence:
        return hit.group(1)
    return "" if hit.group(1).startswith(fence) else fence


def mark_sections(
    revisions: Sequence[Revision], shown: Revision, facts: Iterable[Fact] = ()
) -> tuple[Marked, ...]:
    """Return a revision's sections, each with where its words come from.

    ``facts`` are the review's: which sections were accepted.
    """
    drafts = [r for r in revisions if r.drafted and r.number <= shown.number]
    drafted = {s.title: s.digest for s in split_sections(drafts[-1].text)} if drafts else {}
    drafted |= dict.fromkeys(drafts[-1].kept if drafts else (), _PEOPLES)
    accepted = {
        (told.section, told.digest): (told.role, fact.id)
        for fact in facts
        if isinstance(told := fact.payload, p.SectionAccepted)
    }
    return tuple(_mark(section, drafted, accepted) for section in split_sections(shown.text))


def _mark(
    section: Section, drafted: dict[str, str], accepted: dict[tuple[str, str], tuple[str, str]]
) -> Marked:
    if section.title not in drafted:
        return Marked(section, "written")
    if section.digest != drafted[section.title]:
        return Marked(section, "edited")
    by = accepted.get((section.title, section.digest))
    return Marked(section, "accepted", *by) if by else Marked(section, "drafted")
