"""When past deployments of a service were decided on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact


@dataclass(frozen=True, slots=True)
class PastDeployment:
    """A release that took over an environment. ``decided_at`` is the moment that a gate is asked about.

    ``event`` is the event that says that it took over.
    """

    release: str
    decided_at: datetime
    event: str


def decision_moment(
    facts: Sequence[Fact], environment: str, names: Iterable[str], *, deployment: str = "",
    before: datetime | None = None,
) -> datetime | None:  # fmt: skip
    """Return when a release was decided on: its gates' decision, its request, or its taking over.

    The latest of these kinds in this order, not after ``before``, of ``deployment`` where that is named.
    ``None`` when nothing of the kind is recorded.
    """
    known = set(names)
    for kind in (p.GatesDecided, p.DeploymentRequested, p.ServiceDeployed):
        moments = [
            fact.payload.at if isinstance(fact.payload, p.GatesDecided) else fact.occurred_at
            for fact in facts
            if isinstance(fact.payload, kind)
            and fact.payload.environment == environment
            and fact.payload.release in known
            and (not deployment or getattr(fact.payload, "deployment", "") in ("", deployment))
        ]
        moments = [at for at in moments if before is None or at <= before]
        if moments:
            return max(moments)
    return None
