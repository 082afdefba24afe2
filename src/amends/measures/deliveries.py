"""Deployments as delivery measures count them, with what came of each.

A *deployment* here is a release that began to carry an environment's traffic: it took over, or a rollout gave
it a share and took it back. Going back to an earlier release is none, and neither is the release that runs
there already. What came of it is found by the exact release or deployment that an incident or a rollback
names, never by which deployment happened to be the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amends.backtests.names import ReleaseNames
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.measures.measure import Case, Scope
from amends.releases.catalogue import Release, releases_of


@dataclass(frozen=True, slots=True)
class Failure:
    """A rollback of a deployment's release, or an incident on it (``incident`` is then its id)."""

    at: datetime
    event: str
    incident: str = ""


@dataclass(slots=True)
class Delivery:
    """One deployment. ``changes`` are those that reached the environment with it."""

    service: str
    version: str
    at: datetime
    event: str
    deployment: str = ""
    failures: list[Failure] = field(default_factory=list)
    changes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.failures)

    @property
    def incidents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.incident for one in self.failures if one.incident))

    @property
    def rolled_back(self) -> datetime | None:
        """When it was rolled back, if it was."""
        return min((one.at for one in self.failures if not one.incident), default=None)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """All deployments of a scope, oldest first; ``stray`` incidents name no deployment that is recorded.

    ``names`` finds releases by any name, ``merged`` holds changes by service and id.
    """

    all: tuple[Delivery, ...]
    stray: tuple[str, ...]
    names: ReleaseNames
    merged: dict[tuple[str, str], Fact]


_DEPLOYED = ("service.deployed", "service.upgraded")


def read_deliveries(facts: Iterable[Fact], cases: Sequence[Case], scope: Scope) -> Deliveries:
    """Find the deployments to the scope's environment, whenever they were.

    ``facts`` are in any order; ``cases`` bring the incidents.
    """
    ordered = sorted(
        (fact for fact in facts if scope.about(getattr(fact.payload, "service", ""))),
        key=lambda f: (f.occurred_at, f.recorded.position),
    )
    declared = releases_of(ordered)
    reading = _Reading(scope.environment, ReleaseNames(declared))
    for fact in ordered:
        reading.take(fact)
    reading.attribute(case for case in cases if scope.about(case.incident.service))
    found = sorted(reading.found, key=lambda one: one.at)
    _with_changes(found, declared)
    merged = {
        (fact.payload.service, fact.payload.change): fact
        for fact in reversed(ordered) if isinstance(fact.payload, p.ChangeMerged)
    }  # fmt: skip
    return Deliveries(tuple(found), tuple(reading.stray), reading.names, merged)


@dataclass(slots=True)
class _Reading:
    """One pass over facts in their order."""

    environment: str
    names: ReleaseNames
    found: list[Delivery] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    backwards: set[str] = field(default_factory=set)
    traffic: dict[str, Fact] = field(default_factory=dict)
    by_deployment: dict[str, Delivery] = field(default_factory=dict)
    by_version: dict[tuple[str, str], list[Delivery]] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        told = fact.payload
        if getattr(told, "environment", None) != self.environment:
            return
        if isinstance(told, p.DeploymentRequested) and told.kind == "rollback":
            self.backwards.add(told.deployment)
        elif isinstance(told, p.ServiceDeployed) and fact.kind in _DEPLOYED:
            self._took_over(fact, told)
        elif isinstance(told, p.StepStarted) and told.weight > 0:
            self.traffic.setdefault(told.deployment, fact)
        elif isinstance(told, p.DeploymentFinished):
            self._finished(told)
        elif isinstance(told, p.ServiceRolledBack):
            self._went_back(fact, told)

    def _version(self, service: str, release: str) -> str:
        return self.names.find(service, release).version

    def _took_over(self, fact: Fact, told: p.ServiceDeployed) -> None:
        version = self._version(told.service, told.release)
        again = self.running.get(told.service) == version
        self.running[told.service] = version
        if again or told.deployment in self.backwards:
            return
        self._add(Delivery(told.service, version, fact.occurred_at, fact.id, told.deployment))

    def _add(self, delivery: Delivery) -> Delivery:
        known = self.by_deployment.get(delivery.deployment) if delivery.deployment else None
        if known is not None:
            return known
        self.found.append(delivery)
        self.by_version.setdefault((delivery.service, delivery.version), []).append(delivery)
        if delivery.deployment:
            self.by_deployment[delivery.deployment] = delivery
        return delivery

    def _finished(self, told: p.DeploymentFinished) -> None:
        """Count a rollout that met traffic and was taken back, which never took over."""
        began = self.traffic.get(told.deployment)
        if began is not None and told.outcome in ("rolled_back", "aborted", "failed"):
            self._tried(told.service, told.release, told.deployment, began)

    def _tried(self, service: str, release: str, deployment: str, began: Fact) -> Delivery | None:
        if deployment in self.backwards:
            return None
        version = self._version(service, release)
        return self._add(Delivery(service, version, began.occurred_at, began.id, deployment))

    def _went_back(self, fact: Fact, told: p.ServiceRolledBack) -> None:
        self.running[told.service] = self._version(told.service, told.restored)
        began = self.traffic.get(told.deployment) if told.deployment else None
        if began is not None and told.release:
            self._tried(told.service, told.release, told.deployment, began)
        delivery = self._of(told.service, told.release, told.deployment, fact.occurred_at)
        if delivery is not None:
            delivery.failures.append(Failure(fact.occurred_at, fact.id))

    def _of(self, service: str, release: str, deployment: str, at: datetime) -> Delivery | None:
        """Return the deployment by its id, or else the last one of exactly this release until then."""
        known = self.by_deployment.get(deployment) if deployment else None
        if known is not None or not release:
            return known
        of_version = self.by_version.get((service, self._version(service, release)), [])
        before = [one for one in of_version if one.at <= at]
        return before[-1] if before else None

    def attribute(self, cases: Iterable[Case]) -> None:
        """Give each incident to its deployment. A bypass of the gates alone is no failure of a deployment."""
        for case in cases:
            incident = case.incident
            opened = incident.opened
            if incident.environment != self.environment or opened.opened_by == "bypass":
                continue
            delivery = self._of(incident.service, incident.release, opened.deployment, incident.detected_at)
            if delivery is None:
                self.stray.append(incident.id)
            else:
                delivery.failures.append(Failure(incident.detected_at, incident.event, incident.id))


def _with_changes(found: Sequence[Delivery], declared: Sequence[Release]) -> None:
    """Give each deployment the changes that it was the first to bring: its own, and those of releases that
    it follows and that were never deployed themselves."""
    known = {(release.service, release.version): release for release in declared}
    brought: set[tuple[str, str]] = set()
    for delivery in found:
        changes: list[str] = []
        at: tuple[str, str] | None = (delivery.service, delivery.version)
        while at is not None and at not in brought:
            brought.add(at)
            release = known.get(at)
            changes += release.changes if release else ()
            at = (delivery.service, release.previous) if release and release.previous else None
        delivery.changes = tuple(dict.fromkeys(changes))
