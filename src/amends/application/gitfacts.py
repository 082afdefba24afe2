"""Facts that a git history holds: changes with their owners, and reviews that trailers state."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from amends.application.desk import NOW, Desk, Receipt, Stamp, derived_id
from amends.application.people import is_team, pseudonym_of, team_name
from amends.application.ports import CodeHost, CommitInfo
from amends.application.recording import declared_releases, record_release
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import decode, make_event
from amends.events.redaction import redact, without_addresses
from amends.releases.catalogue import candidates

_REVIEWED_BY = re.compile(r"^Reviewed-by:\s*(?P<who>\S.*)$", re.IGNORECASE | re.MULTILINE)
_LEADING_V = re.compile(r"\Av(?=\d)")


class _Item(NamedTuple):
    kind: str
    payload: p.Payload
    id: str
    at: datetime
    imported: bool


def record_changes_from_git(
    desk: Desk, host: CodeHost, since: str, until: str, *, first_parent: bool = False, repository: str = "",
    asserted: bool = False,
) -> list[Receipt]:  # fmt: skip
    """Record every commit of ``since..until`` as a change, in one transaction; return all of them.

    A commit is recorded once; its change is named by the full commit. Owners come from the CODEOWNERS that
    stood *before* the commit (GitHub's rule), so that no change chooses its own owners; from its own where
    there was none. ``Reviewed-by`` trailers become reviews, asserted by the commit: known when it was made.
    With ``asserted`` the changes are so too, for a history that is told after the fact.
    """
    commits = host.commits(since, until, first_parent=first_parent)
    ids = [_change_id(desk, commit.sha) for commit in commits]
    already = {id: Receipt(decode(found[0]), fresh=False) for id in ids if (found := desk.log.store.find(id))}
    items: list[_Item] = []
    for id, commit in zip(ids, commits, strict=True):
        if id not in already:
            items.append(_change(desk, host, commit, repository, asserted))
            items.extend(_reviews(desk, commit, repository))
    fresh = {receipt.fact.id: receipt for receipt in _append(desk, items)}
    changes = {id: already.get(id) or fresh[id] for id in ids}
    return [*changes.values(), *(receipt for id, receipt in fresh.items() if id not in changes)]


def recorded_commit(desk: Desk, host: CodeHost, name: str) -> str:
    """Return the commit that a revision of git names if it is recorded as a change, else an empty text."""
    with suppress(NotFoundError):
        sha = host.resolve(name)
        if desk.log.store.find(_change_id(desk, sha)):
            return sha
    return ""


def _change_id(desk: Desk, sha: str) -> str:
    return derived_id("change.merged", desk.service, sha)


def _append(desk: Desk, items: Sequence[_Item]) -> list[Receipt]:
    events = [
        make_event(
            item.kind, item.payload, id=item.id, source=desk.log.source, at=item.at, imported=item.imported,
            known_at=item.at if item.imported else None,
        )
        for item in items
    ]  # fmt: skip
    records = desk.log.store.append_many(events, recorded_at=desk.log.clock.now()) if events else []
    return [Receipt(decode(record)) for record in records]


def _change(desk: Desk, host: CodeHost, commit: CommitInfo, repository: str, asserted: bool) -> _Item:
    groups, teams = _owners(desk, host, commit)
    payload = p.ChangeMerged(
        service=desk.service, change=commit.sha, title=redact(without_addresses(commit.title)),
        author=pseudonym_of(desk.people, commit.author), team=_most_common(teams) or team_name(desk.team),
        paths=commit.paths, lines=commit.lines, repository=repository, owners=groups,
    )  # fmt: skip
    return _Item("change.merged", payload, _change_id(desk, commit.sha), commit.committed_at, asserted)


def _owners(
    desk: Desk, host: CodeHost, commit: CommitInfo
) -> tuple[tuple[tuple[str, ...], ...] | None, Counter[str]]:
    base = next((parent for parent in commit.parents[:1] if host.has_owners(parent)), commit.sha)
    teams: Counter[str] = Counter()
    if not host.has_owners(base):
        return None, teams
    groups: dict[tuple[str, ...], None] = {}
    for path in commit.paths:
        owners = host.owners(base, path)
        teams.update(team_name(owner) for owner in owners if is_team(owner))
        if owners:
            groups[tuple(sorted({_owner(desk, owner) for owner in owners}))] = None
    return tuple(groups), teams


def _owner(desk: Desk, owner: str) -> str:
    return team_name(owner) if is_team(owner) else pseudonym_of(desk.people, owner)


def _most_common(teams: Counter[str]) -> str:
    return min(teams, key=lambda team: (-teams[team], team)) if teams else ""


def _reviews(desk: Desk, commit: CommitInfo, repository: str) -> list[_Item]:
    reviewers = dict.fromkeys(
        pseudonym_of(desk.people, hit["who"]) for hit in _REVIEWED_BY.finditer(commit.body)
    )
    return [
        _Item(
            "change.reviewed",
            p.ChangeReviewed(
                service=desk.service, change=commit.sha, reviewer=reviewer, repository=repository
            ),
            derived_id("change.reviewed", desk.service, commit.sha, reviewer), commit.committed_at, True,
        )
        for reviewer in reviewers if reviewer
    ]  # fmt: skip


def release_from_git(
    desk: Desk, host: CodeHost, version: str = "", *, commit: str = "", digest: str = "", previous: str = "",
    changes: Sequence[str] | None = None, span: tuple[str, str] | None = None, first_parent: bool = False,
    stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Declare a release, reading from git what is not given.

    The commit is that of ``commit``, else of the tag ``version`` or ``vVERSION``, else HEAD. The version is
    the tag at the commit. The changes are those of ``span``, else those since the previous release or tag.
    Raises ``UsageError`` when there is no version to be found.
    """
    sha, notes = _release_commit(host, version, commit)
    name = version or _tag_version(host, sha)
    if changes is None:
        base, until = span or (_base(desk, host, previous, name, sha), sha)
        if span or base:
            changes = [found.sha for found in host.commits(base, until, first_parent=first_parent)]
        else:
            notes += (
                "its changes are not known, for no earlier release or tag is: give --changes A..B, or ..B "
                "from the beginning",
            )
    receipt = record_release(
        desk, name, commit=sha, digest=digest, previous=previous, changes=changes or (), stamp=stamp
    )
    return replace(receipt, notes=(*receipt.notes, *notes))


def _release_commit(host: CodeHost, version: str, commit: str) -> tuple[str, tuple[str, ...]]:
    if commit:
        return host.resolve(commit), ()
    for tag in (version, f"v{version}") if version else ():
        with suppress(NotFoundError):
            return host.resolve(f"refs/tags/{tag}"), ()
    sha = host.resolve("HEAD")
    return sha, (f"its commit is HEAD, {sha[:12]}, as git has no tag of that name",) if version else ()


def _tag_version(host: CodeHost, sha: str) -> str:
    tags = host.tags_at(sha)
    if not tags:
        raise UsageError(
            f"found no tag at {sha[:12]} to take a version from", remedy="give VERSION, or tag the commit"
        )
    return _LEADING_V.sub("", tags[0])


def _base(desk: Desk, host: CodeHost, previous: str, version: str, sha: str) -> str:
    """Return the commit since which the changes count: of the release before, else of the tag before."""
    known = declared_releases(desk.log, desk.service)
    if previous:
        named = [release for release in candidates(known, desk.service, previous) if release.commit]
        return named[-1].commit if named else _release_commit(host, previous, "")[0]
    for release in reversed(known):
        if release.version != version and release.commit and host.contains(sha, release.commit):
            return release.commit
    return host.previous_tag(sha)
