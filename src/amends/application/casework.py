"""What people do with an incident: weigh it, take duties, merge, split and backdate it.

Each is an event, so each is audited; nothing that was said before is changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from amends.application.bypassing import open_of_bypass
from amends.application.deciding import require_state, write_on
from amends.application.dependencies import owner_of
from amends.application.desk import Desk
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.application.people import pseudonym_of, team_name
from amends.application.queries.bypasses import list_bypasses
from amends.application.record import gathered, release_names, require_incident
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.payloads.casework import DutyName, Relation, Visibility
from amends.events.redaction import redact, without_addresses
from amends.incidents.incident import Incident, Lifecycle

DUTIES: tuple[DutyName, ...] = get_args(DutyName)
RELATIONS: tuple[Relation, ...] = get_args(Relation)
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)
MOVABLE = ("note.taken", "failure.captured")
"""Which events a split may move: what people told and what was captured. What ran where stays."""
_SEVERITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


def assess(
    log: Log, incident: str, *, role: str, severity: str = "", visibility: str = "", reason: str = "",
    at: datetime | None = None,
) -> Fact:  # fmt: skip
    """Say how severe an incident is, and which customers see it; what is left empty stays as it was.

    ``severity`` is the organisation's own word (``sev1``, ``critical``). Raises ``UsageError`` for neither,
    and for a word that is not allowed.
    """
    severity, visibility = severity.strip(), visibility.strip()
    if not (severity or visibility):
        raise UsageError("found neither a severity nor a visibility", remedy="give at least one of them")
    if severity and not _SEVERITY.fullmatch(severity):
        raise UsageError(
            f"found the severity {severity[:60]!r}; allowed is a short word such as sev1", where="severity"
        )
    if visibility:
        _one_of(visibility, VISIBILITIES, "visibility")

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.IncidentAssessed(
            incident=incident, service=found.service, severity=severity, role=role, reason=plain(reason),
            visibility=visibility,  # type: ignore[arg-type]
        )  # fmt: skip
        return [("incident.assessed", told)]

    return write_on(log, incident, decide, at=at)[0]


def take_duty(
    desk: Desk, incident: str, duty: str, *, team: str = "", login: str = "", role: str = "",
    at: datetime | None = None,
) -> Fact:  # fmt: skip
    """Have a team take a duty: commander, scribe or communications. Whoever had it no longer has it.

    ``login`` is given by the person who takes it and wants to be named; it is kept as a pseudonym, and shown
    for as long as the people's table knows it. Raises ``UsageError`` for another duty, and for no team.
    """
    _one_of(duty, DUTIES, "duty")
    team = team_name(team)
    if not team:
        raise UsageError("which team takes it?", remedy="give the team; a person only by their own choice")
    return _duty(desk, incident, "duty.taken", duty, team, pseudonym_of(desk.people, login), role, at)


def leave_duty(desk: Desk, incident: str, duty: str, *, role: str = "", at: datetime | None = None) -> Fact:
    """Say that nobody has a duty any more. Raises ``NotAllowedError`` when nobody had it."""
    _one_of(duty, DUTIES, "duty")
    return _duty(desk, incident, "duty.left", duty, "", "", role, at)


def _duty(
    desk: Desk, incident: str, kind: str, duty: str, team: str, person: str, role: str, at: datetime | None
) -> Fact:  # fmt: skip
    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        if kind == "duty.left" and duty not in {one.name for one in found.duties}:
            raise NotAllowedError(f"nobody is {duty} of {incident}", remedy="there is nothing to leave")
        told = p.DutyMoved(
            incident=incident, service=found.service, duty=duty, team=team, person=person,  # type: ignore[arg-type]
            role=role,
        )  # fmt: skip
        return [(kind, told)]

    return write_on(desk.log, incident, decide, at=at)[0]


def merge(
    log: Log, incident: str, into: str, *, role: str, reason: str = "", at: datetime | None = None
) -> Fact:
    """Merge an incident into another: it is closed, and the other one shows what is recorded of both.

    ``reopen`` takes it out again. Raises ``UsageError`` for one and the same, ``NotAllowedError`` where
    either is merged already, ``NotFoundError``.
    """
    if incident == into:
        raise UsageError(f"{incident} cannot be merged into itself", remedy="name another incident")
    target = require_incident(log, into)
    if target.state is Lifecycle.MERGED:
        raise NotAllowedError(
            f"{into} is itself merged into {target.merged_into}",
            remedy=f"merge {incident} into {target.merged_into}",
        )
    unresolved = (Lifecycle.OPEN, Lifecycle.ACKNOWLEDGED)

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        require_state(found, (*unresolved, Lifecycle.RESOLVED))
        told = p.IncidentMoved(
            incident=incident, service=found.service, environment=found.environment, role=role,
            reason=plain(reason), other=into,
        )  # fmt: skip
        # Gates and boards of every version know what resolved means; only the other incident stays open.
        closes = [("incident.resolved", told)] if found.state in unresolved else []
        return [("incident.merged", told), *closes]

    return write_on(log, incident, decide, at=at)[0]


def split(
    desk: Desk, incident: str, *, summary: str, role: str, events: Sequence[str] = (), service: str = "",
    release: str = "", environment: str = "", severity: str = "", reason: str = "",
    at: datetime | None = None,
) -> str:  # fmt: skip
    """Make a part of an incident one of its own, and return its id.

    ``events`` are notes and captured failures that belong to the new one from here on. What is not given of
    service, release and environment is the first one's.

    Raises ``UsageError`` for no summary and for events that are not the incident's or cannot be moved.
    """
    if not summary.strip():
        raise UsageError("what is the other incident about?", remedy="give a summary, in one sentence")
    log, found = desk.log, require_incident(desk.log, incident)
    _movable(log, found, events)
    opened = found.opened
    same = service in ("", found.service)
    other = open_incident(
        log, service=service or found.service, release=release or (opened.release if same else ""),
        previous=opened.previous if same and not release else "", opened_by=opened.opened_by,
        environment=environment or found.environment, summary=plain(summary), role=role,
        team=opened.team if same else "", severity=severity, split_from=incident, at=at or found.detected_at,
    )  # fmt: skip

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.IncidentSplit(
            incident=incident, service=found.service, other=other, events=tuple(events), role=role,
            reason=plain(reason),
        )  # fmt: skip
        return [("incident.split", told)]

    write_on(log, incident, decide)
    return other


def _movable(log: Log, found: Incident, events: Sequence[str]) -> None:
    own = {fact.id: fact.kind for fact in gathered(log, found)[1]} if events else {}
    strange = [event for event in events if event not in own]
    if strange:
        raise UsageError(
            f"{found.id} has no event {strange[0]!r}", remedy=f"see `amends incident show {found.id}`"
        )
    fixed = [event for event in events if own[event] not in MOVABLE]
    if fixed:
        raise UsageError(
            f"event {fixed[0]} is {own[fixed[0]]}; a split moves {' and '.join(MOVABLE)}",
            remedy="leave it out: what ran where is shown by every incident that it concerns",
        )


def backdate(log: Log, incident: str, to: datetime, *, role: str, reason: str) -> Fact:
    """Say that an incident was detected earlier than recorded, or later; the record keeps both.

    Decisions of gates go by what was known then, so they do not change. Raises ``UsageError`` for a time
    that is still to come and for no reason.
    """
    if not reason.strip():
        raise UsageError("why is it moved?", remedy="say how that time is known: --reason")
    if to > log.clock.now():
        raise UsageError("found a time that is still to come", remedy="give when it was detected")

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.IncidentBackdated(
            incident=incident, service=found.service, at=to, was=found.detected_at, role=role,
            reason=plain(reason),
        )  # fmt: skip
        return [("incident.backdated", told)]

    return write_on(log, incident, decide)[0]


def open_from_bypass(
    log: Log, service: str, release: str, *, environment: str = "production", summary: str = "",
    role: str = "", team: str = "", severity: str = "",
) -> str:  # fmt: skip
    """Open the incident of a deployment that went around its gates; the same one again returns it.

    Raises ``NotFoundError`` where no such deployment went around them.
    """
    names = release_names(log, service, release)
    found = [one for one in list_bypasses(log, service, environment) if one.release in names]
    if not found:
        raise NotFoundError(
            f"no deployment of {service}@{release} in {environment} went around its gates",
            remedy="open it without --bypass; what went around the gates is on the release's page",
        )
    one = found[0]
    deployed = log.facts(
        tags=[f"env:{service}/{environment}"], kinds=["service.deployed", "service.upgraded"]
    )
    seen = next((fact for fact in deployed if fact.id == one.event), None)
    return open_of_bypass(
        log, seen, one, summary=plain(summary), role=role, team=team, severity=severity
    )  # fmt: skip


def plain(text: str) -> str:
    """Return people's words as they are kept: without secrets, addresses and white space around them."""
    return redact(without_addresses(text.strip()))


