"""How facts come in: one place for the command line and the API alike.

Each function takes a ``Desk`` (log, people, service) and a ``Stamp`` (when it happened, under which id) and
returns receipts. A retry with the same id and content is answered with what is in the log already; the same
id with another content is refused. Persons become pseudonyms here, and secrets in free text are masked.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from amends.application.desk import NOW, Desk, Receipt, Stamp, content_id, derived_id, record_once
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.application.people import normal_login, pseudonym_of, team_name
from amends.application.record import require_incident
from amends.application.reports import SuiteReport
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import decode
from amends.events.event import format_time
from amends.events.redaction import cut, redact, redact_value
from amends.prevention.signature import signature_of
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import (
    SHORTEST_COMMIT,
    Release,
    bare_name,
    candidates,
    contradicts,
    is_ambiguous,
    releases_of,
)

_MESSAGE_LIMIT = 4_000


# --- which release is meant -----------------------------------------------------------------------------


def declared_releases(log: Log, service: str) -> list[Release]:
    """Return the declared releases of a service, in the order in which they were declared."""
    return releases_of(log.facts(tags=(f"service:{service}",), kinds=("artifact.packaged",)), service)


def find_release(log: Log, service: str, name: str) -> ReleaseRef:
    """Return the release that a version, digest or commit names.

    Raises ``NotFoundError`` naming the nearest, ``UsageError`` when a shortened commit fits several.
    """
    known = declared_releases(log, service)
    found = candidates(known, service, name)
    if not found:
        raise NotFoundError(
            f"{service} has no release {name!r}{_nearest(name, known)}",
            remedy=f"declare it: amends record release VERSION --service {service}",
        )
    if is_ambiguous(found):
        versions = ", ".join(release.version for release in found)
        raise UsageError(
            f"{name!r} fits several commits of {service}, those of {versions}",
            remedy="give the version, or more digits of the commit",
        )
    return found[-1].ref


def _nearest(name: str, known: Sequence[Release]) -> str:
    if not known:
        return "; it has none yet"
    names = [release.version for release in known]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(near)}" if near else f"; the latest are {', '.join(names[-3:])}"


def _named(desk: Desk, name: str) -> tuple[str, tuple[str, ...]]:
    """Return a release's name as it is recorded, and a note when nobody declared it (it may come later)."""
    bare = bare_name(desk.service, name)
    if not bare:
        raise UsageError("found an empty name of a release", remedy="give a version, a commit or a digest")
    known = declared_releases(desk.log, desk.service)
    if candidates(known, desk.service, bare):
        return bare, ()
    return bare, (
        f"{desk.service} has no release {bare!r}{_nearest(bare, known)}; "
        f"this counts for it once it is declared: amends record release",
    )


# --- changes and releases -------------------------------------------------------------------------------


