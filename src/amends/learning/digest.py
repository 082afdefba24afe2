"""What was learned, for teams that were not there: published reviews, each in a few lines, without names.

A lesson holds what the record holds: what happened, how it got past the gates, what was changed and how that
is known, and the part of the published review whose heading speaks of learning. Drafts are no lessons.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from amends.events.redaction import redact

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_LEARNED = re.compile(r"\blearn|\blesson|\btake[- ]?aways?\b", re.IGNORECASE)
_LONGEST = 1200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Changed:
    """A guard that the incident brought, and how far it is proven."""

    name: str
    title: str
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One published review. ``event`` is its publication; ``past_gates`` are sentences of the matrix."""

    incident: str
    service: str
    summary: str
    published_at: datetime
    event: str
    past_gates: tuple[str, ...] = ()
    caught: str = ""
    changed: tuple[Changed, ...] = ()
    edge_cases: tuple[str, ...] = ()
    learned: str = ""

    @property
    def title(self) -> str:
        return f"{self.incident}: {self.summary}"


@dataclass(frozen=True, slots=True)
class Digest:
    """The lessons of a time, the newest first."""

    until: datetime
    since: datetime | None
    service: str
    lessons: tuple[Lesson, ...]


def learned_part(markdown: str) -> str:
    """Return the parts of a review under headings that speak of learning, secrets masked, of some length."""
    headings = list(_HEADING.finditer(markdown))
    parts = []
    for place, heading in enumerate(headings):
        end = headings[place + 1].start() if place + 1 < len(headings) else len(markdown)
        if _LEARNED.search(heading[1]):
            parts.append(markdown[heading.end() : end].strip())
    return _cut(redact("\n\n".join(part for part in parts if part)))


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    kept = text[:_LONGEST]
    at = max(kept.rfind("\n\n"), kept.rfind(". ") + 1)
    return (kept[:at] if at > _LONGEST // 3 else kept).rstrip() + " …"


def as_markdown(digest: Digest, base: str = "") -> str:
    """Write a digest as Markdown; with ``base``, the server's address, links lead there."""
    about = f" of {digest.service}" if digest.service else ""
    since = f"{digest.since:%Y-%m-%d}" if digest.since else "the beginning"
    lines = [f"# What was learned{about}, {since} to {digest.until:%Y-%m-%d}\n"]
    if not digest.lessons:
        lines.append("No review was published in this time.")
    for lesson in digest.lessons:
        title = _line(lesson.title)
        lines.append(f"## [{title}]({_address(lesson, base)})\n" if base else f"## {title}\n")
        lines += _lesson_lines(lesson)
    return "\n".join(lines).rstrip() + "\n"


def _lesson_lines(lesson: Lesson) -> list[str]:
    lines = [f"{lesson.service}, published {lesson.published_at:%Y-%m-%d}.\n"]
    if lesson.past_gates:
        lines += ["How it got past its gates:\n", *(f"- {_line(one)}" for one in lesson.past_gates), ""]
    if lesson.caught:
        lines += [f"What caught it: {_line(lesson.caught)}\n"]
    changed = [f"- {one.kind}, {one.state}: {_line(one.title)} ({one.name})" for one in lesson.changed]
    changed += [f"- edge case: {_line(one)}" for one in lesson.edge_cases]
    lines += (
        ["What changed:\n", *changed, ""]
        if changed
        else ["Nothing that guards against it is on record yet.\n"]
    )
    if lesson.learned:
        lines += [
            "What the team learned:\n",
            *(f"> {line}".rstrip() for line in lesson.learned.splitlines()),
            "",
        ]
    return lines


def as_atom(digest: Digest, base: str) -> str:
    """Write a digest as an Atom feed (RFC 4287).

    Ids depend on the publications alone, so that a reader knows an entry again wherever the feed lies; a
    review that is published again updates its entry.
    """
    base = base.rstrip("/")
    feed = _urn(f"amends:learning:{base}:{digest.service}")
    updated = max((lesson.published_at for lesson in digest.lessons), default=digest.since or digest.until)
    name = f"What was learned{f' of {digest.service}' if digest.service else ''}"
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>', '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{feed}</id>", f"<title>{_xml(name)}</title>", f"<updated>{updated.isoformat()}</updated>",
        "<author><name>amends</name></author>", "<generator>amends</generator>",
    ]  # fmt: skip
    if base:
        parts.append(f'<link rel="alternate" href={quoteattr(base + "/learning")}/>')
    for lesson in digest.lessons:
        text = "\n".join(_lesson_lines(lesson))
        parts += [
            "<entry>", f"<id>{_urn(f'amends:lesson:{lesson.service}:{lesson.incident}')}</id>",
            f"<title>{_xml(lesson.title)}</title>", f"<updated>{lesson.published_at.isoformat()}</updated>",
            f'<link rel="alternate" href={quoteattr(_address(lesson, base))}/>' if base else "",
            f'<category term={quoteattr(_CONTROL.sub("", lesson.service))}/>',
            f'<content type="text">{_xml(text)}</content>', "</entry>",
        ]  # fmt: skip
    return "\n".join(part for part in [*parts, "</feed>"] if part) + "\n"


def as_data(digest: Digest) -> dict[str, Any]:
    """Return a digest as JSON-able values."""
    return {
        "since": digest.since.isoformat() if digest.since else None, "until": digest.until.isoformat(),
        "service": digest.service,
        "lessons": [
            {
                "incident": one.incident, "service": one.service, "summary": one.summary,
                "published_at": one.published_at.isoformat(), "event": one.event,
                "past_gates": list(one.past_gates), "caught": one.caught,
                "changed": [
                    {"amendment": c.name, "title": c.title, "state": c.state, "kind": c.kind}
                    for c in one.changed
                ],
                "edge_cases": list(one.edge_cases), "learned": one.learned,
            }
            for one in digest.lessons
        ],
    }  # fmt: skip


def _address(lesson: Lesson, base: str) -> str:
    return f"{base.rstrip('/')}/incidents/{quote(lesson.incident, safe='')}/review"


def _urn(words: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, words).urn


def _xml(text: str) -> str:
    return escape(_CONTROL.sub("", text))


def _line(text: str) -> str:
    return " ".join(text.split())


def newest_first(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Return lessons in the order of a digest."""
    return tuple(sorted(lessons, key=lambda one: (one.published_at, one.incident), reverse=True))
