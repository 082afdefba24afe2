"""Events that other systems send, taken into the log: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amends.application.desk import Receipt
from amends.application.log import Log
from amends.errors import InvalidEventError
from amends.events import codec
from amends.events.intake import read_event, route


def take_events(log: Log, values: Iterable[Any], *, imported: bool = False) -> list[Receipt]:
    """Record CloudEvents (or bare CDEvents) as they came, in one transaction.

    ``imported`` marks another system's past: known when the event says so itself. Raises
    ``InvalidEventError`` with the number and field of the first that is none, ``EventConflictError`` for a
    (source, id) with another body; then nothing is recorded.
    """
    events = []
    for number, value in enumerate(values, start=1):
        try:
            events.append(read_event(value, imported=imported))
        except InvalidEventError as error:
            joined = f"event {number}" + (f", {error.where}" if error.where else "")
            raise InvalidEventError(error.message, remedy=error.remedy, where=joined) from None
    known = {
        event.key for event in events for kept in log.store.find(event.id) if kept.event.key == event.key
    }
    records = log.store.append_many([(route(event), event) for event in events], recorded_at=log.clock.now())
    return [Receipt(codec.decode(record), fresh=record.event.key not in known) for record in records]
