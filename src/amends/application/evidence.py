"""Reading what an environment's gates rely on for one release, and little more, however long the log is.

What is left out can change no answer: shifts that have ended, moves of an environment from before the
release's present stay there, incidents from before it that name no release, moves of other services from
before the last one known. "Before" goes by when things happened, in whatever order they were recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evaluate import families_of
from amends.gates.guards import MOVES
from amends.gates.policy import Policy
from amends.gates.table import OPEN_AT_MOST, team_name
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import SHORTEST_COMMIT

_BATCH = 400  # tags per read: databases bound the number of parameters
_PROBED = 8
_FEWEST = 2  # where facts come as they happen, the first is the last
_OF_RELEASE = (
    "artifact.packaged", "testsuiterun.finished", "signoff.given", "traffic.observed", "override.granted",
    "quarantine.set", "quarantine.lifted", "deployment.finished", "replay.finished",
)  # fmt: skip
_OF_SERVICE = {
    "edge_cases": ("edgecase.documented", "edgecase.retired"),
    "amendments": ("amendment.proposed", *MOVES),
}
_OF_BUILD = ("quarantine.set", "quarantine.lifted")  # these hold whatever version it goes by
_OF_CHANGE = ("change.merged", "change.reviewed")
_MOVES = ("service.deployed", "service.upgraded", "service.rolledback")
_INCIDENT_MOVES = ("incident.resolved", "incident.reopened")


def read_evidence(
    log: Log, policy: Policy, release: ReleaseRef, environment: str, at: datetime
) -> list[Fact]:
    """Return the facts that decide about a release at a moment, in no order; some may be there twice."""
    service = policy.service
    builds = _declarations(log, service, release)
    declared = [fact for fact in builds if _version(fact) == release.version]
    names = _names(release, declared)
    facts = builds + _read(log, [f"release:{service}@{name}" for name in names], _OF_RELEASE)
    others = set(_names(release, builds)) - set(names)
    facts += _read(log, [f"release:{service}@{name}" for name in sorted(others)], _OF_BUILD)
    changes = {change for fact in declared for change in getattr(fact.payload, "changes", ())}
    facts += _read(log, [f"change:{service}/{change}" for change in sorted(changes)], _OF_CHANGE)
    entries = policy.gates.get(environment, [])
    for family in sorted(families_of(entries) & _OF_SERVICE.keys()):
        facts += log.facts(tags=[f"service:{service}"], kinds=_OF_SERVICE[family])
    neighbours = policy.neighbours(environment)
    if neighbours:
        facts += _Neighbours(log, neighbours, at).read()
    gates = [entry.gate for entry in entries]
    places = sorted({place for gate in gates for place in gate.environments()})
    if places:
        facts += _Lanes(log, service, frozenset(names), frozenset(places), at).read()
    teams = {name for gate in gates for team in gate.teams(policy.team) for name in (team, team_name(team))}
    return facts + _read(log, [f"team:{team}" for team in sorted(teams)], ("shift.acknowledged",), since=at)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What of other services runs in which environment, and which of their incidents there are open."""

    log: Log
    places: Sequence[tuple[str, str]]
    at: datetime

    def read(self) -> list[Fact]:
        services = sorted({service for service, _ in self.places})
        lanes = [f"env:{service}/{environment}" for service, environment in self.places]
        undated = _read(
            self.log, [f"undated:{service}" for service in services],
            (*_MOVES, "incident.detected", *_INCIDENT_MOVES, "artifact.packaged"),
        )  # fmt: skip
        recent = self.at - timedelta(seconds=OPEN_AT_MOST)
        opened = _read(self.log, lanes, ("incident.detected",), since=recent)
        names = {f.payload.incident for f in (*opened, *undated) if isinstance(f.payload, p.IncidentOpened)}
        ends = _read(self.log, _incident_tags(names), _INCIDENT_MOVES)
        moves = [fact for lane in lanes for fact in self._last_moves(lane)]
        tags = {f"release:{f.payload.service}@{_holder(f.payload)}" for f in moves if _is_move(f.payload)}
        return [*undated, *opened, *ends, *moves, *_read(self.log, sorted(tags), ("artifact.packaged",))]

    def _last_moves(self, lane: str) -> list[Fact]:
        """Read back to a move that was known; by when they happened, the last known is not before it."""
        limit = _FEWEST
        while True:
            newest = self.log.facts(tags=[lane], kinds=_MOVES, newest_first=True, limit=limit)
            if len(newest) < limit:
                return newest
            known = [f.occurred_at for f in newest if f.known_at is not None and f.known_at <= self.at]
            if known:
                return self.log.facts(tags=[lane], kinds=_MOVES, since=max(known))
            limit *= 4


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Where and since when a release is, and what went wrong there."""

    log: Log
    service: str
    names: frozenset[str]
    places: frozenset[str]
    at: datetime

    def read(self) -> list[Fact]:
        tags = [f"release:{self.service}@{name}" for name in sorted(self.names)]
        restored = [f"restored:{self.service}@{name}" for name in sorted(self.names)]
        named = _read(self.log, tags, (*_MOVES, "incident.detected"))
        undated = self.log.facts(
            tags=[f"undated:{self.service}"], kinds=(*_MOVES, "incident.detected", *_INCIDENT_MOVES)
        )
        facts = [*named, *_read(self.log, restored, _MOVES), *undated]
        # Of an undated end, only its incident can say whether it concerns the release.
        facts += self._detections(
            f.payload.incident for f in undated if isinstance(f.payload, p.IncidentMoved)
        )
        mine = [fact for fact in facts if self._is_mine(fact)]
        for place in sorted(self.places):
            facts += self._of_place(place, mine)
        facts = [f for f in facts if f.kind in _INCIDENT_MOVES or self._place(f) in self.places]
        opened = {f.payload.incident for f in facts if isinstance(f.payload, p.IncidentOpened)}
        return facts + _read(self.log, _incident_tags(opened), _INCIDENT_MOVES)

    def _detections(self, incidents: Iterable[str]) -> list[Fact]:
        return _read(self.log, _incident_tags(incidents), ("incident.detected",))

    def _of_place(self, place: str, mine: Sequence[Fact]) -> list[Fact]:
        """Read back to before the release's present stay in an environment; moments of ours are its steps."""
        lane = [f"env:{self.service}/{place}"]
        moments = sorted({f.occurred_at for f in mine if self._place(f) == place}, reverse=True)
        if not moments:
            return []
        later = self.log.facts(
            tags=lane, kinds=_MOVES, since=moments[0], until=self.at, newest_first=True, limit=_PROBED
        )
        if any(self._is_others(fact) and fact.occurred_at > moments[0] for fact in later):
            return later  # it has left: one later move of another release says so
        back = 1
        while True:
            since = moments[min(back, len(moments)) - 1]
            moves = self.log.facts(tags=lane, kinds=_MOVES, since=since)
            if back >= len(moments) or any(self._is_others(fact) for fact in moves):
                return moves + self.log.facts(tags=lane, kinds=("incident.detected",), since=since)
            back *= 2

    def _is_mine(self, fact: Fact) -> bool:
        return self._is_known(fact) and _holder(fact.payload) in self.names

    def _is_others(self, fact: Fact) -> bool:
        return self._is_known(fact) and _holder(fact.payload) not in self.names

    def _is_known(self, fact: Fact) -> bool:
        known = fact.known_at is not None and fact.known_at <= self.at
        return known and fact.kind in _MOVES and fact.payload is not None

    def _place(self, fact: Fact) -> str:
        return str(getattr(fact.payload, "environment", ""))


