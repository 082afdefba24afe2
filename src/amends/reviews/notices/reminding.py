"""Whom a reminder goes to, and what it says: one notice for all that is due for an audience."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from amends.reviews.audiences.settings import Audience, NoticePolicy
from amends.reviews.reminders import Asking, Reminder

TOPIC = "reminders"
OCCASION = "reminder"
_WHAT: Mapping[str, str] = {
    "action": "action item", "risk": "accepted risk that ends", "lapsed": "lapsed amendment",
    "review": "review to agree with", "statement": "statement to approve",
}  # fmt: skip


def audience_for(policy: NoticePolicy, asking: Asking) -> str:
    """Return the audience that a reminder goes to; empty where ``notices.yaml`` declares none for it.

    That is one that names the owner under ``owners`` or is called like it; else the team of the service, or
    management for a statement that waits for approval. Customers are reminded of nothing.
    """
    colleagues = {name: one for name, one in policy.audiences.items() if one.kind != "customers"}
    wanted = policy.approvers if asking.why == "statement" else [asking.owner]
    owners = {_plain(one) for one in wanted}
    for name, one in colleagues.items():
        if owners & {_plain(name), *map(_plain, one.owners)}:
            return name
    kind = "leadership" if asking.why == "statement" else "team"
    fitting = [
        (name, one) for name, one in colleagues.items() if one.kind == kind and one.concerns(asking.service)
    ]
    return min(fitting, key=_breadth, default=("", None))[0]


def _breadth(item: tuple[str, Audience]) -> tuple[bool, int]:
    """Prefer an audience that names few services to one that has to do with all."""
    return not item[1].services, len(item[1].services)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def reminder_notice(reminders: Sequence[Reminder], now: datetime, public_url: str = "") -> tuple[str, str]:
    """Return subject and Markdown text of one notice for all that an audience is reminded of."""
    by_owner: dict[str, list[Reminder]] = {}
    for one in reminders:
        by_owner.setdefault(one.asking.owner, []).append(one)
    parts = []
    for owner, own in by_owner.items():
        parts.append(f"## {owner}\n\n" + "\n".join(f"- {line(one, now, public_url)}" for one in own))
    return _subject(reminders), "\n\n".join(parts) + "\n"


def _subject(reminders: Sequence[Reminder]) -> str:
    owners = list(dict.fromkeys(one.asking.owner for one in reminders))
    whose = owners[0] if len(owners) == 1 else f"{len(owners)} owners"
    if len(reminders) == 1:
        asking = reminders[0].asking
        return f"Reminder for {whose}: {_WHAT[asking.why]} {asking.about.partition('/')[0]}"
    return f"Reminder for {whose}: {len(reminders)} things ask for attention"


def line(one: Reminder, now: datetime, public_url: str = "") -> str:
    """Say what a reminder is about, since or until when, where it is, and when the next one comes."""
    asking = one.asking
    when = f"{asking.due:%Y-%m-%d}"
    if asking.why in ("action", "risk"):
        due = f"was due {when}" if asking.due <= now else f"is due {when}"
    else:
        due = f"since {when}"
    link = f" {public_url.rstrip('/')}{path_of(asking)}" if public_url else ""
    return (
        f"{_WHAT[asking.why]} {asking.about.partition('/')[0]}, {due}: {asking.text}{link} "
        f"(reminder {one.number}; the next {one.then:%Y-%m-%d})"
    )


def path_of(asking: Asking) -> str:
    """Return where on the server that is which asks for attention."""
    if asking.why == "review":
        return f"/incidents/{asking.incident}/review"
    if asking.why == "statement":
        return f"/incidents/{asking.incident}"
    return f"/amendments/{asking.about}" if asking.about.startswith("AM-") else f"/actions/{asking.about}"


def routes(
    policy: NoticePolicy, reminders: Iterable[Reminder]
) -> tuple[dict[str, list[Reminder]], list[Reminder]]:
    """Return the reminders of each audience, and those that no audience is declared for."""
    found: dict[str, list[Reminder]] = {}
    nowhere = []
    for one in reminders:
        name = audience_for(policy, one.asking)
        if name:
            found.setdefault(name, []).append(one)
        else:
            nowhere.append(one)
    return found, nowhere
