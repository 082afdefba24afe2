"""One question's row: which facts are its own, and what is known of its release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from amends.events import payloads as p
from amends.gates.evidence.facts import Seen
from amends.gates.evidence.growing import Columns
from amends.gates.evidence.question import Question
from amends.gates.table import FAMILIES, bare_digest
from amends.releases.catalogue import SHORTEST_COMMIT, releases_of


@dataclass(slots=True)
class Row:
    """The fold for one question. ``kin`` are names of other versions of the same build."""

    table: Columns
    row: int
    question: Question
    by_kind: dict[str, list[Seen]]
    neighbours: tuple[tuple[str, str], ...] = ()
    names: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    kin: set[str] = field(default_factory=set)
    changes: tuple[str, ...] = ()
    digest: str = ""

    def begin(self) -> None:
        """Read how the release was declared: every other family goes by its names."""
        for family in FAMILIES:
            self.table.undated[family].append(0)
        release = self.question.release
        found = self.facts(
            "releases",
            lambda said: said.version == release.version and self.of_service(said),
            "artifact.packaged",
        )
        self.table.declared.append(bool(found))
        self.names = {release.version, release.commit, release.digest}
        self.commits = {release.commit.lower()}
        self.digest = release.digest
        for declared in releases_of(seen.fact for seen in found):
            self.names |= set(declared.aliases)
            self.commits.add(declared.commit)
            self.changes = tuple(dict.fromkeys(declared.changes))
            self.digest = declared.digest or self.digest
        self.names.discard("")
        self.digest = bare_digest(self.digest)
        self.table.digests.append(self.digest)
        for seen in self.by_kind["artifact.packaged"]:
            said = seen.payload
            if self._is_same_build(said) and not seen.known > self.question.at.timestamp():
                self.kin |= {said.version, said.commit.lower(), said.digest} - {""}

    def add(self, relation: type[Any], **values: Any) -> int:
        """Append an item of this row and return its index."""
        return self.table.add(relation, row=self.row, **values)

    def facts(
        self, family: str, wanted: Callable[[Any], bool], *kinds: str, since: float = float("-inf")
    ) -> list[Seen]:
        """Return what was known, oldest first, and count what nobody dated.

        What happened before ``since`` (seconds since the epoch) is left out. An incident that began no
        earlier than the moment asked about was not known then, whoever forgot to say since when it was.
        """
        at = self.question.at.timestamp()
        found = [
            seen for kind in kinds for seen in self.by_kind[kind]
            if seen.occurred >= since and wanted(seen.payload)
        ]  # fmt: skip
        if len(kinds) > 1:
            found.sort(key=lambda seen: seen.order)
        self.table.undated[family][self.row] += sum(
            seen.known != seen.known and not (seen.kind == "incident.detected" and seen.occurred >= at)
            for seen in found
        )
        return [seen for seen in found if seen.known <= at]

    def of_service(self, payload: Any) -> bool:
        """Whether a fact is about the service asked about."""
        return bool(payload.service == self.question.service)

    def of_release(self, payload: Any) -> bool:
        """Whether a fact is about the release asked about."""
        return self.is_mine(payload.release) and self.of_service(payload)

    def is_mine(self, name: str) -> bool:
        """Whether a name is the release's: version, digest, or commit (whole or its first digits)."""
        if name in self.names:
            return True
        short = (len(name) >= SHORTEST_COMMIT and name.lower()) or "-"
        return any(commit.startswith(short) for commit in self.commits)

    def _is_same_build(self, said: p.ReleaseDeclared) -> bool:
        """Whether it declares what this release is made of, under whatever version."""
        return self.of_service(said) and any(
            name and self.is_mine(name) for name in (said.commit, said.digest)
        )
