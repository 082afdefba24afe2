"""The board: what is where since when, what waits and for what, and what is out of the ordinary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from amends.application.log import Log
from amends.application.queries.bypasses import gated_environments, names_in
from amends.application.queries.environments import environments_of, in_order
from amends.application.queries.waiting import Waiting, waiting_deployment
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident, Lifecycle, fold_incident
from amends.releases.bypass import BYPASS_KINDS, Bypass, BypassLedger, Names
from amends.releases.catalogue import Release, candidates, releases_of
from amends.releases.deployment import Deployment, begin
from amends.releases.standing import STANDING_KINDS, Quarantined, Standing, fold_standing

_DEPLOYMENT_KINDS = (
    "deployment.requested", "deployment.approved", "deployment.paused", "deployment.resumed",
    "deployment.aborted", "deployment.finished", "step.started", "step.concluded", "actuation.intended",
    "actuation.done",
)  # fmt: skip
_INCIDENT_KINDS = ("incident.detected", "incident.acknowledged", "incident.resolved", "incident.reopened")
BOARD_KINDS = tuple(
    dict.fromkeys(
        (
            *STANDING_KINDS, *_DEPLOYMENT_KINDS, *_INCIDENT_KINDS, *BYPASS_KINDS, "artifact.packaged",
            "override.granted",
        )
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Override:
    """An emergency exception that still holds. ``event`` is the one that granted it."""

    event: str
    granted: p.OverrideGranted
    since: datetime


@dataclass(frozen=True, slots=True)
class WaitingRelease:
    """A release that its gates have not let in. ``rows`` are the gates that hold it."""

    release: str
    decision: str
    at: datetime
    event: str
    rows: tuple[p.GateRow, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One environment of one service. ``bypass``: what runs there went around its gates."""

    environment: str
    standing: Standing | None
    underway: Waiting | None
    waiting: tuple[WaitingRelease, ...]
    bypass: Bypass | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One service across the environments. ``team`` is empty where nobody recorded it."""

    service: str
    team: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board at one moment."""

    environments: tuple[str, ...]
    rows: tuple[Row, ...]
    deployments: tuple[Waiting, ...]
    incidents: tuple[Incident, ...]
    overrides: tuple[Override, ...]
    quarantines: tuple[tuple[str, Quarantined], ...]
    position: int

    @property
    def empty(self) -> bool:
        """Whether the log has shown nothing that a board could show."""
        return not (self.rows or self.incidents)


