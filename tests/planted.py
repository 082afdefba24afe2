"""Histories with a known truth: which changes fail, and which were approved by a second person."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from amends.adapters.clocks import SystemClock
from amends.adapters.stores.memory import MemoryStore
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import make_event
from amends.events.event import Event

BEGIN = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REVIEW = """\
service: shop
environments: [production]
gates:
  production:
    - review: {approvals: 1}
"""
Truth = Literal["helps", "harms", "nothing"]


@dataclass(frozen=True)
class Change:
    """One change, released by itself under its own name."""

    name: str
    at: datetime
    approvals: int
    fails: bool
    incident: str = ""


def changes(truth: Truth, count: int = 300, seed: int = 1) -> list[Change]:
    """Plan changes of which a fifth has no approval and about a tenth fails.

    With ``helps`` the unapproved fail far more often, with ``harms`` the approved do, with ``nothing`` all do
    alike.
    """
    rng = random.Random(seed)
    odds = {"helps": (0.03, 0.45), "harms": (0.2, 0.0), "nothing": (0.1, 0.1)}[truth]
    found = []
    for number in range(count):
        approved = rng.random() < 0.8
        fails = rng.random() < odds[0 if approved else 1]
        name = f"c{number:04}"
        found.append(
            Change(name, BEGIN + number * 6 * HOUR, int(approved), fails, f"INC-{number}" if fails else "")
        )
    return found


class Recorder:
    """Records facts as an import does: known when the source says that they were."""

    def __init__(self, service: str = "shop", environment: str = "production") -> None:
        self.service, self.environment = service, environment
        self.log = Log(MemoryStore(), SystemClock(), lambda: "unused")
        self._items: list[tuple[str, Event]] = []
        self._ids = itertools.count(1)

    def add(
        self, kind: str, at: datetime, payload: p.Payload, *, known: datetime | str | None = "at"
    ) -> None:
        known_at = at if isinstance(known, str) else known
        self._items.append(
            make_event(
                kind,
                payload,
                id=f"e{next(self._ids)}",
                source="/test",
                at=at,
                known_at=known_at,
                imported=True,
            )
        )

    def change(self, one: Change, *, release: str = "", reviews: bool = True) -> None:
        """Record a change from its merge to its deployment, and its failure."""
        version, merged = release or one.name, one.at - 2 * HOUR
        who: dict[str, Any] = {"service": self.service, "change": one.name}
        unrecorded = () if reviews else ("reviews",)
        self.add("change.merged", merged, p.ChangeMerged(**who, author="p-author", unrecorded=unrecorded))
        for number in range(one.approvals):
            told = p.ChangeReviewed(**who, reviewer=f"p-{number}", verdict="approved")
            self.add("change.reviewed", merged - HOUR, told)
        declared = p.ReleaseDeclared(service=self.service, version=version, changes=(one.name,))
        self.add("artifact.packaged", merged, declared)
        self.deploy(version, one.at)
        if one.fails:
            self.incident(one.incident, version, one.at + HOUR)

    def deploy(self, version: str, at: datetime, environment: str = "") -> None:
        told = p.ServiceDeployed(
            service=self.service, release=version, environment=environment or self.environment
        )
        self.add("service.deployed", at, told)

    def incident(self, name: str, version: str, at: datetime) -> None:
        told = p.IncidentOpened(
            incident=name, service=self.service, environment=self.environment, summary="it broke",
            opened_by="person", release=version,
        )  # fmt: skip
        self.add("incident.detected", at, told)

    def done(self) -> Log:
        """Write what was added into the log and return it."""
        self.log.store.append_many(self._items, recorded_at=BEGIN + 2000 * DAY)
        self._items = []
        return self.log


def planted(truth: Truth, count: int = 300, seed: int = 1) -> Log:
    """Return a log that holds a history with this truth."""
    return recorded(changes(truth, count, seed))


def recorded(plan: Sequence[Change]) -> Log:
    """Return a log of these changes."""
    recorder = Recorder()
    for one in plan:
        recorder.change(one)
    return recorder.done()
