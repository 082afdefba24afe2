"""The outbox as a fold: what is on its way, what is sent, what is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from amends.adapters.clocks import StillClock
from amends.adapters.stores import open_store
from amends.application.log import Log
from amends.events import payloads as p
from amends.reviews.notices.outbox import LEASE, DeliveryState, Thread, back_off, fold_thread

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHERE = {"topic": "INC-1", "audience": "leads", "incident": "INC-1", "service": "shop"}


class Post:
    """A thread's log, one second between events."""

    def __init__(self) -> None:
        self.clock = StillClock(AT)
        ids = iter(range(1000))
        self.log = Log(open_store("memory:").store, self.clock, lambda: f"e{next(ids)}")

    def tell(self, kind: str, payload: p.Payload) -> None:
        self.clock.wait(1)
        self.log.record(kind, payload)

    def intend(self, revision: int = 1, **more: Any) -> None:
        self.tell("notice.intended", p.NoticeIntended(
            **WHERE, kind="leadership", revision=revision, subject="s", text=f"t{revision}",
            channels=("web", "mail"), words=2, seconds_each=1.0, **more,
        ))  # fmt: skip

    def attempt(self, number: int = 1, channel: str = "mail", revision: int = 1) -> None:
        until = self.clock.now() + LEASE
        self.tell("notice.attempted", p.NoticeAttempted(
            **WHERE, revision=revision, channel=channel, attempt=number, until=until
        ))  # fmt: skip

    def sent(self, number: int = 1, channel: str = "mail") -> None:
        self.tell("notice.sent", p.NoticeSent(**WHERE, revision=1, channel=channel, attempt=number))

    def fail(self, number: int = 1, again_in: float | None = 60, reached: tuple[str, ...] = ()) -> None:
        again = self.clock.now() + timedelta(seconds=again_in) if again_in is not None else None
        self.tell("notice.failed", p.NoticeFailed(
            **WHERE, revision=1, channel="mail", attempt=number, reason="no", again_at=again, reached=reached
        ))  # fmt: skip

    @property
    def thread(self) -> Thread:
        return fold_thread(self.log.stream("notice/INC-1/leads"))

    @property
    def mail(self) -> Any:
        return self.thread.notices[0].delivery("mail")


def test_a_channel_goes_from_waiting_to_sent_by_itself() -> None:
    post = Post()
    post.intend()
    assert post.mail.state is DeliveryState.WAITING
    post.attempt()
    assert post.mail.state is DeliveryState.UNDER_WAY
    post.sent()
    assert post.mail.state is DeliveryState.SENT
    assert not post.thread.notices[0].done
    post.sent(channel="web")
    assert post.thread.notices[0].done


def test_a_failure_waits_and_one_for_good_waits_for_a_person() -> None:
    post = Post()
    post.intend()
    post.attempt()
    post.fail(again_in=60, reached=("abc",))
    assert (post.mail.state, post.mail.failures) == (DeliveryState.WAITING, 1)
    assert post.mail.due > post.clock.now()
    post.attempt(2)
    post.fail(2, again_in=None)
    assert post.mail.state is DeliveryState.REFUSED
    assert post.mail.reached == {"abc"}
    post.tell("notice.retried", p.NoticeRetried(**WHERE, revision=1, channel="mail", role="on-call"))
    assert (post.mail.state, post.mail.failures) == (DeliveryState.WAITING, 0)


def test_an_attempt_without_an_end_may_be_made_again_and_is_then_uncertain() -> None:
    post = Post()
    post.intend()
    post.attempt()
    assert post.mail.open
    assert post.mail.due == post.clock.now() - timedelta(seconds=1) + LEASE
    post.attempt(2)
    assert post.mail.uncertain


def test_what_a_slower_process_says_late_undoes_nothing() -> None:
    post = Post()
    post.intend()
    post.attempt()
    post.attempt(2)
    post.fail(1, again_in=0)
    assert post.mail.state is DeliveryState.UNDER_WAY
    post.sent(2)
    post.fail(2, again_in=0)
    assert post.mail.state is DeliveryState.SENT


def test_folding_on_is_folding_all() -> None:
    post = Post()
    post.intend()
    post.attempt()
    part = post.thread
    post.fail()
    post.intend(2)
    post.attempt(1, revision=2)
    facts = post.log.stream("notice/INC-1/leads")
    assert fold_thread(facts, part) == fold_thread(facts)
    assert fold_thread(facts[part.version :], part) == fold_thread(facts)


def test_patience_doubles_up_to_an_hour_and_never_ends() -> None:
    spans = [back_off(n).total_seconds() for n in range(1, 10)]
    assert spans[:4] == [30, 60, 120, 240]
    assert spans[-1] == back_off(10_000).total_seconds() == 3600


def test_what_was_told_since_does_not_wait_for_the_digest() -> None:
    post = Post()
    post.tell("notice.deferred", p.NoticeDeferred(**WHERE, kind="leadership", subject="s", text="t"))
    assert len(post.thread.waiting) == 1
    post.intend()
    assert post.thread.waiting == ()
    assert post.thread.told() == {("leads", "asked", "now"), ("leads", "asked", "digest")}
