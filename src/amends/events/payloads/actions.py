"""Action items: what is to be done after an incident, by which team or role, until when."""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Moment, Payload


class ActionAdded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An action item. ``owner`` is a team or a role, never a person.

    ``guard`` names the amendment that it stands for: a changed test or gate, which its proof makes done.
    """

    action: str
    incident: str
    service: str
    title: str
    owner: str
    owner_kind: Literal["team", "role"] = "team"
    due: Moment | None = None
    priority: Literal["high", "medium", "low"] = "medium"
    guard: str = ""
    role: str = ""


class ActionChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Some of an action item's fields changed; those that are not set stay as they were."""

    action: str
    incident: str
    service: str
    title: str = ""
    owner: str = ""
    owner_kind: Literal["team", "role", ""] = ""
    due: Moment | None = None
    priority: Literal["high", "medium", "low", ""] = ""
    guard: str = ""
    role: str = ""
    reason: str = ""


class ActionMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An action item was begun, done, dropped, accepted as a risk, or reopened; the event's kind says which.

    ``evidence`` says what shows that it works; ``until`` is when an accepted risk ends.
    """

    action: str
    incident: str
    service: str
    role: str = ""
    reason: str = ""
    evidence: str = ""
    until: Moment | None = None


class Reminded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The owner of what is due was reminded of it. ``slot`` is the moment of the schedule that this was for.

    ``about`` is an action item, an amendment, a review with a role (``INC-1/review/ROLE``) or a statement
    (``INC-1/statement``).
    """

    about: str
    incident: str
    service: str
    slot: Moment
    number: int = 0
