"""An amendment, folded from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from amends.events import payloads as p
from amends.events.codec import Fact


class AmendmentState(StrEnum):
    """Where an amendment stands. Only what is proven can become active; "done" is not a state."""

    PROPOSED = "proposed"  # from amendment.proposed; to every judgement, and to ACCEPTED_RISK
    PROVEN = "proven"  # from any state but ACTIVE and ACCEPTED_RISK, by amendment.proven; to ACTIVE
    DISPROVEN = "disproven"  # by amendment.disproven: it does not catch what escaped; may be proven later
    NOT_REPLAYABLE = "not replayable"  # by amendment.unreplayable: nobody can tell; may be proven later
    ACTIVE = "active"  # from PROVEN, by amendment.activated: it guards releases now; to LAPSED
    LAPSED = "lapsed"  # from ACTIVE, by amendment.lapsed: the guard is gone or weakened; may be proven again
    ACCEPTED_RISK = "accepted risk"  # by amendment.accepted, unless ACTIVE: no guard, with reason and date


_OPEN = (
    AmendmentState.PROPOSED, AmendmentState.PROVEN, AmendmentState.DISPROVEN, AmendmentState.NOT_REPLAYABLE,
    AmendmentState.LAPSED,
)  # fmt: skip
_MOVES: dict[str, tuple[AmendmentState, tuple[AmendmentState, ...]]] = {
    "amendment.proven": (AmendmentState.PROVEN, _OPEN),
    "amendment.disproven": (AmendmentState.DISPROVEN, _OPEN),
    "amendment.unreplayable": (AmendmentState.NOT_REPLAYABLE, _OPEN),
    "amendment.activated": (AmendmentState.ACTIVE, (AmendmentState.PROVEN,)),
    "amendment.lapsed": (AmendmentState.LAPSED, (AmendmentState.ACTIVE,)),
    "amendment.accepted": (AmendmentState.ACCEPTED_RISK, _OPEN),
}


def may_move(state: AmendmentState, kind: str) -> bool:
    """Return whether an event of this kind changes an amendment in this state."""
    return kind in _MOVES and state in _MOVES[kind][1]


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
    last judgement or move said; ``events`` are the ids of everything that made it what it is, oldest first.
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
    after = replace(after, state=_MOVES[fact.kind][0], moved_at=fact.occurred_at)
    if isinstance(told, p.AmendmentJudged):
        mine = tuple(run for run in after.runs if run.event in told.runs)
        return replace(after, reason=told.reason, price=told.price, runs=mine)
    if isinstance(told, p.AmendmentMoved):
        return replace(
            after, reason=told.reason or after.reason, diff=told.diff or after.diff,
            policy=told.policy or after.policy, until=told.until,
        )  # fmt: skip
    return after
