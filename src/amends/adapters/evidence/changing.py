"""The relations of the evidence table about changes: what was merged, who owns it, who said what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.facts import CHANGE
from amends.adapters.evidence.ranges import Ranges, counted, last_of, spread
from amends.adapters.evidence.relations import event_codes, whole
from amends.gates.table import Changes, Ints, Owners, Paths, Verdicts


@dataclass(slots=True)
class Changing:
    """The changes of every row: ``row`` and ``change`` (its code with the service) are an item each.

    ``merged`` is where the latest known merge of the change stands, -1 where none was known.
    """

    asked: Asked
    row: Ints = field(init=False)
    change: Ints = field(init=False)
    merged: Ints = field(init=False)

    def __post_init__(self) -> None:
        folder, told = self.asked.folder, self.asked.declarations
        (count,) = folder.columns("releases", "n_release_changes")
        (change,) = folder.columns("release_changes", "change")
        rows = np.flatnonzero(told.place >= 0)
        chosen = told.place[rows]
        item, place = spread((np.cumsum(count) - count)[chosen], count[chosen])
        self.row, self.change = rows[item], change[place]
        self.merged = self._latest_merge()

    def _latest_merge(self) -> Ints:
        key, known = self.asked.folder.columns("changes", "change", "known")
        item, place = self._reach(key, known, "changes")
        merged = np.full(len(self.row), -1, dtype=np.int64)
        last = last_of(item)
        merged[item[last]] = place[last]
        return merged

    def _reach(self, key: Any, known: Any, family: str) -> tuple[Ints, Ints]:
        """Return items with the places of what was known of their change, and count what nobody dated."""
        item, place = Ranges(key, len(self.asked.folder.pairs(CHANGE))).expand(self.change)
        then = known[place]
        unknown = np.isnan(then)
        if unknown.any():
            self.asked.undated[family] += counted(self.row[item[unknown]], len(self.asked))
        kept = then <= self.asked.at[self.row[item]]
        return (item, place) if kept.all() else (item[kept], place[kept])

    def changes(self) -> Changes:
        """Return the changes."""
        author, owned, event, known, lines, files = self.asked.folder.columns(
            "changes", "author", "owned", "event", "reviews_known", "lines", "files"
        )
        merged, has = self.merged, self.merged >= 0

        def of(column: Any, missing: Any) -> Any:
            return np.where(has, column[merged], missing) if has.any() else np.full(len(merged), missing)

        return Changes(
            self.row, whole(self.asked.folder.pairs(CHANGE).second[self.change]), whole(of(author, 0)), has,
            of(owned, False), event_codes(self.asked, of(event, -1)), of(known, True), of(lines, -1),
            of(files, -1),
        )  # fmt: skip

    def owners(self) -> Owners:
        """Return the owners of what each change touches."""
        (count,) = self.asked.folder.columns("changes", "n_owners")
        group, owner, team = self.asked.folder.columns("owners", "group", "owner", "team")
        items = np.flatnonzero(self.merged >= 0)
        chosen = self.merged[items]
        index, place = spread((np.cumsum(count) - count)[chosen], count[chosen])
        item = items[index]
        return Owners(self.row[item], item, whole(group[place]), whole(owner[place]), team[place])

    def paths(self) -> Paths:
        """Return the paths that each change touches."""
        (count,) = self.asked.folder.columns("changes", "n_paths")
        (path,) = self.asked.folder.columns("paths", "path")
        items = np.flatnonzero(self.merged >= 0)
        chosen = self.merged[items]
        index, place = spread((np.cumsum(count) - count)[chosen], count[chosen])
        item = items[index]
        return Paths(self.row[item], item, whole(path[place]))

    def verdicts(self) -> Verdicts:
        """Return the latest verdict of each reviewer on each change."""
        key, known, reviewer, verdict = self.asked.folder.columns(
            "reviews", "change", "known", "reviewer", "verdict"
        )
        item, place = self._reach(key, known, "reviews")
        said = verdict[place]
        if not said.all():  # 0 is a comment
            item, place = item[said > 0], place[said > 0]
        last = last_of(item, reviewer[place])
        if not last.all():
            item, place = item[last], place[last]
        found = whole(reviewer[place]), verdict[place]
        del reviewer, verdict, key, known
        team, event = self.asked.folder.columns("reviews", "team", "event")
        return Verdicts(
            self.row[item],
            item,
            found[0],
            whole(team[place]),
            found[1],
            event_codes(self.asked, event[place]),
        )
