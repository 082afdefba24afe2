"""How facts come in: one place for the command line and the API alike.

Each function takes a ``Desk`` (log, people, service) and a ``Stamp`` (when it happened, under which id) and
returns receipts. A retry with the same id and content is answered with what is in the log already; the same
id with another content is refused. Persons become pseudonyms here, and secrets in free text are masked.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from amends.application.desk import NOW, Desk, Receipt, Stamp, content_id, derived_id, record_once
from amends.application.log import Log
from amends.application.people import normal_login, pseudonym_of, team_name
from amends.application.reports import Exercised, SuiteReport
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.event import format_time
from amends.events.redaction import redact, without_addresses
from amends.gates.table import bare_digest
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import (
    SHORTEST_COMMIT,
    Release,
    bare_name,
    candidates,
    contradicts,
    is_ambiguous,
    meant,
    releases_of,
    whole_name,
)

_VERSION_LIMIT = 200

# --- which release is meant -----------------------------------------------------------------------------


def declared_releases(log: Log, service: str) -> list[Release]:
    """Return the declared releases of a service, in the order in which they were declared."""
    return releases_of(log.facts(tags=(f"service:{service}",), kinds=("artifact.packaged",)), service)


def find_release(log: Log, service: str, name: str) -> ReleaseRef:
    """Return the release that a version, digest or commit names.

    Raises ``NotFoundError`` naming the nearest, ``UsageError`` naming those that an alias fits.
    """
    known = declared_releases(log, service)
    found = candidates(known, service, name)
    if not found:
        raise NotFoundError(
            f"{service} has no release {name!r}{_nearest(name, known)}",
            remedy=f"declare it: amends record release VERSION --service {service}",
        )
    one = meant(found)
    if one is None:
        raise _ambiguous(name, service, found)
    return one.ref


def _nearest(name: str, known: Sequence[Release]) -> str:
    if not known:
        return "; it has none yet"
    names = [release.version for release in known]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(near)}" if near else f"; the latest are {', '.join(names[-3:])}"


def named_release(desk: Desk, name: str) -> tuple[str, tuple[str, ...]]:
    """Return a release's name as it is recorded, and a note when nobody declared it (it may come later).

    Facts are found again by whole names, so a shortened commit is recorded whole and a tag as its version.
    A commit of several versions stays that commit: it holds for all of them. Raises ``UsageError`` for an
    empty name, a shortened commit that fits several, and a tag that fits several versions.
    """
    bare = bare_name(desk.service, name)
    if not bare:
        raise UsageError("found an empty name of a release", remedy="give a version, a commit or a digest")
    known = declared_releases(desk.log, desk.service)
    found = candidates(known, desk.service, bare)
    names = {whole_name(release, bare) for release in found}
    if is_ambiguous(found) or len(names) > 1:
        raise _ambiguous(name, desk.service, found)
    if names:
        return names.pop(), ()
    return bare, (
        f"{desk.service} has no release {bare!r}{_nearest(bare, known)}; "
        f"this counts once a release of exactly this name is declared: amends record release",
    )


def _ambiguous(name: str, service: str, found: Sequence[Release]) -> UsageError:
    versions = ", ".join(release.version for release in found)
    what = "several commits" if is_ambiguous(found) else "several versions"
    return UsageError(
        f"{name!r} fits {what} of {service}: {versions}",
        remedy="give the version, or more digits of the commit",
    )


# --- changes and releases -------------------------------------------------------------------------------


def record_change(
    desk: Desk, change: str, *, title: str = "", author: str = "", team: str = "", paths: Sequence[str] = (),
    lines: int | None = None, repository: str = "", stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record that a change reached the main line. From git: ``application.gitfacts``."""
    payload = p.ChangeMerged(
        service=desk.service, change=change, title=redact(without_addresses(title)),
        author=pseudonym_of(desk.people, author),
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
    _check_version(payload.version)
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
    notes += _same_build(known, payload)
    stamp = content_id("artifact.packaged", payload, stamp)
    return record_once(desk.log, "artifact.packaged", payload, stamp, notes=notes)


def _check_version(version: str) -> None:
    remedy = "give the release a version, for example 1.4.0"
    if not version:
        raise UsageError("found an empty version", remedy=remedy)
    if len(version) > _VERSION_LIMIT:
        raise UsageError(
            f"found a version of {len(version)} characters; allowed are {_VERSION_LIMIT}", remedy=remedy
        )
    if any(sign.isspace() or not sign.isprintable() for sign in version):
        raise UsageError(
            f"found the version {version!r}; allowed is one without blanks and control characters",
            remedy=remedy,
        )


def _same_build(known: Sequence[Release], told: p.ReleaseDeclared) -> tuple[str, ...]:
    """Note that what is declared has another version already: evidence and quarantines are of the build."""
    others = [
        release.version for release in known
        if release.version != told.version
        and any(name and release.goes_by(name) for name in (told.commit, told.digest))
    ]  # fmt: skip
    if not others:
        return ()
    return (
        f"the same build is declared as {', '.join(others)}: a quarantine of one holds all, "
        f"and their commit alone no longer says which version is meant",
    )


def _described(told: Release | p.ReleaseDeclared) -> str:
    parts = [
        f"commit {told.commit[:12]}" if told.commit else "",
        f"digest {told.digest}" if told.digest else "",
    ]
    parts.append(f"{len(told.changes)} changes" if told.changes else "")
    return ", ".join(part for part in parts if part) or "neither commit nor digest"


# --- evidence -------------------------------------------------------------------------------------------


def record_tests(
    desk: Desk, release: str, report: SuiteReport, *, environment: str = "ci", digest: str = "",
    stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record a test run against one exact release. The same report for the same release is recorded once.

    ``digest`` is the artifact's that was tested. It is never taken from the declaration: that a release has a
    digest does not say that this artifact is what ran.
    """
    name, notes = named_release(desk, release)
    notes += _other_artifact(desk, name, digest)
    payload = p.SuiteFinished(
        service=desk.service, release=name, suite=report.name, outcome=report.outcome,
        environment=environment, passed=report.passed, failed=report.failed, errors=report.errors,
        skipped=report.skipped, cases=report.cases, digest=digest.strip(),
    )  # fmt: skip
    kind = "testsuiterun.finished"
    tested = (payload.digest,) if payload.digest else ()
    natural = derived_id(kind, desk.service, name, report.name, environment, report.digest, *tested)
    return record_once(desk.log, kind, payload, Stamp(stamp.at, stamp.id or natural), notes=notes)


def _other_artifact(desk: Desk, name: str, digest: str) -> tuple[str, ...]:
    """Note that what was tested is not what was declared."""
    found = candidates(declared_releases(desk.log, desk.service), desk.service, name) if digest else []
    others = [r for r in found if r.digest and bare_digest(r.digest) != bare_digest(digest.strip())]
    return tuple(f"{r.version} was declared with another artifact, {r.digest}" for r in others)


def record_replay(
    desk: Desk, release: str, *, decision: Literal["pass", "block", "undecided", "error"], baseline: str = "",
    requests: int = 0, differences: int = 0, reason: str = "", causes: Sequence[str] = (), stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record what a replay of recorded requests found, wherever it ran; ``causes`` say what differs.

    Raises ``UsageError`` for counts that cannot be, and for a pass that nothing was replayed for.
    """
    if not 0 <= differences <= requests:
        raise UsageError(
            f"found {differences} differences in {requests} requests",
            remedy="give --requests, and --differences from 0 up to that",
        )
    if decision == "pass" and not requests:
        raise UsageError("found a pass without a request", remedy="say how many were replayed: --requests N")
    name, notes = named_release(desk, release)
    before, more = named_release(desk, baseline) if baseline else ("", ())
    payload = p.ReplayFinished(
        service=desk.service, release=name, decision=decision, baseline=before, requests=requests,
        differences=differences, reason=redact(reason), causes=tuple(redact(one) for one in causes),
    )  # fmt: skip
    return record_once(desk.log, "replay.finished", payload, stamp, notes=notes + more)


def record_exercise(
    desk: Desk, release: str, suite: str, exercised: Exercised, *, stamp: Stamp = NOW
) -> Receipt:
    """Record what a suite exercised: covered lines and keys of inputs. Raises ``UsageError`` for neither."""
    if exercised.covered is None and not exercised.inputs:
        raise UsageError(
            "found neither covered lines nor inputs", remedy="give --coverage FILE or --inputs FILE"
        )
    name, notes = named_release(desk, release)
    payload = p.ExerciseRecorded(
        service=desk.service, release=name, suite=suite, covered=exercised.covered or {},
        missed=exercised.missed, inputs=tuple(exercised.inputs),
    )  # fmt: skip
    stamp = content_id("exercise.recorded", payload, stamp)
    return record_once(desk.log, "exercise.recorded", payload, stamp, notes=notes)


def record_sign_off(
    desk: Desk, release: str, *, role: str, by: str, granted: bool = True, environment: str = "",
    note: str = "", stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Record that a role tried the release by hand and granted or refused it."""
    name, notes = named_release(desk, release)
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
    name, notes = named_release(desk, release)
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
