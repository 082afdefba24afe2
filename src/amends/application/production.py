"""Facts of what runs where, what failed there, and what people remember of it. See ``recording``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from amends.application.desk import NOW, Desk, Receipt, Stamp, content_id, derived_id, record_once
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.application.people import team_name
from amends.application.record import require_incident
from amends.application.recording import named_release
from amends.application.reviewing import draft_review
from amends.errors import UsageError
from amends.events import payloads as p
from amends.events.codec import decode
from amends.events.redaction import cut, redact, redact_value
from amends.prevention.signature import in_project, signature_of

_MESSAGE_LIMIT = 4_000


def record_failure(
    desk: Desk, release: str, *, environment: str, signature: p.Signature | None = None, traceback: str = "",
    input: dict[str, Any] | None = None, message: str = "", incident: str = "",
    line: int | None = None, files: Collection[str] = (), stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record a failing input or trace from production.

    What ``signature`` leaves empty is read from ``traceback``. ``files`` are the repository's, by which a
    path of the machine where it failed is told from the project's own. Raises ``UsageError`` when neither
    says how the failure would be recognised again.
    """
    name, notes = named_release(desk, release)
    read = signature_of(traceback) if traceback else None
    merged = in_project(_merged(signature or p.Signature(), read or p.Signature()), files)
    if merged == p.Signature():
        raise UsageError(
            "found nothing by which this failure would be recognised again",
            remedy="give --traceback FILE, or --exception with --frame, or --status with --path",
        )
    if incident:
        require_incident(desk.log, incident)
    payload = p.FailureCaptured(
        service=desk.service, release=name, environment=environment, signature=merged,
        input=redact_value(input or {}), message=cut(redact(message or traceback), _MESSAGE_LIMIT),
        incident=incident, line=line,
    )  # fmt: skip
    stamp = content_id("failure.captured", payload, stamp)
    return record_once(desk.log, "failure.captured", payload, stamp, notes=notes)


def _merged(stated: p.Signature, read: p.Signature) -> p.Signature:
    fields = {name: getattr(stated, name) or getattr(read, name) for name in p.Signature.__struct_fields__}
    return p.Signature(**fields)


# --- where what runs ------------------------------------------------------------------------------------


def running(log: Log, service: str, environment: str, *, at: datetime | None = None) -> str:
    """Return the name of the release that the log says runs in an environment (by ``at``); empty: none."""
    kinds = ("service.deployed", "service.upgraded", "service.rolledback")
    found = ""
    facts = log.facts(tags=(f"env:{service}/{environment}",), kinds=kinds)
    for fact in sorted(facts, key=lambda fact: (fact.occurred_at, fact.recorded.position)):
        if at is not None and fact.occurred_at > at:
            break
        if isinstance(fact.payload, p.ServiceDeployed):
            found = fact.payload.release
        elif isinstance(fact.payload, p.ServiceRolledBack):
            found = fact.payload.restored
    return found


def record_deployed(
    desk: Desk, release: str, *, environment: str, previous: str = "", stamp: Stamp = NOW
) -> Receipt:
    """Record that a release took over an environment: ``service.upgraded`` when something ran there."""
    name, notes = named_release(desk, release)
    notes += _environment_notes(desk, environment)
    for record in desk.log.store.find(stamp.id) if stamp.id else ():
        # On a retry this very release runs there already, so what was said the first time stands.
        fact = decode(record)
        if isinstance(fact.payload, p.ServiceDeployed) and _same_lane(fact.payload, desk, name, environment):
            return record_once(desk.log, fact.kind, fact.payload, stamp, notes=notes)
    before = running(desk.log, desk.service, environment, at=stamp.at)
    if previous:
        before = named_release(desk, previous)[0]
    payload = p.ServiceDeployed(service=desk.service, release=name, environment=environment, previous=before)
    return record_once(
        desk.log, "service.upgraded" if before else "service.deployed", payload, stamp, notes=notes
    )


def _environment_notes(desk: Desk, environment: str) -> tuple[str, ...]:
    """Note an environment that the policy does not list; what happened there happened all the same."""
    if not desk.environments or environment in desk.environments:
        return ()
    near = get_close_matches(environment.lower(), desk.environments, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else f"; it lists {', '.join(desk.environments)}"
    return (f"{Path(desk.policy).name} has no environment {environment!r}{hint}",)


def _same_lane(told: p.ServiceDeployed, desk: Desk, release: str, environment: str) -> bool:
    return (told.service, told.release, told.environment) == (desk.service, release, environment)


def record_rolled_back(
    desk: Desk, release: str, *, environment: str, to: str, reason: str, stamp: Stamp = NOW
) -> list[Receipt]:
    """Record a rollback that was done elsewhere. It opens an incident with a review's draft.

    It quarantines the release, too. With an id it may be repeated until all three are in the log.
    """
    name, notes = named_release(desk, release)
    notes += _environment_notes(desk, environment)
    restored = named_release(desk, to)[0] if to else ""
    if not restored or restored == name:
        raise UsageError(
            f"a rollback goes from one release to another; found from {name!r} to {restored!r}",
            remedy="name with --to the release that runs again",
        )
    payload = p.ServiceRolledBack(
        service=desk.service, release=name, restored=restored, environment=environment, reason=redact(reason)
    )
    rolled = record_once(desk.log, "service.rolledback", payload, stamp, notes=notes)
    incident = open_incident(
        desk.log, service=desk.service, release=name, previous=restored, environment=environment,
        summary=payload.reason or f"{name} was rolled back", opened_by="rollback", team=team_name(desk.team),
        rolled_back_at=rolled.fact.occurred_at, key=f"rolledback:{rolled.fact.id}", at=stamp.at,
    )  # fmt: skip
    quarantine = p.QuarantineSet(
        service=desk.service, release=name, reason=payload.reason or "it was rolled back", incident=incident
    )
    held = record_once(
        desk.log, "quarantine.set", quarantine,
        Stamp(rolled.fact.occurred_at, derived_id("quarantine.set", rolled.fact.id)),
        notes=(f"{incident} is open; {name} is quarantined until it says otherwise",),
    )  # fmt: skip
    draft_review(desk.log, incident)
    opened = next(f for f in desk.log.stream(f"incident/{incident}") if f.kind == "incident.detected")
    return [rolled, Receipt(opened, fresh=rolled.fresh), held]


def record_note(desk: Desk, incident: str, text: str, *, role: str = "", stamp: Stamp = NOW) -> Receipt:
    """Record a person's line for an incident's timeline. It is known from now on, whenever it happened."""
    if not text.strip():
        raise UsageError("the note is empty", remedy="say what happened, in one sentence")
    opened = require_incident(desk.log, incident)
    at = stamp.at or _first_told(desk.log, stamp.id) or desk.log.clock.now()
    payload = p.NoteTaken(incident=incident, service=opened.service, text=redact(text), at=at, role=role)
    return record_once(desk.log, "note.taken", payload, Stamp(None, stamp.id))


def _first_told(log: Log, id: str) -> datetime | None:
    """Return the moment of the note with this id: its retry, without a time of its own, means the same."""
    for record in log.store.find(id) if id else ():
        told = decode(record).payload
        if isinstance(told, p.NoteTaken):
            return told.at
    return None
