"""The outbox, folded from the log: what is on its way to whom, and when it is tried again.

A notice is intended (recorded), then for each channel attempted (recorded *before* it is handed over), then
sent or failed (recorded after). A process that dies in between leaves an attempt without an outcome: when its
time is over the notice is handed over again, under the same id, for losing it is worse than showing it twice.
So it is exactly once where the channel knows ids (a webhook's receiver, the status page, our own pages, most
mail systems by Message-ID), and at least once elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amends.events import payloads as p
from amends.events.codec import Fact

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
LEASE = timedelta(minutes=3)
"""How long an attempt is its maker's alone; every channel gives up well before."""


class DeliveryState(StrEnum):
    """Where one channel of a notice stands."""

    WAITING = "waiting"  # from notice.intended, .retried, or .failed with a time; to UNDER_WAY
    UNDER_WAY = (
        "under way"  # from notice.attempted; to SENT, WAITING, REFUSED, or again when its time is over
    )
    SENT = "sent"  # from notice.sent; final
    REFUSED = "refused"  # from notice.failed without a time; to WAITING by notice.retried


@dataclass(frozen=True, slots=True)
class Delivery:
    """One channel of a notice. ``due`` is when it may be tried (again)."""

    channel: str
    due: datetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    failures: int = 0
    reason: str = ""
    reference: str = ""
    note: str = ""
    reached: frozenset[str] = frozenset()
    uncertain: bool = False
    settled_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in (DeliveryState.WAITING, DeliveryState.UNDER_WAY)


@dataclass(frozen=True, slots=True)
class Notice:
    """One revision of what an audience is told about a topic, and how far it came."""

    said: p.NoticeIntended
    at: datetime
    event: str
    deliveries: tuple[Delivery, ...]

    @property
    def done(self) -> bool:
        return not any(one.open for one in self.deliveries)

    def delivery(self, channel: str) -> Delivery | None:
        """Return how one channel stands."""
        return next((one for one in self.deliveries if one.channel == channel), None)


@dataclass(frozen=True, slots=True)
class Thread:
    """All that one audience is told about one topic. ``version`` is its stream's."""

    notices: tuple[Notice, ...] = ()
    deferred: tuple[tuple[str, datetime, p.NoticeDeferred], ...] = field(default=())
    version: int = 0

    @property
    def latest(self) -> Notice | None:
        return self.notices[-1] if self.notices else None

    @property
    def waiting(self) -> tuple[tuple[str, datetime, p.NoticeDeferred], ...]:
        """Return what was deferred and has not been told since."""
        last = self.latest
        return tuple(one for one in self.deferred if last is None or one[1] >= last.at)

    def next_deliveries(self) -> list[tuple[Notice, Delivery]]:
        """Return what is open, and on each channel only its oldest revision: nobody reads them the wrong way
        round.
        """
        found: dict[str, tuple[Notice, Delivery]] = {}
        for notice in self.notices:
            for one in notice.deliveries:
                if one.open:
                    found.setdefault(one.channel, (notice, one))
        return list(found.values())

    def notice(self, revision: int) -> Notice | None:
        """Return one revision."""
        return next((one for one in self.notices if one.said.revision == revision), None)

    def told(self) -> set[tuple[str, str, str]]:
        """Return the occasions on which this audience was told, now or for the digest."""
        found = {(one.said.audience, one.said.occasion, "now") for one in self.notices}
        return found | {(said.audience, said.occasion, "digest") for _, _, said in self.deferred}


def back_off(failures: int) -> timedelta:
    """Return how long to wait after so many failures: 30 s, 1 min, 2 min… to 1 h, for as long as it takes."""
    doublings: int = min(max(failures - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def fold_thread(facts: Iterable[Fact], thread: Thread | None = None) -> Thread:
    """Fold the stream of one audience and topic, or what came to it since ``thread``."""
    found = thread or Thread()
    for fact in facts:
        if fact.recorded.seq <= found.version:
            continue
        found = replace(_with(found, fact), version=fact.recorded.seq)
    return found


def _with(thread: Thread, fact: Fact) -> Thread:
    told = fact.payload
    if isinstance(told, p.NoticeIntended):
        if thread.notice(told.revision):
            return thread
        deliveries = tuple(Delivery(channel, fact.occurred_at) for channel in dict.fromkeys(told.channels))
        notice = Notice(told, fact.occurred_at, fact.id, deliveries)
        return replace(thread, notices=(*thread.notices, notice))
    if isinstance(told, p.NoticeDeferred):
        return replace(thread, deferred=(*thread.deferred, (fact.id, fact.occurred_at, told)))
    if isinstance(told, p.NoticeAttempted | p.NoticeSent | p.NoticeFailed | p.NoticeRetried):
        return replace(thread, notices=tuple(_moved(one, fact) for one in thread.notices))
    return thread


def _moved(notice: Notice, fact: Fact) -> Notice:
    told = fact.payload
    assert isinstance(told, p.NoticeAttempted | p.NoticeSent | p.NoticeFailed | p.NoticeRetried)
    if told.revision != notice.said.revision:
        return notice
    changed = tuple(
        _step(one, fact) if one.channel == told.channel else one for one in notice.deliveries
    )  # fmt: skip
    return replace(notice, deliveries=changed)


def _step(one: Delivery, fact: Fact) -> Delivery:
    told = fact.payload
    if one.state is DeliveryState.SENT:
        return one  # a second process whose attempt ended late adds nothing
    if isinstance(told, p.NoticeAttempted):
        return replace(
            one, state=DeliveryState.UNDER_WAY, attempts=told.attempt, due=told.until,
            uncertain=one.uncertain or one.state is DeliveryState.UNDER_WAY,
        )  # fmt: skip
    if isinstance(told, p.NoticeSent):
        return replace(
            one, state=DeliveryState.SENT, reference=told.reference, note=told.note, reason="",
            reached=one.reached | set(told.reached), settled_at=fact.occurred_at,
        )  # fmt: skip
    if isinstance(told, p.NoticeFailed):
        if told.attempt < one.attempts:
            return replace(
                one, reached=one.reached | set(told.reached)
            )  # a later attempt goes by its own end
        state = DeliveryState.WAITING if told.again_at else DeliveryState.REFUSED
        return replace(
            one, state=state, due=told.again_at or fact.occurred_at, reason=told.reason,
            failures=one.failures + 1, reached=one.reached | set(told.reached), settled_at=fact.occurred_at,
        )  # fmt: skip
    if one.state is DeliveryState.REFUSED:
        return replace(one, state=DeliveryState.WAITING, due=fact.occurred_at, failures=0)
    return one
