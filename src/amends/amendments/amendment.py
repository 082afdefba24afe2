"""An amendment, folded from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.guards import MOVES
from amends.gates.guards import AmendmentState as AmendmentState
from amends.gates.guards import may_move as may_move


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the guard, with its event."""

    event: str
    at: datetime
    run: p.ProofRun


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an amendment is now.

    ``runs`` are those of its last proof (all recorded ones while it is under way); ``reason`` is what the
    last judgement or move said; ``guard`` is a test's file when it became active; ``events`` are the ids of
    everything that made it what it is, oldest first.
    """

    id: str
    proposed: p.AmendmentProposed
    proposed_at: datetime
    state: AmendmentState = AmendmentState.PROPOSED
    reason: str = ""
    runs: tuple[Run, ...] = ()
    price: p.Price | None = None
    diff: str = ""
    policy: str = ""
    guard: str = ""
    until: datetime | None = None
    moved_at: datetime | None = None
    events: tuple[str, ...] = ()
    version: int = 0

    @property
    def incident(self) -> str:
        return self.proposed.incident

    @property
    def produced_later(self) -> bool:
        """Whether the proof rests on evidence that did not exist when the release was decided on."""
        return any(run.run.produced_later for run in self.runs)


def fold_amendment(facts: Iterable[Fact]) -> Amendment | None:
    """Fold the facts of one amendment; ``None`` when nothing proposes it."""
    found = fold_amendments(facts)
    return found[0] if found else None


def fold_amendments(facts: Iterable[Fact]) -> tuple[Amendment, ...]:
    """Fold the facts of any number of amendments, in the order in which they were proposed."""
    found: dict[str, Amendment] = {}
    for fact in facts:
        told = fact.payload
        name = getattr(told, "amendment", "")
        if isinstance(told, p.AmendmentProposed) and name not in found:
            found[name] = Amendment(
                name, told, fact.occurred_at, events=(fact.id,), version=fact.recorded.seq
            )  # fmt: skip
        elif name in found:
            found[name] = _apply(found[name], fact)
    return tuple(found.values())


def _apply(amendment: Amendment, fact: Fact) -> Amendment:
    told = fact.payload
    after = replace(amendment, events=(*amendment.events, fact.id), version=fact.recorded.seq)
    if isinstance(told, p.ProofRun):
        return replace(after, runs=(*after.runs, Run(fact.id, fact.occurred_at, told)))
    if not may_move(amendment.state, fact.kind):
        return after
    after = replace(after, state=MOVES[fact.kind][0], moved_at=fact.occurred_at)
    if isinstance(told, p.AmendmentJudged):
        mine = tuple(run for run in after.runs if run.event in told.runs)
        return replace(after, reason=told.reason, price=told.price, runs=mine)
    if isinstance(told, p.AmendmentMoved):
        return replace(
            after, reason=told.reason or after.reason, diff=told.diff or after.diff,
            policy=told.policy or after.policy, guard=told.guard or after.guard, until=told.until,
        )  # fmt: skip
    return after