@dataclass
class BoardFollower:
    """Follows the log and keeps what the board needs, so that a page costs only what is new.

    Safe to use from many threads.
    """

    log: Log
    position: int = 0
    _standing: dict[str, list[Fact]] = field(default_factory=dict)
    _releases: dict[str, list[Fact]] = field(default_factory=dict)
    _deployments: dict[str, Deployment] = field(default_factory=dict)
    _gates: dict[tuple[str, str, str], Fact] = field(default_factory=dict)
    _incidents: dict[str, list[Fact]] = field(default_factory=dict)
    _overrides: list[Fact] = field(default_factory=list)
    _policies: dict[str, str] = field(default_factory=dict)
    _ledger: BypassLedger = field(default_factory=lambda: BypassLedger(gated_environments))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, now: datetime) -> Board:
        """Return the board as of ``now``."""
        with self._lock:
            self._follow()
            return self._assemble(now)

    def overrides(self, now: datetime) -> tuple[Override, ...]:
        """Return the overrides that hold at ``now``, the next to expire first."""
        with self._lock:
            self._follow()
            return _holding(self._overrides, now)

    def bypasses(self, limit: int) -> list[Bypass]:
        """Return the deployments that went around their gates, the latest first."""
        with self._lock:
            self._follow()
            releases = [r for facts in self._releases.values() for r in releases_of(facts)]
            return self._ledger.all(names_in(releases))[:limit]

    def _follow(self) -> None:
        last = self.log.store.last_position()
        if last == self.position:
            return
        for fact in self.log.facts(kinds=BOARD_KINDS, after=self.position):
            if fact.payload is not None:
                self._take(fact)
            self.position = max(self.position, fact.recorded.position)
        # Never past what the store says is settled: a slower writer may still fill in before it.
        self.position = max(self.position, last)

    def _take(self, fact: Fact) -> None:
        said = fact.payload
        service = str(getattr(said, "service", ""))
        self._ledger.take(fact)
        if fact.kind in STANDING_KINDS:
            self._standing.setdefault(service, []).append(fact)
        if fact.kind in _INCIDENT_KINDS:
            self._incidents.setdefault(str(getattr(said, "incident", "")), []).append(fact)
        match said:
            case p.ReleaseDeclared():
                self._releases.setdefault(service, []).append(fact)
            case p.GatesDecided():
                self._gates[(service, said.release, said.environment)] = fact
            case p.OverrideGranted():
                self._overrides.append(fact)
            case p.PolicyAdopted():
                self._policies[service] = said.text
        self._take_deployment(fact)

    def _take_deployment(self, fact: Fact) -> None:
        said = fact.payload
        if isinstance(said, p.DeploymentRequested):
            self._deployments[said.deployment] = begin(fact, said)
            return
        known = self._deployments.get(str(getattr(said, "deployment", "")))
        if known is None:
            return
        after = known.apply(fact)
        if after.finished:
            del self._deployments[known.id]
        else:
            self._deployments[known.id] = after

    def _assemble(self, now: datetime) -> Board:
        services = sorted({*self._standing, *self._releases, *(key[0] for key in self._gates)} - {""})
        releases = {name: releases_of(self._releases.get(name, ())) for name in services}
        standings = {
            name: fold_standing(self._standing.get(name, ()), _canonical(releases[name], name))
            for name in services
        }
        places = {e for s in standings.values() for e in s} | {key[2] for key in self._gates}
        order = in_order(places, (environments_of(text) for text in self._policies.values()))
        underway = [waiting_deployment(d, now) for d in self._deployments.values()]
        rows = tuple(self._row(name, order, standings[name], releases[name], underway) for name in services)
        incidents = [fold_incident(facts) for facts in self._incidents.values()]
        still = [i for i in incidents if i is not None and i.state is not Lifecycle.RESOLVED]
        quarantines = {
            (name, q.release): q
            for name in services
            for standing in standings[name].values()
            for q in standing.quarantines.values()
        }
        return Board(
            environments=order, rows=rows, deployments=tuple(underway),
            incidents=tuple(sorted(still, key=lambda i: i.detected_at, reverse=True)),
            overrides=_holding(self._overrides, now),
            quarantines=tuple((key[0], quarantines[key]) for key in sorted(quarantines)),
            position=self.position,
        )  # fmt: skip

    def _row(
        self, service: str, order: tuple[str, ...], standings: dict[str, Standing], releases: list[Release],
        underway: Iterable[Waiting],
    ) -> Row:  # fmt: skip
        own = {w.deployment.environment: w for w in underway if w.deployment.service == service}
        names = names_in(releases)
        cells = tuple(
            Cell(
                environment=place, standing=standings.get(place), underway=own.get(place),
                waiting=self._waiting(service, place, standings.get(place), _canonical(releases, service)),
                bypass=self._bypass(service, place, standings.get(place), names),
            )
            for place in order
        )  # fmt: skip
        team = next((r.team for r in reversed(releases) if r.team), "")
        return Row(service, team, cells)

    def _bypass(self, service: str, place: str, standing: Standing | None, names: Names) -> Bypass | None:
        """Return the bypass by which what runs there came, if it was one."""
        found = self._ledger.latest(service, place, names)
        return found if found and standing and standing.since == found.at else None

    def _waiting(
        self, service: str, place: str, standing: Standing | None, canonical: Callable[[str], str]
    ) -> tuple[WaitingRelease, ...]:
        """Return releases that were asked about since the environment last changed and not let in."""
        found: dict[str, WaitingRelease] = {}
        for (name, _, environment), fact in self._gates.items():
            said = fact.payload
            if name != service or environment != place or not isinstance(said, p.GatesDecided):
                continue
            release = canonical(said.release)
            old = standing is not None and standing.since is not None and said.at < standing.since
            here = standing is not None and standing.release == release
            later = found.get(release)
            if said.decision == "pass" or old or here or (later is not None and later.at > said.at):
                continue
            found[release] = _held(release, fact, said)
        return tuple(sorted(found.values(), key=lambda w: w.at, reverse=True))


def _held(release: str, fact: Fact, said: p.GatesDecided) -> WaitingRelease:
    rows = tuple(g for g in said.gates if g.mode == "block" and g.decision != "pass" and not g.overridden_by)
    until = [g.until for g in rows if g.until is not None]
    # All that hold it have to be through, so the earliest moment is the latest of theirs.
    return WaitingRelease(release, said.decision, said.at, fact.id, rows, max(until, default=None))


def _holding(facts: Iterable[Fact], now: datetime) -> tuple[Override, ...]:
    found = [
        Override(fact.id, fact.payload, fact.occurred_at)
        for fact in facts
        if isinstance(fact.payload, p.OverrideGranted) and fact.payload.expires_at > now
    ]
    return tuple(sorted(found, key=lambda o: o.granted.expires_at))


def _canonical(releases: list[Release], service: str) -> Callable[[str], str]:
    known: dict[str, str] = {}

    def name_of(name: str) -> str:
        if name not in known:
            found = candidates(releases, service, name)
            known[name] = found[-1].version if found else name
        return known[name]

    return name_of
