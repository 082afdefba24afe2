"""One meeting instead of many: what it is about, who could be there, and what was said.

The agenda makes itself from what is open: questions that people wrote or that nobody answered, overrides and
bypasses, rows of the escape matrix that nobody has explained, and comments that nobody has settled. Who could
be there follows from who owns what it is about: teams and roles, each with the reason, and nobody has to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.review_rules import ReviewRules
from amends.incidents.escape import EscapeMatrix, EscapeRow, EscapeState
from amends.incidents.incident import Incident
from amends.incidents.wording import say_time
from amends.reviews.actions import Action
from amends.reviews.agenda import Agenda
from amends.reviews.discussion import Comment
from amends.reviews.sections import Marked

Kind = Literal["row", "override", "bypass", "question", "comment", "action"]
QUESTION_SECTION = "Open questions"
_BULLET = re.compile(r"^[ \t]*(?:[-+*]|\d+[.)])[ \t]+(.+)$", re.MULTILINE)
Add = Callable[[str, Literal["team", "role"], str], None]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the agenda. ``key`` is what minutes name it by; ``minutes`` are those that were taken."""

    key: str
    kind: Kind
    text: str
    question: str = ""
    events: tuple[str, ...] = ()
    minutes: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Attendee:
    """A team or role that could be there, and why."""

    who: str
    kind: Literal["team", "role"]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """The agenda, who could be there, and the minutes that belong to no point of it."""

    points: tuple[Point, ...]
    attendance: tuple[Attendee, ...]
    minutes: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """What a meeting is made from. ``facts`` are the incident's."""

    incident: Incident
    facts: Sequence[Fact]
    matrix: EscapeMatrix
    agenda: Agenda
    sections: Sequence[Marked]
    comments: Sequence[Comment]
    minutes: Sequence[Comment]
    actions: Sequence[Action]
    rules: ReviewRules


def meeting_of(found: Open) -> Meeting:
    """Put a meeting together. The same record gives the same meeting."""
    points = [*_rows(found), *_ways_around(found), *_questions(found), *_comments(found), *_actions(found)]
    keys = {point.key for point in points}
    said = {key: tuple(one for one in found.minutes if one.said.topic == key) for key in keys}
    return Meeting(
        tuple(
            Point(point.key, point.kind, point.text, point.question, point.events, said[point.key])
            for point in points
        ),
        _attendance(found),
        tuple(one for one in found.minutes if one.said.topic not in keys),
    )


def _rows(found: Open) -> Iterable[Point]:
    for row in found.matrix.rows:
        if row.state is EscapeState.NOT_RECORDED or row.question:
            yield Point(
                f"row:{row.environment}/{row.gate}", "row",
                f"{row.gate}{_place(found.incident, row)}, {row.state}: {row.reason}",
                row.question or "Which policy applied to this release, and where can that be looked up?",
                row.events,
            )  # fmt: skip


def _place(incident: Incident, row: EscapeRow) -> str:
    return f" ({row.environment})" if row.environment != incident.environment else ""


def _ways_around(found: Open) -> Iterable[Point]:
    for topic in found.agenda.topics:
        yield Point(
            f"{topic.kind}:{topic.event}", topic.kind, f"{say_time(topic.at)}: {topic.text}", topic.question,
            (topic.event,),
        )  # fmt: skip


def _questions(found: Open) -> Iterable[Point]:
    """Yield the questions that people wrote; those that the draft asks are the matrix's rows."""
    for marked in found.sections:
        if marked.section.title.casefold() != QUESTION_SECTION.casefold() or marked.origin not in (
            "edited", "written",
        ):  # fmt: skip
            continue
        for hit in _BULLET.finditer(marked.section.text):
            text = hit.group(1).strip()
            if not any(row.question and row.question in text for row in found.matrix.rows):
                yield Point(f"question:{hashlib.sha256(text.encode()).hexdigest()[:10]}", "question", text)


def _comments(found: Open) -> Iterable[Point]:
    for one in found.comments:
        if one.open:
            about = f"“{' '.join(one.said.quote.split())[:120]}”: " if one.said.quote else ""
            yield Point(f"comment:{one.id}", "comment", f"{about}{one.said.text}", events=(one.event,))


def _actions(found: Open) -> Iterable[Point]:
    """Yield the items that nobody can finish as they are: without a date."""
    for one in found.actions:
        if one.left and one.due is None:
            text = f"{one.id} of {one.owner}: {one.title}"
            yield Point(f"action:{one.id}", "action", text, "Until when?", one.events)


def _attendance(found: Open) -> tuple[Attendee, ...]:
    reasons: dict[tuple[str, Literal["team", "role"]], list[str]] = {}

    def add(who: str, kind: Literal["team", "role"], why: str) -> None:
        if who.strip():
            reasons.setdefault((who.strip(), kind), []).append(why)

    add(found.incident.opened.team, "team", f"owns {found.incident.service}")
    for role in found.rules.reviewers:
        add(role, "role", "has to agree with the review")
    for fact in found.facts:
        _owners(fact, add)
    for action in found.actions:
        if action.left:
            add(action.owner, action.owner_kind, f"owns {action.id}")
    for comment in found.comments:
        add(comment.said.team, "team", f"wrote {comment.id}")
        if not comment.said.team:
            add(comment.said.role, "role", f"wrote {comment.id}")
    return tuple(Attendee(who, kind, tuple(dict.fromkeys(why))) for (who, kind), why in reasons.items())


def _owners(fact: Fact, add: Add) -> None:
    said = fact.payload
    if isinstance(said, p.ChangeMerged):
        add(said.team, "team", "made a change of the release")
    elif isinstance(said, p.ChangeReviewed):
        add(said.team, "team", "reviewed a change of the release")
    elif isinstance(said, p.GatesDecided):
        for row in said.gates:
            add(row.owner, "team", f"answers for the gate {row.gate}")
    elif isinstance(said, p.OverrideGranted):
        add(said.approver_role, "role", "approved an override")
    elif isinstance(said, p.IncidentMoved):
        add(said.role, "role", f"{fact.kind.partition('.')[2]} the incident")
    elif isinstance(said, p.SignedOff):
        add(said.role, "role", "signed off the release")
