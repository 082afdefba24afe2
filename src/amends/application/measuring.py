"""Measures, computed from the log; an incident is read again only when something new concerns it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from amends.application.log import Facts, Log
from amends.application.record import IncidentGist, IncidentRecord, read_gist
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.kinds import KINDS
from amends.events.tags import tags_of
from amends.measures import amended, delivery, escapes
from amends.measures.deliveries import read_deliveries
from amends.measures.measure import Case, Measure, Scope
from amends.prevention import signature

_DELIVERY_KINDS = (
    "artifact.packaged", "change.merged", "change.reverted", "service.deployed", "service.upgraded",
    "service.rolledback", "deployment.requested", "deployment.finished", "step.started", "override.granted",
)  # fmt: skip
_AMENDMENT_KINDS = (
    "amendment.proposed", "proof.run", "amendment.proven", "amendment.disproven", "amendment.unreplayable",
    "amendment.activated", "amendment.lapsed", "amendment.accepted",
)  # fmt: skip
_BATCH = 5_000
_FEW = 20
_KEPT_FOR = timedelta(minutes=1)
_MOST_KEPT = 8

KEYS = (
    "escapes-by-gate", "proven-amendments", "recurrence", "milestone-durations", "change-lead-time",
    "deployment-frequency", "failed-deployment-recovery-time", "change-fail-rate", "rework-rate",
)  # fmt: skip
"""The measures, in the order in which they are shown."""


_HEAVY = "watch.assessed"
_SHELVED = tuple(kind.name for kind in KINDS if kind.name != _HEAVY)
_HELD_KINDS = frozenset((*_DELIVERY_KINDS, *_AMENDMENT_KINDS))
_OTHERS = tuple(name for name in _SHELVED if name not in _HELD_KINDS)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: all that is read stays, and it would walk through it again and again."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Shelf:
    """One service's facts in memory, under their tags. Looks of a watch, of which there are many, are not."""

    log: Log
    by_tag: Mapping[str, Mapping[str, list[Fact]]]
    by_stream: Mapping[str, list[Fact]]

    @classmethod
    def of(cls, log: Log, service: str, held: Iterable[Fact]) -> Shelf:
        """Read what the log has of a service, beside those of its facts that are ``held`` already."""
        by_tag: dict[str, dict[str, list[Fact]]] = {}
        by_stream: dict[str, list[Fact]] = {}
        others = log.facts(tags=[f"service:{service}"], kinds=_OTHERS)
        for fact in sorted([*others, *held], key=lambda fact: fact.recorded.position):
            by_stream.setdefault(fact.recorded.stream, []).append(fact)
            told = fact.payload
            for tag in tags_of(told):
                # Of an environment, a record takes only rollbacks that name no release: most name one.
                nameless = isinstance(told, p.ServiceRolledBack) and not told.release
                if tag.startswith("env:") and not nameless:
                    continue
                by_tag.setdefault(tag, {}).setdefault(fact.kind, []).append(fact)
        return cls(log, by_tag, by_stream)

    def facts(self, *, tags: Collection[str] = (), kinds: Collection[str] = ()) -> list[Fact]:
        """See ``Facts.facts``."""
        found: dict[int, Fact] = {}
        for of_kind in (self.by_tag.get(tag, {}) for tag in tags):
            for kind in kinds or of_kind:
                found.update((fact.recorded.position, fact) for fact in of_kind.get(kind, ()))
        watched = [tag for tag in tags if tag.startswith("deployment:")]
        if watched and (not kinds or _HEAVY in kinds):
            looks = self.log.facts(tags=watched, kinds=[_HEAVY])
            found.update((fact.recorded.position, fact) for fact in looks)
        return [found[position] for position in sorted(found)]

    def stream(self, name: str) -> list[Fact]:
        """See ``Facts.stream``."""
        return self.by_stream.get(name, [])


@dataclass(frozen=True, slots=True)
class Known:
    """What measures are computed from: incidents, and the facts of deliveries and of amendments."""

    cases: tuple[Case, ...]
    deliveries: tuple[Fact, ...]
    amendments: tuple[Fact, ...]


