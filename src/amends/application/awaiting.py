"""Waiting until the gates have decided: looking again when the log grows, and when an answer falls due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from amends.application.gating import decide_gates, record_decision
from amends.application.log import Log
from amends.gates.evaluate import PolicyDecision
from amends.gates.policy import LoadedPolicy
from amends.verdicts import Decision

LONGEST_NAP = 30.0
_SHORTEST_NAP = 0.05


def await_gates(
    log: Log, loaded: LoadedPolicy, release: str, environment: str, *, limit: timedelta, record: bool = True,
    tell: Callable[[PolicyDecision], None] = lambda _: None,
) -> PolicyDecision:  # fmt: skip
    """Ask the gates until they answer something else than undecided, at most for ``limit`` of the log's time.

    Returns the last answer, which is still undecided where the limit came first. ``tell`` gets the answer
    of every look. With ``record`` an answer is written down when a gate's answer differs from that before.
    The policy and its calendars are those that were read at the beginning.

    Raises as ``decide_gates`` does.
    """
    end = log.clock.now() + limit
    before: tuple[str, ...] = ()
    while True:
        position = log.store.last_position()
        decision = decide_gates(log, loaded, release, environment, record=False)
        answers = tuple(row.decision + row.overridden_by for row in decision.rows)
        if record and answers != before:
            record_decision(log, loaded, decision)
        before = answers
        tell(decision)
        if decision.decision is not Decision.UNDECIDED or log.clock.now() >= end:
            return decision
        log.store.wait(position, _nap(log, decision.until, end))


def _nap(log: Log, until: datetime | None, end: datetime) -> float:
    """Return for how many real seconds nothing can change by itself."""
    naps = [log.clock.real_seconds_until(moment) for moment in (until, end) if moment is not None]
    return max(_SHORTEST_NAP, min(LONGEST_NAP, *naps))