def record_change(
    desk: Desk, change: str, *, title: str = "", author: str = "", team: str = "", paths: Sequence[str] = (),
    lines: int | None = None, repository: str = "", stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record that a change reached the main line. From git: ``application.gitfacts``."""
    payload = p.ChangeMerged(
        service=desk.service, change=change, title=redact(title), author=pseudonym_of(desk.people, author),
        team=team_name(team or desk.team), paths=tuple(paths), lines=lines, repository=repository,
    )  # fmt: skip
    return record_once(desk.log, "change.merged", payload, content_id("change.merged", payload, stamp))


def record_review(
    desk: Desk, change: str, *, reviewer: str,
    verdict: Literal["approved", "changes_requested", "commented"] = "approved", team: str = "",
    repository: str = "", stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record a person's verdict on a change. Their latest one counts.

    ``change`` may be the beginning of a commit that is recorded as a change.
    """
    named, notes = _change_named(desk, change)
    payload = p.ChangeReviewed(
        service=desk.service, change=named, reviewer=_person(desk, reviewer, "reviewer"), verdict=verdict,
        team=team_name(team), repository=repository,
    )  # fmt: skip
    return record_once(desk.log, "change.reviewed", payload, stamp, notes=notes)


def _change_named(desk: Desk, name: str) -> tuple[str, tuple[str, ...]]:
    if desk.log.facts(tags=(f"change:{desk.service}/{name}",), kinds=("change.merged",), limit=1):
        return name, ()
    facts = desk.log.facts(tags=(f"service:{desk.service}",), kinds=("change.merged",))
    ids = {fact.payload.change for fact in facts if isinstance(fact.payload, p.ChangeMerged)}
    fits = sorted(id for id in ids if len(name) >= SHORTEST_COMMIT and id.startswith(name.lower()))
    if len(fits) > 1:
        raise UsageError(f"{name!r} fits {len(fits)} changes", remedy="give more digits of the commit")
    return (fits[0], ()) if fits else (name, (f"change {name} is not recorded yet: amends record change",))


def record_release(
    desk: Desk, version: str, *, commit: str = "", digest: str = "", previous: str = "",
    changes: Sequence[str] = (), stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Declare a release. Declaring it again may add what was left empty.

    Raises ``UsageError`` when the version is declared already with another commit, digest or changes.
    """
    payload = p.ReleaseDeclared(
        service=desk.service, version=bare_name(desk.service, version), commit=commit.lower(), digest=digest,
        changes=tuple(changes), previous=bare_name(desk.service, previous), team=team_name(desk.team),
    )  # fmt: skip
    if not payload.version:
        raise UsageError("found an empty version", remedy="give the release a version, for example 1.4.0")
    known = declared_releases(desk.log, desk.service)
    for release in known:
        if release.version == payload.version and contradicts(release, payload):
            raise UsageError(
                f"{desk.service}@{release.version} is declared already, as {_described(release)}; "
                f"found {_described(payload)}",
                remedy="a version is immutable: give what was built now a new version",
            )
    notes: tuple[str, ...] = ()
    if payload.previous and not candidates(known, desk.service, payload.previous):
        notes = (
            f"the previous release {payload.previous!r} is not declared{_nearest(payload.previous, known)}",
        )
    stamp = content_id("artifact.packaged", payload, stamp)
    return record_once(desk.log, "artifact.packaged", payload, stamp, notes=notes)


def _described(told: Release | p.ReleaseDeclared) -> str:
    parts = [
        f"commit {told.commit[:12]}" if told.commit else "",
        f"digest {told.digest}" if told.digest else "",
    ]
    parts.append(f"{len(told.changes)} changes" if told.changes else "")
    return ", ".join(part for part in parts if part) or "neither commit nor digest"


# --- evidence -------------------------------------------------------------------------------------------


def record_tests(
    desk: Desk, release: str, report: SuiteReport, *, environment: str = "ci", stamp: Stamp = NOW
) -> Receipt:
    """Record a test run against one exact release. The same report for the same release is recorded once."""
    name, notes = _named(desk, release)
    payload = p.SuiteFinished(
        service=desk.service, release=name, suite=report.name, outcome=report.outcome,
        environment=environment, passed=report.passed, failed=report.failed, errors=report.errors,
        skipped=report.skipped,
        cases=report.cases,
    )  # fmt: skip
    kind = "testsuiterun.finished"
    natural = derived_id(kind, desk.service, name, report.name, environment, report.digest)
    return record_once(desk.log, kind, payload, Stamp(stamp.at, stamp.id or natural), notes=notes)


def record_exercise(
    desk: Desk, release: str, suite: str, *, covered: dict[str, tuple[int, ...]] | None = None,
    inputs: Sequence[str] = (), stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record what a suite exercised: covered lines and keys of inputs. Raises ``UsageError`` for neither."""
    if covered is None and not inputs:
        raise UsageError(
            "found neither covered lines nor inputs", remedy="give --coverage FILE or --inputs FILE"
        )
    name, notes = _named(desk, release)
    payload = p.ExerciseRecorded(
        service=desk.service, release=name, suite=suite, covered=covered or {}, inputs=tuple(inputs)
    )
    stamp = content_id("exercise.recorded", payload, stamp)
    return record_once(desk.log, "exercise.recorded", payload, stamp, notes=notes)


def record_sign_off(
    desk: Desk, release: str, *, role: str, by: str, granted: bool = True, environment: str = "",
    note: str = "", stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record that a role tried the release by hand and granted or refused it."""
    name, notes = _named(desk, release)
    payload = p.SignedOff(
        service=desk.service, release=name, role=role, by=_person(desk, by, "person who signs"),
        granted=granted, environment=environment, note=redact(note),
    )  # fmt: skip
    return record_once(desk.log, "signoff.given", payload, stamp, notes=notes)


def record_shift(
    desk: Desk, team: str, *, role: str, person: str, starts: datetime, ends: datetime,
    acknowledged: bool = True, stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record that someone is on shift. Raises ``UsageError`` when the shift ends before it starts."""
    _in_order(starts, ends, "shift")
    payload = p.ShiftAcknowledged(
        team=team_name(team), role=role, person=_person(desk, person, "person"), starts=starts, ends=ends,
        acknowledged=acknowledged,
    )  # fmt: skip
    return record_once(
        desk.log, "shift.acknowledged", payload, content_id("shift.acknowledged", payload, stamp)
    )


def record_traffic(
    desk: Desk, release: str, *, environment: str, requests: int, since: datetime, until: datetime,
    stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record how many requests a release served between two moments."""
    if requests < 0:
        raise UsageError(f"found {requests} requests; allowed is 0 or more")
    _in_order(since, until, "time")
    name, notes = _named(desk, release)
    payload = p.TrafficObserved(
        service=desk.service,
        release=name,
        environment=environment,
        requests=requests,
        since=since,
        until=until,
    )
    stamp = content_id("traffic.observed", payload, stamp)
    return record_once(desk.log, "traffic.observed", payload, stamp, notes=notes)


def record_failure(
    desk: Desk, release: str, *, environment: str, signature: p.Signature | None = None, traceback: str = "",
    input: dict[str, Any] | None = None, message: str = "", incident: str = "",
    line: int | None = None, stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record a failing input or trace from production.

    What ``signature`` leaves empty is read from ``traceback``. Raises ``UsageError`` when neither says how
    the failure would be recognised again.
    """
    name, notes = _named(desk, release)
    read = signature_of(traceback) if traceback else None
    merged = _merged(signature or p.Signature(), read or p.Signature())
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
    name, notes = _named(desk, release)
    for record in desk.log.store.find(stamp.id) if stamp.id else ():
        # On a retry this very release runs there already, so what was said the first time stands.
        fact = decode(record)
        if isinstance(fact.payload, p.ServiceDeployed) and _same_lane(fact.payload, desk, name, environment):
            return record_once(desk.log, fact.kind, fact.payload, stamp, notes=notes)
    before = bare_name(desk.service, previous) or running(desk.log, desk.service, environment, at=stamp.at)
    payload = p.ServiceDeployed(service=desk.service, release=name, environment=environment, previous=before)
    return record_once(
        desk.log, "service.upgraded" if before else "service.deployed", payload, stamp, notes=notes
    )


def _same_lane(told: p.ServiceDeployed, desk: Desk, release: str, environment: str) -> bool:
    return (told.service, told.release, told.environment) == (desk.service, release, environment)


def record_rolled_back(
    desk: Desk, release: str, *, environment: str, to: str, reason: str, stamp: Stamp = NOW
) -> list[Receipt]:
    """Record a rollback that was done elsewhere. It opens an incident and quarantines the release.

    With an id it may be repeated until all three are in the log.
    """
    name, notes = _named(desk, release)
    restored = bare_name(desk.service, to)
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


# --- checks ---------------------------------------------------------------------------------------------


def _person(desk: Desk, login: str, what: str) -> str:
    if not normal_login(login):
        raise UsageError(f"the {what} is not named", remedy="give a login or an e-mail address")
    return pseudonym_of(desk.people, login)


def _in_order(start: datetime, end: datetime, what: str) -> None:
    if end <= start:
        raise UsageError(
            f"the {what} ends at {format_time(end)}, no later than its start {format_time(start)}",
            remedy="give a later end",
        )
