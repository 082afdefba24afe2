"""When an incident started, was detected, declared, acknowledged, mitigated, explained and resolved.

Each milestone is a point or an interval, with its source. What a person states outweighs what the record
implies, and that outweighs what another system reports (an alert that ended). A duration is shown with its
formula and, where its ends are uncertain, as a range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident, facts_in_order

NAMES = ("started", "detected", "declared", "acknowledged", "mitigated", "cause_found", "resolved")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone. ``at`` is a point; without it, it lay between ``earliest`` and ``latest``.

    With neither, it was not recorded. ``stated`` is true when a person or an alert said so.
    """

    name: str
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    source: str = "not recorded"
    events: tuple[str, ...] = ()
    stated: bool = False

    @property
    def recorded(self) -> bool:
        return bool(self.at or self.earliest or self.latest)

    @property
    def low(self) -> datetime | None:
        return self.at or self.earliest

    @property
    def high(self) -> datetime | None:
        return self.at or self.latest

    @property
    def uncertainty_seconds(self) -> float | None:
        """How long the interval is: 0 for a point, ``None`` when an end is open."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low).total_seconds()


@dataclass(frozen=True, slots=True)
class Duration:
    """A time between two milestones. ``low`` and ``high`` are seconds, equal when both ends are points.

    ``None`` for both: an end is not recorded, and ``missing`` says which.
    """

    name: str
    formula: str
    low: float | None = None
    high: float | None = None
    missing: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


# Names differ between vendors, so each is its formula.
DURATIONS = (
    ("time to detect", "detected", "started"),
    ("time to acknowledge", "acknowledged", "detected"),
    ("time to mitigate", "mitigated", "detected"),
    ("exposure", "mitigated", "started"),
    ("time to find the cause", "cause_found", "detected"),
    ("time to resolve", "resolved", "detected"),
)


def milestones_of(incident: Incident, facts: Iterable[Fact]) -> tuple[Milestone, ...]:
    """Return the seven milestones, in their order, from all facts that concern the incident."""
    ordered = facts_in_order(facts)
    stated: dict[str, Milestone] = {}
    reported: dict[str, Milestone] = {}
    for fact in sorted(ordered, key=lambda f: (f.recorded.recorded_at, f.recorded.seq)):
        told = fact.payload
        if isinstance(told, p.MilestoneSet) and told.incident == incident.id:
            kept = reported if told.source and not told.role else stated
            kept[told.milestone] = stated_milestone(fact, told)
    return tuple(
        stated.get(name) or _derive(name, incident, ordered) or reported.get(name) or Milestone(name)
        for name in NAMES
    )


def durations_of(milestones: Sequence[Milestone]) -> tuple[Duration, ...]:
    """Return the durations between milestones, each with its formula."""
    named = {milestone.name: milestone for milestone in milestones}
    return tuple(duration_between(name, named[end], named[start]) for name, end, start in DURATIONS)


def duration_between(name: str, end: Milestone, start: Milestone) -> Duration:
    """Return the time from one milestone to another, as a range where either is uncertain."""
    formula = f"{end.name} − {start.name}"
    missing = tuple(m.name for m in (start, end) if not m.recorded)
    events = tuple(dict.fromkeys((*start.events, *end.events)))
    if missing:
        return Duration(name, formula, missing=missing, events=events)
    low = (end.low - start.high).total_seconds() if end.low and start.high else None
    high = (end.high - start.low).total_seconds() if end.high and start.low else None
    return Duration(name, formula, low, high, events=events)


def _derive(name: str, incident: Incident, facts: Sequence[Fact]) -> Milestone | None:
    derive = _DERIVED.get(name)
    return derive(incident, facts) if derive else None


def stated_milestone(fact: Fact, told: p.MilestoneSet) -> Milestone:
    """Return a milestone as somebody stated it, with who says so, or where they know it from."""
    source = told.source or (f"stated by {told.role}" if told.role else "stated")
    return Milestone(told.milestone, told.at, told.earliest, told.latest, source, (fact.id,), stated=True)


def _concerns(incident: Incident, told: object) -> bool:
    """Return whether a fact of the lane is about the incident's deployment, or its release."""
    deployment = getattr(told, "deployment", "")
    known = (incident.deployments | {incident.opened.deployment}) - {""}
    if known and deployment:
        return deployment in known
    same_place = getattr(told, "environment", "") == incident.environment
    return same_place and getattr(told, "service", "") == incident.service


