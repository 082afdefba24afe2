"""Where a review stands: a draft, in review or published; who has to agree, and when its actions settle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.review_rules import ReviewRules

SOMEBODY_ELSE = "a role other than the writer's"


class ReviewState(StrEnum):
    """A review's state. A new revision of a published review is a draft again; the published one stays."""

    DRAFT = (
        "draft"  # from review.revised or review.returned; to IN_REVIEW, or, if nobody must agree, PUBLISHED
    )
    IN_REVIEW = "in review"  # from DRAFT, by review.submitted; to DRAFT by review.returned, or to PUBLISHED
    PUBLISHED = "published"  # by review.published; to DRAFT, by review.revised


@dataclass(frozen=True, slots=True)
class Approval:
    """A role agrees with a revision."""

    role: str
    revision: int
    at: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the latest revision stands.

    ``missing`` are those who have to agree before it may be published; ``stale`` approvals were given to an
    earlier revision and do not count. ``settles_at`` is when the action items become fixed; ``None`` before
    the review is published. ``reason`` is why it was returned.
    """

    state: ReviewState
    latest: int
    published: int = 0
    published_at: datetime | None = None
    submitted_at: datetime | None = None
    approvals: tuple[Approval, ...] = ()
    stale: tuple[Approval, ...] = ()
    missing: tuple[str, ...] = ()
    settles_at: datetime | None = None
    reason: str = ""


@dataclass
class _Course:
    state: ReviewState = ReviewState.DRAFT
    latest: int = 0
    writer: str = ""
    published: int = 0
    published_at: datetime | None = None
    submitted_at: datetime | None = None
    reason: str = ""

    def take(self, fact: Fact) -> None:
        told = fact.payload
        if isinstance(told, p.ReviewRevised):
            self.latest, self.writer = told.revision, told.role
            if self.state is ReviewState.PUBLISHED:
                self.state, self.submitted_at = ReviewState.DRAFT, None
        elif isinstance(told, p.ReviewPublished):
            self.published, self.published_at = told.revision, fact.occurred_at
            if told.revision == self.latest:
                self.state, self.reason = ReviewState.PUBLISHED, ""
        elif fact.kind == "review.submitted" and self.state is ReviewState.DRAFT:
            self.state, self.submitted_at, self.reason = ReviewState.IN_REVIEW, fact.occurred_at, ""
        elif fact.kind == "review.returned" and isinstance(told, p.ReviewMoved):
            self.state, self.submitted_at, self.reason = ReviewState.DRAFT, None, told.reason


def progress_of(facts: Iterable[Fact], rules: ReviewRules) -> Progress:
    """Fold the events of an incident's and its review's stream, together.

    The roles that ``rules`` name have to agree with the latest revision. Where they name none, one role other
    than the writer's has to once the review was submitted; a review that nobody submitted may be published
    as it is.
    """
    ordered = sorted(facts, key=lambda fact: (fact.recorded.position, fact.recorded.seq))
    course = _Course()
    for fact in ordered:
        course.take(fact)
    given = _approvals(ordered)
    current = tuple(a for a in given if a.revision == course.latest)
    missing = _missing(course, current, rules)
    settles = course.published_at + timedelta(seconds=rules.settle) if course.published_at else None
    return Progress(
        course.state, course.latest, course.published, course.published_at, course.submitted_at, current,
        tuple(a for a in given if a.revision != course.latest), missing, settles, course.reason,
    )  # fmt: skip


def _approvals(facts: Sequence[Fact]) -> tuple[Approval, ...]:
    """Return the last word of each role: an approval, unless the role returned the review since."""
    found: dict[str, Approval] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.ReviewMoved) and fact.kind == "review.approved":
            found[_same(told.role)] = Approval(told.role, told.revision, fact.occurred_at, fact.id)
        elif isinstance(told, p.ReviewMoved) and fact.kind == "review.returned":
            found.pop(_same(told.role), None)
    return tuple(found.values())


def _missing(course: _Course, given: Sequence[Approval], rules: ReviewRules) -> tuple[str, ...]:
    if course.state is ReviewState.PUBLISHED:
        return ()
    roles = {_same(approval.role) for approval in given}
    if rules.reviewers:
        return tuple(role for role in rules.reviewers if _same(role) not in roles)
    if course.state is ReviewState.IN_REVIEW and not roles - {_same(course.writer)}:
        return (SOMEBODY_ELSE,)
    return ()


def missing_of(rules: ReviewRules, progress: Progress, number: int) -> tuple[str, ...]:
    """Return the roles of the policy that have not agreed with a revision, the latest or an earlier one."""
    given = (*progress.approvals, *progress.stale)
    roles = {_same(approval.role) for approval in given if approval.revision == number}
    return tuple(role for role in rules.reviewers if _same(role) not in roles)


def _same(role: str) -> str:
    return " ".join(role.split()).casefold()
