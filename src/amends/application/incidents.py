"""Incidents: opened by a rollback, an alert or a person, moved on by people, and looked at."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from amends.amendments.amendment import Amendment, fold_amendments
from amends.application.around import Beside, Surroundings, intents, read_surroundings
from amends.application.deciding import require_state, write_on
from amends.application.log import Log
from amends.application.ports import People
from amends.application.record import IncidentRecord, read_record, release_names, require_incident
from amends.errors import EventConflictError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.kinds import BY_NAME
from amends.incidents.factors import suggested
from amends.incidents.incident import Incident, Lifecycle, fold_incident
from amends.incidents.nextmoves import RowCard, row_cards
from amends.prevention.captures import SCHEMA
from amends.reviews.revisions import Revision, fold_revisions

# Under one source and one id for a deployment, two processes that open at once meet in the store.
SOURCE = "/amends/incidents"
_ATTEMPTS = 50
_REVIEW_KINDS = tuple(name for name in BY_NAME if name.startswith("review."))
_AMENDMENT_KINDS = tuple(name for name in BY_NAME if name.startswith(("amendment.", "proof.")))

MilestoneName = Literal[
    "started", "detected", "declared", "acknowledged", "mitigated", "cause_found", "resolved"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything that a page about an incident needs.

    ``record`` holds the incident with its facts, milestones, durations, timeline, matrix and impact;
    ``quarantined`` is whether its release may not be deployed. ``named`` are the logins of those who chose to
    be named, by pseudonym, as far as the people's table still knows them.
    """

    record: IncidentRecord
    revisions: tuple[Revision, ...]
    amendments: tuple[Amendment, ...]
    failures: tuple[Fact, ...]
    quarantined: bool
    named: Mapping[str, str] = field(default_factory=dict)
    around: Surroundings = field(default_factory=Surroundings)

    @property
    def incident(self) -> Incident:
        return self.record.incident

    @property
    def cards(self) -> tuple[RowCard, ...]:
        """The rows of the matrix, each with what the team said and what can be done next."""
        found = self.record
        return row_cards(self.incident, found.matrix.rows, found.answers, self.failures)

    def cards_of(self, beside: Beside) -> tuple[RowCard, ...]:
        """The rows of another service's gates, as ``cards``."""
        whose = beside.near.service
        return row_cards(self.incident, beside.rows, self.record.answers, self.failures, whose=whose)

    @property
    def hints(self) -> Mapping[str, tuple[str, ...]]:
        """Contributing factors at which the matrix hints and that nobody named yet, with the gates."""
        named = {one.factor.word for one in self.record.factors if not one.withdrawn}
        return {
            word: gates for word, gates in suggested(self.record.matrix.rows).items() if word not in named
        }

    @property
    def captured(self) -> str:
        """The first capture from which a test can be written, by its event; empty where there is none."""
        for fact in self.failures:
            told = fact.payload
            if not isinstance(told, p.FailureCaptured) or not self.incident.owns(fact):
                continue
            if told.input.get("schema") == SCHEMA:
                return fact.id
        return ""

    @property
    def postmortem(self) -> p.PostmortemImported | None:
        """What was read of the post-mortem that the incident was imported from, if it was."""
        told = (fact.payload for fact in self.record.facts)
        return next((one for one in told if isinstance(one, p.PostmortemImported)), None)


