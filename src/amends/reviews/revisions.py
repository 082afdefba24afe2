"""Revisions of a review: immutable, numbered, compared, and never lost to a concurrent edit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from amends.errors import AmendsError, NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact


class RevisionConflictError(AmendsError):
    """Someone saved another revision meanwhile. ``mine`` and ``theirs`` hold both texts; none is lost.

    ``latest`` is the number of the revision that is there now.
    """

    exit_code = 2

    def __init__(self, message: str, *, mine: str, theirs: str, latest: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.mine = mine
        self.theirs = theirs
        self.latest = latest


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision. ``drafted`` marks text made from the record, except the sections titled in ``kept``."""

    number: int
    text: str
    role: str
    at: datetime
    based_on: int
    drafted: bool
    note: str
    event: str
    published: bool = False
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A row of two texts beside each other; a number is ``None`` where that side has no line."""

    left_number: int | None
    left: str
    right_number: int | None
    right: str
    change: Literal["same", "changed", "added", "removed"]


def fold_revisions(facts: Iterable[Fact]) -> tuple[Revision, ...]:
    """Return the revisions of an incident's stream, oldest first."""
    facts = list(facts)
    published = {f.payload.revision for f in facts if isinstance(f.payload, p.ReviewPublished)}
    return tuple(
        Revision(
            told.revision, told.text, told.role, fact.occurred_at, told.based_on, told.drafted, told.note,
            fact.id, told.revision in published, told.kept,
        )
        for fact in facts
        if isinstance(told := fact.payload, p.ReviewRevised)
    )  # fmt: skip


def revision(revisions: Sequence[Revision], number: int = 0) -> Revision:
    """Return a revision, the latest for 0. Raises ``NotFoundError``, naming those there are."""
    for found in reversed(revisions):
        if number in (0, found.number):
            return found
    if not revisions:
        raise NotFoundError(
            "the incident has no review yet", remedy="make one: `amends review draft INCIDENT`"
        )
    raise NotFoundError(
        f"found no revision {number}; there are 1 to {revisions[-1].number}",
        remedy="see `amends review history INCIDENT`",
    )


def check_base(revisions: Sequence[Revision], based_on: int, text: str) -> None:
    """Raise ``RevisionConflictError`` unless ``based_on`` is the latest revision (0: there is none yet).

    Raises ``NotFoundError`` for a revision that there is not.
    """
    latest = revisions[-1].number if revisions else 0
    if based_on == latest:
        return
    if based_on > latest:
        there = f"the latest is {latest}" if latest else "the incident has no review yet"
        raise NotFoundError(
            f"the text cannot be based on revision {based_on}: {there}",
            remedy="see `amends review history INCIDENT`; `amends review draft INCIDENT` makes the first one",
        )
    theirs = revisions[-1].text if revisions else ""
    raise RevisionConflictError(
        f"the text is based on revision {based_on}; meanwhile there is revision {latest}",
        mine=text, theirs=theirs, latest=latest,
        remedy=f"compare the two, bring them together, and save that based on revision {latest}",
    )  # fmt: skip


def unified(old: Revision | None, new: Revision) -> str:
    """Return a unified diff between two revisions; ``None`` stands for an empty text."""
    before = old.text.splitlines(keepends=True) if old else []
    name = f"revision {old.number}" if old else "nothing"
    lines = difflib.unified_diff(
        before, new.text.splitlines(keepends=True), fromfile=name, tofile=f"revision {new.number}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def side_by_side(left: str, right: str) -> tuple[SideBySide, ...]:
    """Return two texts as rows beside each other, every line of both exactly once."""
    ours, theirs = left.splitlines(), right.splitlines()
    rows: list[SideBySide] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for offset in range(max(b - a, d - c)):
            i, j = a + offset, c + offset
            has_left, has_right = i < b, j < d
            change = "same" if tag == "equal" else _change(has_left, has_right)
            rows.append(
                SideBySide(
                    i + 1 if has_left else None, ours[i] if has_left else "",
                    j + 1 if has_right else None, theirs[j] if has_right else "", change,
                )
            )  # fmt: skip
    return tuple(rows)


def _change(left: bool, right: bool) -> Literal["changed", "added", "removed"]:
    if left and right:
        return "changed"
    return "removed" if left else "added"
