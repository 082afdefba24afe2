"""When the weekly digest is due, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from amends.events import payloads as p
from amends.reviews.audiences.settings import Digest
from amends.reviews.notices.digest import Item, digest_text, last_due, topic_of

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 2, 9, 0, tzinfo=UTC), MONDAY),
        (datetime(2026, 3, 8, 23, 59, tzinfo=UTC), MONDAY),
        (datetime(2026, 3, 2, 8, 59, tzinfo=UTC), datetime(2026, 2, 23, 9, 0, tzinfo=UTC)),
        (datetime(2026, 3, 9, 9, 1, tzinfo=UTC), datetime(2026, 3, 9, 9, 0, tzinfo=UTC)),
    ],
)
def test_it_is_due_once_a_week(now: datetime, due: datetime) -> None:
    assert last_due(Digest(day="monday", at="09:00"), now) == due


def test_it_is_named_by_its_week_across_the_turn_of_the_year() -> None:
    assert topic_of(MONDAY) == "digest-2026-W10"
    assert topic_of(datetime(2027, 1, 1, tzinfo=UTC)) == "digest-2026-W53"


def test_one_incident_is_told_once_as_it_was_last() -> None:
    def item(event: str, minute: int, topic: str, text: str) -> Item:
        said = p.NoticeDeferred(topic=topic, audience="leads", kind="leadership", subject=topic, text=text)
        return Item(event, MONDAY.replace(minute=minute), said)

    subject, text = digest_text(
        [item("a", 1, "INC-1", "old"), item("b", 2, "INC-2", "two"), item("c", 3, "INC-1", "new")]
    )
    assert subject == "Weekly digest: 2 items"
    assert "old" not in text
    assert text.index("two") < text.index("new")
