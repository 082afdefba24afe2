"""Writing on an incident what was decided by reading it, also while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from amends.application.log import Log
from amends.application.record import require_incident
from amends.errors import NotAllowedError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident, Lifecycle

_ATTEMPTS = 50

Decide = Callable[[Incident], Sequence[tuple[str, p.Payload]]]


def write_on(log: Log, incident: str, decide: Decide, *, at: datetime | None = None) -> list[Fact]:
    """Append what ``decide`` makes of the incident as it is, on exactly that version of it.

    ``decide`` is called again where somebody else wrote in between; what it raises is passed on. Raises
    ``NotFoundError`` for an unknown incident.
    """
    for _ in range(_ATTEMPTS):
        found = require_incident(log, incident)
        items = [(kind, payload, "") for kind, payload in decide(found)]
        if not items:
            return []
        try:
            return log.record_together(items, at=at, expected=found.version)
        except VersionConflictError:
            continue
    raise VersionConflictError(f"others keep writing to {incident}", remedy="try again")


def require_state(incident: Incident, allowed: Iterable[Lifecycle]) -> None:
    """Raise ``NotAllowedError`` unless the incident is in one of these states."""
    states = tuple(allowed)
    if incident.state not in states:
        raise NotAllowedError(
            f"{incident.id} is {incident.state}; this needs it to be {' or '.join(states)}",
            remedy=f"see `amends incident show {incident.id}`",
        )
