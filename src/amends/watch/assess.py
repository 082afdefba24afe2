"""From readings of both arms to what the watch says, one look at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from amends.watch.assessment import Assessment, Health
from amends.watch.measurements import Reading
from amends.watch.plan import WatchPlan
from amends.watch.state import WatchState


def assess(
    plan: WatchPlan,
    state: WatchState,
    readings: Sequence[Reading],
    health: Health,
    now: datetime,
    problems: Sequence[str] = (),
) -> tuple[WatchState, Assessment]:
    """Take one look: WATCHING or ROLL_BACK, with the state to pass to the next look."""
    raise NotImplementedError


def conclude(plan: WatchPlan, state: WatchState, now: datetime) -> Assessment:
    """Say at a step's end whether the candidate may go on: PROMOTE or INCONCLUSIVE (ROLL_BACK if proven)."""
    raise NotImplementedError
