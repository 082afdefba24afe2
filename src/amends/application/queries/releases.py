"""One release: its gates, its changes, its tests and where it has been."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.application.log import Log
from amends.application.queries.bypasses import bypasses_among
from amends.application.queries.environments import environments_of, in_order
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.bypass import Bypass
from amends.releases.catalogue import Release, candidates, releases_of
from amends.releases.standing import Quarantined, fold_quarantines

_ABOUT = (
    "testsuiterun.finished", "signoff.given", "gates.decided", "service.deployed", "service.upgraded",
    "service.rolledback", "deployment.requested", "deployment.finished", "quarantine.set",
    "quarantine.lifted", "override.granted", "incident.detected", "failure.captured",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EnvironmentGates:
    """The last answer of an environment's gates for a release. ``asked`` counts the answers."""

    environment: str
    decided: p.GatesDecided
    event: str
    asked: int


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change with its reviews. ``merged`` is ``None`` for a change that nobody recorded."""

    change: str
    merged: p.ChangeMerged | None
    event: str
    at: datetime | None
    reviews: tuple[Fact, ...]

    @property
    def approvals(self) -> int:
        """How many people's last word is an approval."""
        last: dict[str, str] = {}
        for fact in self.reviews:
            if isinstance(fact.payload, p.ChangeReviewed) and fact.payload.verdict != "commented":
                last[fact.payload.reviewer] = fact.payload.verdict
        return sum(1 for verdict in last.values() if verdict == "approved")


@dataclass(frozen=True, slots=True)
class Stay:
    """One thing that happened to a release in an environment."""

    at: datetime
    environment: str
    what: str
    reason: str
    event: str
    deployment: str


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """Everything about one release."""

    service: str
    version: str
    release: Release | None
    gates: tuple[EnvironmentGates, ...]
    changes: tuple[ChangeView, ...]
    tests: tuple[Fact, ...]
    sign_offs: tuple[Fact, ...]
    stays: tuple[Stay, ...]
    quarantine: Quarantined | None
    incidents: tuple[Fact, ...]
    failures: tuple[Fact, ...]
    bypasses: tuple[Bypass, ...] = ()

    @property
    def bypassed_by(self) -> dict[str, Bypass]:
        """The bypasses by the event of the deployment that was seen."""
        return {one.event: one for one in self.bypasses}


def releases_list(log: Log, service: str = "") -> list[Release]:
    """Return the declared releases, newest first."""
    tags = (f"service:{service}",) if service else ()
    return releases_of(log.facts(tags=tags, kinds=("artifact.packaged",)))[::-1]


def release_view(log: Log, service: str, name: str) -> ReleaseView:
    """Return one release by any of its names.

    A release that nobody declared but that other events name is shown too, with what is known of it. Raises
    ``NotFoundError`` when no event names it.
    """
    releases = releases_of(
        log.facts(tags=(f"service:{service}",), kinds=("artifact.packaged",)), service
    )  # fmt: skip
    found = candidates(releases, service, name)
    release = found[-1] if found else None
    names = release.aliases if release else (name,)
    facts = log.facts(tags=[f"release:{service}@{alias}" for alias in names], kinds=_ABOUT)
    if release is None and not facts:
        known = ", ".join(r.version for r in releases[-5:][::-1]) or "none yet"
        raise NotFoundError(
            f"the log knows no release {name!r} of {service}; the latest are: {known}",
            remedy="see the board, or record it with `amends record release`",
        )
    version = release.version if release else name
    return ReleaseView(
        service=service, version=version, release=release, gates=_gates(log, service, facts),
        changes=_changes(log, service, release.changes if release else ()),
        tests=_of(facts, p.SuiteFinished), sign_offs=_of(facts, p.SignedOff), stays=_stays(facts, names),
        quarantine=_quarantine(facts, version, names), incidents=_of(facts, p.IncidentOpened),
        failures=_of(facts, p.FailureCaptured), bypasses=tuple(bypasses_among(log, service, facts, names)),
    )  # fmt: skip


def _of(facts: Iterable[Fact], kind: type[p.Payload]) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if isinstance(fact.payload, kind))


def _gates(log: Log, service: str, facts: Sequence[Fact]) -> tuple[EnvironmentGates, ...]:
    last: dict[str, EnvironmentGates] = {}
    for fact in facts:
        said = fact.payload
        if isinstance(said, p.GatesDecided):
            before = last.get(said.environment)
            count = before.asked + 1 if before else 1
            last[said.environment] = EnvironmentGates(said.environment, said, fact.id, count)
    policies = log.facts(
        tags=(f"service:{service}",), kinds=("policy.adopted",), newest_first=True, limit=1
    )  # fmt: skip
    stated = (environments_of(f.payload.text) for f in policies if isinstance(f.payload, p.PolicyAdopted))
    return tuple(last[name] for name in in_order(last, stated) if name in last)


def _changes(log: Log, service: str, changes: Sequence[str]) -> tuple[ChangeView, ...]:
    if not changes:
        return ()
    tags = [f"change:{service}/{change}" for change in changes]
    facts = log.facts(tags=tags, kinds=("change.merged", "change.reviewed"))
    merged = {f.payload.change: f for f in facts if isinstance(f.payload, p.ChangeMerged)}
    views = []
    for change in changes:
        fact = merged.get(change)
        reviews = tuple(
            f for f in facts if isinstance(f.payload, p.ChangeReviewed) and f.payload.change == change
        )
        said = fact.payload if fact is not None else None
        views.append(
            ChangeView(
                change=change, merged=said if isinstance(said, p.ChangeMerged) else None,
                event=fact.id if fact else "", at=fact.occurred_at if fact else None, reviews=reviews,
            )
        )  # fmt: skip
    return tuple(views)


def _stays(facts: Iterable[Fact], names: Sequence[str]) -> tuple[Stay, ...]:
    found = []
    facts = list(facts)
    told = {
        f.payload.deployment
        for f in facts
        if isinstance(f.payload, p.ServiceDeployed | p.ServiceRolledBack) and f.payload.deployment
    }
    for fact in facts:
        said = fact.payload
        if isinstance(said, p.DeploymentFinished) and said.deployment in told:
            continue
        match said:
            case p.ServiceDeployed():
                what, reason = "took over", ""
            case p.ServiceRolledBack():
                restored = said.restored in names and said.release not in names
                what, reason = "restored" if restored else "rolled back", said.reason
            case p.DeploymentRequested():
                what, reason = "asked for", said.reason
            case p.DeploymentFinished():
                what, reason = said.outcome.replace("_", " "), said.reason
            case _:
                continue
        place = str(getattr(said, "environment", ""))
        deployment = str(getattr(said, "deployment", ""))
        found.append(Stay(fact.occurred_at, place, what, reason, fact.id, deployment))
    return tuple(found[::-1])


def _quarantine(facts: Iterable[Fact], version: str, names: Sequence[str]) -> Quarantined | None:
    return fold_quarantines(facts, lambda name: version if name in names else name).get(version)
