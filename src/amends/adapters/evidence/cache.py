"""The log's facts as columns in Parquet files beside it, brought up to date from where they end.

Nothing here is the truth: the folder may be removed at any time and is made again from the log. A file counts
only when the manifest names it, and the manifest is written last; whatever a killed process left half done is
swept away by the next one. Words are kept once, as codes; so are pairs of words (see ``facts``).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from amends.adapters.evidence.database import Array, Database, parquet
from amends.adapters.evidence.facts import SPACES, TABLES, WORD, layout
from amends.adapters.evidence.merging import merge
from amends.adapters.evidence.parts import Part
from amends.adapters.evidence.sources import Source, State
from amends.errors import StoreUnavailableError
from amends.events.prepared import prepare

MANIFEST = "manifest.json"
PART_EVENTS = 200_000


@dataclass(slots=True)
class Manifest:
    """What the folder holds, and by which layout of columns.

    ``dictionaries`` are the files of each space of codes and ``codes`` how many codes it has; ``tables`` the
    file of each table, sorted; ``pending`` files that still have to be merged into them; ``previous`` files
    that another process may still be reading.
    """

    layout: str
    sources: list[State] = field(default_factory=list)
    events: int = 0
    number: int = 0
    codes: dict[str, int] = field(default_factory=lambda: {WORD: 0, **dict.fromkeys(SPACES, 0)})
    dictionaries: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    pending: dict[str, list[str]] = field(default_factory=dict)
    previous: list[str] = field(default_factory=list)

    def files(self) -> set[str]:
        """Return the names of every file that counts."""
        kept = {*self.tables.values(), *self.previous}
        return kept.union(*self.dictionaries.values(), *self.pending.values())


prepare(Manifest)


class EvidenceCache:
    """A folder of facts, from one or several histories; an event that several hold counts once."""

    def __init__(self, folder: Path, sources: Sequence[Source], *, part_events: int = PART_EVENTS) -> None:
        self.folder = folder
        self._sources = sources
        self._part_events = part_events

    def refresh(self) -> Manifest:
        """Bring the folder up to date and return what it holds.

        Only events after the last ones read are decoded, unless a source is not what it was: then all are.
        Raises ``StoreUnavailableError`` when the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                manifest = self._kept() or self._begun()
                self._sweep(manifest)
                database = Database(self.folder)
                try:
                    self._fill(manifest, database)
                    if manifest.pending:
                        merge(manifest, database)
                        self._write(manifest)
                        self._sweep(manifest)
                finally:
                    database.close()
        except OSError as error:
            raise StoreUnavailableError(
                f"the evidence for backtests cannot be kept here: {error.strerror}",
                remedy="make room or give write permission, or set AMENDS_STATE to another folder",
                where=str(self.folder),
            ) from None
        return manifest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _begun(self) -> Manifest:
        return Manifest(layout(), sources=[source.begin() for source in self._sources])

    def _kept(self) -> Manifest | None:
        """Return the manifest that is there, unless it is of something else."""
        try:
            found = msgspec.json.decode((self.folder / MANIFEST).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        whole = all((self.folder / name).is_file() for name in found.files() - set(found.previous))
        if found.layout != layout() or not whole or len(found.sources) != len(self._sources):
            return None
        pairs = zip(self._sources, found.sources, strict=True)
        return found if all(source.is_same(state) for source, state in pairs) else None

    def _sweep(self, manifest: Manifest) -> None:
        keep = manifest.files()
        for path in self.folder.glob("*.parquet*"):
            if path.name not in keep:
                path.unlink(missing_ok=True)

    def _fill(self, manifest: Manifest, database: Database) -> None:
        for index, source in enumerate(self._sources):
            state = deepcopy(manifest.sources[index])
            part = Part(manifest.events)
            for fact in source.read(state):
                part.add(fact)
                if part.count >= self._part_events:
                    self._keep(part, manifest, database)
                    manifest.sources[index] = deepcopy(state)
                    self._write(manifest)
                    part = Part(manifest.events)
            changed = state != manifest.sources[index]
            if part.count:
                self._keep(part, manifest, database)
            manifest.sources[index] = state
            if changed:
                self._write(manifest)

    def _keep(self, part: Part, manifest: Manifest, database: Database) -> None:
        # Within one source no event comes twice; two of them may share some.
        _PartWriter(self.folder, manifest, database).write(part, unique=len(self._sources) == 1)

    def _write(self, manifest: Manifest) -> None:
        partial = self.folder / f"{MANIFEST}.partial"
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(manifest))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / MANIFEST)


@dataclass(slots=True)
class _PartWriter:
    """Writes one part: first the new words and pairs, then the tables in their codes."""

    folder: Path
    manifest: Manifest
    database: Database

    def write(self, part: Part, *, unique: bool) -> None:
        manifest = self.manifest
        manifest.number += 1
        words = self._words(part)
        pairs = {space: self._pairs(space, part.pairs[space], words) for space in SPACES}
        gone: Array = np.zeros(0, dtype=np.int64)
        for name, columns in part.columns(words, pairs):
            if name in TABLES and not unique:
                gone = np.concatenate([gone, self._known(name, columns)])
            kept = ~np.isin(columns["event"], gone) if len(gone) else slice(None)
            rows = {column: values[kept] for column, values in columns.items()}
            manifest.pending.setdefault(name, []).append(self._file(name, rows))
        manifest.events += part.count

    def _known(self, name: str, columns: dict[str, Array]) -> Array:
        """Return the events of a table that an earlier part holds already."""
        files = [*self.manifest.pending.get(name, ()), *filter(None, [self.manifest.tables.get(name)])]
        if not files:
            return np.zeros(0, dtype=np.int64)
        seen = parquet(*(self.folder / file for file in files))
        query = f"SELECT event FROM part SEMI JOIN {seen} AS seen USING (id, source)"
        return self.database.read(query, part={name: columns[name] for name in ("event", "id", "source")})[
            "event"
        ]

    def _words(self, part: Part) -> Array:
        local = {"place": np.arange(len(part.words)), "word": np.array(list(part.words), dtype=object)}
        return self._coded(WORD, local, ("word",))

    def _pairs(self, space: str, pairs: dict[tuple[int, int], int], words: Array) -> Array:
        found = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        first, second = (words[found[:, side]].astype(np.int32) for side in (0, 1))
        return self._coded(
            space, {"place": np.arange(len(pairs)), "first": first, "second": second}, ("first", "second")
        )

    def _coded(self, space: str, local: dict[str, Array], key: tuple[str, ...]) -> Array:
        """Return the codes of a part's words or pairs; those that are new get the next ones."""
        files, count = self.manifest.dictionaries.setdefault(space, []), len(local["place"])
        codes = np.full(count, -1, dtype=np.int64)
        if files and count:
            known = parquet(*(self.folder / file for file in files))
            query = f"SELECT place, code FROM {known} JOIN part USING ({', '.join(key)})"
            found = self.database.read(query, part=local)
            codes[found["place"]] = found["code"]
        new = codes < 0
        if new.any():
            first = self.manifest.codes[space]
            codes[new] = np.arange(first, first + int(new.sum()))
            self.manifest.codes[space] = first + int(new.sum())
            rows = {"code": codes[new].astype(np.int32), **{column: local[column][new] for column in key}}
            files.append(self._file(f"codes-{space}", rows))
        return codes

    def _file(self, name: str, columns: dict[str, Array]) -> str:
        file = f"{name}-part-{self.manifest.number}.parquet"
        self.database.write("SELECT * FROM part", self.folder / file, part=columns)
        return file
