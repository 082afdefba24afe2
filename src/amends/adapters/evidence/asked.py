"""The rows that are asked for: which names each release goes by and what was declared of it by its moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from amends.adapters.evidence.database import Array
from amends.adapters.evidence.declarations import Declarations
from amends.adapters.evidence.facts import NAME
from amends.adapters.evidence.merging import SHORT_COMMITS
from amends.adapters.evidence.ranges import Ranges, counted, is_rising, spread
from amends.adapters.evidence.reading import Folder
from amends.gates.questions import Questions
from amends.gates.table import FAMILIES, Bools, Floats, Ints, bare_digest
from amends.releases.catalogue import SHORTEST_COMMIT


@dataclass(slots=True)
class Asked:
    """Questions in the folder's codes, with what is found for all families: names, and undated facts.

    ``pairs_row`` and ``pairs_name`` are every name of every row that some fact goes by, sorted.
    """

    folder: Folder
    service: Ints
    version: Ints
    commit: Ints
    lower: Ints
    digest: Ints
    bare: Ints
    environment: Ints
    at: Floats
    declarations: Declarations = field(init=False)
    pairs_row: Ints = field(init=False)
    pairs_name: Ints = field(init=False)
    shorts: dict[str, Array] = field(init=False)
    undated: dict[str, Ints] = field(init=False)

    @classmethod
    def of(cls, folder: Folder, questions: Questions) -> Asked:
        """Read questions; words of another vocabulary are found, or added, in the folder's."""
        columns = [
            getattr(questions, name) for name in ("service", "version", "commit", "digest", "environment")
        ]
        lower = columns[2]
        if questions.words is not folder.words:
            columns, lower, bare = _translated(folder, questions, columns)
        else:
            bare = _bare_digests(folder, columns[3])
        service, version, commit, digest, environment = columns
        asked = cls(folder, service, version, commit, lower, digest, bare, environment, questions.at)
        asked.undated = {family: np.zeros(len(asked), dtype=np.int64) for family in FAMILIES}
        own = folder.pairs(NAME).find(service, version)
        asked.declarations = Declarations.known(folder, own, asked.at)
        asked.undated["releases"] += asked.declarations.undated
        asked.bare = np.where(asked.declarations.digest > 0, asked.declarations.bare, bare)
        asked._find_names(own)
        return asked

    def __len__(self) -> int:
        return len(self.at)

    def _find_names(self, own: Ints) -> None:
        names, told = self.folder.pairs(NAME), self.declarations
        everyone = np.arange(len(self))
        rows, found = [everyone], [own]
        for words in (self.commit, self.digest, told.commit, told.digest):
            rows.append(everyone)
            found.append(names.find(self.service, words))
        if self.lower is not self.commit:
            row = self._spelt_otherwise()
            rows.append(row)
            found.append(names.find(self.service[row], self.lower[row]))
        self.shorts = self._shorts()
        for commits in (self.lower, told.commit):
            row, words = self._short_names(commits)
            rows.append(row)
            found.append(names.find(self.service[row], words))
        self.pairs_row, self.pairs_name = _distinct(rows, found, len(names))

    def _spelt_otherwise(self) -> Ints:
        """Return the rows whose commit is spelt in capitals, and long enough to be known in small letters."""
        return np.array(
            [
                row
                for row in np.flatnonzero(self.lower != self.commit)
                if len(self.folder.words[int(self.lower[row])]) >= SHORTEST_COMMIT
            ],
            dtype=np.int64,
        )

    def _shorts(self) -> dict[str, Array]:
        """Return which words begin which commits, sorted by the commit; also for commits nobody declared."""
        source = self.folder.source(SHORT_COMMITS)
        empty = np.zeros(0, dtype=np.int64)
        found = self.folder.database.read(f"SELECT name, commit FROM {source}") if source else {}
        name, commit = found.get("name", empty), found.get("commit", empty)
        (declared,) = self.folder.columns("releases", "commit")
        is_known = np.zeros(len(self.folder.words), dtype=np.bool_)
        is_known[declared] = True
        is_known[:1] = True  # of an empty log there is no word at all, not even the empty one
        others = np.unique(self.lower[~is_known[self.lower]])
        if len(others):
            more_name, more_commit = self._begins(others)
            name, commit = np.concatenate([name, more_name]), np.concatenate([commit, more_commit])
        order = np.argsort(commit, kind="stable")
        return {"name": name[order].astype(np.int64), "commit": commit[order].astype(np.int64)}

    def _begins(self, commits: Ints) -> tuple[Ints, Ints]:
        names, words = self.folder.dictionary(NAME), self.folder.dictionary("word")
        spelt = np.array([self.folder.words[code] for code in commits], dtype=object)
        if names is None or words is None:
            return commits[:0], commits[:0]
        releases = self.folder.source("releases")
        more = f" UNION SELECT spelt FROM {releases} UNION SELECT digest FROM {releases}" if releases else ""
        found = self.folder.database.read(
            f"SELECT w.code AS name, asked.code AS commit FROM {words} AS w"
            f" SEMI JOIN (SELECT second AS code FROM {names}{more}) AS used USING (code)"
            f" JOIN asked ON left(lower(w.word), {SHORTEST_COMMIT}) = left(asked.word, {SHORTEST_COMMIT})"
            f" WHERE length(w.word) >= {SHORTEST_COMMIT} AND starts_with(asked.word, lower(w.word))",
            asked={"code": commits.astype(np.int64), "word": spelt},
        )
        return found["name"].astype(np.int64), found["commit"].astype(np.int64)

    def _short_names(self, commits: Ints) -> tuple[Ints, Ints]:
        """Return each row with each word that begins its commit."""
        known = self.shorts["commit"]
        if not len(known):
            return known, known
        first = np.searchsorted(known, commits, side="left")
        counts = np.where(commits > 0, np.searchsorted(known, commits, side="right") - first, 0)
        row, place = spread(first, counts)
        return row, self.shorts["name"][place]

    def reach(self, table: str, family: str, *by: str, where: Bools | None = None) -> tuple[Ints, Ints]:
        """Return the facts of a table that name each row's release and were known by its moment.

        They come as rows and places in the table's file, sorted by row, by columns, by when they happened.
        Those that nobody dated are counted for the family.
        """
        name, known, rank, *keys = self.folder.columns(table, "name", "known", "rank", *by)
        pair, place = Ranges(name, len(self.folder.pairs(NAME))).expand(self.pairs_name)
        row = self.pairs_row[pair]
        if where is not None:
            kept = where[place]
            row, place = row[kept], place[kept]
        row, place = self.dated(family, row, place, known)
        if not self._one_name:
            order = np.lexsort((rank[place], *(key[place] for key in reversed(keys)), row))
            row, place = row[order], place[order]
        return row, place

    @property
    def _one_name(self) -> bool:
        return bool((self.pairs_row[1:] != self.pairs_row[:-1]).all())

    def dated(
        self, family: str, row: Ints, place: Ints, known: Floats, began: Floats | None = None
    ) -> tuple[Ints, Ints]:
        """Keep what was known by each row's moment, and count what nobody dated.

        Facts that ``began`` no earlier than a row's moment were not known by it, and are not counted.
        """
        then = known[place]
        unknown = np.isnan(then)
        if began is not None:
            unknown &= began[place] < self.at[row]
        if unknown.any():
            self.undated[family] += counted(row[unknown], len(self))
        kept = then <= self.at[row]
        return (row, place) if kept.all() else (row[kept], place[kept])


