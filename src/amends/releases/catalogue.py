"""Which releases a service has, and which of them a name means.

A release is ``service@version`` with its commit and digest as aliases: test reports, deployments and metrics
may name any of them. Three rules keep that unambiguous:

- A version is immutable. Its first declaration counts; a later one only fills in what was left empty, and
  what contradicts is kept apart in ``conflicts``, never merged.
- A name is read as a version first, then as a digest, then as a commit (whole, or at least seven of its
  leading hex digits), then as a version's tag: ``v1.2`` and ``1.2`` are one where only one is declared.
- Several versions may be built from one commit. Nobody is asked about such a commit, or let out under it:
  the asker must name the version (``meant``). As *evidence* what was said of a commit holds for every version
  built from it (``Release.goes_by``), as it is the same code; and where it says what *runs*, the version
  declared last is shown (``resolve_release``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.foreign import parse_purl
from amends.releases.actuation import ReleaseRef

SHORTEST_COMMIT = 7
_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class Release:
    """One declared version of a service.

    ``previous`` is the version it says it follows, or the one declared before it. ``event`` is the id of the
    declaring event, ``known_at`` when that was known; ``conflicts`` are later events that contradict it.
    """

    service: str
    version: str
    commit: str
    digest: str
    changes: tuple[str, ...]
    previous: str
    team: str
    declared_at: datetime
    known_at: datetime | None
    event: str
    conflicts: tuple[str, ...] = ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every whole name of this release: version, commit and digest."""
        return tuple(name for name in (self.version, self.commit, self.digest) if name)

    @property
    def ref(self) -> ReleaseRef:
        return ReleaseRef(self.service, self.version, self.commit, self.digest)

    def goes_by(self, name: str) -> bool:
        """Return whether ``name`` is one of this release's names."""
        bare = bare_name(self.service, name)
        return bool(bare) and (
            bare == self.version or _same_digest(self.digest, bare) or _same_commit(self.commit, bare)
        )


def bare_name(service: str, name: str) -> str:
    """Return a release's name without its service: ``shop@1.2`` and ``pkg:generic/shop@1.2`` are ``1.2``."""
    artifact = parse_purl(name)
    if artifact is not None:
        return artifact[1]
    return name.removeprefix(f"{service}@").strip()


def releases_of(facts: Iterable[Fact], service: str = "") -> list[Release]:
    """Return the declared releases in the order in which they were declared.

    Parameters
    ----------
    facts:
        Any facts, by position; those that declare no release are passed over.
    service:
        Restrict to one service; empty takes every service.
    """
    found: dict[tuple[str, str], Release] = {}
    last: dict[str, str] = {}
    for fact in facts:
        told = fact.payload
        if not isinstance(told, p.ReleaseDeclared) or (service and told.service != service):
            continue
        key = (told.service, told.version)
        if key in found:
            found[key] = _again(found[key], told, fact.id)
            continue
        found[key] = Release(
            service=told.service, version=told.version, commit=told.commit.lower(), digest=told.digest,
            changes=told.changes, previous=told.previous or last.get(told.service, ""), team=told.team,
            declared_at=fact.occurred_at, known_at=fact.known_at, event=fact.id,
        )  # fmt: skip
        last[told.service] = told.version
    return list(found.values())


def candidates(releases: Iterable[Release], service: str, name: str) -> list[Release]:
    """Return the releases that ``name`` may mean, by the strongest rule that any of them meets.

    More than one is left only when it is the commit of several: they come oldest first.
    """
    bare = bare_name(service, name)
    own = [release for release in releases if release.service == service] if bare else []
    by_version = [release for release in own if release.version == bare]
    by_digest = [release for release in own if _same_digest(release.digest, bare)]
    by_commit = [release for release in own if _same_commit(release.commit, bare)]
    by_tag = [release for release in own if _untagged(release.version) == _untagged(bare)]
    return by_version or by_digest or by_commit or by_tag


def whole_name(release: Release, name: str) -> str:
    """Return the whole alias that ``name`` means, given that it means this release: no shortened commit."""
    bare = bare_name(release.service, name)
    if bare == release.version:
        return release.version
    if _same_digest(release.digest, bare):
        return release.digest
    return release.commit if _same_commit(release.commit, bare) else release.version


def is_ambiguous(found: Iterable[Release]) -> bool:
    """Return whether candidates are different code, so that none may be chosen for the asker."""
    return len({release.commit or release.version for release in found}) > 1


def meant(found: Sequence[Release]) -> Release | None:
    """Return the one release that candidates come to, or ``None`` where the asker must say which."""
    return found[0] if len(found) == 1 else None


def resolve_release(facts: Iterable[Fact], service: str, name: str) -> ReleaseRef | None:
    """Return the release that a version, digest or commit names, the last one of several of one commit.

    ``None`` when the facts declare none of that name, or when a shortened commit fits different commits.
    """
    found = candidates(releases_of(facts, service), service, name)
    return found[-1].ref if found and not is_ambiguous(found) else None


def contradicts(release: Release, told: p.ReleaseDeclared) -> bool:
    """Return whether a new declaration of this version disagrees with what was declared."""
    commit = release.commit and told.commit and not _same_commit(release.commit, told.commit)
    digest = release.digest and told.digest and not _same_digest(release.digest, told.digest)
    changes = release.changes and told.changes and set(release.changes) != set(told.changes)
    return bool(commit or digest or changes)


def _again(first: Release, told: p.ReleaseDeclared, event: str) -> Release:
    if contradicts(first, told):
        return replace(first, conflicts=(*first.conflicts, event))
    return replace(
        first, commit=first.commit or told.commit.lower(), digest=first.digest or told.digest,
        changes=first.changes or told.changes, previous=first.previous or told.previous,
        team=first.team or told.team,
    )  # fmt: skip


def _same_commit(commit: str, name: str) -> bool:
    short = name.lower()
    if len(short) >= SHORTEST_COMMIT and _HEX.match(short):
        return commit.startswith(short)
    return bool(commit) and commit == short


def _untagged(version: str) -> str:
    return version[1:] if version[:1] in ("v", "V") and version[1:2].isdigit() else version


def _same_digest(digest: str, name: str) -> bool:
    return bool(digest) and digest.rpartition(":")[2].lower() == name.rpartition(":")[2].lower()