def _one_of(found: str, allowed: Sequence[str], what: str) -> None:
    if found not in allowed:
        raise UsageError(
            f"found the {what} {found[:60]!r}; allowed are {', '.join(allowed)}",
            where=what, remedy="name one of them",
        )  # fmt: skip


def concern(
    log: Log, incident: str, service: str, *, relation: str, role: str, team: str = "", environment: str = "",
    reason: str = "",
) -> Fact:  # fmt: skip
    """Say that an incident concerns another service too, whose owner is to be told.

    Raises ``UsageError`` for no service or the incident's own, and for another relation.
    """
    _one_of(relation, RELATIONS, "relation")
    return _neighbour(
        log, incident, "neighbour.concerned", service, relation, role, team, environment, reason
    )


def clear(log: Log, incident: str, service: str, *, role: str, reason: str = "") -> Fact:
    """Say that an incident does not concern a service after all. Raises ``NotAllowedError`` if it did not."""
    return _neighbour(log, incident, "neighbour.cleared", service, "", role, "", "", reason)


def _neighbour(
    log: Log, incident: str, kind: str, service: str, relation: str, role: str, team: str, environment: str,
    reason: str,
) -> Fact:  # fmt: skip
    service = service.strip()

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        if service in ("", found.service):
            raise UsageError("which other service?", remedy=f"name one beside {found.service}")
        known = {one.service: one for one in found.neighbours}
        if kind == "neighbour.cleared" and service not in known:
            raise NotAllowedError(f"{service} is not among those that {incident} concerns")
        told = p.NeighbourConcerned(
            incident=incident, service=found.service, neighbour=service, role=role, reason=plain(reason),
            relation=relation or known[service].relation,  # type: ignore[arg-type]
            team=team_name(team) or owner_of(log, service), environment=environment or found.environment,
        )  # fmt: skip
        return [(kind, told)]

    return write_on(log, incident, decide)[0]
