"""The facts that gates may rely on, each once, oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amends.events.codec import Fact
from amends.gates.guards import MOVES

KINDS = (
    "artifact.packaged", "change.merged", "change.reviewed", "testsuiterun.finished", "signoff.given",
    "service.deployed", "service.upgraded", "service.rolledback", "traffic.observed", "incident.detected",
    "incident.resolved", "incident.reopened", "shift.acknowledged", "override.granted", "quarantine.set",
    "quarantine.lifted", "edgecase.documented", "edgecase.retired", "amendment.proposed", *MOVES,
    "deployment.finished", "replay.finished",
)  # fmt: skip
"""The kinds of fact that a gate may rely on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A fact as the fold needs it; ``known`` is NaN where nobody said. ``order`` is that of happening."""

    id: str
    kind: str
    payload: Any
    occurred: float
    known: float
    order: tuple[float, float, int, str]
    fact: Fact


def sorted_by_kind(facts: Iterable[Fact]) -> dict[str, list[Seen]]:
    """Keep each known event once, oldest first, by kind."""
    found: dict[tuple[str, str], Seen] = {}
    for fact in facts:
        key = fact.recorded.event.key
        if fact.payload is None or fact.kind not in KINDS or key in found:
            continue
        occurred = fact.occurred_at.timestamp()
        known = fact.known_at.timestamp() if fact.known_at else float("nan")
        order = (occurred, fact.recorded.recorded_at.timestamp(), fact.recorded.seq, fact.id)
        found[key] = Seen(fact.id, fact.kind, fact.payload, occurred, known, order, fact)
    by_kind: dict[str, list[Seen]] = {kind: [] for kind in KINDS}
    for seen in sorted(found.values(), key=lambda seen: seen.order):
        by_kind[seen.kind].append(seen)
    return by_kind
