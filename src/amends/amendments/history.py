"""Past deployments of a service to an environment: which were good, and when each was decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


Canonical = Callable[[str], str]


def good_deployments(
    facts: Iterable[Fact], environment: str, canonical: Canonical, *, bad: Iterable[str] = ()
) -> tuple[PastDeployment, ...]:
    """Return the deployments to an environment that nobody rolled back, oldest first, one for each release.

    ``canonical`` gives a release's version for any of its names; ``bad`` are versions to leave out.
    """
    facts = list(facts)
    gone = {*bad, *(canonical(name) for fact in facts for name in _condemned(fact, environment))}
    found: dict[str, PastDeployment] = {}
    for fact in facts:
        told = fact.payload
        if not isinstance(told, p.ServiceDeployed) or told.environment != environment:
            continue
        version = canonical(told.release)
        if version in gone or version in found:
            continue
        found[version] = PastDeployment(version, _decided_at(facts, fact, told, canonical), fact.id)
    return tuple(found.values())


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


def _decided_at(facts: Sequence[Fact], fact: Fact, told: p.ServiceDeployed, canonical: Canonical) -> datetime:
    version = canonical(told.release)
    names = {
        name
        for other in facts
        if (name := getattr(other.payload, "release", "")) and canonical(name) == version
    }
    moment = decision_moment(
        facts, told.environment, names, deployment=told.deployment, before=fact.occurred_at
    )  # fmt: skip
    return moment or fact.occurred_at


def _condemned(fact: Fact, environment: str) -> tuple[str, ...]:
    told = fact.payload
    if isinstance(told, p.ServiceRolledBack) and told.environment == environment and told.release:
        return (told.release,)
    if isinstance(told, p.IncidentOpened) and told.release:
        return (told.release,)
    return (told.release,) if isinstance(told, p.QuarantineSet) else ()
