"""Telling people: rules and reminders that are due, the weekly digest, and what lies in the outbox.

One pass does all that is due and says when to come again. Passes may run in several processes: what may be
said once has one id in the log, and an attempt is recorded, version-checked, before anything is handed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from amends.application.log import Log
from amends.application.notices.courier import DeliveryError, Letter, letter_id
from amends.application.notices.digests import send_digest, waiting
from amends.application.notices.office import Office, open_incident_desk, read_thread
from amends.application.notices.reading import KINDS, plan
from amends.application.notices.reminding import remind
from amends.application.notices.statements import draft_statement, publish
from amends.application.notices.telling import SOURCE, defer, send
from amends.errors import AmendsError, StoreUnavailableError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.kinds import BY_NAME
from amends.reviews.audiences.escalation import STALE_AFTER, Telling, due, next_at
from amends.reviews.notices.digest import last_due
from amends.reviews.notices.outbox import (
    LEASE,
    Delivery,
    DeliveryState,
    Notice,
    Thread,
    back_off,
    fold_thread,
)

MOVES = ("incident.detected", "incident.resolved", "incident.reopened", "milestone.set", "review.published",
         "statement.revised", "statement.approved", "incident.assessed", "neighbour.concerned")  # fmt: skip
ASKING = ("action.", "amendment.", "review.", "statement.", "reminder.")
"""The beginnings of kinds that change of what somebody is reminded, or when."""

_AT_ONCE = 8
_ATTEMPTS = 50
_AFTER_A_FAULT = timedelta(minutes=10)
_ASKING_KINDS = tuple(name for name in BY_NAME if name.startswith(ASKING))
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass came to: how many were told or handed over, what failed, and when to come again."""

    told: int
    sent: int
    failed: tuple[str, ...]
    again_at: datetime | None


