"""Which release each name in a long history means, found without looking through all of them for each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import SHORTEST_COMMIT, Release, bare_name

_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(slots=True)
class _OfService:
    """A service's releases, oldest declaration first, under each kind of name that they have."""

    releases: list[Release] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    digests: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    commits: list[tuple[str, int]] = field(default_factory=list)
    made_of: dict[str, list[str]] = field(default_factory=dict)

    def add(self, release: Release) -> None:
        place = len(self.releases)
        self.releases.append(release)
        self.versions.setdefault(release.version, place)
        self.tags[_untagged(release.version)] = place
        if release.digest:
            self.digests[_hash_of(release.digest)] = place
        if release.commit:
            self.commits.append((release.commit, place))
        for change in dict.fromkeys(release.changes):
            self.made_of.setdefault(change, []).append(release.version)

    def find(self, bare: str) -> Release | None:
        place = self.versions.get(bare)
        if place is None:
            place = self.digests.get(_hash_of(bare))
        if place is None:
            place = self._by_commit(bare.lower())
        if place is None:
            place = self.tags.get(_untagged(bare))
        return None if place is None else self.releases[place]

    def _by_commit(self, name: str) -> int | None:
        short = len(name) >= SHORTEST_COMMIT and _HEX.match(name)
        found = None
        for index in range(bisect_left(self.commits, (name, -1)), len(self.commits)):
            commit, place = self.commits[index]
            if not (commit.startswith(name) if short else commit == name):
                break
            found = place if found is None else max(found, place)
        return found


class ReleaseNames:
    """Releases by any name. ``releases`` come oldest first, as ``releases.catalogue.releases_of`` gives them.

    Finds what ``releases.catalogue.candidates`` would put last: of several built from one commit, the one
    declared last.
    """

    def __init__(self, releases: Iterable[Release]) -> None:
        self._services: dict[str, _OfService] = {}
        for release in releases:
            self._services.setdefault(release.service, _OfService()).add(release)
        for service in self._services.values():
            service.commits.sort()

    def find(self, service: str, name: str) -> ReleaseRef:
        """Return the release that a name means; one that nobody declared has that name alone."""
        return self.declared(service, name) or ReleaseRef(service, name)

    def declared(self, service: str, name: str) -> ReleaseRef | None:
        """Return the declared release that a name means, or ``None``."""
        bare, known = bare_name(service, name), self._services.get(service)
        found = known.find(bare) if known and bare else None
        return found.ref if found else None

    def with_change(self, service: str, change: str) -> tuple[str, ...]:
        """Return the versions that are made of a change, among others."""
        known = self._services.get(service)
        return tuple(known.made_of.get(change, ())) if known else ()


def _untagged(version: str) -> str:
    return version[1:] if version[:1] in ("v", "V") and version[1:2].isdigit() else version


def _hash_of(digest: str) -> str:
    return digest.rpartition(":")[2].lower()
