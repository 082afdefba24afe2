"""Which reminders are due: each says less often, the longer nobody answers.

Nothing runs on a timer. The moments at which something asks for attention follow from its date alone; a
reminder is due when the latest of them has passed and nobody was reminded since. After a week in which nobody
looked there is one reminder, not seven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.actions import Action, ActionState

BEFORE: Mapping[str, timedelta] = {
    "high": timedelta(days=2), "medium": timedelta(days=1), "low": timedelta(0),
}  # fmt: skip
RISK_BEFORE = timedelta(days=7)
LONGEST = timedelta(days=28)
"""The gap between two reminders doubles from a day up to this."""
Why = Literal["action", "risk", "lapsed", "review", "statement"]


@dataclass(frozen=True, slots=True)
class Asking:
    """Something that asks for attention from ``due`` on, and once ``before`` that."""

    about: str
    why: Why
    incident: str
    service: str
    owner: str
    text: str
    due: datetime
    before: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder that is due. ``slot`` is its moment in the schedule, ``number`` counts from 1.

    ``then`` is when the next one would be, if nothing happens.
    """

    asking: Asking
    slot: datetime
    number: int
    then: datetime


def slots_of(due: datetime, before: timedelta = timedelta(0)) -> Iterator[datetime]:
    """Yield when something is reminded of: before it is due, when it is, then after 1, 3, 7, 15… days."""
    if before > timedelta(0):
        yield due - before
    at, gap = due, timedelta(days=1)
    while True:
        yield at
        at, gap = at + gap, min(gap * 2, LONGEST)


def reminders_due(
    asking: Iterable[Asking], given: Mapping[str, datetime], now: datetime
) -> tuple[Reminder, ...]:
    """Return the reminders that are due, what has waited longest first.

    ``given`` holds, for each thing, the latest slot for which a reminder went out.
    """
    found = [reminder for one in asking if (reminder := _due(one, given.get(one.about), now)) is not None]
    return tuple(sorted(found, key=lambda reminder: (reminder.asking.due, reminder.asking.about)))


def _due(one: Asking, last: datetime | None, now: datetime) -> Reminder | None:
    number, reached = 0, None
    for slot in slots_of(one.due, one.before):
        if slot > now:
            if reached is None or (last is not None and reached <= last):
                return None
            return Reminder(one, reached, number, slot)
        number, reached = number + 1, slot
    return None


def next_slot(asking: Iterable[Asking], given: Mapping[str, datetime], now: datetime) -> datetime | None:
    """Return when the next reminder is due: ``now`` for one that is, ``None`` where nothing asks."""
    moments = []
    for one in asking:
        if _due(one, given.get(one.about), now) is not None:
            return now
        moments.append(next(slot for slot in slots_of(one.due, one.before) if slot > now))
    return min(moments, default=None)


def reminder_id(reminder: Reminder) -> str:
    """Return the id under which a reminder is recorded, whoever gives it: one for each slot."""
    return f"reminder:{reminder.asking.about}:{reminder.slot.isoformat()}"


def given_slots(facts: Iterable[Fact]) -> dict[str, datetime]:
    """Return, for each thing, the latest slot for which a reminder is recorded as given."""
    found: dict[str, datetime] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.Reminded):
            found[told.about] = max(told.slot, found.get(told.about, told.slot))
    return found


def asking_of(action: Action) -> Asking | None:
    """Return what an action item (as of now) asks for; ``None`` for one that is over or has no date."""
    if action.left and action.due is not None:
        return Asking(
            action.id, "action", action.incident, action.service, action.owner, action.title, action.due,
            BEFORE[action.priority],
        )  # fmt: skip
    if action.state is ActionState.ACCEPTED_RISK and action.until is not None:
        return Asking(
            action.id, "risk", action.incident, action.service, action.owner, action.title, action.until,
            RISK_BEFORE,
        )  # fmt: skip
    return None
