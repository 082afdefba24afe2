"""Python values as typed JSON, within bounds, and without running a line of the user's code.

What JSON has is as it is; everything else is an object with ``$type``. Nothing is pickled, no ``repr`` or
property is called: attributes are read from ``__dict__`` and slots. Lists, sets and dictionaries are copied
at once, since the service may change them while the writer waits.
"""

from __future__ import annotations

import sys
from itertools import islice
from types import MemberDescriptorType

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from collections.abc import Callable, Iterable
    from typing import Any

    Json = Any
    Taker = Callable[["Snapshot", Any, int], Any]
_HEAD = 200
_LARGEST_INT = 1 << 4096
_EXACT = frozenset({bool, type(None)})


class Snapshot:
    """Takes values until a budget is used up.

    Parameters
    ----------
    nodes:
        How many values, those inside others included.
    characters:
        How many characters and bytes of text in all; ``longest`` of one.
    deepest:
        How many levels.
    """

    __slots__ = ("_above", "_characters", "_deepest", "_longest", "_nodes")

    def __init__(
        self, nodes: int = 4_000, characters: int = 128_000, longest: int = 16_000, deepest: int = 12
    ) -> None:
        self._nodes = nodes
        self._characters = characters
        self._longest = longest
        self._deepest = deepest
        self._above: set[int] = set()

    def take(self, value: object, depth: int = 0) -> Json:
        """Return a value as typed JSON; what does not fit is ``{"$type": "cut"}``."""
        kind = type(value)
        self._nodes -= 1
        if self._nodes < 0:
            return cut()
        if kind in _EXACT:
            return value
        taker = _TAKERS.get(kind) or _taker_of(kind)
        try:
            return taker(self, value, depth)
        except Exception:
            # A container that changes while it is read, or a value that is broken in itself.
            return cut()

    # --- one kind of value each ---------------------------------------------------------------------------

    def _int(self, value: int, _: int) -> Json:
        value = int.__index__(value)
        if -_LARGEST_INT < value < _LARGEST_INT:
            return value if -(1 << 63) <= value < 1 << 64 else {"$type": "int", "value": str(value)}
        return cut(int.bit_length(value))

    def _float(self, value: float, _: int) -> Json:
        value = float.__float__(value)
        finite = value == value and value not in (float("inf"), float("-inf"))
        return value if finite else {"$type": "float", "value": float.__repr__(value)}

    def _complex(self, value: complex, _: int) -> Json:
        return {"$type": "complex", "value": complex.__repr__(value)}

    def _text(self, value: str, _: int) -> Json:
        value = str.__str__(value)
        if len(value) > min(self._longest, max(self._characters, 0)):
            return cut(len(value), head(value))
        self._characters -= len(value)
        try:
            value.encode()
        except UnicodeEncodeError:
            return {"$type": "str", "base64": _base64(value.encode("utf-8", "surrogatepass"))}
        return value

    def _bytes(self, value: Any, _: int) -> Json:
        size = len(value)
        if size > min(self._longest, max(self._characters, 0)):
            return cut(size)
        self._characters -= size
        return {"$type": "bytes", "base64": _base64(bytes(value))}

    def _list(self, value: list[object], depth: int) -> Json:
        return self._within(
            value, depth, lambda: self._items(list.__iter__(value), list.__len__(value), depth)
        )

    def _tuple(self, value: tuple[object, ...], depth: int) -> Json:
        fields = getattr(type(value), "_fields", None) if type(value) is not tuple else None
        found = {"$type": "tuple", "items": self._items(tuple.__iter__(value), tuple.__len__(value), depth)}
        return {**found, "class": _name(type(value))} if isinstance(fields, tuple) else found

    def _set(self, value: set[object], depth: int) -> Json:
        # Sorting keeps captures comparable; a set that will be cut anyway must not cost the service a sort.
        few = sorted(value, key=_order) if len(value) <= max(self._nodes, 0) else value
        items = self._items(iter(few), len(value), depth)
        return {"$type": "frozenset" if issubclass(type(value), frozenset) else "set", "items": items}

    def _items(self, items: Iterable[object], size: int, depth: int) -> list[Json]:
        room = max(self._nodes, 0)
        taken = [self.take(item, depth + 1) for item in islice(items, min(size, room))]
        return taken if len(taken) == size else [*taken, cut(size - len(taken))]

    def _dict(self, value: dict[object, object], depth: int) -> Json:
        return self._within(value, depth, lambda: self._pairs(value, depth))

    def _pairs(self, value: dict[object, object], depth: int) -> Json:
        pairs = list(islice(dict.items(value), max(self._nodes, 0)))
        left = dict.__len__(value) - len(pairs)
        if not left and "$type" not in value and all(type(key) is str and _is_short(key) for key, _ in pairs):
            return {str(key): self.take(item, depth + 1) for key, item in pairs}
        items = [[self.take(key, depth + 1), self.take(item, depth + 1)] for key, item in pairs]
        return {"$type": "dict", "items": [*items, [cut(left), None]] if left else items}

    def _object(self, value: object, depth: int) -> Json:
        kind = type(value)
        if kind is type or issubclass(kind, type):
            return {"$type": "object", "class": "builtins:type", "name": _name(value)}
        if kind.__module__ == "builtins" or "function" in kind.__name__ or kind.__module__ in _OPAQUE_MODULES:
            return {"$type": "object", "class": _name(kind)}
        return self._within(value, depth, lambda: self._attributes(value, kind, depth))

    def _attributes(self, value: object, kind: type, depth: int) -> Json:
        found = {"$type": "object", "class": _name(kind)}
        attributes = dict(_slots(value, kind))
        try:
            held = object.__getattribute__(value, "__dict__")
        except AttributeError:
            held = {}
        if type(held) is dict:
            attributes.update((name, item) for name, item in dict.items(held) if type(name) is str)
        if issubclass(kind, BaseException):
            attributes["args"] = BaseException.args.__get__(value)  # type: ignore[attr-defined]
        return {**found, "attributes": {k: self.take(v, depth + 1) for k, v in attributes.items()}}

    def _within(self, value: object, depth: int, take: Callable[[], Json]) -> Json:
        """Take what is inside, unless it is too deep or inside itself."""
        if depth >= self._deepest or id(value) in self._above:
            return cut()
        self._above.add(id(value))
        try:
            return take()
        finally:
            self._above.discard(id(value))

    # --- values of modules that may not be loaded ---------------------------------------------------------

    def _moment(self, value: Any, _: int) -> Json:
        name = next(c.__name__ for c in type(value).__mro__ if c.__module__ == "datetime")
        kind = getattr(sys.modules["datetime"], name)
        if name == "timedelta":
            return {"$type": name, "value": kind.__repr__(value), "seconds": kind.total_seconds(value)}
        if name in ("datetime", "date", "time"):
            return {"$type": name, "value": kind.isoformat(value)}
        return self._object(value, self._deepest)

    def _decimal(self, value: Any, _: int) -> Json:
        return {"$type": "decimal", "value": sys.modules["decimal"].Decimal.__str__(value)}

    def _uuid(self, value: Any, _: int) -> Json:
        return {"$type": "uuid", "value": sys.modules["uuid"].UUID.__str__(value)}

    def _enum(self, value: Any, depth: int) -> Json:
        held = object.__getattribute__(value, "__dict__")
        found = {"$type": "enum", "class": _name(type(value)), "name": held.get("_name_") or ""}
        return {**found, "value": self.take(held.get("_value_"), depth + 1)}

    def _path(self, value: Any, _: int) -> Json:
        return {"$type": "path", "value": sys.modules["pathlib"].PurePath.__str__(value)}


