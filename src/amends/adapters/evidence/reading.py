"""Reading a folder of facts: columns as arrays, codes of pairs, and words only when somebody looks."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from amends.adapters.evidence.cache import Manifest
from amends.adapters.evidence.database import Array, Database, parquet
from amends.adapters.evidence.facts import COMMON, TABLES, WORD, sql_type
from amends.adapters.evidence.merging import LABEL_WORDS
from amends.adapters.evidence.ranges import Pairs

_BLOCK = 4096
_MOST_BLOCKS = 256
_DTYPES = {
    "INTEGER": np.int32, "BIGINT": np.int64, "TINYINT": np.int8, "DOUBLE": np.float64, "BOOLEAN": np.bool_
}  # fmt: skip
_SIDES = {
    side: {"event": "number", "place": "number", **spec.columns}
    for table in TABLES.values()
    for side, spec in table.sides.items()
}


class Folder:
    """A refreshed folder, open for reading."""

    def __init__(self, folder: Path, manifest: Manifest, database: Database) -> None:
        self.manifest = manifest
        self.database = database
        self._folder = folder
        self._pairs: dict[str, Pairs] = {}
        self._releases: dict[str, Array] = {}
        self.words = StoredWords(self)

    @property
    def word_count(self) -> int:
        """How many words have codes; codes from there on are events."""
        return self.manifest.codes[WORD]

    def columns(self, table: str, *names: str) -> list[Array]:
        """Return columns of a table in the order of its file; empty where there is no such fact."""
        file = self.manifest.tables.get(table)
        if file is None:
            return [np.zeros(0, dtype=_dtype(table, name)) for name in names]
        if table == "releases":  # read by all
            return [self._declared(file, name) for name in names]
        quoted = ", ".join(f'"{name}"' for name in names)  # some are words of SQL
        found = self.database.read(f"SELECT {quoted} FROM {parquet(self._folder / file)}")
        return [found[name] for name in names]

    def matching(self, table: str, key: str, codes: Array, *names: str) -> list[Array]:
        """Return columns of a table, only where ``key`` is one of some codes, by when things happened."""
        source = self.source(table)
        if source is None or not len(codes):
            return [np.zeros(0, dtype=_dtype(table, name)) for name in names]
        quoted = ", ".join(f'"{name}"' for name in names)
        found = self.database.read(
            f'SELECT {quoted} FROM {source} WHERE "{key}" IN (SELECT code FROM wanted) ORDER BY rank',
            wanted={"code": codes},
        )
        return [found[name] for name in names]

    def _declared(self, file: str, name: str) -> Array:
        if name not in self._releases:
            self._releases |= self.database.read(f'SELECT "{name}" FROM {parquet(self._folder / file)}')
        return self._releases[name]

    def source(self, table: str) -> str | None:
        """Return the SQL that reads a table, or ``None`` where there is no such fact."""
        file = self.manifest.tables.get(table)
        return parquet(self._folder / file) if file else None

    def dictionary(self, space: str) -> str | None:
        """Return the SQL that reads the codes of a space, or ``None`` where it has none."""
        files = self.manifest.dictionaries.get(space)
        return parquet(*(self._folder / file for file in files)) if files else None

    def pairs(self, space: str) -> Pairs:
        """Return the codes of a space of pairs."""
        if space not in self._pairs:
            source = self.dictionary(space)
            found = self.database.read(f"SELECT first, second FROM {source}") if source else {}
            empty = np.zeros(0, dtype=np.int32)
            first, second = (found.get(side, empty) for side in ("first", "second"))
            self._pairs[space] = Pairs(first, second, self.word_count)
        return self._pairs[space]


def _dtype(table: str, name: str) -> Any:
    if name in ("rank", "place"):
        return np.int32
    kinds = {**COMMON, **TABLES[table].columns} if table in TABLES else _SIDES.get(table, {})
    kind = kinds.get(name, "number" if name.startswith("n_") else WORD)
    return _DTYPES[sql_type(kind)]


class StoredWords:
    """The vocabulary of a folder: its words, then the ids of its events, then what askers brought along.

    Words are read in blocks when they are looked at; only the last few blocks stay in memory.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._blocks: OrderedDict[tuple[bool, int], dict[int, str]] = OrderedDict()
        self._labels: dict[str, int] | None = None
        self._found: dict[str, int] = {"": 0}
        self._more: list[str] = []
        self._stored = folder.manifest.codes[WORD]
        self._base = max(1, self._stored + folder.manifest.events)  # 0 is the empty word, stored or not

    def __len__(self) -> int:
        return self._base + len(self._more)

    def __getitem__(self, code: int, /) -> str:
        """Return a code's word. Raises ``IndexError``."""
        code = int(code)
        if code == 0:
            return ""
        if not 0 < code < len(self):
            raise IndexError(code)
        if code >= self._base:
            return self._more[code - self._base]
        is_event = code >= self._stored
        number = code - self._stored if is_event else code
        return self._block(is_event, number // _BLOCK)[number]

    def index(self, word: str, /) -> int:
        """Return a word's code. Raises ``ValueError``. Ids of events are not looked for."""
        if word in self._found:
            return self._found[word]
        if self._labels is None:
            source = self._folder.source(LABEL_WORDS)
            found = self._folder.database.read(f"SELECT code, word FROM {source}") if source else {}
            self._labels = {str(w): int(c) for c, w in zip(*found.values(), strict=True)} if found else {}
        code = self._labels.get(word)
        if code is None:
            code = int(self.codes([word])[0])
        if code < 0:
            raise ValueError(f"{word!r} is not in the vocabulary")
        self._found[word] = code
        return code

    def codes(self, words: list[str], *, add: bool = False) -> Array:
        """Return the codes of distinct words; those that have none get one if ``add`` is set, else -1."""
        codes = np.array([0 if word == "" else -1 for word in words], dtype=np.int64)
        source = self._folder.dictionary(WORD)
        if source and words:
            asked = {"place": np.arange(len(words)), "word": np.array(words, dtype=object)}
            found = self._folder.database.read(
                f"SELECT place, code FROM {source} JOIN asked USING (word)", asked=asked
            )
            codes[found["place"]] = found["code"]
        brought = {word: self._base + place for place, word in enumerate(self._more)}
        for place in np.flatnonzero(codes < 0):
            word = words[place]
            if word not in brought and add:
                brought[word] = len(self)
                self._more.append(word)
                self._found.pop(word, None)
            codes[place] = brought.get(word, -1)
        return codes

    def _block(self, is_event: bool, number: int) -> dict[int, str]:
        key = (is_event, number)
        if key in self._blocks:
            self._blocks.move_to_end(key)
            return self._blocks[key]
        found = self._read(is_event, number * _BLOCK)
        self._blocks[key] = found
        if len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)
        return found

    def _read(self, is_event: bool, first: int) -> dict[int, str]:
        if is_event:
            tables = filter(None, (self._folder.source(table) for table in TABLES))
            source = " UNION ALL ".join(f"SELECT event AS code, id AS word FROM {table}" for table in tables)
            source = f"({source})"
        else:
            source = self._folder.dictionary(WORD) or ""
        found = self._folder.database.read(
            f"SELECT code, word FROM {source} WHERE code BETWEEN ? AND ?", [first, first + _BLOCK - 1]
        )
        return {int(code): str(word) for code, word in zip(found["code"], found["word"], strict=True)}
