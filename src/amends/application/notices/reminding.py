"""Sending reminders, once each: the notice that says them is what makes them given.

The notice (or its line for the digest) names the reminders that it holds, on a version-checked thread of its
audience. ``reminder.given`` follows; where a process dies in between, the next pass reads the thread, repeats
no notice and records what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amends.application.log import Log
from amends.application.notices.office import Office, read_thread, redactor_of
from amends.application.notices.telling import SOURCE, event_id, intend
from amends.application.reminding import read_asking, read_given, record_reminder
from amends.errors import EventConflictError, VersionConflictError
from amends.events import payloads as p
from amends.events.payloads.notices import AudienceKind
from amends.reviews.audiences.price import price
from amends.reviews.audiences.settings import WEB
from amends.reviews.notices.outbox import DeliveryState, Notice, Thread
from amends.reviews.notices.reminding import OCCASION, TOPIC, audience_for, line, reminder_notice, routes
from amends.reviews.reminders import Reminder, next_slot, reminder_id, reminders_due


@dataclass(frozen=True, slots=True)
class Reminded:
    """What a pass came to: how many notices or lines for a digest were made, and when the next is due."""

    told: int
    again_at: datetime | None


def remind(office: Office) -> Reminded:
    """Tell each audience what is due for it, once; say when the next reminder is due.

    What no audience is declared for stays due and is told nobody: ``amends review reminders`` says so.
    """
    now, log, policy = office.log.clock.now(), office.log, office.policy
    if policy.reminders == "off":
        return Reminded(0, None)
    asking = read_asking(log, approvers=policy.approvers)
    by_audience, _ = routes(policy, reminders_due(asking, read_given(log), now))
    tell = _tell_in_digest if policy.reminders == "digest" else _tell_now
    told = sum(tell(office, name, own, now) for name, own in by_audience.items())
    there = [one for one in asking if audience_for(policy, one)]
    return Reminded(told, next_slot(there, read_given(log), now))


def _tell_now(office: Office, audience: str, due: Sequence[Reminder], now: datetime) -> int:
    declared, policy = office.audience(audience), office.policy

    def decide(thread: Thread) -> p.NoticeIntended | None:
        told = {name for one in thread.notices for name in one.said.includes}
        new = [one for one in due if reminder_id(one) not in told]
        if not new:
            return None
        subject, text = reminder_notice(_clean(office, declared.kind, new), now, policy.public_url)
        cost = price(f"{subject} {text}", declared.people, words_per_minute=policy.words_per_minute)
        return p.NoticeIntended(
            topic=TOPIC, audience=audience, kind=declared.kind, revision=len(thread.notices) + 1,
            subject=subject, text=text, channels=office.channels(audience), words=cost.words,
            seconds_each=round(cost.seconds_each, 3), people=cost.people, occasion=OCCASION,
            includes=tuple(map(reminder_id, new)),
        )  # fmt: skip

    notice = intend(office.log, TOPIC, audience, decide)
    for one in due:
        record_reminder(office.log, one)
    return notice is not None


def _tell_in_digest(office: Office, audience: str, due: Sequence[Reminder], now: datetime) -> int:
    told = 0
    for one in due:
        told += _defer(office, audience, one, now)
        record_reminder(office.log, one)
    return told


def _defer(office: Office, audience: str, one: Reminder, now: datetime) -> bool:
    """Keep a reminder for the weekly digest: there the last one of a thing replaces those before it."""
    declared, name = office.audience(audience), reminder_id(one)
    cleaned = _clean(office, declared.kind, [one])
    subject, text = reminder_notice(cleaned, now)[0], line(cleaned[0], now, office.policy.public_url)
    said = p.NoticeDeferred(
        topic=f"reminder-{one.asking.about.replace('/', '-')}", audience=audience, kind=declared.kind,
        subject=subject, text=text, occasion=OCCASION, incident=one.asking.incident,
        service=one.asking.service,
    )  # fmt: skip
    try:
        office.log.record("notice.deferred", said, id=event_id("reminded", audience, name), source=SOURCE)
    except (EventConflictError, VersionConflictError):  # another process said it
        return False
    return True


def _clean(office: Office, kind: AudienceKind, reminders: Sequence[Reminder]) -> list[Reminder]:
    """Leave out of people's words what an audience does not read; links to this server stay."""
    redactor = redactor_of(office, ())
    return [
        replace(one, asking=replace(one.asking, text=redactor.clean(one.asking.text, kind)))
        for one in reminders
    ]


@dataclass(frozen=True, slots=True)
class Sent:
    """A reminder that was given: when, of what, to whom, and how far each channel came.

    ``audience`` is empty where somebody marked it as given by hand.
    """

    about: str
    at: datetime
    slot: datetime
    number: int
    audience: str = ""
    by: str = ""


def sent_reminders(log: Log, *, service: str = "") -> list[Sent]:
    """Return the reminders that were given, the latest first."""
    tags = [f"service:{service}"] if service else []
    given = [f for f in log.facts(tags=tags, kinds=("reminder.given",)) if isinstance(f.payload, p.Reminded)]
    notices, waiting = _said(log, {f.id for f in given})
    found = []
    for fact in given:
        said = fact.payload
        assert isinstance(said, p.Reminded)
        notice = notices.get(fact.id)
        audience, by = (notice.said.audience, _how(notice)) if notice else waiting.get(fact.id, ("", ""))
        found.append(Sent(said.about, fact.occurred_at, said.slot, said.number, audience, by))
    return found[::-1]


def _said(log: Log, wanted: set[str]) -> tuple[dict[str, Notice], dict[str, tuple[str, str]]]:
    """Return the notice that said each reminder, and the audiences whose digest holds it."""
    notices: dict[str, Notice] = {}
    waiting: dict[str, tuple[str, str]] = {}
    threads: set[tuple[str, str]] = set()
    by_event: dict[str, str] = {}
    for fact in log.facts(kinds=("notice.intended", "notice.deferred")):
        said = fact.payload
        if isinstance(said, p.NoticeIntended) and said.topic == TOPIC:
            threads.add((said.topic, said.audience))
        elif isinstance(said, p.NoticeDeferred) and said.occasion == OCCASION:
            by_event[fact.id] = said.audience
    for topic, audience in sorted(threads):
        for notice in read_thread(log, topic, audience).notices:
            notices |= dict.fromkeys(wanted & set(notice.said.includes), notice)
    for audience in sorted(set(by_event.values())):
        for name in wanted:
            if event_id("reminded", audience, name) in by_event:
                waiting[name] = (audience, "the weekly digest")
    return notices, waiting


def _how(notice: Notice) -> str:
    words = []
    for one in notice.deliveries:
        if one.state is DeliveryState.SENT:
            words.append(one.channel)
        else:
            words.append(f"{one.channel} ({one.state}{': ' + one.reason if one.reason else ''})")
    return ", ".join(words)


def where_to(office: Office, one: Reminder) -> tuple[str, str]:
    """Return the audience that a reminder goes to, and what there is to say about that, if anything."""
    if office.policy.reminders == "off":
        return "", "`reminders: off` in notices.yaml: nobody is sent it"
    name = audience_for(office.policy, one.asking)
    if not name:
        return "", f"notices.yaml declares no audience for {one.asking.owner}: nobody is sent it"
    if office.channels(name) == (WEB,):
        return name, f"{name} has no channel but the server's pages"
    return name, ""
