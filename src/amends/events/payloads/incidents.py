"""Incidents, the failures behind them, and their reviews."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from amends.events.payloads.base import Moment, Payload


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a failure is recognised: exception type and in-project frame, or response status and path.

    ``frame`` is ``path/to/file.py:function`` (no line: lines move between releases).
    """

    exception: str = ""
    frame: str = ""
    status: int | None = None
    path: str = ""
    field: str = ""


class FailureCaptured(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A failing input or trace of a release, from production."""

    service: str
    release: str
    environment: str
    signature: Signature
    input: dict[str, Any] = {}
    message: str = ""
    incident: str = ""
    line: int | None = None


class IncidentOpened(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Something needed intervention. ``release`` escaped; ``previous`` is what it replaced.

    ``bypass`` is the event of the deployment that went around its gates, where that opened it;
    ``split_from`` the incident of which this one was a part.
    """

    incident: str
    service: str
    environment: str
    summary: str
    opened_by: Literal["rollback", "alert", "bypass", "person"]
    release: str = ""
    previous: str = ""
    deployment: str = ""
    team: str = ""
    severity: str = ""
    role: str = ""
    deployed_at: Moment | None = None
    rolled_back_at: Moment | None = None
    alert: dict[str, Any] = {}
    bypass: str = ""
    split_from: str = ""


class IncidentMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An incident was acknowledged, resolved, reopened or merged; the event's kind says which.

    ``other`` is the incident that it was merged into.
    """

    incident: str
    service: str
    environment: str = ""
    role: str = ""
    reason: str = ""
    other: str = ""


class MilestoneSet(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person or source states when a milestone was: a point (``at``) or between two moments."""

    incident: str
    service: str
    milestone: Literal[
        "started", "detected", "declared", "acknowledged", "mitigated", "cause_found", "resolved"
    ]
    at: Moment | None = None
    earliest: Moment | None = None
    latest: Moment | None = None
    source: str = ""
    role: str = ""


class NoteTaken(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person's line for the timeline: what happened ``at``. Known when it is recorded, as ever.

    ``source`` cites the place in a document that it was read from, ``until`` is the end of a stretch of time.
    """

    incident: str
    service: str
    text: str
    at: Moment
    role: str = ""
    source: str = ""
    until: Moment | None = None


class Excerpt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a document says about an incident, apart from times: ``kind`` is our word for it.

    ``source`` is ``file:line``; ``done`` is of action items; ``confidence`` is how sure the reading is.
    """

    about: Literal["trigger", "detection", "action", "contradiction", "doubt"]
    text: str
    kind: str = ""
    source: str = ""
    done: bool = False
    confidence: float = 1.0


class PostmortemImported(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A post-mortem written elsewhere was read; its timeline and milestones are events of their own."""

    incident: str
    service: str
    file: str
    title: str
    lines: int = 0
    excerpts: tuple[Excerpt, ...] = ()
    rollback_attempted: bool | None = None
    rollback_effective: bool | None = None


class ReviewRevised(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One immutable revision of a review's Markdown.

    ``drafted`` marks text made from the record, except the sections titled in ``kept``, which are people's.
    """

    incident: str
    service: str
    revision: int
    text: str
    role: str = ""
    based_on: int = 0
    drafted: bool = False
    note: str = ""
    kept: tuple[str, ...] = ()


class ReviewPublished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    incident: str
    service: str
    revision: int
    role: str = ""


class ThanksGiven(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody is thanked, by the choice of whoever thanks. ``person`` is a pseudonym.

    ``text`` has ``{name}`` where the name was; the table beside the log knows it until it is forgotten.
    """

    incident: str
    service: str
    person: str
    text: str
    role: str = ""


class ThanksWithdrawn(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A thanks is taken back; ``thanks`` is the event that gave it."""

    incident: str
    service: str
    thanks: str
    role: str = ""
