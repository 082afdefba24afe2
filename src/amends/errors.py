"""Errors that a person can act on: what was found, what is allowed, and how to mend it."""

from __future__ import annotations


class AmendsError(Exception):
    """Base of every error that amends raises on purpose.

    Parameters
    ----------
    message:
        What was found and what is allowed, in one or two sentences.
    remedy:
        How to mend it; shown on its own line.
    where:
        The place: ``file:line``, a URL, a stream; shown first.
    """

    exit_code = 4

    def __init__(self, message: str, *, remedy: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  mend: {self.remedy}" if self.remedy else head


class UsageError(AmendsError):
    """A command or request was given something it cannot take."""

    exit_code = 2


class NotFoundError(UsageError):
    """Something was named that the log does not know."""


class InvalidEventError(UsageError):
    """What came in is not an event that the log can keep."""


class PolicyError(UsageError):
    """``amends.yaml`` (or a part of it) cannot be read as a policy."""


class EventConflictError(AmendsError):
    """An event with this source and id is in the log already, with another body."""

    exit_code = 2


class VersionConflictError(AmendsError):
    """Another writer appended to the stream first; load it again and decide anew."""


class StoreUnavailableError(AmendsError):
    """The store cannot be reached, is locked, full, or is not a log of amends."""


class TamperedLogError(AmendsError):
    """The log's chain does not hold."""

    exit_code = 1


class ActuationRefusedError(AmendsError):
    """A deployer has seen a newer fencing token; the order is stale and was not carried out."""


class ActuationFailedError(AmendsError):
    """A deployer could not do what it was asked; ``message`` holds what it printed."""


class MetricsUnavailableError(AmendsError):
    """A metric source gave nothing usable. Decides nothing by itself."""


class NotAllowedError(AmendsError):
    """The request is understood and refused: the token, the role or the state does not allow it."""

    exit_code = 2


class BlockedError(NotAllowedError):
    """A gate or a quarantine says no."""

    exit_code = 1
