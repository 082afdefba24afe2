"""Reminders: what asks for attention as the log stands, which of it is due, and what was reminded of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from amends.amendments.amendment import AmendmentState
from amends.application.actions import amendments_named, list_actions
from amends.application.approving import read_progress
from amends.application.log import Log
from amends.errors import EventConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.actions import Action
from amends.reviews.audiences.settings import APPROVERS
from amends.reviews.notices.statements import fold_statements
from amends.reviews.progress import ReviewState
from amends.reviews.reminders import (
    RISK_BEFORE,
    Asking,
    Reminder,
    asking_of,
    given_slots,
    reminder_id,
    reminders_due,
)

SOURCE = "/amends/reminders"
"""One source for all processes, so that what each records of one reminder meets in the store."""

MOOT_AFTER = timedelta(days=30)
"""A statement that nobody approved for so long is not asked for any more."""


def read_reminders(
    log: Log, *, service: str = "", approvers: Collection[str] = APPROVERS
) -> tuple[Reminder, ...]:
    """Return the reminders that are due now, what has waited longest first. Nothing is written.

    ``approvers`` are the roles that may approve a statement to customers.
    """
    return reminders_due(
        read_asking(log, service=service, approvers=approvers), read_given(log), log.clock.now()
    )


def read_given(log: Log) -> dict[str, datetime]:
    """Return, for each thing, the latest slot for which a reminder is recorded as given."""
    return given_slots(log.facts(kinds=("reminder.given",)))


def read_asking(log: Log, *, service: str = "", approvers: Collection[str] = APPROVERS) -> list[Asking]:
    """Return what asks for attention now or at a date: action items, amendments, reviews, statements."""
    return [
        *_of_actions(list_actions(log, service=service)), *_of_amendments(log, service),
        *_of_reviews(log, service), *_of_statements(log, service, approvers),
    ]  # fmt: skip


def _tags(service: str) -> list[str]:
    return [f"service:{service}"] if service else []


def _of_actions(actions: Sequence[Action]) -> list[Asking]:
    return [one for action in actions if (one := asking_of(action)) is not None]


def _of_amendments(log: Log, service: str) -> list[Asking]:
    """Return what amendments ask for: those that lapsed, and accepted risks that end."""
    kinds = ("amendment.lapsed", "amendment.accepted")
    names = {_text(fact, "amendment") for fact in log.facts(tags=_tags(service), kinds=kinds)}
    asking = []
    for one in amendments_named(log, names):
        told, owner = one.proposed, one.proposed.team or one.proposed.role or "an unnamed team"
        if one.state is AmendmentState.LAPSED and one.moved_at is not None:
            text = f"{told.title}: {one.reason}"
            asking.append(Asking(one.id, "lapsed", one.incident, told.service, owner, text, one.moved_at))
        elif one.state is AmendmentState.ACCEPTED_RISK and one.until is not None:
            text = f"the accepted risk ends: {one.reason}"
            asking.append(
                Asking(one.id, "risk", one.incident, told.service, owner, text, one.until, RISK_BEFORE)
            )
    return asking


def _of_reviews(log: Log, service: str) -> list[Asking]:
    """Return what reviews ask of the roles that have yet to agree with them."""
    submitted = {
        _text(fact, "incident"): _text(fact, "service")
        for fact in log.facts(tags=_tags(service), kinds=("review.submitted",))
    }
    asking = []
    for incident, of in sorted(submitted.items()):
        now = read_progress(log, incident)
        if now.state is not ReviewState.IN_REVIEW or now.submitted_at is None:
            continue
        text = f"the review of {incident}, revision {now.latest}, waits to be read and agreed with"
        asking += [
            Asking(f"{incident}/review/{role}", "review", incident, of, role, text, now.submitted_at)
            for role in now.missing
        ]
    return asking


def _of_statements(log: Log, service: str, approvers: Collection[str]) -> list[Asking]:
    """Return which statements to customers wait for approval; a later revision asks for nothing anew."""
    by_incident: dict[str, list[Fact]] = {}
    for fact in log.facts(tags=_tags(service), kinds=("statement.revised", "statement.approved")):
        by_incident.setdefault(_text(fact, "incident"), []).append(fact)
    asking, now, owner = [], log.clock.now(), " or ".join(approvers)
    for incident, facts in sorted(by_incident.items()):
        revisions = fold_statements(facts)
        approved = max((one.number for one in revisions if one.approved_at), default=0)
        waiting = [one for one in revisions if one.number > approved]
        if waiting and now - waiting[0].at <= MOOT_AFTER:
            text = f"the statement to customers about {incident} waits for approval: {waiting[-1].title}"
            asking.append(
                Asking(f"{incident}/statement", "statement", incident, waiting[0].service, owner, text,
                       waiting[0].at)
            )  # fmt: skip
    return asking


def _text(fact: Fact, field: str) -> str:
    return str(getattr(fact.payload, field, ""))


def record_reminder(log: Log, reminder: Reminder) -> Fact:
    """Record that a reminder went out, so that it is not due again before the next slot.

    Said twice for one slot it is recorded once, whoever says it.
    """
    asking, name = reminder.asking, reminder_id(reminder)
    told = p.Reminded(
        about=asking.about, incident=asking.incident, service=asking.service, slot=reminder.slot,
        number=reminder.number,
    )  # fmt: skip
    known = _recorded(log, asking.about, name)
    if known is not None:
        return known
    try:
        return log.record("reminder.given", told, id=name, source=SOURCE)
    except EventConflictError:  # another process was quicker
        found = _recorded(log, asking.about, name)
        if found is None:
            raise
        return found


def _recorded(log: Log, about: str, name: str) -> Fact | None:
    facts: Iterable[Fact] = log.stream(f"reminders/{about}")
    return next((fact for fact in facts if fact.id == name), None)


def reminder_data(found: Reminder) -> dict[str, Any]:
    """Return a reminder as JSON-able values, as ``amends review reminders --format json`` prints it."""
    import msgspec

    asking = found.asking
    data: dict[str, Any] = msgspec.to_builtins(
        {
            "about": asking.about, "why": asking.why, "incident": asking.incident, "service": asking.service,
            "owner": asking.owner, "text": asking.text, "due": asking.due, "number": found.number,
            "slot": found.slot, "then": found.then,
        }
    )  # fmt: skip
    return data
