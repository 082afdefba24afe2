"""Action items: what is to be done after an incident, by which team or role, until when.

"Done" because someone said so is how the same escape happens twice. An item that stands for a changed test
or gate is an amendment's: it is done when that amendment is active and open again when it lapses, and nobody
can say otherwise. Any other item is done with a word on what shows that it works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.guards import AmendmentState

Owner = Literal["team", "role"]
Priority = Literal["high", "medium", "low"]


class ActionState(StrEnum):
    """Where an action item stands."""

    OPEN = "open"  # from action.added or action.reopened, or when its guard lapsed or its risk ran out
    BEGUN = "in progress"  # from OPEN, by action.begun
    DONE = "done"  # from OPEN or BEGUN, by action.done; with an amendment: while that one is active
    DROPPED = "dropped"  # from OPEN or BEGUN, by action.dropped, with a reason
    ACCEPTED_RISK = "accepted risk"  # from OPEN or BEGUN, by action.accepted; OPEN again once it ran out


_LEFT = (ActionState.OPEN, ActionState.BEGUN)
_ENDED = (ActionState.DONE, ActionState.DROPPED, ActionState.ACCEPTED_RISK)
MOVES: dict[str, tuple[ActionState, tuple[ActionState, ...]]] = {
    "action.begun": (ActionState.BEGUN, (ActionState.OPEN,)),
    "action.done": (ActionState.DONE, _LEFT),
    "action.dropped": (ActionState.DROPPED, _LEFT),
    "action.accepted": (ActionState.ACCEPTED_RISK, _LEFT),
    "action.reopened": (ActionState.OPEN, _ENDED),
}
"""For each kind of event: the state it leads to, and those from which it does."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The amendment that an action item stands for, as far as the item must know it."""

    id: str
    state: AmendmentState
    reason: str = ""
    moved_at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What an action item is now.

    ``until`` is when an accepted risk ends; ``evidence`` shows that what was done works.
    """

    id: str
    incident: str
    service: str
    title: str
    owner: str
    owner_kind: Owner
    due: datetime | None
    priority: Priority
    guard: str
    added_at: datetime
    state: ActionState = ActionState.OPEN
    reason: str = ""
    evidence: str = ""
    until: datetime | None = None
    moved_at: datetime | None = None
    moved_by: str = ""
    events: tuple[str, ...] = ()
    version: int = 0

    @property
    def left(self) -> bool:
        """Whether something is still to be done."""
        return self.state in _LEFT

    def late(self, now: datetime) -> bool:
        """Whether it is left and its date has passed."""
        return self.left and self.due is not None and self.due < now


def fold_action(facts: Iterable[Fact]) -> Action | None:
    """Fold the facts of one action item; ``None`` when nothing adds it."""
    found = fold_actions(facts)
    return found[0] if found else None


def fold_actions(facts: Iterable[Fact]) -> tuple[Action, ...]:
    """Fold the facts of any number of action items, in the order in which they were added."""
    found: dict[str, Action] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.ActionAdded) and told.action not in found:
            found[told.action] = Action(
                told.action, told.incident, told.service, told.title, told.owner, told.owner_kind, told.due,
                told.priority, told.guard, fact.occurred_at, events=(fact.id,), version=fact.recorded.seq,
            )  # fmt: skip
        elif isinstance(told, p.ActionChanged | p.ActionMoved) and told.action in found:
            found[told.action] = _apply(found[told.action], fact)
    return tuple(found.values())


def _apply(action: Action, fact: Fact) -> Action:
    told = fact.payload
    after = replace(action, events=(*action.events, fact.id), version=fact.recorded.seq)
    if isinstance(told, p.ActionChanged):
        return replace(
            after, title=told.title or after.title, owner=told.owner or after.owner,
            owner_kind=told.owner_kind or after.owner_kind, due=told.due or after.due,
            priority=told.priority or after.priority, guard=told.guard or after.guard,
        )  # fmt: skip
    if isinstance(told, p.ActionMoved) and may_move(action.state, fact.kind):
        return replace(
            after, state=MOVES[fact.kind][0], reason=told.reason, evidence=told.evidence, until=told.until,
            moved_at=fact.occurred_at, moved_by=told.role,
        )  # fmt: skip
    return after


def may_move(state: ActionState, kind: str) -> bool:
    """Return whether an event of this kind changes an item in this state."""
    return kind in MOVES and state in MOVES[kind][1]


def as_of(action: Action, guards: Mapping[str, Guard], now: datetime) -> Action:
    """Return an item as it stands at a moment: as its amendment says, and open where a risk ran out."""
    guard = guards.get(action.guard)
    if guard is not None and action.state is not ActionState.DROPPED:
        action = _guarded(action, guard)
    if action.state is ActionState.ACCEPTED_RISK and action.until is not None and action.until <= now:
        due = max(action.due, action.until) if action.due else action.until
        return replace(
            action, state=ActionState.OPEN, reason=f"the accepted risk has run out: {action.reason}", due=due,
            moved_at=action.until,
        )  # fmt: skip
    return action


def _guarded(action: Action, guard: Guard) -> Action:
    said = f"{guard.id} is {guard.state}" + (f": {guard.reason}" if guard.reason else "")
    if guard.state is AmendmentState.ACTIVE:
        return replace(action, state=ActionState.DONE, reason=said, moved_at=guard.moved_at)
    if guard.state is AmendmentState.ACCEPTED_RISK and action.left:
        return replace(
            action, state=ActionState.ACCEPTED_RISK, reason=guard.reason, until=guard.until,
            moved_at=guard.moved_at,
        )  # fmt: skip
    if guard.state is AmendmentState.LAPSED:
        return replace(action, state=ActionState.OPEN, reason=said, moved_at=guard.moved_at)
    if action.state is ActionState.DONE:
        return replace(action, state=ActionState.OPEN, reason=said, moved_at=guard.moved_at)
    return replace(action, reason=action.reason or said)
