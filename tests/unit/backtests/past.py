"""A history written down by hand, for the tests of this room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from amends.adapters.clocks import SystemClock
from amends.adapters.stores.memory import MemoryStore
from amends.application.log import Log
from amends.backtests.folded import FoldedEvidence
from amends.backtests.history import History, past_deployments
from amends.backtests.loose import bypasses, loose_ends, loose_facts
from amends.events import payloads as p
from amends.events.codec import Fact, make_event
from tests.planted import BEGIN, DAY

PROD: dict[str, Any] = {"service": "shop", "environment": "production"}


class Told:
    """Facts of one service, told by the day on which they happened."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def __call__(self, kind: str, day: float, payload: p.Payload) -> None:
        at = BEGIN + day * DAY
        self.items.append(
            make_event(
                kind, payload, id=f"e{len(self.items)}", source="/t", at=at, known_at=at, imported=True
            )
        )

    def release(self, version: str, *changes: str, day: float = 0) -> None:
        self("artifact.packaged", day, p.ReleaseDeclared(service="shop", version=version, changes=changes))

    def deployed(self, version: str, day: float, environment: str = "production", **kw: Any) -> None:
        told = p.ServiceDeployed(service="shop", release=version, environment=environment, **kw)
        self("service.upgraded", day, told)

    def rolled_back(self, version: str, to: str, day: float) -> None:
        self("service.rolledback", day, p.ServiceRolledBack(**PROD, release=version, restored=to, reason=""))

    def incident(self, name: str, version: str, day: float, **kw: Any) -> None:
        told = p.IncidentOpened(
            **{**PROD, "opened_by": "person", **kw}, incident=name, summary="it broke", release=version
        )
        self("incident.detected", day, told)

    def reverted(self, change: str, day: float, classified: Any = "failure") -> None:
        self("change.reverted", day, p.ChangeReverted(service="shop", change=change, classified=classified))

    def facts(self) -> list[Fact]:
        log = Log(MemoryStore(), SystemClock(), lambda: "unused")
        log.store.append_many(self.items, recorded_at=BEGIN + 999 * DAY)
        return log.facts()

    def history(self) -> History:
        facts = self.facts()
        found = FoldedEvidence(reversed(facts)).deployments(["shop"], "production")
        loose = loose_ends(loose_facts(found, facts, "production"), facts, "production")
        return past_deployments(found, "production", loose=loose, no_defects=bypasses(facts))


def day_of(at: datetime | None) -> float | None:
    """Return a moment as its day of the history."""
    return None if at is None else (at - BEGIN) / DAY
