"""What runs where: folded from everything that the log says about a service's environments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact

STANDING_KINDS = (
    "service.deployed", "service.upgraded", "service.rolledback", "deployment.requested",
    "deployment.finished", "quarantine.set", "quarantine.lifted", "incident.detected",
)  # fmt: skip
"""The kinds of event that a standing is folded from."""

Canonical = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A release that is not to be deployed again, and the incident that says why (if one is known)."""

    release: str
    reason: str
    since: datetime
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One environment of one service.

    ``release`` is what the log says runs there (empty: nothing known), ``deployment`` what brought it.
    ``good`` are the releases that took the environment over and were not rolled back from it, oldest first.
    ``open`` is the deployment under way, ``latest`` the last one that was asked for.
    """

    service: str
    environment: str
    release: str = ""
    since: datetime | None = None
    deployment: str = ""
    good: tuple[str, ...] = ()
    open: str = ""
    open_release: str = ""
    latest: str = ""
    quarantines: Mapping[str, Quarantined] = field(default_factory=dict)

    def previous_good(self) -> str:
        """Return the release to go back to: the last one before the present that is in no quarantine.

        Empty when the log knows of none.
        """
        for name in reversed(self.good):
            if name != self.release and name not in self.quarantines:
                return name
        return ""


def fold_standing(
    facts: Iterable[Fact], canonical: Canonical = lambda name: name
) -> dict[str, Standing]:  # fmt: skip
    """Return each environment's standing, from the facts of one service in the order of the log.

    ``canonical`` gives a release's version for any of its names (version, commit, digest).
    """
    standings: dict[str, Standing] = {}
    quarantines: dict[str, Quarantined] = {}
    for fact in facts:
        _note_quarantine(quarantines, fact, canonical)
        environment = getattr(fact.payload, "environment", "")
        change = _CHANGES.get(fact.kind)
        if change is None or not environment or fact.payload is None:
            continue
        service = getattr(fact.payload, "service", "")
        before = standings.get(environment) or Standing(service, environment)
        standings[environment] = change(before, fact, canonical)
    return {name: replace(s, quarantines=dict(quarantines)) for name, s in standings.items()}


def fold_quarantines(
    facts: Iterable[Fact], canonical: Canonical = lambda name: name
) -> dict[str, Quarantined]:  # fmt: skip
    """Return a service's quarantined releases by version."""
    found: dict[str, Quarantined] = {}
    for fact in facts:
        _note_quarantine(found, fact, canonical)
    return found


def _note_quarantine(found: dict[str, Quarantined], fact: Fact, canonical: Canonical) -> None:
    said = fact.payload
    if isinstance(said, p.QuarantineSet):
        name = canonical(said.release)
        found[name] = Quarantined(name, said.reason, fact.occurred_at, said.incident)
    elif isinstance(said, p.QuarantineLifted):
        found.pop(canonical(said.release), None)
    elif isinstance(said, p.IncidentOpened) and said.release:
        kept = found.get(canonical(said.release))
        if kept is not None and not kept.incident:
            found[kept.release] = replace(kept, incident=said.incident)


def _took_over(s: Standing, fact: Fact, canonical: Canonical) -> Standing:
    said = fact.payload
    assert isinstance(said, p.ServiceDeployed)
    name = canonical(said.release)
    good = (*(n for n in s.good if n != name), name)
    return replace(s, release=name, since=fact.occurred_at, deployment=said.deployment, good=good)


def _went_back(s: Standing, fact: Fact, canonical: Canonical) -> Standing:
    said = fact.payload
    assert isinstance(said, p.ServiceRolledBack)
    left = canonical(said.release)
    restored = canonical(said.restored) if said.restored else ""
    good = tuple(n for n in s.good if n not in (left, restored)) + ((restored,) if restored else ())
    if restored == s.release:
        return replace(s, good=good)
    return replace(s, release=restored, since=fact.occurred_at, deployment=said.deployment, good=good)


def _requested(s: Standing, fact: Fact, canonical: Canonical) -> Standing:
    said = fact.payload
    assert isinstance(said, p.DeploymentRequested)
    return replace(
        s, open=said.deployment, open_release=canonical(said.release), latest=said.deployment
    )  # fmt: skip


def _finished(s: Standing, fact: Fact, _: Canonical) -> Standing:
    said = fact.payload
    assert isinstance(said, p.DeploymentFinished)
    return replace(s, open="", open_release="") if said.deployment == s.open else s


_CHANGES: dict[str, Callable[[Standing, Fact, Canonical], Standing]] = {
    "service.deployed": _took_over,
    "service.upgraded": _took_over,
    "service.rolledback": _went_back,
    "deployment.requested": _requested,
    "deployment.finished": _finished,
}