def _distinct(rows: list[Ints], names: list[Ints], count: int) -> tuple[Ints, Ints]:
    """Return the pairs once each, sorted; pairs without a name are left out."""
    kept = [name >= 0 for name in names]
    row = np.concatenate([row[k] for row, k in zip(rows, kept, strict=True)])
    name = np.concatenate([name[k] for name, k in zip(names, kept, strict=True)])
    if is_rising(row) and (row[1:] != row[:-1]).all():
        return row, name
    keys = np.unique(row * max(count, 1) + name)
    return keys // max(count, 1), keys % max(count, 1)


def _bare_digests(folder: Folder, digests: Ints) -> Ints:
    """Return declared digests as they are compared."""
    if not digests.any():
        return digests
    digest, bare = folder.columns("releases", "digest", "bare")
    of = np.zeros(len(folder.words), dtype=np.int32)
    of[digest] = bare
    return of[digests].astype(np.int64)


def _translated(folder: Folder, questions: Questions, columns: list[Ints]) -> tuple[list[Ints], Ints, Ints]:
    """Return columns in the folder's codes, and the codes of commits in small letters and of bare digests."""
    used = np.unique(np.concatenate(columns))
    words = [questions.words[int(code)] for code in used]
    codes = folder.words.codes(words, add=True)
    made = [codes[np.searchsorted(used, column)] for column in columns]
    lower = _derived(folder, questions, columns[2], str.lower)
    return made, lower, _derived(folder, questions, columns[3], bare_digest)


def _derived(folder: Folder, questions: Questions, column: Ints, change: Callable[[str], str]) -> Ints:
    """Return the codes of words made from those of a column."""
    used = np.unique(column)
    made = [change(questions.words[int(code)]) for code in used]
    distinct = list(dict.fromkeys(made))
    codes = dict(zip(distinct, folder.words.codes(distinct, add=True).tolist(), strict=True))
    found: Ints = np.array([codes[word] for word in made], dtype=np.int64)
    return found[np.searchsorted(used, column)]
