"""What was told to whom: notices on their way, and statements to customers.

Channels and recipients are named by the words of ``notices.yaml``; no address and no name is recorded.
"""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Moment, Payload

AudienceKind = Literal["team", "leadership", "dependants", "customers"]


class NoticeIntended(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A revision of what an audience is told about a topic; it is sent on its channels from here on.

    ``topic`` is an incident or a digest (``digest-2026-W12``). ``occasion`` says why: a rule's ``opened``,
    ``mitigated``, ``resolved`` or ``reviewed``, ``asked`` by a person, ``statement`` or ``digest``.
    ``people`` × ``seconds_each`` is its price in attention; ``people`` is ``None`` where nobody declared how
    many read it. ``includes`` are the events of what a digest collects.
    """

    topic: str
    audience: str
    kind: AudienceKind
    revision: int
    subject: str
    text: str
    channels: tuple[str, ...]
    words: int
    seconds_each: float
    people: int | None = None
    occasion: str = "asked"
    incident: str = ""
    service: str = ""
    role: str = ""
    includes: tuple[str, ...] = ()


class NoticeDeferred(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What an audience is told can wait for the weekly digest; ``text`` is its line there."""

    topic: str
    audience: str
    kind: AudienceKind
    subject: str
    text: str
    occasion: str = "asked"
    incident: str = ""
    service: str = ""
    role: str = ""


class NoticeAttempted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A process is about to hand a notice to a channel. Until ``until`` nobody else does."""

    topic: str
    audience: str
    revision: int
    channel: str
    attempt: int
    until: Moment
    incident: str = ""
    service: str = ""


class NoticeSent(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A channel took a notice. ``reference`` is the id under which it did; ``reached`` are digests of
    recipients, never addresses; ``note`` says who refused it for good, by number.
    """

    topic: str
    audience: str
    revision: int
    channel: str
    attempt: int
    reference: str = ""
    reached: tuple[str, ...] = ()
    note: str = ""
    incident: str = ""
    service: str = ""


class NoticeFailed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A channel did not take a notice. It is tried ``again_at``; refused for good, only if a person asks."""

    topic: str
    audience: str
    revision: int
    channel: str
    attempt: int
    reason: str
    again_at: Moment | None = None
    reached: tuple[str, ...] = ()
    incident: str = ""
    service: str = ""


class NoticeRetried(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person asks that what a channel refused for good be tried again."""

    topic: str
    audience: str
    revision: int
    channel: str
    role: str = ""
    incident: str = ""
    service: str = ""


class StatementRevised(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A revision of what the organisation says to its customers. It goes nowhere before it is approved."""

    incident: str
    service: str
    revision: int
    title: str
    text: str
    role: str = ""
    drafted: bool = False


class StatementApproved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A management role approved a revision: from here on it is published."""

    incident: str
    service: str
    revision: int
    role: str
