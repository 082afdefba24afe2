"""What a review talks about beside its incident: the ways around the gates since the last review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.wording import say_time, short
from amends.releases.bypass import Bypass

QUESTIONS = {
    "override": "What was weighed, and is the gate the right one as it is?",
    "bypass": "What made the way around the gates the practical one that day?",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """An override or a bypass. ``own`` marks one of the incident's own release."""

    kind: Literal["override", "bypass"]
    at: datetime
    release: str
    environment: str
    text: str
    event: str
    own: bool = False

    @property
    def question(self) -> str:
        return QUESTIONS[self.kind]


@dataclass(frozen=True, slots=True)
class Agenda:
    """The topics, oldest first. ``since`` is when the last review before was published, of ``review``.

    ``None``: there was none, so everything that is recorded counts. At most the latest ``most`` deployments
    were looked at.
    """

    since: datetime | None = None
    review: str = ""
    topics: tuple[Topic, ...] = ()
    most: int = 0

    @property
    def began(self) -> str:
        """Say from when on the topics are."""
        when = f"since the review of {self.review} ({say_time(self.since)})" if self.since else "so far"
        return f"{when}, of the latest {self.most} deployments" if self.most else when


def agenda_of(
    overrides: Iterable[Fact], bypasses: Iterable[Bypass], names: frozenset[str], *, since: datetime | None,
    review: str, until: datetime | None, most: int = 0,
) -> Agenda:  # fmt: skip
    """Put together an agenda: what came after ``since`` and by ``until``, and all of the incident's release.

    ``names`` are the names of the incident's release.
    """
    topics = [_of_override(fact, fact.payload, names) for fact in overrides
              if isinstance(fact.payload, p.OverrideGranted)]  # fmt: skip
    topics += [_of_bypass(one, names) for one in bypasses]
    found = [
        topic
        for topic in topics
        if (until is None or topic.at <= until) and (topic.own or since is None or topic.at > since)
    ]
    return Agenda(since, review, tuple(sorted(found, key=lambda topic: (topic.at, topic.event))), most)


def _of_override(fact: Fact, said: p.OverrideGranted, names: frozenset[str]) -> Topic:
    which = ", ".join(said.gates) or "every gate"
    text = (
        f"{short(said.release)} was let past {which} of {said.environment} until "
        f"{say_time(said.expires_at)}, approved by {said.approver_role or 'an unnamed role'}: {said.reason}"
    )
    return Topic(
        "override", fact.occurred_at, said.release, said.environment, text, fact.id, said.release in names
    )


def _of_bypass(one: Bypass, names: frozenset[str]) -> Topic:
    return Topic("bypass", one.at, one.release, one.environment, one.reason, one.event, one.release in names)
