"""Where an amendment stands, as far as a gate must know it: whether its guard is to hold a release up."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


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
MOVES: dict[str, tuple[AmendmentState, tuple[AmendmentState, ...]]] = {
    "amendment.proven": (AmendmentState.PROVEN, _OPEN),
    "amendment.disproven": (AmendmentState.DISPROVEN, _OPEN),
    "amendment.unreplayable": (AmendmentState.NOT_REPLAYABLE, _OPEN),
    "amendment.activated": (AmendmentState.ACTIVE, (AmendmentState.PROVEN,)),
    "amendment.lapsed": (AmendmentState.LAPSED, (AmendmentState.ACTIVE,)),
    "amendment.accepted": (AmendmentState.ACCEPTED_RISK, _OPEN),
}
"""For each kind of event: the state it leads to, and those from which it does."""

GUARDING = (AmendmentState.PROVEN, AmendmentState.ACTIVE)


def may_move(state: AmendmentState, kind: str) -> bool:
    """Return whether an event of this kind changes an amendment in this state."""
    return kind in MOVES and state in MOVES[kind][1]


def guarding_since(kinds: Iterable[str]) -> int:
    """Return which of an amendment's moves, oldest first, made it proven or active; -1 if it is neither."""
    state, since = AmendmentState.PROPOSED, -1
    for index, kind in enumerate(kinds):
        if may_move(state, kind):
            state, since = MOVES[kind][0], index
    return since if state in GUARDING else -1