@dataclass
class Notifier:
    """Follows the log for one office. Losing what it remembers costs a read."""

    office: Office
    _position: int = 0
    _threads: dict[_Key, Thread] = field(default_factory=dict)
    _look_at: dict[str, datetime] = field(default_factory=dict)
    _approved: set[str] = field(default_factory=set)
    _digested: dict[str, datetime] = field(default_factory=dict)
    _paused: dict[str, datetime] = field(default_factory=dict)
    _remind_at: datetime | None = None
    _asked: int = -1

    def run(self) -> Passed:
        """Do all that is due."""
        now = self.office.log.clock.now()
        self._catch_up(now)
        told, amiss = self._escalate(now)
        told += self._publish() + self._remind(now, amiss) + self._digests(now)
        self._catch_up(now)
        sent, failed = self._deliver(now)
        self._catch_up(now)
        return Passed(told, sent, (*amiss, *failed), self._next(now))

    def _catch_up(self, now: datetime) -> None:
        for fact in self.office.log.facts(kinds=(*KINDS, *MOVES), after=self._position):
            self._position = fact.recorded.position
            if fact.kind in KINDS:
                key = (getattr(fact.payload, "topic", ""), getattr(fact.payload, "audience", ""))
                self._threads[key] = fold_thread([fact], self._threads.get(key))
            elif not fact.recorded.event.imported:  # history that was brought in is nobody's news
                self._note_move(fact, now)

    def _note_move(self, fact: Fact, now: datetime) -> None:
        incident = getattr(fact.payload, "incident", "")
        is_news = now - fact.recorded.recorded_at <= STALE_AFTER
        if fact.kind == "statement.approved" and is_news:
            self._approved.add(incident)
        if fact.kind == "incident.resolved" and not is_news:
            self._look_at.pop(incident, None)
        elif isinstance(fact.payload, p.IncidentOpened) or incident in self._look_at or is_news:
            self._look_at[incident] = now

    # --- rules --------------------------------------------------------------------------------------------

    def _escalate(self, now: datetime) -> tuple[int, list[str]]:
        told, amiss = 0, []
        ready = (
            [name for name, at in self._look_at.items() if at <= now] if self.office.policy.escalation else []
        )
        for incident in ready:
            again: datetime | None = now + _AFTER_A_FAULT
            try:
                planned = plan(self.office, incident)
                told += sum(self._tell(incident, one) for one in due(planned, now))
                again = next_at(planned, now)
            except StoreUnavailableError:
                raise
            except AmendsError as error:  # one that cannot be told of holds up no other
                amiss.append(f"{incident}: {error.message}")
            if again is None:
                del self._look_at[incident]
            else:
                self._look_at[incident] = again
        return told, amiss

    def _tell(self, incident: str, telling: Telling) -> bool:
        office = self.office
        if office.audience(telling.audience).kind == "customers":
            draft_statement(office, incident)  # waits for a management role
            return False
        desk = open_incident_desk(office, incident)
        if telling.by == "digest":
            return defer(office, incident, telling.audience, occasion=telling.occasion, desk=desk)
        return send(office, incident, telling.audience, occasion=telling.occasion, desk=desk) is not None

    def _publish(self) -> int:
        """Tell customers what was approved, by whom ever: a process may have died in between."""
        approved, self._approved = self._approved, set()
        return sum(len(publish(self.office, incident)) for incident in sorted(approved))

    def _remind(self, now: datetime, amiss: list[str]) -> int:
        """Remind owners of what is due. It is looked only when a slot has come or the log says something."""
        log = self.office.log
        fresh = log.facts(kinds=_ASKING_KINDS, after=max(self._asked, 0))
        asked = max((fact.recorded.position for fact in fresh), default=max(self._asked, 0))
        begun, self._asked = self._asked >= 0, asked
        if begun and not fresh and (self._remind_at is None or self._remind_at > now):
            return 0
        try:
            found = remind(self.office)
        except StoreUnavailableError:
            self._asked = -1
            raise
        except AmendsError as error:  # holds up no notice
            amiss.append(f"reminders: {error.message}")
            self._remind_at = now + _AFTER_A_FAULT
            return 0
        self._remind_at = found.again_at
        return found.told

    def _digests(self, now: datetime) -> int:
        at = last_due(self.office.policy.digest, now)
        audiences = {name for (_, name), thread in self._threads.items() if thread.deferred}
        told = 0
        for name in sorted(audiences & set(self.office.policy.audiences)):
            if self._digested.get(name) == at:
                continue  # what was deferred since waits for the next one
            self._digested[name] = at
            if any(item.at <= at for item in waiting(self.office, name)):
                told += send_digest(self.office, name, at) is not None
        return told

    # --- the outbox ---------------------------------------------------------------------------------------

    def _deliver(self, now: datetime) -> tuple[int, tuple[str, ...]]:
        """Hand over what is due, each channel by itself: a slow or dead one holds up no other."""
        by_channel: dict[str, list[_Key]] = {}
        for key, notice, one in self._open():
            if max(one.due, self._paused.get(one.channel, one.due)) <= now:
                by_channel.setdefault(one.channel, []).append((*key, notice.said.revision))  # type: ignore[arg-type]
        if not by_channel:
            return 0, ()
        with ThreadPoolExecutor(min(_AT_ONCE, len(by_channel)), thread_name_prefix="amends-courier") as pool:
            outcomes = list(pool.map(lambda item: self._channel(*item), by_channel.items()))
        return sum(sent for sent, _ in outcomes), tuple(text for _, texts in outcomes for text in texts)

    def _channel(self, channel: str, keys: Iterable[tuple[str, str, int]]) -> tuple[int, list[str]]:
        sent, failed = 0, []
        for topic, audience, revision in keys:
            outcome = hand_over(self.office, topic, audience, revision, channel)
            if outcome is None:
                continue
            if outcome.state is DeliveryState.SENT:
                sent += 1
                continue
            failed.append(f"{topic} to {audience} by {channel}: {outcome.reason}")
            if outcome.state is DeliveryState.WAITING:
                # The rest would meet the same closed door; it stays as it is until that one is tried again.
                self._paused[channel] = outcome.due
                break
        return sent, failed

    def _open(self) -> list[tuple[_Key, Notice, Delivery]]:
        found = [(key, *pair) for key, thread in self._threads.items() for pair in thread.next_deliveries()]
        return sorted(found, key=lambda item: (item[1].at, item[0], item[1].said.revision))

    def _next(self, now: datetime) -> datetime | None:
        moments = [max(one.due, self._paused.get(one.channel, one.due)) for _, _, one in self._open()]
        if self.office.policy.escalation:
            moments += self._look_at.values()
        if self._remind_at is not None:
            moments.append(self._remind_at)
        if any(thread.waiting for thread in self._threads.values()):
            moments.append(last_due(self.office.policy.digest, now) + timedelta(days=7))
        return min(moments, default=None)