def open_incident(
    log: Log, *, service: str, release: str, previous: str, environment: str, summary: str,
    opened_by: Literal["rollback", "alert", "bypass", "person"], deployment: str = "", team: str = "",
    severity: str = "", role: str = "", deployed_at: datetime | None = None,
    rolled_back_at: datetime | None = None, alert: dict[str, Any] | None = None, at: datetime | None = None,
    key: str = "", bypass: str = "", split_from: str = "",
) -> str:  # fmt: skip
    """Open an incident and return its id, ``INC-1``, ``INC-2``…

    Idempotent per deployment (or per ``key``, for alerts): the same one again returns the incident that is
    there. ``at`` is when it was detected; now, if not given.

    Raises ``VersionConflictError`` when many writers take one number after the other, which a retry mends.
    """
    identity = key or (f"deployment:{service}/{deployment}" if deployment else "")
    for _ in range(_ATTEMPTS):
        known = incident_of_key(log, identity) if identity else None
        if known:
            return known
        incident = _next_id(log)
        payload = p.IncidentOpened(
            incident=incident, service=service, environment=environment, summary=summary,
            opened_by=opened_by, release=release, previous=previous, deployment=deployment, team=team,
            severity=severity, role=role, deployed_at=deployed_at, rolled_back_at=rolled_back_at,
            alert=alert or {}, bypass=bypass, split_from=split_from,
        )  # fmt: skip
        event = _event_id(identity) if identity else ""
        # Together, so that no crash opens an incident whose neighbours nobody thinks of.
        told = [("neighbour.concerned", one, f"{event}-{one.neighbour}" if event else "")
                for one in intents(log, _about_to_open(log, payload, at))]  # fmt: skip
        try:
            log.record_together(
                [("incident.detected", payload, event), *told], source=SOURCE if identity else "", at=at,
                expected=0,
            )  # fmt: skip
        except (VersionConflictError, EventConflictError):
            continue
        return incident
    raise VersionConflictError(
        f"{_ATTEMPTS} other writers took the next incident's number first", remedy="try again"
    )


def _about_to_open(log: Log, opened: p.IncidentOpened, at: datetime | None) -> Incident:
    now = log.clock.now()
    return Incident(opened.incident, opened, "", at or now, now, severity=opened.severity)


def think_of_neighbours(log: Log, incident: str) -> list[Fact]:
    """Have the owners of services told that the policies or the log show to be concerned by now.

    Those that were thought of, and those that somebody cleared, are left as they are. Raises
    ``NotFoundError``.
    """
    cleared = {
        fact.payload.neighbour for fact in log.stream(f"incident/{incident}")
        if isinstance(fact.payload, p.NeighbourConcerned)
    }  # fmt: skip

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        new = [one for one in intents(log, found) if one.neighbour not in cleared]
        return [("neighbour.concerned", one) for one in new]

    return write_on(log, incident, decide)


def incident_of_key(log: Log, identity: str) -> str | None:
    """Return the incident that was opened under this identity, if any."""
    for record in log.store.find(_event_id(identity)):
        if record.event.source == SOURCE:
            return record.stream.removeprefix("incident/")
    return None


def _event_id(identity: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"amends:incident:{identity}"))


def _next_id(log: Log) -> str:
    numbers = [0]
    for fact in log.facts(kinds=("incident.detected",)):
        tail = fact.recorded.stream.removeprefix("incident/INC-")
        if tail.isdigit():
            numbers.append(int(tail))
    return f"INC-{max(numbers) + 1}"


def acknowledge(log: Log, incident: str, *, role: str, reason: str = "", at: datetime | None = None) -> Fact:
    """Record that a role looks after the incident. Raises ``NotAllowedError`` unless it is open."""
    return _move(log, "incident.acknowledged", incident, (Lifecycle.OPEN,), role, reason, at)


def resolve(
    log: Log, incident: str, *, role: str, reason: str, lift_quarantine: bool = False,
    at: datetime | None = None,
) -> Fact:  # fmt: skip
    """Resolve an incident. The release stays quarantined unless ``lift_quarantine`` is asked for.

    Raises ``NotAllowedError`` when it is resolved already.
    """
    fact = _move(
        log, "incident.resolved", incident, (Lifecycle.OPEN, Lifecycle.ACKNOWLEDGED), role, reason, at
    )
    if lift_quarantine:
        opened = require_incident(log, incident)
        lifted = p.QuarantineLifted(
            service=opened.service, release=opened.release, reason=reason, role=role, incident=incident
        )
        log.record("quarantine.lifted", lifted)
    return fact


