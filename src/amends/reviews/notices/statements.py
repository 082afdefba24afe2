"""What the organisation tells its customers: revised by people, approved by a management role, published.

The statement speaks as the organisation ("we"), about what customers met and what changes. No person is in
it: who typed what explains nothing to a customer, and an organisation that names one is not sorry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.audiences.redaction import Redactor

_SINGULAR = re.compile(r"(?<![\w'’])(?:I|I'm|I’m|I've|I’ve|I'll|I’ll|my|mine|myself)(?![\w'’])")
_PERSON = re.compile(
    r"\b(?:an?|one|the|our|this)\s(?:\w+\s){0,2}(?:engineer|developer|programmer|employee|operator|"
    r"administrator|colleague|intern|contractor|individual)s?\b|\bhuman error\b|"
    r"\bsomeone on (?:our|the) team\b",
    re.IGNORECASE,
)
_TITLE_LIMIT, _TEXT_LIMIT = 120, 20_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One revision. ``approved_at`` and ``approver`` (a role) are set once it may be published."""

    incident: str
    service: str
    number: int
    title: str
    text: str
    role: str
    drafted: bool
    at: datetime
    event: str
    approved_at: datetime | None = None
    approver: str = ""


def fold_statements(facts: Iterable[Fact]) -> tuple[Statement, ...]:
    """Return the revisions of an incident's statement, oldest first."""
    found: dict[int, Statement] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.StatementRevised) and told.revision not in found:
            found[told.revision] = Statement(
                told.incident, told.service, told.revision, told.title, told.text, told.role, told.drafted,
                fact.occurred_at, fact.id,
            )  # fmt: skip
        elif isinstance(told, p.StatementApproved) and told.revision in found:
            one = found[told.revision]
            if one.approved_at is None:
                found[told.revision] = Statement(
                    one.incident, one.service, one.number, one.title, one.text, one.role, one.drafted, one.at,
                    one.event, fact.occurred_at, told.role,
                )  # fmt: skip
    return tuple(found[number] for number in sorted(found))


def statement(statements: tuple[Statement, ...], number: int = 0) -> Statement:
    """Return a revision, the latest for 0. Raises ``NotFoundError``."""
    for one in reversed(statements):
        if number in (0, one.number):
            return one
    there = f"there are 1 to {statements[-1].number}" if statements else "nothing is written yet"
    raise NotFoundError(
        f"found no revision {number or ''} of the statement; {there}".replace("  ", " "),
        remedy="draft one: `amends notice statement INCIDENT --draft`",
    )


def stands(statements: tuple[Statement, ...]) -> str:
    """Say where a statement stands: none, waits for approval, or published."""
    if not statements:
        return "none"
    return "published" if statements[-1].approved_at else "waits for approval"


def flaws(title: str, text: str, redactor: Redactor) -> tuple[str, ...]:
    """Return what keeps a text from being the organisation's own words, one sentence for each flaw."""
    found = []
    if not title.strip() or not text.strip():
        found.append("the title or the text is empty")
    if len(title) > _TITLE_LIMIT or len(text) > _TEXT_LIMIT:
        found.append(f"it is long; a title has at most {_TITLE_LIMIT} characters, a text {_TEXT_LIMIT:,}")
    for line in (title, *text.splitlines()):
        if hit := _SINGULAR.search(line):
            found.append(f"{hit[0]!r} speaks for one person; the organisation says 'we': {line.strip()!r}")
        if hit := _PERSON.search(line):
            found.append(f"{hit[0]!r} points at a person; say what the process missed: {line.strip()!r}")
    leaks = redactor.leaks(f"{title}\n{text}", "customers")
    found += [
        "this line holds a name, a host, a path or a secret; it would read "
        f"{redactor.clean(line, 'customers')!r}"
        for line in leaks
    ]
    return tuple(found)
