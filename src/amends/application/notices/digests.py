"""The weekly digest of each audience: what was deferred and has not been told since."""

from __future__ import annotations

from datetime import datetime

from amends.application.notices.office import Office
from amends.application.notices.telling import intend
from amends.events import payloads as p
from amends.reviews.audiences.price import Attention, price
from amends.reviews.notices.digest import Item, digest_text, topic_of
from amends.reviews.notices.outbox import Notice, Thread


def waiting(office: Office, audience: str) -> list[Item]:
    """Return what waits for an audience's digest, oldest first."""
    office.audience(audience)
    items: list[Item] = []
    included: set[str] = set()
    told: dict[str, datetime] = {}
    for fact in office.log.facts(kinds=("notice.deferred", "notice.intended")):
        said = fact.payload
        if isinstance(said, p.NoticeIntended) and said.audience == audience:
            included |= set(said.includes)
            told[said.topic] = fact.occurred_at
        elif isinstance(said, p.NoticeDeferred) and said.audience == audience:
            items.append(Item(fact.id, fact.occurred_at, said))
    return [
        one for one in items
        if one.event not in included and (one.said.topic not in told or one.at > told[one.said.topic])
    ]  # fmt: skip


def preview_digest(office: Office, audience: str) -> tuple[str, str, Attention] | None:
    """Return subject, text and price of an audience's digest as of now; ``None`` for an empty one."""
    items = waiting(office, audience)
    if not items:
        return None
    subject, text = digest_text(items, office.policy.public_url)
    people, pace = office.audience(audience).people, office.policy.words_per_minute
    return subject, text, price(f"{subject} {text}", people, words_per_minute=pace)


def send_digest(office: Office, audience: str, at: datetime, *, role: str = "") -> Notice | None:
    """Put an audience's digest of the week of ``at`` into the outbox; ``None`` when nothing waits.

    A second one in the same week is its next revision, with what came since.
    """

    def decide(thread: Thread) -> p.NoticeIntended | None:
        found = preview_digest(office, audience)
        if found is None:
            return None
        subject, text, cost = found
        return p.NoticeIntended(
            topic=topic_of(at), audience=audience, kind=office.audience(audience).kind,
            revision=len(thread.notices) + 1, subject=subject, text=text, channels=office.channels(audience),
            words=cost.words, seconds_each=round(cost.seconds_each, 3), people=cost.people, occasion="digest",
            role=role, includes=tuple(one.event for one in waiting(office, audience)),
        )  # fmt: skip

    return intend(office.log, topic_of(at), audience, decide)