@dataclass
class CaseBook:
    """Every incident as measures see it. Safe to share between threads; a log that grows is followed.

    An incident is read anew when a fact names it, its release or one of its deployments.
    """

    log: Log
    _cases: dict[str, Case] = field(default_factory=dict)
    _by_name: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _services: dict[str, str] = field(default_factory=dict)
    _deliveries: list[Fact] = field(default_factory=list)
    _amendments: list[Fact] = field(default_factory=list)
    _known: Known | None = None
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Known:
        """Return all incidents, by when they were detected, with what else measures need."""
        with self._lock:
            before = self._position
            with _collector_paused() if not before else nullcontext():
                self._read(self._follow() if before else self._begin())
            if self._known is not None and before == self._position:
                return self._known
            cases = sorted(self._cases.values(), key=lambda case: case.incident.detected_at)
            self._known = Known(tuple(cases), tuple(self._deliveries), tuple(self._amendments))
            return self._known

    def _begin(self) -> Collection[str]:
        """Read what measures hold, and which incidents there are; the rest is read with these, once."""
        last = self.log.store.last_position()
        for fact in self.log.facts(kinds=(*_HELD_KINDS, "incident.detected")):
            if fact.recorded.position <= last:
                self._hold(fact)
                if fact.kind == "incident.detected":
                    self._touched(fact)
        self._position = last
        return tuple(self._services)

    def _follow(self) -> Collection[str]:
        """Read on; return the incidents that something new concerns."""
        stale: dict[str, None] = {}
        while facts := self.log.facts(after=self._position, kinds=_SHELVED, limit=_BATCH):
            for fact in facts:
                stale.update(dict.fromkeys(self._touched(fact)))
                self._hold(fact)
            self._position = facts[-1].recorded.position
        return stale

    def _hold(self, fact: Fact) -> None:
        if fact.kind in _DELIVERY_KINDS:
            self._deliveries.append(fact)
        elif fact.kind in _AMENDMENT_KINDS:
            self._amendments.append(fact)

    def _read(self, stale: Collection[str]) -> None:
        """Read incidents anew: a few one by one, many by their services, each of which is read once."""
        if len(stale) <= _FEW:
            for incident in stale:
                self._take(self.log, incident)
            return
        services: dict[str, list[str]] = {}
        for incident in stale:
            services.setdefault(self._services[incident], []).append(incident)
        held: dict[str, list[Fact]] = {}
        for fact in (*self._deliveries, *self._amendments):
            held.setdefault(str(getattr(fact.payload, "service", "")), []).append(fact)
        for service, incidents in services.items():
            shelf = Shelf.of(self.log, service, held.get(service, ()))
            for incident in incidents:
                self._take(shelf, incident)

    def _touched(self, fact: Fact) -> Iterable[str]:
        told = fact.payload
        if told is None:
            return ()
        named = str(getattr(told, "incident", "") or "")
        found = set(self._by_name.get(("incident", named), ()))
        if named and fact.kind == "incident.detected":
            self._by_name.setdefault(("incident", named), set()).add(named)
            self._services[named] = str(getattr(told, "service", ""))
            found.add(named)
        deployment = str(getattr(told, "deployment", "") or "")
        if deployment:
            found |= self._by_name.get(("deployment", deployment), set())
        service = str(getattr(told, "service", "") or "")
        for name in ("release", "version", "commit"):
            value = str(getattr(told, name, "") or "")
            if value and service:
                found |= self._by_name.get((service, value), set())
        return found

    def _take(self, log: Facts, incident: str) -> None:
        gist = read_gist(log, incident)
        self._cases[incident] = case_of(gist)
        known = gist.incident
        for name in {known.release, *known.names} - {""}:
            self._by_name.setdefault((known.service, name), set()).add(incident)
        for deployment in {known.opened.deployment, *known.deployments} - {""}:
            self._by_name.setdefault(("deployment", deployment), set()).add(incident)


def case_of(record: IncidentGist | IncidentRecord) -> Case:
    """Return an incident as measures see it."""
    failures = tuple(
        dict.fromkeys(
            fact.payload.signature for fact in record.facts
            if isinstance(fact.payload, p.FailureCaptured)
            and fact.payload.incident in ("", record.incident.id)
            and fact.payload.environment == record.incident.environment
        )
    )  # fmt: skip
    return Case(record.incident, record.milestones, record.durations, record.matrix.rows, failures)


@_collector_paused()
def measure_all(known: Known, scope: Scope) -> list[Measure]:
    """Return every measure of a scope, in the order of ``KEYS``."""
    cases, amendments = known.cases, known.amendments
    deliveries = read_deliveries(known.deliveries, cases, scope)
    overrides = [fact for fact in known.deliveries if fact.kind == "override.granted"]
    reverted = [fact for fact in known.deliveries if fact.kind == "change.reverted"]
    proposals = [fact for fact in amendments if fact.kind == "amendment.proposed"]
    found = [
        escapes.escapes_by_gate(cases, scope),
        amended.proven_amendments(amendments, cases, scope),
        escapes.recurrence(cases, scope, signature.matches, amended.active_guards(amendments)),
        escapes.milestone_durations(cases, scope),
        delivery.lead_time(deliveries, scope),
        delivery.frequency(deliveries, scope),
        delivery.recovery_time(deliveries, cases, scope),
        delivery.fail_rate(deliveries, scope, reverted),
        delivery.rework_rate(deliveries, cases, scope, overrides, proposals),
    ]
    assert tuple(measure.key for measure in found) == KEYS
    return found


@dataclass
class KeptMeasures:
    """Measures of the scopes that were asked for last; kept for a minute while the log stays as it is.

    Open cases are thus up to a minute older than they are shown.
    """

    book: CaseBook
    _kept: dict[tuple[object, ...], tuple[Known, datetime, list[Measure]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, scope: Scope, *, whole: bool) -> list[Measure]:
        """Return the measures of a scope; ``whole`` says that it ends now, whenever that is."""
        known = self.book.read()
        key = (scope.service, scope.environment, scope.since, None if whole else scope.until)
        with self._lock:
            kept = self._kept.pop(key, None)
            fresh = kept is not None and kept[0] is known and abs(scope.until - kept[1]) < _KEPT_FOR
            found = kept if kept is not None and fresh else (known, scope.until, measure_all(known, scope))
            self._kept[key] = found
            while len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            return found[2]


def measure_one(measures: Sequence[Measure], key: str) -> Measure:
    """Return the measure of this name. Raises ``NotFoundError``, naming those there are."""
    for measure in measures:
        if measure.key == key:
            return measure
    raise NotFoundError(f"found no measure {key!r}; there are: {', '.join(KEYS)}", remedy="name one of them")


def scope_of(
    log: Log, *, service: str, environment: str, since: datetime | None, until: datetime | None
) -> Scope:
    """Return a scope that ends now where nobody says otherwise."""
    return Scope(until or log.clock.now(), since, service, environment or "production")
