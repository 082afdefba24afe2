"""The weekly digest: what can wait, told once a week to those who asked for nothing sooner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from amends.events import payloads as p
from amends.reviews.audiences.settings import Digest

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that waits: the event that deferred it, when, and what it says."""

    event: str
    at: datetime
    said: p.NoticeDeferred


def last_due(when: Digest, now: datetime) -> datetime:
    """Return the last moment at which digests went out, at or before ``now``."""
    hour, minute = map(int, when.at.split(":"))
    today = datetime.combine(now.astimezone(UTC).date(), time(hour, minute), UTC)
    at = today - timedelta(days=(today.weekday() - DAYS.index(when.day)) % 7)
    return at if at <= now else at - timedelta(days=7)


def topic_of(at: datetime) -> str:
    """Name the digest of a moment by its ISO week: ``digest-2026-W12``."""
    year, week, _ = at.isocalendar()
    return f"digest-{year}-W{week:02}"


def digest_text(items: Sequence[Item], public_url: str = "") -> tuple[str, str]:
    """Return subject and text of a digest. What waited twice about one incident is told once."""
    latest = {item.said.topic: item for item in items}
    ordered = sorted(latest.values(), key=lambda item: item.at)
    count = f"{len(ordered)} item" if len(ordered) == 1 else f"{len(ordered)} items"
    lines = [f"## {item.said.subject}\n\n{item.said.text.strip()}" for item in ordered]
    if public_url:
        lines.append(f"{public_url.rstrip('/')}/notices")
    return f"Weekly digest: {count}", "\n\n".join(lines) + "\n"
