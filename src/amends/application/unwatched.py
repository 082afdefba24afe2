"""Incidents that amends never watched: what git and the release's own files can still tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amends.application.desk import Desk, Stamp
from amends.application.gitfacts import record_changes_from_git
from amends.application.incidents import open_incident
from amends.application.ports import CodeHost
from amends.application.record import release_names
from amends.application.recording import record_release
from amends.application.reviewing import draft_review
from amends.errors import AmendsError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.gates.policy import policy_digest


@dataclass(frozen=True, slots=True)
class Story:
    """What a person states about an incident. Empty and ``None`` stand for what nobody recorded."""

    release: str
    previous: str = ""
    environment: str = "production"
    summary: str = ""
    severity: str = ""
    role: str = ""
    deployed_at: datetime | None = None
    rolled_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The incident, its review's revision, and notes about what could not be found."""

    incident: str
    revision: int
    notes: tuple[str, ...]


def open_unwatched(
    desk: Desk, story: Story, *, host: CodeHost | None = None, policy_path: str = "amends.yaml"
) -> Opened:
    """Open an incident from what a person states, add what git knows, and draft its review.

    The same statement again gives the same incident. Raises ``UsageError`` when it was rolled back before it
    was deployed.
    """
    if story.deployed_at and story.rolled_back_at and story.rolled_back_at < story.deployed_at:
        raise UsageError(
            "the release was rolled back before it was deployed",
            remedy="exchange --deployed-at and --rolled-back-at",
        )
    times = f"{story.deployed_at}/{story.rolled_back_at}"
    notes: list[str] = []
    if host is not None:
        notes = _changes(desk, host, story)
    incident = open_incident(
        desk.log, service=desk.service, release=story.release, previous=story.previous,
        environment=story.environment, opened_by="person", team=desk.team, severity=story.severity,
        role=story.role, deployed_at=story.deployed_at, rolled_back_at=story.rolled_back_at,
        summary=story.summary or f"{desk.service}@{story.release} needed intervention in {story.environment}",
        key=f"stated:{desk.service}@{story.release}/{story.environment}/{times}",
    )  # fmt: skip
    if host is not None:
        notes += _policy(desk, host, story, incident, policy_path)
    return Opened(incident, draft_review(desk.log, incident), tuple(notes))


def _changes(desk: Desk, host: CodeHost, story: Story) -> list[str]:
    """Record the changes between the two releases, as asserted by git, unless the release is declared."""
    declared = desk.log.facts(
        tags=[f"release:{desk.service}@{story.release}"], kinds=["artifact.packaged"], limit=1
    )
    if declared:
        return []
    commit = _commit(desk, host, story.release)
    if not commit:
        return [f"git has no revision for {story.release}: its changes are not recorded"]
    before = _commit(desk, host, story.previous) if story.previous else host.previous_tag(commit)
    if not before:
        return [f"git has no release before {story.release}: its changes are not recorded"]
    found = record_changes_from_git(desk, host, before, commit, asserted=True)
    changes = tuple(
        r.fact.payload.change for r in found if isinstance(r.fact.payload, p.ChangeMerged)
    )  # fmt: skip
    at = max((r.fact.occurred_at for r in found), default=None)
    record_release(
        desk, story.release, commit=commit, previous=story.previous, changes=changes, stamp=Stamp(at)
    )
    return []


def _commit(desk: Desk, host: CodeHost, name: str) -> str:
    known = sorted(release_names(desk.log, desk.service, name) - {name}, key=len, reverse=True)
    for candidate in (*known, name, f"v{name}"):
        try:
            return host.resolve(candidate)
        except NotFoundError:
            continue
    return ""


def _policy(desk: Desk, host: CodeHost, story: Story, incident: str, path: str) -> list[str]:
    """Keep the policy that the release's own files hold; nobody says that it was in force."""
    commit = _commit(desk, host, story.release)
    text = host.show(commit, path) if commit else None
    if text is None:
        return [f"{path} is not among the files of {story.release}: no policy is recorded"]
    adopted = p.PolicyAdopted(
        service=desk.service, digest=policy_digest(text, {}), text=text, path=f"{path} at {commit[:12]}"
    )
    try:
        desk.log.record(
            "policy.adopted", adopted, id=f"policy-of:{incident}", imported=True, at=story.deployed_at
        )
    except AmendsError as error:
        if not desk.log.store.find(f"policy-of:{incident}"):
            raise
        return [f"the policy of {incident} is recorded already: {error.message}"]
    return []
