"""The port through which notices leave: one courier for each channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amends.errors import AmendsError
from amends.events.payloads.notices import AudienceKind

_SPACE = uuid.UUID("7b1f3f0e-5d5c-5c57-9a53-6b8c2f0d4a11")


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as a channel gets it.

    ``id`` is the same for every attempt at the same revision, so that a receiver can tell a repetition.
    ``intended_at`` is when the notice was made, ``now`` the time of this attempt. ``reached`` are digests of
    recipients that have it already; ``again`` says that an earlier attempt may have arrived.
    """

    id: str
    topic: str
    audience: str
    kind: AudienceKind
    revision: int
    subject: str
    text: str
    intended_at: datetime
    now: datetime
    incident: str = ""
    service: str = ""
    occasion: str = ""
    reached: frozenset[str] = frozenset()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """A channel took a letter. ``reached`` are digests of recipients, ``note`` what is odd about it."""

    reference: str = ""
    reached: tuple[str, ...] = ()
    note: str = ""


class DeliveryError(AmendsError):
    """A channel did not take a letter. ``final``: it never will as it is; ``reached`` have it nonetheless."""

    def __init__(
        self, message: str, *, final: bool = False, reached: tuple[str, ...] = (), remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.final = final
        self.reached = reached


class Courier(Protocol):
    """Hands letters to one channel. It gives up within a minute, well before an attempt's time is over."""

    def deliver(self, letter: Letter) -> Handed:
        """Hand over a letter. Raises ``DeliveryError``."""


def letter_id(topic: str, audience: str, revision: int, channel: str) -> str:
    """Return the id under which a revision goes out on a channel, whoever sends it, however often."""
    return str(uuid.uuid5(_SPACE, "\0".join((topic, audience, str(revision), channel))))
