"""Making a failing input small while it keeps failing in the same way.

Structure first: whole branches of the tree are emptied or replaced by what they hold, then items are taken
out, then lines and characters of texts, then digits of numbers. Taking out is delta debugging (Zeller and
Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002): halves, quarters and
so on to single items, then again. The passes are repeated until none changes anything, so the result is
*1-minimal*: no single item, entry or character can be taken out of it. Answers are remembered, and no
question is asked twice. The same input and the same answers give the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amends.prevention.literals import flat
from amends.prevention.typed import Instance, Row

MOST_EVALUATIONS = 2_000

Input = Mapping[str, Any]
Keeps = Callable[[Input], bool]
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reduction:
    """An input after its reduction.

    Sizes are in characters of the input on one line of source; ``evaluations`` are runs that were needed.
    ``complete`` is false where the bound was met before nothing more could be taken out.
    """

    value: dict[str, Any]
    before: int
    after: int
    evaluations: int
    complete: bool = True


# Parts of a request that are names with values.
_OF_PAIRS = frozenset({"query", "headers"})


class _Enough(Exception):  # noqa: N818 - an end, not an error
    """No more evaluations are allowed."""


def size_of(value: Input) -> int:
    """Return the size of an input's parts, in characters of source."""
    return sum(len(flat(part)) for part in value.values())


def reduce_input(
    value: Input, keeps: Keeps, *, bound: int = MOST_EVALUATIONS, report: Report = lambda *_: None,
    enough: Callable[[], bool] = lambda: False,
) -> Reduction:  # fmt: skip
    """Return the smallest input found that still has the property.

    Parameters
    ----------
    value:
        The input by its parts (``args``, ``kwargs``; ``query``, ``headers``, ``body``). Parts are reduced,
        none is taken away. It is taken for granted that it has the property.
    keeps:
        Whether an input has the property.
    bound:
        How often ``keeps`` may be asked.
    report:
        Told the number of evaluations and the present size, each time that something could be taken out.
    enough:
        Asked before each evaluation whether to stop here, for a limit of time.
    """
    search = _Search(dict(value), keeps, bound, report, enough)
    before = size_of(value)
    complete = True
    try:
        while search.one_pass():
            pass
    except _Enough:
        complete = False
    return Reduction(search.best, before, size_of(search.best), search.evaluations, complete)


Rebuild = Callable[[Any], dict[str, Any]]


