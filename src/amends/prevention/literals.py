"""Values as Python source: a literal that a reader knows at a glance, and the imports that it needs."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from amends.errors import UsageError
from amends.prevention.typed import Instance, Lost, Member, Reference, Row

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Source:
    """Source of an expression, the import lines that it needs, and whether it makes instances by ``made``."""

    text: str
    imports: frozenset[str] = frozenset()
    makes: bool = False


def literal(value: Any, *, indent: int = 0, used: int = 0) -> Source:
    """Return ``value`` as source, broken over lines where it does not fit.

    ``indent`` is the column at which its line begins, ``used`` how many characters stand before it there.
    Raises ``UsageError`` for a value that has no literal.
    """
    writer = _Writer()
    return Source(writer.write(value, indent, used), frozenset(writer.imports), writer.makes)


def flat(value: Any) -> str:
    """Return ``value`` on one line: the same text for the same value. Its length is the value's size."""
    return _Writer().flat(value)


def call_text(name: str, arguments: Iterable[tuple[str, Any]], *, indent: int, used: int = 0) -> Source:
    """Return a call as source; an argument without a name is positional."""
    writer = _Writer()
    parts = [(f"{key}=" if key else "", value) for key, value in arguments]
    return Source(writer.row(f"{name}(", parts, ")", indent, used), frozenset(writer.imports), writer.makes)


class _Writer:
    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.makes = False

    def flat(self, value: Any) -> str:
        return self.write(value, 0, 0, wide=True)

    def write(self, value: Any, indent: int, used: int, *, wide: bool = False) -> str:
        brackets = _BRACKETS.get(type(value))
        if brackets is not None and value:
            opening, closing = brackets
            items: Any = sorted(value, key=flat) if isinstance(value, set | frozenset) else value
            parts = _pairs(self, items) if isinstance(value, dict) else [("", item) for item in items]
            if isinstance(value, tuple) and len(value) == 1:
                closing = ",)"
            return self.row(opening, parts, closing, indent, used, wide=wide)
        if isinstance(value, Instance):
            self.makes = True
            first = self._class(value.cls)
            parts = [(f"{name}=", item) for name, item in value.fields.items()]
            return self.row(f"made({first}{', ' if parts else ''}", parts, ")", indent, used, wide=wide)
        if isinstance(value, Row):
            parts = [("", item) for item in value.items]
            return self.row(f"{self._class(value.cls)}(", parts, ")", indent, used, wide=wide)
        return self._scalar(value)

    def row(
        self, opening: str, parts: list[tuple[str, Any]], closing: str, indent: int, used: int, *,
        wide: bool = False,
    ) -> str:  # fmt: skip
        """Write a sequence on one line if it fits, otherwise an item a line with a comma after each."""
        one = opening + ", ".join(before + self.flat_here(item) for before, item in parts) + closing
        if wide or not parts or indent + used + len(one) <= WIDTH:
            return one
        pad = " " * (indent + 4)
        lines = [f"{pad}{before}{self.write(item, indent + 4, len(before) + 1)}," for before, item in parts]
        return "\n".join([opening.rstrip(), *lines, " " * indent + closing.lstrip(",")])

    def flat_here(self, value: Any) -> str:
        return self.write(value, 0, 0, wide=True)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, bytes):
            return quoted_bytes(value)
        if isinstance(value, float):
            return repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
        if isinstance(value, Member):
            return f"{self._class(value.cls)}[{quoted(value.name)}]"
        if isinstance(value, Reference):
            return self._class(value.cls)
        if isinstance(value, Lost):
            raise UsageError(f"a value {value.why}", remedy="raise the recorder's bound and capture it again")
        for kind, write in _WRITERS:
            if isinstance(value, kind):
                return write(self, value)
        if value is None or isinstance(value, bool | int | complex | bytes) or type(value) in _BRACKETS:
            return repr(value)
        raise UsageError(f"a {type(value).__name__} has no literal", remedy="record it as data")

    def _class(self, name: str) -> str:
        module, _, qualified = name.partition(":")
        first = qualified.partition(".")[0]
        if module != "builtins":
            self.imports.add(f"from {module} import {first}")
        return qualified

    def needs(self, line: str) -> None:
        self.imports.add(line)


def quoted(text: str) -> str:
    """Return a text in double quotes, unless single ones need fewer backslashes."""
    return _requoted(repr(text))


def quoted_bytes(data: bytes) -> str:
    """Return bytes in double quotes, unless single ones need fewer backslashes."""
    return "b" + _requoted(repr(data)[1:])


def _requoted(plain: str) -> str:
    inner = plain[1:-1]
    if plain[0] == '"' or inner.count('"') > inner.count("'"):
        return plain
    return f'"{re.sub(_QUOTE, _swapped, inner)}"'


def _swapped(found: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])


_QUOTE = re.compile(r'\\.|"', re.DOTALL)


def is_plain(value: Any) -> bool:
    """Return whether a value has a literal that needs nothing of the project."""
    try:
        found = literal(value)
    except UsageError:
        return False
    return not found.makes and all(line.split()[1] in _STANDARD for line in found.imports)


def is_builtin_exception(name: str) -> bool:
    """Return whether a name is that of one of Python's own exceptions."""
    found = getattr(builtins, name.removeprefix("builtins."), None)
    return isinstance(found, type) and issubclass(found, BaseException)


def _pairs(writer: _Writer, items: dict[Any, Any]) -> list[tuple[str, Any]]:
    return [(f"{writer.flat_here(key)}: ", item) for key, item in items.items()]


def _datetime(writer: _Writer, value: Any) -> str:
    writer.needs("import datetime")
    text = repr(value)
    zone: tzinfo | None = getattr(value, "tzinfo", None)
    if zone is not None and not re.search(r"datetime\.timezone", text):
        return repr(value.replace(tzinfo=None))  # a named zone that is not here; cannot come from a capture
    return text


def _decimal(writer: _Writer, value: Any) -> str:
    writer.needs("from decimal import Decimal")
    return f'Decimal("{value}")'


def _uuid(writer: _Writer, value: Any) -> str:
    writer.needs("from uuid import UUID")
    return f'UUID("{value}")'


def _path(writer: _Writer, value: Any) -> str:
    writer.needs("from pathlib import Path")
    return f"Path({quoted(str(value))})"


def _bytearray(_: _Writer, value: Any) -> str:
    return repr(value)


_STANDARD = {"datetime", "decimal", "uuid"}
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}"), set: ("{", "}"), frozenset: ("frozenset({", "})"),
}  # fmt: skip
_WRITERS: tuple[tuple[Any, Callable[[_Writer, Any], str]], ...] = (
    (datetime | date | time | timedelta, _datetime), (Decimal, _decimal), (UUID, _uuid),
    (bytearray, _bytearray), (PurePosixPath, _path),
)  # fmt: skip
