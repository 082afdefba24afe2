"""What was declared of each row's release by its moment: its commit, its digest, and its changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from amends.adapters.evidence.facts import NAME
from amends.adapters.evidence.ranges import Ranges, counted
from amends.adapters.evidence.reading import Folder
from amends.events import payloads as p
from amends.gates.table import Bools, Floats, Ints
from amends.releases.catalogue import Release, contradicts

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Declarations:
    """One row each: whether it was declared, and the codes of its commit, its digest and that
    as it is compared (0: none).

    ``place`` is where the declaration stands that names its changes (-1: none does), ``undated`` how many
    declarations nobody dated.
    """

    declared: Bools
    commit: Ints
    digest: Ints
    bare: Ints
    place: Ints
    undated: Ints

    @classmethod
    def known(cls, folder: Folder, names: Ints, at: Floats | None) -> Declarations:
        """Return what was known of releases (their names' codes, -1: never declared) at a moment each.

        Without moments it is all that was ever declared, dated or not.
        """
        rows = len(names)
        name, known, commit, digest, bare, changes = folder.columns(
            "releases", "name", "known", "commit", "digest", "bare", "n_release_changes"
        )  # fmt: skip
        row, place = Ranges(name, len(folder.pairs(NAME))).expand(names)
        undated = counted(row[np.isnan(known[place])], rows)
        kept = known[place] <= at[row] if at is not None else np.ones(len(row), dtype=np.bool_)
        row, place = row[kept], place[kept]
        total = counted(row, rows)
        first = np.full(rows, -1, dtype=np.int64)
        first[row[::-1]] = place[::-1]
        has = first >= 0
        found = cls(
            total > 0,
            np.where(has, commit[first], 0).astype(np.int64) if len(commit) else np.zeros(rows, np.int64),
            np.where(has, digest[first], 0).astype(np.int64) if len(digest) else np.zeros(rows, np.int64),
            np.where(has, bare[first], 0).astype(np.int64) if len(bare) else np.zeros(rows, np.int64),
            np.where(has & (changes[first] > 0), first, -1) if len(changes) else first,
            undated,
        )
        found._fold_repeated(folder, row, place, total)
        return found

    def _fold_repeated(self, folder: Folder, row: Ints, place: Ints, total: Ints) -> None:
        """Where a version was declared several times, the first counts and later ones fill in."""
        several = np.flatnonzero(total > 1)
        if not len(several):
            return
        starts = np.searchsorted(row, several)
        fold = _Fold(folder)
        for index, start in zip(several.tolist(), starts.tolist(), strict=True):
            places = tuple(place[start : start + int(total[index])].tolist())
            found = fold.of(places)
            self.commit[index], self.digest[index], self.bare[index], self.place[index] = found


class _Fold:
    """Folds declarations of one version as ``releases.catalogue.releases_of`` does, each set of them once."""

    def __init__(self, folder: Folder) -> None:
        self._words = folder.words
        self._commit, self._spelt, self._digest, self._bare, self._count = folder.columns(
            "releases", "commit", "spelt", "digest", "bare", "n_release_changes"
        )
        (self._changes,) = folder.columns("release_changes", "change")
        self._starts = np.concatenate([[0], np.cumsum(self._count)])
        self._found: dict[tuple[int, ...], tuple[int, int, int, int]] = {}

    def of(self, places: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return the codes of commit, digest and bare digest, and the place that names the changes."""
        if places not in self._found:
            self._found[places] = self._fold(places)
        return self._found[places]

    def _fold(self, places: tuple[int, ...]) -> tuple[int, int, int, int]:
        release = Release("", "", "", "", (), "", "", _LONG_AGO, None, "")
        commit = digest = bare = 0
        changes = -1
        for place in places:
            told = self._told(place)
            if contradicts(release, told):
                continue
            commit = commit or int(self._commit[place])
            if not digest:
                digest, bare = int(self._digest[place]), int(self._bare[place])
            changes = place if changes < 0 and told.changes else changes
            release = replace(
                release, commit=release.commit or told.commit.lower(), digest=release.digest or told.digest,
                changes=release.changes or told.changes,
            )  # fmt: skip
        return commit, digest, bare, changes

    def _told(self, place: int) -> p.ReleaseDeclared:
        changes = self._changes[self._starts[place] : self._starts[place + 1]]
        return p.ReleaseDeclared(
            service="", version="", commit=self._words[int(self._spelt[place])],
            digest=self._words[int(self._digest[place])], changes=tuple(map(str, changes.tolist())),
        )  # fmt: skip