def _is_move(payload: Any) -> TypeGuard[p.ServiceDeployed | p.ServiceRolledBack]:
    return isinstance(payload, p.ServiceDeployed | p.ServiceRolledBack)


def _holder(payload: Any) -> str:
    """Return the release that an environment has after a move."""
    return str(payload.restored if isinstance(payload, p.ServiceRolledBack) else payload.release)


def _declarations(log: Log, service: str, release: ReleaseRef) -> list[Fact]:
    """Return what declares this version, and every other version of the same commit or digest."""
    tags = [f"release:{service}@{name}" for name in _names(release, ())]
    found = _read(log, tags, ("artifact.packaged",))
    return [fact for fact in found if isinstance(fact.payload, p.ReleaseDeclared)]


def _version(fact: Fact) -> str:
    return str(getattr(fact.payload, "version", ""))


def _names(release: ReleaseRef, declared: Iterable[Fact]) -> list[str]:
    """Return every name under which something may be recorded of a release, shortened commits too."""
    told: list[Any] = [release, *(fact.payload for fact in declared)]
    commits = {spelt for one in told for spelt in (one.commit, one.commit.lower(), one.commit.upper())}
    short = {commit[:length] for commit in commits for length in range(SHORTEST_COMMIT, len(commit))}
    whole = {name for one in told for name in (one.version, one.digest)}
    return sorted((whole | commits | short) - {""})


def _incident_tags(incidents: Iterable[str]) -> list[str]:
    return [f"incident:{name}" for name in sorted(set(incidents))]


def _read(
    log: Log, tags: Sequence[str], kinds: Collection[str], *, since: datetime | None = None
) -> list[Fact]:
    batches = (tags[i : i + _BATCH] for i in range(0, len(tags), _BATCH))
    return [fact for batch in batches for fact in log.facts(tags=batch, kinds=kinds, since=since)]