class _Search:
    def __init__(
        self, value: dict[str, Any], keeps: Keeps, bound: int, report: Report, enough: Callable[[], bool]
    ) -> None:
        self.best = value
        self.evaluations = 0
        self._keeps, self._bound, self._report, self._enough = keeps, bound, report, enough
        self._known: dict[str, bool] = {}

    def one_pass(self) -> bool:
        """Try everything once; return whether something could be taken out."""
        before = _text(self.best)
        for name in list(self.best):
            reduce = self._pairs if name in _OF_PAIRS else self._node
            reduce(self.best[name], lambda part, name=name: {**self.best, name: part})  # type: ignore[misc]
        return _text(self.best) != before

    def _try(self, candidate: dict[str, Any]) -> bool:
        """Ask whether a candidate that is simpler has the property, and keep it if so."""
        if _cost(candidate) >= _cost(self.best):
            return False
        text = _text(candidate)
        if text not in self._known:
            if self.evaluations >= self._bound or self._enough():
                raise _Enough
            self.evaluations += 1
            self._known[text] = self._keeps(candidate)
        if self._known[text]:
            self.best = candidate
            self._report(self.evaluations, size_of(candidate))
        return self._known[text]

    def _node(self, value: Any, rebuild: Rebuild) -> Any:
        """Reduce the value at one place, and return what stands there afterwards."""
        for simple in _simpler(value):
            if self._try(rebuild(simple)):
                return self._node(simple, rebuild)
        if isinstance(value, str):
            return self._string(value, rebuild)
        if isinstance(value, bytes | bytearray):
            return self._take_out(value, rebuild, type(value))
        if isinstance(value, dict | Instance):
            return self._mapping(value, rebuild)
        if isinstance(value, Row):
            return self._row(value, rebuild)
        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence(value, rebuild)
        return value

    def _mapping(self, value: dict[Any, Any] | Instance, rebuild: Rebuild) -> Any:
        cls = value.cls if isinstance(value, Instance) else ""

        def made(items: Sequence[tuple[Any, Any]]) -> Any:
            return Instance(cls, dict(items)) if cls else dict(items)

        entries = list(value.fields.items() if isinstance(value, Instance) else value.items())
        entries = list(self._items(entries, lambda kept: rebuild(made(kept))))
        for n, (key, item) in enumerate(entries):
            there = (entries[:n], key, entries[n + 1 :])
            smaller = self._node(item, lambda new, at=there: rebuild(made([*at[0], (at[1], new), *at[2]])))  # type: ignore[misc]
            entries[n] = (key, smaller)
        return made(entries)

    def _row(self, value: Row, rebuild: Rebuild) -> Row:
        """Reduce each item of a named tuple; how many it has is fixed by its class."""
        items = self._each(value.items, lambda new: rebuild(Row(value.cls, tuple(new))))
        return Row(value.cls, tuple(items))

    def _pairs(self, value: Sequence[Any], rebuild: Rebuild) -> Any:
        """Take whole pairs out, then reduce both sides of what is left: half a pair is no request."""
        pairs = list(self._items(list(value), lambda kept: rebuild(list(kept))))
        for n, pair in enumerate(pairs):
            there = (pairs[:n], pairs[n + 1 :])
            pairs[n] = tuple(
                self._each(pair, lambda new, at=there: rebuild([*at[0], tuple(new), *at[1]]))  # type: ignore[misc]
            )
        return pairs

    def _each(self, value: Sequence[Any], rebuild: Callable[[list[Any]], dict[str, Any]]) -> list[Any]:
        """Reduce each item where it stands; none is taken out."""
        items = list(value)
        for n, item in enumerate(items):
            there = (items[:n], items[n + 1 :])
            items[n] = self._node(item, lambda new, at=there: rebuild([*at[0], new, *at[1]]))  # type: ignore[misc]
        return items

    def _sequence(self, value: Any, rebuild: Rebuild) -> Any:
        made = type(value)
        items = sorted(value, key=flat) if isinstance(value, set | frozenset) else list(value)
        items = list(self._items(items, lambda kept: rebuild(made(kept))))
        return made(self._each(items, lambda new: rebuild(made(new))))

    def _string(self, value: str, rebuild: Rebuild) -> str:
        held = _held_json(value)
        if held is not None:
            found = self._node(held, lambda new: rebuild(json.dumps(new, ensure_ascii=False)))
            value = json.dumps(found, ensure_ascii=False) if found != held else value
        lines = value.splitlines(keepends=True)
        if len(lines) > 1:
            value = "".join(self._items(lines, lambda kept: rebuild("".join(kept))))
        return str(self._take_out(value, rebuild, "".join))

    def _take_out(self, value: Any, rebuild: Rebuild, made: Callable[[Any], Any]) -> Any:
        if isinstance(value, str):
            return made(self._items(list(value), lambda kept: rebuild(made(kept))))
        return made(bytes(self._items(list(value), lambda kept: rebuild(made(bytes(kept))))))

    def _items(
        self, items: Sequence[Any], rebuild: Callable[[Sequence[Any]], dict[str, Any]]
    ) -> Sequence[Any]:
        """Take out halves, then quarters, and so on to single items, until no single one can go."""
        if items and self._try(rebuild([])):
            return []
        width = max(1, len(items) // 2)
        while items:
            items, removed = self._chunks(items, width, rebuild)
            if width > 1:
                width = max(1, min(width // 2, len(items) // 2))
            elif not removed:
                break
        return items

    def _chunks(
        self, items: Sequence[Any], width: int, rebuild: Callable[[Sequence[Any]], dict[str, Any]]
    ) -> tuple[Sequence[Any], bool]:
        start, removed = 0, False
        while start < len(items):
            kept = [*items[:start], *items[start + width :]]
            if self._try(rebuild(kept)):
                items, removed = kept, True
            else:
                start += width
        return items, removed


def _simpler(value: Any) -> Iterator[Any]:
    """Yield simpler values for one place: of the same type, or of what it holds."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield from _smaller_numbers(value)
    elif isinstance(value, float):
        yield 0.0
        if value == value and abs(value) < 1e15:
            yield float(int(value))
            yield from (round(value, places) for places in (1, 2, 3))
    elif isinstance(value, list | tuple):
        yield from (item for item in value if type(item) is type(value))
    elif isinstance(value, dict):
        yield from (item for item in value.values() if type(item) is dict)


def _smaller_numbers(value: int) -> Iterator[int]:
    yield 0
    yield 1
    if value < 0:
        yield -value
        yield -1
    digits = str(abs(value))
    sign = -1 if value < 0 else 1
    if len(digits) > 1:
        yield sign * 10 ** (len(digits) - 1)
        yield sign * int(digits[:-1])
        yield sign * int(digits[0])


def _held_json(value: str) -> Any:
    """Return the object or list that a text holds as JSON, or ``None``."""
    if value[:1] not in ("{", "[") or value[-1:] not in ("}", "]"):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _text(value: Input) -> str:
    return "\0".join(f"{name}\1{flat(part)}" for name, part in value.items())


def _cost(value: Input) -> tuple[int, int]:
    """Order inputs: by size, then by how many characters are not the simplest of their kind."""
    text = _text(value)
    return len(text), sum(sign in "123456789" for sign in text)
