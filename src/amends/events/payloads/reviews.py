"""What people say about a review: comments, who read it, where it stands, which drafted words they accept."""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Payload


class ReviewCommented(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A comment, an answer to one, or a minute of the meeting.

    ``quote`` is the passage of ``revision`` that it is about, ``before`` and ``after`` the text around it
    there (W3C Web Annotation, TextQuoteSelector); empty for a comment on the whole. ``topic`` names what of
    the agenda a minute belongs to. ``author`` is a pseudonym.
    """

    incident: str
    service: str
    comment: str
    revision: int
    text: str
    kind: Literal["comment", "minute"] = "comment"
    quote: str = ""
    before: str = ""
    after: str = ""
    answers: str = ""
    topic: str = ""
    role: str = ""
    team: str = ""
    author: str = ""


class CommentMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A comment was settled, or opened again; the event's kind says which."""

    incident: str
    service: str
    comment: str
    role: str = ""
    reason: str = ""


class ReviewRead(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Someone says that they have read a revision. ``reader`` is a pseudonym."""

    incident: str
    service: str
    revision: int
    role: str = ""
    team: str = ""
    reader: str = ""


class ReviewMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A revision was submitted, approved or returned; the event's kind says which.

    ``required`` are the roles that the policy asked for when it was submitted.
    """

    incident: str
    service: str
    revision: int
    role: str = ""
    reason: str = ""
    required: tuple[str, ...] = ()


class SectionAccepted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person takes a drafted section as it stands. ``digest`` is the SHA-256 (hex) of its text."""

    incident: str
    service: str
    revision: int
    section: str
    digest: str
    role: str = ""