def reopen(log: Log, incident: str, *, role: str, reason: str, at: datetime | None = None) -> Fact:
    """Open a resolved incident again, or take a merged one out again, which then stands by itself.

    Raises ``NotAllowedError`` unless it is resolved or merged.
    """
    closed = (Lifecycle.RESOLVED, Lifecycle.MERGED)
    return _move(log, "incident.reopened", incident, closed, role, reason, at)


def _move(
    log: Log, kind: str, incident: str, allowed: Iterable[Lifecycle], role: str, reason: str,
    at: datetime | None,
) -> Fact:  # fmt: skip
    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        require_state(found, allowed)
        moved = p.IncidentMoved(
            incident=incident, service=found.service, environment=found.environment, role=role, reason=reason
        )
        return [(kind, moved)]

    return write_on(log, incident, decide, at=at)[0]


def set_milestone(
    log: Log, incident: str, milestone: str, *, at: datetime | None = None, earliest: datetime | None = None,
    latest: datetime | None = None, source: str = "", role: str = "",
) -> Fact:  # fmt: skip
    """State when a milestone was: ``at``, or between ``earliest`` and ``latest`` (one of them is enough).

    Raises ``UsageError`` for an unknown milestone, for no time, and for an interval that ends before it
    begins.
    """
    names = get_args(MilestoneName)
    if milestone not in names:
        raise UsageError(
            f"found the milestone {milestone!r}; allowed are {', '.join(names)}", remedy="name one of them"
        )
    if (at is None) == (earliest is None and latest is None):
        raise UsageError(
            "a milestone has either one time or an interval", remedy="give --at, or --earliest and --latest"
        )
    if earliest and latest and latest < earliest:
        raise UsageError(
            "the interval ends before it begins", remedy="exchange --earliest and --latest"
        )  # fmt: skip
    found = require_incident(log, incident)
    told = p.MilestoneSet(
        incident=incident, service=found.service, milestone=milestone, at=at, earliest=earliest,  # type: ignore[arg-type]
        latest=latest, source=source, role=role,
    )  # fmt: skip
    return log.record("milestone.set", told)


def take_note(log: Log, incident: str, text: str, *, role: str = "", at: datetime | None = None) -> Fact:
    """Add a line to the timeline: what happened ``at`` (default: now). Raises ``UsageError`` if empty."""
    if not text.strip():
        raise UsageError("the note is empty", remedy="say what happened, in one sentence")
    found = require_incident(log, incident)
    moment = at or log.clock.now()
    note = p.NoteTaken(incident=incident, service=found.service, text=text.strip(), at=moment, role=role)
    return log.record("note.taken", note, at=moment)


def list_incidents(log: Log, *, service: str = "", limit: int = 100) -> list[Incident]:
    """Return incidents, the newest first; of a service also those of others that concern it."""
    tags = [f"service:{service}"] if service else []
    kinds = ("incident.detected", "neighbour.concerned") if service else ("incident.detected",)
    told = log.facts(tags=tags, kinds=kinds, newest_first=True, limit=limit)
    streams = dict.fromkeys(fact.recorded.stream for fact in told)
    found = (fold_incident(log.stream(stream)) for stream in streams)
    return [incident for incident in found if incident is not None and _concerns(incident, service)]


def _concerns(incident: Incident, service: str) -> bool:
    beside = {one.service for one in incident.neighbours}
    return not service or service == incident.service or service in beside


def incident_view(log: Log, incident: str, people: People | None = None) -> IncidentView:
    """Return everything about an incident. Raises ``NotFoundError``, naming incidents there are.

    Without ``people`` nobody is named, whatever they chose.
    """
    record = read_record(log, incident)
    # By kind: of a long incident nearly all is notes, which the record holds already.
    tags = [f"incident:{incident}"]
    revised = log.facts(tags=tags, kinds=_REVIEW_KINDS)
    amended = log.facts(tags=tags, kinds=_AMENDMENT_KINDS)
    failures = tuple(f for f in record.facts if isinstance(f.payload, p.FailureCaptured))
    return IncidentView(
        record, fold_revisions(revised), fold_amendments(amended), failures,
        _quarantined(log, record.incident), _named(record.incident, people),
        read_surroundings(log, record.incident),
    )  # fmt: skip


