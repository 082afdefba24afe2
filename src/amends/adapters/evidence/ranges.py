"""Columns that are looked up by key: what a hash join would do, where keys are small whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from amends.adapters.evidence.database import Array
from amends.gates.table import Bools, Ints


class Ranges:
    """Where each key's items are in a sorted column of keys. Keys are codes from 0; -1 has no items."""

    def __init__(self, keys: Array, codes: int) -> None:
        self._starts = np.zeros(codes + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=codes), out=self._starts[1:])

    def expand(self, asked: Array) -> tuple[Ints, Ints]:
        """Return all pairs of an asker (an index into ``asked``) and the place of an item of its key.

        Askers rise, and within one asker places do.
        """
        first = self._starts[asked]
        counts = self._starts[asked + 1] - first
        counts[asked < 0] = 0
        return spread(first, counts)


def spread(first: Array, counts: Array) -> tuple[Ints, Ints]:
    """Return, for ranges that begin at ``first``, each range's index with each of its places."""
    if (counts == 1).all():
        return np.arange(len(counts)), first.astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    place = np.arange(len(owner)) + np.repeat(first - ends + counts, counts)
    return owner, place


class Pairs:
    """Codes of pairs of codes; ``first`` and ``second`` are what the pair of each code is made of."""

    def __init__(self, first: Array, second: Array, words: int) -> None:
        self.first, self.second = first, second
        self._one = np.full(words, -1, dtype=np.int32)
        self._one[second] = np.arange(len(second), dtype=np.int32)
        again = np.flatnonzero(self._one[second] != np.arange(len(second)))
        self._shared = np.zeros(0, dtype=np.int64)
        if len(again):
            shared = np.flatnonzero(np.isin(second, np.unique(second[again])))
            keys = _key(first[shared], second[shared])
            order = np.argsort(keys)
            self._shared, self._keys = shared[order], keys[order]

    def __len__(self) -> int:
        return len(self.first)

    def find(self, first: Array, second: Array) -> Ints:
        """Return the code of each pair; -1 for one that there is not, or whose second word is empty."""
        inside = (second > 0) & (second < len(self._one))
        if not len(self.first):
            return np.full(len(second), -1, dtype=np.int64)
        found = self._one[np.where(inside, second, 0)].astype(np.int64)
        fits = inside & (found >= 0)
        fits &= self.first[np.maximum(found, 0)] == first
        found = np.where(fits, found, -1)
        return self._find_shared(first, second, found) if len(self._shared) else found

    def _find_shared(self, first: Array, second: Array, found: Ints) -> Ints:
        """Look again among words that go with several first words."""
        keys = _key(first, second)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        hit = (self._keys[place] == keys) & (second > 0)
        return np.where(hit, self._shared[place], found)


def _key(first: Array, second: Array) -> Ints:
    return first.astype(np.int64) << 32 | second.astype(np.int64)


def last_of(*columns: Array) -> Bools:
    """Mark the last of each run of items that are equal in all of some sorted columns."""
    if not len(columns[0]):
        return np.zeros(0, dtype=np.bool_)
    ends = np.ones(len(columns[0]), dtype=np.bool_)
    same = np.ones(len(columns[0]) - 1, dtype=np.bool_)
    for column in columns:
        same &= column[1:] == column[:-1]
    ends[:-1] = ~same
    return ends


def is_rising(column: Array) -> bool:
    """Return whether a column is sorted."""
    return bool((column[1:] >= column[:-1]).all())


def counted(row: Array, rows: int, weights: Any = None) -> Ints:
    """Count items by row."""
    return np.bincount(row, weights=weights, minlength=rows).astype(np.int64)


def covering(start: Ints, stop: Ints, length: int, weights: Any = None) -> Ints:
    """Count for each place below ``length`` the ranges that cover it; none of them is negative."""
    change = counted(start, length + 1, weights) - counted(stop, length + 1, weights)
    return np.cumsum(change)[:length]


def highest(start: Ints, stop: Ints, values: Ints, length: int) -> Ints:
    """Return for each place below ``length`` the highest value of the ranges that cover it, -1 for none.

    A range is laid down as two spans of a power of two, which may overlap; spans are then halved, the longest
    first, until they are single places: a sparse table (Bender & Farach-Colton, 2000) the other way round.
    """
    found = np.full(length, -1, dtype=np.int64)
    kept = start < stop
    start, stop, values = start[kept], stop[kept], values[kept]
    power = np.frexp(stop - start)[1] - 1
    for exponent in range(int(power.max(initial=-1)), -1, -1):
        size = 1 << exponent
        found[size:] = np.maximum(found[size:], found[:-size])
        mine = power == exponent
        np.maximum.at(found, start[mine], values[mine])
        np.maximum.at(found, stop[mine] - size, values[mine])
    return found