# The methods are this module's own; naming them here keeps the dispatch one look-up.
_TAKERS: dict[type, Taker] = {
    int: Snapshot._int, float: Snapshot._float, complex: Snapshot._complex, str: Snapshot._text,
    bytes: Snapshot._bytes, bytearray: Snapshot._bytes, memoryview: Snapshot._bytes, list: Snapshot._list,
    tuple: Snapshot._tuple, set: Snapshot._set, frozenset: Snapshot._set, dict: Snapshot._dict,
}  # fmt: skip
_LATE: tuple[tuple[str, str, Taker], ...] = (
    ("enum", "Enum", Snapshot._enum), ("datetime", "datetime", Snapshot._moment),
    ("datetime", "date", Snapshot._moment), ("datetime", "time", Snapshot._moment),
    ("datetime", "timedelta", Snapshot._moment), ("decimal", "Decimal", Snapshot._decimal),
    ("uuid", "UUID", Snapshot._uuid), ("pathlib", "PurePath", Snapshot._path),
)  # fmt: skip
_OPAQUE_MODULES = frozenset(
    {"_io", "_thread", "threading", "socket", "ssl", "asyncio", "types", "module", "weakref"}
)


def _taker_of(kind: type) -> Taker:
    """Choose by the real classes of a value; its ``__class__`` may be a property that answers otherwise."""
    line = type.__dict__["__mro__"].__get__(kind)
    for module, name, taker in _LATE:
        loaded = sys.modules.get(module)
        if loaded is not None and getattr(loaded, name, None) in line:
            return taker
    return next((_TAKERS[one] for one in line if one in _TAKERS), Snapshot._object)


def cut(length: int | None = None, first: str = "") -> dict[str, Json]:
    """Return what stands for a value that did not fit: its length, and how a text began."""
    found: dict[str, Json] = {"$type": "cut"}
    if length is not None:
        found["length"] = length
    return {**found, "head": first} if first else found


def head(text: str) -> str:
    """Return the first words of a text, 200 characters at most; half a secret would not be known for one."""
    first = text[:_HEAD]
    return text if len(first) == len(text) else " ".join(first.split(" ")[:-1])


def _is_short(key: object) -> bool:
    return (len(key) <= 1_000 and key.isascii()) or _encodes(key)  # type: ignore[arg-type, attr-defined]


def _encodes(key: str) -> bool:
    try:
        return len(key.encode()) <= 4_000
    except UnicodeEncodeError:
        return False


def _slots(value: object, kind: type) -> Iterable[tuple[str, object]]:
    for one in type.__dict__["__mro__"].__get__(kind):
        for name, member in type.__dict__["__dict__"].__get__(one).items():
            if type(member) is MemberDescriptorType and one.__module__ != "builtins":
                try:
                    yield name, member.__get__(value, kind)
                except AttributeError:
                    continue


def _order(value: object) -> tuple[str, str]:
    return type(value).__name__, value if type(value) is str else str(value) if type(value) is int else ""


def _name(kind: object) -> str:
    return f"{getattr(kind, '__module__', '')}:{getattr(kind, '__qualname__', '')}"


def _base64(content: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(content, newline=False).decode("ascii")