def _named(incident: Incident, people: People | None) -> dict[str, str]:
    chosen = {duty.person for duty in incident.duties if duty.person}
    logins = {person: people.login(person) for person in chosen} if people else {}
    return {person: login for person, login in logins.items() if login}


def _quarantined(log: Log, incident: Incident) -> bool:
    names = incident.names or release_names(log, incident.service, incident.release)
    tags = [f"release:{incident.service}@{name}" for name in sorted(names)]
    if not tags:
        return False
    moves = log.facts(tags=tags, kinds=("quarantine.set", "quarantine.lifted"), newest_first=True, limit=1)
    return bool(moves) and moves[0].kind == "quarantine.set"


def incident_data(view: IncidentView) -> dict[str, Any]:
    """Return a view as JSON-able values, as ``amends incident show --format json`` prints it."""
    import msgspec

    record, incident = view.record, view.incident
    opened = incident.opened
    latest = view.revisions[-1] if view.revisions else None
    found: dict[str, Any] = msgspec.to_builtins(
        {
            "incident": incident.id, "state": incident.state, "service": opened.service,
            "environment": opened.environment, "release": opened.release, "previous": opened.previous,
            "summary": opened.summary, "opened_by": opened.opened_by, "severity": incident.severity,
            "visibility": incident.visibility, "duties": incident.duties, "merged_into": incident.merged_into,
            "merged": sorted(incident.family), "split_into": incident.split_into,
            "split_from": opened.split_from,
            "team": opened.team, "deployment": opened.deployment, "quarantined": view.quarantined,
            "detected_at": incident.detected_at, "milestones": record.milestones,
            "durations": record.durations, "impact": record.impact, "timeline": record.timeline,
            "matrix": {
                "rows": [_card(card) for card in view.cards], "caught": record.matrix.caught,
                "caught_events": record.matrix.caught_events, "bypassed": record.matrix.bypassed,
            },
            "origin": _origin(view.around), "neighbours": incident.neighbours,
            "around": [_beside(view, one) for one in view.around.beside],
            "factors": record.factors, "contradictions": record.contradictions,
            "review": {
                "revision": latest.number if latest else 0, "drafted": latest.drafted if latest else False,
                "published": incident.published,
            },
            "postmortem": view.postmortem,
            "amendments": [
                {"amendment": a.id, "kind": a.proposed.kind, "title": a.proposed.title, "state": a.state}
                for a in view.amendments
            ],
        }
    )  # fmt: skip
    return found


def _card(card: RowCard) -> dict[str, Any]:
    import msgspec

    row: dict[str, Any] = msgspec.to_builtins(card.row)
    return {**row, "answers": card.answers, "next": card.moves}


def _origin(around: Surroundings) -> dict[str, Any] | None:
    found = around.origin
    if found is None:
        return None
    begun = found.begun
    return {
        "sentence": found.sentence, "upstream": found.upstream, "shown": found.shown,
        "service": begun.service if begun else "", "release": begun.release if begun else "",
        "suspects": [
            {
                "service": one.service, "environment": one.environment, "release": one.release, "at": one.at,
                "sign": one.sign.name.lower(), "reason": one.reason, "events": one.events,
            }
            for one in found.suspects
        ],
    }  # fmt: skip


def _beside(view: IncidentView, one: Beside) -> dict[str, Any]:
    return {
        "service": one.near.service, "environment": one.near.environment, "relation": one.near.relation,
        "path": one.near.path, "team": one.team, "release": one.release, "began": one.began,
        "rows": [_card(card) for card in view.cards_of(one)],
    }  # fmt: skip