def exposure_began(incident: Incident, facts: Sequence[Fact]) -> tuple[datetime | None, tuple[str, ...]]:
    """Return when the release first met production traffic, and the event that says so."""
    for fact in facts:
        told = fact.payload
        if _concerns(incident, told) and _carries_traffic(incident, told):
            return fact.occurred_at, (fact.id,)
    return incident.opened.deployed_at, (incident.event,) if incident.opened.deployed_at else ()


def _carries_traffic(incident: Incident, told: object) -> bool:
    if isinstance(told, p.ActuationDone):
        return told.outcome == "done" and told.action in ("shift", "promote")
    if isinstance(told, p.StepStarted):
        return told.weight > 0
    return isinstance(told, p.ServiceDeployed) and incident.escaped(told.release)


def _started(incident: Incident, facts: Sequence[Fact]) -> Milestone | None:
    """Between the first production traffic and the first sign of the failure, whichever that was."""
    began, events = exposure_began(incident, facts)
    detected = _detected(incident, facts)
    signs: list[tuple[datetime, tuple[str, ...]]] = [
        (fact.occurred_at, (fact.id,)) for fact in facts if _shows_failure(incident, fact)
    ]
    if detected and detected.high:
        signs.append((detected.high, detected.events))
    signs = [sign for sign in signs if began is None or sign[0] >= began]
    if began is None and len(signs) < 2:
        return None  # the detection alone says nothing about when it started
    latest, seen = min(signs) if signs else (None, ())
    return Milestone(
        "started", earliest=began, latest=latest, events=(*events, *seen),
        source="between the first traffic and the first sign of it",
    )  # fmt: skip


def _shows_failure(incident: Incident, fact: Fact) -> bool:
    told = fact.payload
    return isinstance(told, p.FailureCaptured) and told.environment == incident.environment


def _detected(incident: Incident, facts: Sequence[Fact]) -> Milestone | None:
    event, role = incident.backdated
    if event:
        source = f"backdated by {role}" if role else "backdated"
        return Milestone("detected", incident.detected_at, source=source, events=(event,), stated=True)
    for fact in facts:
        told = fact.payload
        if isinstance(told, p.WatchAssessed) and told.verdict == "roll_back" and _concerns(incident, told):
            return Milestone("detected", fact.occurred_at, source="the watch", events=(fact.id,))
    opened = incident.opened
    if opened.opened_by == "person":
        # Whoever opens an incident by hand does so after it was noticed: that is a bound, no point.
        latest = opened.rolled_back_at or incident.detected_at
        source = (
            "before the stated rollback" if opened.rolled_back_at else "before a person opened the incident"
        )
        return Milestone(
            "detected", earliest=opened.deployed_at, latest=latest, source=source, events=(incident.event,)
        )
    by = {"alert": "the alert", "rollback": "the rollback", "bypass": "a bypass of the gates"}
    return Milestone(
        "detected", incident.detected_at, source=by[opened.opened_by], events=(incident.event,)
    )  # fmt: skip


def _mitigated(incident: Incident, facts: Sequence[Fact]) -> Milestone | None:
    for fact in facts:
        told = fact.payload
        if _concerns(incident, told) and _restored(incident, told):
            return Milestone("mitigated", fact.occurred_at, source="the rollback", events=(fact.id,))
    stated = incident.opened.rolled_back_at
    return (
        Milestone("mitigated", stated, source="stated when opened", events=(incident.event,))
        if stated
        else None
    )


def _restored(incident: Incident, told: object) -> bool:
    if isinstance(told, p.ActuationDone):
        return told.outcome == "done" and told.action == "roll_back"
    return isinstance(told, p.ServiceRolledBack) and (not told.release or incident.escaped(told.release))


def _moved(kind: str, name: str) -> Callable[[Incident, Sequence[Fact]], Milestone | None]:
    def derive(incident: Incident, facts: Sequence[Fact]) -> Milestone | None:
        for fact in facts:
            told = fact.payload
            if not isinstance(told, p.IncidentMoved) or fact.kind != kind:
                continue
            if told.incident == incident.id and not told.other:  # a merge closes without resolving
                source = f"recorded by {told.role}" if told.role else "recorded"
                return Milestone(name, fact.occurred_at, source=source, events=(fact.id,))
        return None

    return derive


_DERIVED: dict[str, Callable[[Incident, Sequence[Fact]], Milestone | None]] = {
    "started": _started,
    "detected": _detected,
    "acknowledged": _moved("incident.acknowledged", "acknowledged"),
    "mitigated": _mitigated,
    "resolved": _moved("incident.resolved", "resolved"),
}