def hand_over(office: Office, topic: str, audience: str, revision: int, channel: str) -> Delivery | None:
    """Try one channel of one revision; ``None`` when it is not due, is done, or another process has it.

    What happened is recorded before and after. Returns how it stands then.
    """
    log = office.log
    claimed = _claim(log, topic, audience, revision, channel)
    if claimed is None:
        return None
    notice, one, now = claimed
    said = notice.said
    about: dict[str, Any] = {
        "topic": topic, "audience": audience, "revision": revision, "channel": channel,
        "attempt": one.attempts + 1, "incident": said.incident, "service": said.service,
    }  # fmt: skip
    letter = Letter(
        id=letter_id(topic, audience, revision, channel), topic=topic, audience=audience, kind=said.kind,
        revision=revision, subject=said.subject, text=said.text, intended_at=notice.at, now=now,
        incident=said.incident, service=said.service, occasion=said.occasion, reached=one.reached,
        again=one.state is DeliveryState.UNDER_WAY,
    )  # fmt: skip
    try:
        handed = office.courier_for(channel).deliver(letter)
    except Exception as error:  # whatever a channel does wrong, the notice stays in the outbox and says so
        final = isinstance(error, DeliveryError) and error.final
        reached = error.reached if isinstance(error, DeliveryError) else ()
        reason = error.message if isinstance(error, AmendsError) else f"{type(error).__name__} in its channel"
        again_at = None if final else log.clock.now() + back_off(one.failures + 1)
        log.record("notice.failed", p.NoticeFailed(
            **about, reason=reason, again_at=again_at, reached=reached
        ), source=SOURCE)  # fmt: skip
    else:
        log.record("notice.sent", p.NoticeSent(
            **about, reference=handed.reference, reached=handed.reached, note=handed.note
        ), source=SOURCE)  # fmt: skip
    after = read_thread(log, topic, audience).notice(revision)
    return after.delivery(channel) if after else None


def _claim(
    log: Log, topic: str, audience: str, revision: int, channel: str
) -> tuple[Notice, Delivery, datetime] | None:
    """Record an attempt, so that it is ours alone for a while; ``None`` where there is nothing to attempt.

    Other channels of the same notice write to the same stream: a conflict alone says nothing.
    """
    for _ in range(_ATTEMPTS):
        thread, now = read_thread(log, topic, audience), log.clock.now()
        found = next(
            (
                (notice, one)
                for notice, one in thread.next_deliveries()
                if notice.said.revision == revision and one.channel == channel and one.due <= now
            ),
            None,
        )
        if found is None:
            return None
        notice, one = found
        said = p.NoticeAttempted(
            topic=topic, audience=audience, revision=revision, channel=channel, attempt=one.attempts + 1,
            until=now + LEASE, incident=notice.said.incident, service=notice.said.service,
        )  # fmt: skip
        with suppress(VersionConflictError):
            log.record("notice.attempted", said, source=SOURCE, expected=thread.version)
            return notice, one, now
    return None
