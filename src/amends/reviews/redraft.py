"""Drafting a review anew: what the record wrote is renewed, what people wrote stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from amends.reviews.draft import EVENT_PAGE
from amends.reviews.sections import Marked, Section, split_sections

EVIDENCE = "Evidence"
_TARGET = re.compile(rf"^\[e(\d+)\]: {re.escape(EVENT_PAGE)}(\S+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Redrafted:
    """A text in which only drafted sections are new. ``kept`` are the titles of people's sections."""

    text: str
    kept: tuple[str, ...]


def cited_numbers(text: str) -> dict[str, int]:
    """Return the number by which a review's text cites each event; a new draft gives it to no other."""
    return {unquote(event): int(number) for number, event in _TARGET.findall(text)}


def redraft(marked: Sequence[Marked], drafted: Sequence[str], fresh: str) -> Redrafted:
    """Renew a review's drafted sections.

    Parameters
    ----------
    marked:
        The latest revision's sections with where their words come from.
    drafted:
        Titles of the sections that the last draft had. One of them that is gone was taken out by people and
        stays out; one that it did not have yet is put where the new draft has it.
    fresh:
        The new draft, its citations numbered on from `cited_numbers` of the latest revision.
    """
    renewed = {section.title: section for section in split_sections(fresh)}
    kept = tuple(m.section.title for m in marked if _is_peoples(m))
    parts = [
        m.section if _is_peoples(m) or m.section.title not in renewed else renewed[m.section.title]
        for m in marked
    ]
    for before, section in zip(["", *renewed], renewed.values(), strict=False):
        if section.title not in drafted and all(p.title != section.title for p in parts):
            parts.insert(_after(parts, before), section)
    text = "".join(_closed(part.text) for part in parts).rstrip() + "\n"
    return Redrafted(_with_targets(text, fresh), kept)


def _is_peoples(marked: Marked) -> bool:
    return marked.origin in ("edited", "written")


def _after(parts: Sequence[Section], title: str) -> int:
    return next((i + 1 for i, part in enumerate(parts) if part.title == title), len(parts))


def _closed(text: str) -> str:
    return text.rstrip() + "\n\n"


def _with_targets(text: str, fresh: str) -> str:
    """Add the link targets that a kept section of evidence lacks, so that no citation leads nowhere."""
    has = {number for number, _ in _TARGET.findall(text)}
    missing = [
        f"[e{number}]: {EVENT_PAGE}{event}"
        for number, event in _TARGET.findall(fresh)
        if number not in has and f"[e{number}]" in text
    ]
    return text + "\n" + "\n".join(missing) + "\n" if missing else text
