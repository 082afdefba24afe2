"""What happened: past deployments to an environment, when each was decided on, and which let a defect out.

A row is a *stay*: a release taking over an environment, until another does. It is an escape when an incident
was detected there on it, when it was rolled back, or when one of its changes was reverted as a failure. A
revert whose reason nobody can tell makes the row *uncertain*: it counts on neither side, and neither does
another stay of a release that escaped. All other rows are good.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evidence import Question
from amends.gates.table import Codes
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import candidates, releases_of

GOOD, ESCAPE, UNCERTAIN = range(3)
HISTORY_KINDS = (
    "artifact.packaged", "service.deployed", "service.upgraded", "service.rolledback", "deployment.requested",
    "gates.decided", "incident.detected", "change.reverted", "quarantine.set",
)  # fmt: skip
"""The kinds of fact that say what was deployed and what came of it."""


@dataclass(frozen=True, slots=True)
class Escaped:
    """An incident, by its own name or as ``revert of CHANGE`` or ``rollback of RELEASE``.

    ``row`` is the deployment that let it out; ``None`` when nobody recorded which that was.
    """

    name: str
    service: str
    release: str
    row: int | None
    at: datetime
    event: str


@dataclass(frozen=True, slots=True)
class History:
    """Past deployments in the order of their decision moments: a question each, and what came of it."""

    environment: str
    questions: Sequence[Question]
    events: Sequence[str]
    outcome: Codes
    incidents: tuple[Escaped, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def between(self, since: datetime | None, until: datetime | None) -> History:
        """Return the deployments decided on from ``since`` until ``until``, with the incidents."""

        def inside(at: datetime) -> bool:
            return (since is None or at >= since) and (until is None or at < until)

        keep = [row for row, question in enumerate(self.questions) if inside(question.at)]
        place = {row: index for index, row in enumerate(keep)}
        incidents = [
            Escaped(e.name, e.service, e.release, None if e.row is None else place[e.row], e.at, e.event)
            for e in self.incidents
            if (inside(e.at) if e.row is None else e.row in place)
        ]
        return History(
            self.environment, [self.questions[row] for row in keep], [self.events[row] for row in keep],
            self.outcome[np.array(keep, dtype=np.int64)], tuple(incidents),
        )  # fmt: skip


def past_deployments(facts: Iterable[Fact], services: Sequence[str], environment: str) -> History:
    """Fold facts, in any order, into the deployments of some services to an environment."""
    by_service: dict[str, list[Fact]] = {service: [] for service in services}
    for fact in sorted(facts, key=_order):
        service = getattr(fact.payload, "service", "")
        if service in by_service and fact.kind in HISTORY_KINDS:
            by_service[service].append(fact)
    lanes = [_Lane.of(service, environment, found) for service, found in by_service.items()]
    return _joined(environment, lanes)


def _order(fact: Fact) -> tuple[datetime, datetime, int, str]:
    return fact.occurred_at, fact.recorded.recorded_at, fact.recorded.seq, fact.id


class Names:
    """Which release any name of one service means."""

    def __init__(self, facts: Iterable[Fact], service: str) -> None:
        self.service = service
        self.releases = releases_of(facts, service)
        self._known: dict[str, ReleaseRef] = {}
        for alias in ("commit", "digest", "version"):  # a version outweighs a digest, and that a commit
            for release in self.releases:
                if getattr(release, alias):
                    self._known[getattr(release, alias)] = release.ref

    def ref(self, name: str) -> ReleaseRef:
        """Return a release by any of its names; an undeclared one has that name alone."""
        if name not in self._known:
            found = candidates(self.releases, self.service, name)
            self._known[name] = found[-1].ref if found else ReleaseRef(self.service, name)
        return self._known[name]

    def version(self, name: str) -> str:
        """Return the version of a release by any of its names."""
        return self.ref(name).version


@dataclass(slots=True)
class _Stay:
    ref: ReleaseRef
    at: datetime
    since: datetime
    event: str
    deployment: str = ""
    outcome: int = GOOD
    incidents: list[tuple[str, Fact]] = field(default_factory=list)


@dataclass(slots=True)
class _Lane:
    """One service in one environment while its facts are folded."""

    service: str
    environment: str
    names: Names
    decided: dict[type, dict[str, list[tuple[datetime, str]]]]
    stays: list[_Stay] = field(default_factory=list)
    of_release: dict[str, list[_Stay]] = field(default_factory=lambda: defaultdict(list))
    unplaced: list[tuple[str, str, Fact]] = field(default_factory=list)
    current: str = ""

    @classmethod
    def of(cls, service: str, environment: str, facts: list[Fact]) -> _Lane:
        names = Names(facts, service)
        lane = cls(service, environment, names, _decisions(facts, environment, names.version))
        for fact in facts:
            lane._move(fact)
        for fact in facts:
            lane._incident(fact)
        lane._reverts(facts)
        lane._rollbacks_and_quarantines(facts)
        lane._repeats()
        return lane

    def _move(self, fact: Fact) -> None:
        told = fact.payload
        if isinstance(told, p.ServiceDeployed) and told.environment == self.environment:
            ref = self.names.ref(told.release)
            if ref.version != self.current:
                self._begin(ref, fact, told.deployment)
            self.current = ref.version
        elif isinstance(told, p.ServiceRolledBack) and told.environment == self.environment:
            ref = self.names.ref(told.release)
            if told.release and ref.version != self.current:
                # Rolled back before it took over: its gates had let it in all the same.
                self._begin(ref, fact, told.deployment)
            self.current = self.names.version(told.restored) if told.restored else ""

    def _begin(self, ref: ReleaseRef, fact: Fact, deployment: str) -> _Stay:
        at = self._decided_at(ref.version, deployment, fact.occurred_at) or fact.occurred_at
        stay = _Stay(ref, at, fact.occurred_at, fact.id, deployment)
        self.stays.append(stay)
        self.of_release[ref.version].append(stay)
        return stay

    def _decided_at(self, version: str, deployment: str, before: datetime) -> datetime | None:
        """Return when it was decided on: its gates' latest decision by then, else its latest request."""
        begun = [stay.since for stay in self.of_release[version] if stay.since < before]
        for kind in (p.GatesDecided, p.DeploymentRequested):
            moments = self.decided[kind].get(version, [])
            last = bisect.bisect_right(moments, (before, "\uffff"))
            for at, named in reversed(moments[:last]):
                if begun and at <= begun[-1]:
                    break
                if not deployment or named in ("", deployment):
                    return at
        return None

    def _incident(self, fact: Fact) -> None:
        told = fact.payload
        if not isinstance(told, p.IncidentOpened) or told.environment != self.environment:
            return
        if told.opened_by == "bypass":
            return  # that a gate was passed by is no defect
        stay = self._stay_of(told, fact)
        if stay is None:
            self.unplaced.append((told.incident, told.release and self.names.version(told.release), fact))
        elif told.incident not in [name for name, _ in stay.incidents]:
            stay.incidents.append((told.incident, fact))
            stay.outcome = ESCAPE

    def _stay_of(self, told: p.IncidentOpened, fact: Fact) -> _Stay | None:
        if not told.release:
            return None
        ref = self.names.ref(told.release)
        stays = self.of_release[ref.version]
        named = [stay for stay in stays if told.deployment and stay.deployment == told.deployment]
        before = [stay for stay in stays if stay.at <= fact.occurred_at]
        found = named or before[-1:] or stays[:1]
        if found:
            return found[-1]
        at = self._decided_at(ref.version, told.deployment, fact.occurred_at) or told.deployed_at
        if at is None:
            return None
        stay = _Stay(ref, at, at, fact.id, told.deployment)
        self.stays.append(stay)
        stays.append(stay)
        return stay

    def _reverts(self, facts: Iterable[Fact]) -> None:
        carriers = {change: release.version for release in self.names.releases for change in release.changes}
        for fact in facts:
            told = fact.payload
            if not isinstance(told, p.ChangeReverted) or told.classified == "not_failure":
                continue
            stays = self.of_release.get(carriers.get(told.change, ""), [])
            # What was taken back before it was let in has not escaped.
            let_in = [stay for stay in stays if stay.at <= fact.occurred_at]
            if not let_in:
                continue
            if told.classified == "uncertain":
                let_in[-1].outcome = let_in[-1].outcome or UNCERTAIN
            else:
                self._reverted(let_in[-1], told.change, fact)

    def _reverted(self, stay: _Stay, change: str, fact: Fact) -> None:
        """An incident on record is what the revert answered; only without one is it its own."""
        stay.outcome = ESCAPE
        name = f"revert of {change}"
        known = [known for known, _ in stay.incidents]
        if name not in known and all(one.startswith("revert of ") for one in known):
            stay.incidents.append((name, fact))

    def _rollbacks_and_quarantines(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            told = fact.payload
            if (
                isinstance(told, p.ServiceRolledBack)
                and told.environment == self.environment
                and told.release
            ):
                version = self.names.version(told.release)
                stay = [s for s in self.of_release[version] if s.since <= fact.occurred_at][-1]
                stay.outcome = ESCAPE
                if not stay.incidents:
                    stay.incidents.append((f"rollback of {version}", fact))
            elif isinstance(told, p.QuarantineSet):
                for stay in self.of_release[self.names.version(told.release)]:
                    stay.outcome = stay.outcome or UNCERTAIN

    def _repeats(self) -> None:
        for stays in self.of_release.values():
            if any(stay.outcome == ESCAPE for stay in stays):
                for stay in stays:
                    stay.outcome = stay.outcome or UNCERTAIN


def _decisions(
    facts: Iterable[Fact], environment: str, version: Callable[[str], str]
) -> dict[type, dict[str, list[tuple[datetime, str]]]]:
    found: dict[type, dict[str, list[tuple[datetime, str]]]] = {
        p.GatesDecided: defaultdict(list), p.DeploymentRequested: defaultdict(list),
    }  # fmt: skip
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.GatesDecided | p.DeploymentRequested) and told.environment == environment:
            at = told.at if isinstance(told, p.GatesDecided) else fact.occurred_at
            found[type(told)][version(told.release)].append((at, told.deployment))
    for moments in found.values():
        for one in moments.values():
            one.sort()
    return found


def _joined(environment: str, lanes: Sequence[_Lane]) -> History:
    rows = [(stay.at, stay.since, lane.service, stay) for lane in lanes for stay in lane.stays]
    rows.sort(key=lambda row: row[:3])
    incidents = []
    for index, (_, _, service, stay) in enumerate(rows):
        for name, fact in stay.incidents:
            incidents.append(Escaped(name, service, stay.ref.version, index, fact.occurred_at, fact.id))
    for lane in lanes:
        for name, release, fact in lane.unplaced:
            incidents.append(Escaped(name, lane.service, release, None, fact.occurred_at, fact.id))
    incidents.sort(key=lambda one: (one.at, one.name))
    return History(
        environment,
        [Question(service, stay.ref, environment, at) for at, _, service, stay in rows],
        [stay.event for *_, stay in rows],
        np.array([stay.outcome for *_, stay in rows], dtype=np.int8),
        tuple(incidents),
    )
