"""A part of the cache while it is filled: values in lists, words as codes of the part's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from amends.adapters.evidence.facts import (
    COMMON,
    FLAG,
    MOMENT,
    NUMBER,
    SMALL,
    SPACES,
    TABLE_OF,
    TABLES,
    WORD,
    common_of,
)
from amends.events.codec import Fact

_TYPES: dict[str, Any] = {
    NUMBER: np.int64, SMALL: np.int8, MOMENT: np.float64, FLAG: np.bool_
}  # fmt: skip
Columns = dict[str, npt.NDArray[Any]]


@dataclass(slots=True)
class _Rows:
    """A table's rows, column by column; ``kinds`` are the columns' types."""

    kinds: dict[str, str]
    values: list[list[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = [[] for _ in self.kinds]


@dataclass(slots=True)
class Part:
    """Facts that were decoded and not yet written. ``first`` is the number of its first event."""

    first: int
    count: int = 0
    words: dict[str, int] = field(default_factory=lambda: {"": 0})
    pairs: dict[str, dict[tuple[int, int], int]] = field(default_factory=lambda: {s: {} for s in SPACES})
    keys: set[tuple[str, str]] = field(default_factory=set)
    tables: dict[str, _Rows] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fact: Fact) -> None:
        """Take a fact in, unless it says nothing that is kept or is there already."""
        name, key = TABLE_OF.get(fact.kind), fact.recorded.event.key
        if name is None or fact.payload is None or key in self.keys:
            return
        self.keys.add(key)
        table, event = TABLES[name], self.first + self.count
        self.count += 1
        rows = self._rows(name, {**COMMON, **table.columns, **{f"n_{side}": NUMBER for side in table.sides}})
        found = {side: spec.rows(fact.payload) for side, spec in table.sides.items()}
        values = (
            *common_of(fact, event),
            *table.row(fact.payload),
            *(len(items) for items in found.values()),
        )
        self._append(rows, values)
        self.ids.setdefault(name, []).append(fact.id)
        self.sources.setdefault(name, []).append(self._word(key[0]))
        for side, items in found.items():
            side_rows = self._rows(side, {"event": NUMBER, "place": NUMBER, **table.sides[side].columns})
            for place, item in enumerate(items):
                self._append(side_rows, (event, place, *item))

    def _rows(self, name: str, kinds: dict[str, str]) -> _Rows:
        if name not in self.tables:
            self.tables[name] = _Rows(kinds)
        return self.tables[name]

    def _append(self, rows: _Rows, values: Sequence[Any]) -> None:
        for column, kind, value in zip(rows.values, rows.kinds.values(), values, strict=True):
            if kind == WORD:
                column.append(self._word(value))
            elif kind in SPACES:
                space = self.pairs[kind]
                column.append(space.setdefault((self._word(value[0]), self._word(value[1])), len(space)))
            else:
                column.append(value)

    def _word(self, word: str) -> int:
        return self.words.setdefault(word, len(self.words))

    def columns(
        self, words: npt.NDArray[Any], pairs: dict[str, npt.NDArray[Any]]
    ) -> Iterator[tuple[str, Columns]]:
        """Yield each table with its columns, the part's own codes replaced by those of the cache."""
        for name, rows in self.tables.items():
            made: Columns = {}
            for (column, kind), values in zip(rows.kinds.items(), rows.values, strict=True):
                if kind in _TYPES:
                    made[column] = np.array(values, dtype=_TYPES[kind])
                else:
                    codes = words if kind == WORD else pairs[kind]
                    made[column] = codes[np.array(values, dtype=np.int64)].astype(np.int32)
            if name in self.ids:
                made["id"] = np.array(self.ids[name], dtype=object)
                made["source"] = words[np.array(self.sources[name], dtype=np.int64)].astype(np.int32)
            yield name, made
