"""Typed values of a capture as Python values, and nothing that could run code.

JSON values stand for themselves. Everything else is an object with ``$type``: bytes, tuples, sets, times,
decimals, members of an enum, instances of the project's own classes. The last two stay descriptions
(``Member``, ``Instance``): their classes live in the project, not here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from amends.errors import UsageError

DEEPEST = 100
MOST_VALUES = 200_000
_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z", re.ASCII)
_FLOATS = {"nan": "nan", "inf": "inf", "+inf": "inf", "infinity": "inf", "-inf": "-inf", "-infinity": "-inf"}
_LOST = {
    "cut": "was cut when it was recorded, because a bound was met",
    "cycle": "holds itself, so it has no literal",
    "ref": "holds itself, so it has no literal",
    "opaque": "is of a kind that could not be recorded",
    "repr": "is of a kind that could not be recorded",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enum of the project, ``module:Class``."""

    cls: str
    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project, ``module:Class``, with its fields."""

    cls: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A named tuple of the project: its class, ``module:Class``, called with its items."""

    cls: str
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A class itself, ``module:Class``."""

    cls: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that was not recorded whole. ``why`` says so in words."""

    why: str


def decode(typed: Any, *, where: str = "", whole: bool = True) -> Any:
    """Return the Python value that a typed value describes.

    Parameters
    ----------
    where:
        Its place in the capture, as a JSON pointer, for messages.
    whole:
        Whether every part is needed. If not, what was cut is a ``Lost``.

    Raises
    ------
    UsageError
        For a ``$type`` that is not known or is malformed, for what was cut while ``whole`` is asked for, and
        for a value that is nested deeper than 100 levels or has more than 200,000 parts.
    """
    return _Decoder(whole).value(typed, where, 0)


class _Decoder:
    def __init__(self, whole: bool) -> None:
        self._whole = whole
        self._count = 0

    def value(self, typed: Any, where: str, depth: int) -> Any:
        self._count += 1
        if depth > DEEPEST or self._count > MOST_VALUES:
            what = (
                f"is nested deeper than {DEEPEST} levels"
                if depth > DEEPEST
                else f"has over {MOST_VALUES} parts"
            )
            raise UsageError(
                f"the recorded value {what}", where=where or "/",
                remedy="record a smaller part of it: capture the function that fails, not the one that reads",
            )  # fmt: skip
        if isinstance(typed, list):
            return [self.value(item, f"{where}/{n}", depth + 1) for n, item in enumerate(typed)]
        if not isinstance(typed, dict):
            return typed
        if "$type" in typed:
            return self._typed(typed, where, depth)
        return {key: self.value(item, f"{where}/{key}", depth + 1) for key, item in typed.items()}

    def _typed(self, typed: Mapping[str, Any], where: str, depth: int) -> Any:
        kind = typed["$type"]
        if kind in _LOST:
            return self._lost(kind, typed, where)
        try:
            if kind in _SCALARS:
                return _SCALARS[kind](typed)
            if kind in _SEQUENCES:
                items = self._items(typed, where, depth)
                return Row(_class(typed), tuple(items)) if "class" in typed else _SEQUENCES[kind](items)
            if kind in ("dict", "map"):
                return dict(self._items(typed, where, depth))
            if kind == "enum":
                return Member(_class(typed), str(typed["name"]))
            if kind == "object":
                return self._object(typed, where, depth)
        except (KeyError, ValueError, TypeError, InvalidOperation, binascii.Error) as error:
            raise UsageError(
                f"found a malformed {kind}: {type(error).__name__}: {error}", where=where or "/",
                remedy="capture it again; docs/reference describes the schema amends.capture/1",
            ) from None  # fmt: skip
        raise UsageError(
            f"found the $type {kind!r}; known are {', '.join(sorted(_KNOWN))}", where=where or "/",
            remedy="use an amends that is as new as the recorder",
        )  # fmt: skip

    def _object(self, typed: Mapping[str, Any], where: str, depth: int) -> Any:
        if typed.get("class") == "builtins:type":
            return Reference(_class({"class": typed["name"]}))
        held = next((typed[name] for name in ("attributes", "fields") if name in typed), None)
        if held is None:
            return self._lost("opaque", typed, where)
        read = {str(k): self.value(v, f"{where}/{k}", depth + 1) for k, v in dict(held).items()}
        return Instance(_class(typed), read)

    def _items(self, typed: Mapping[str, Any], where: str, depth: int) -> list[Any]:
        items = typed["items"] if "items" in typed else typed["value"]
        if not isinstance(items, list):
            raise TypeError("its items are no list")
        return [self.value(item, f"{where}/{n}", depth + 1) for n, item in enumerate(items)]

    def _lost(self, kind: str, typed: Mapping[str, Any], where: str) -> Lost:
        length = f" (it had a length of {typed['length']})" if "length" in typed else ""
        if self._whole:
            raise UsageError(
                f"this part of the input {_LOST[kind]}{length}", where=where or "/",
                remedy="raise the recorder's bound and capture it again, or capture a function further in",
            )  # fmt: skip
        return Lost(f"{_LOST[kind]}{length}")


def _class(typed: Mapping[str, Any]) -> str:
    name = str(typed.get("class", typed.get("type", "")))
    if not _CLASS.match(name):
        raise ValueError(f"{name!r} names no class that can be imported (module:Class)")
    return name


def _payload(typed: Mapping[str, Any]) -> str:
    found = typed["value"] if "value" in typed else typed["text"]
    if not isinstance(found, str | int | float):
        raise TypeError("its value is no text")
    return str(found)


def _bytes(typed: Mapping[str, Any]) -> bytes:
    text = typed["base64"] if "base64" in typed else typed["value"]
    return base64.b64decode(str(text), validate=True)


def _float(typed: Mapping[str, Any]) -> float:
    return float(_FLOATS.get(_payload(typed).lower(), _payload(typed)))


def _str(typed: Mapping[str, Any]) -> str:
    return _bytes(typed).decode("utf-8", "surrogatepass") if "base64" in typed else _payload(typed)


def _timedelta(typed: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=float(typed["seconds"] if "seconds" in typed else typed["value"]))


def _complex(typed: Mapping[str, Any]) -> complex:
    return complex(_payload(typed))


_SCALARS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "bytes": _bytes,
    "bytearray": lambda typed: bytearray(_bytes(typed)),
    "datetime": lambda typed: datetime.fromisoformat(_payload(typed)),
    "date": lambda typed: date.fromisoformat(_payload(typed)),
    "time": lambda typed: time.fromisoformat(_payload(typed)),
    "timedelta": _timedelta,
    "decimal": lambda typed: Decimal(_payload(typed)),
    "uuid": lambda typed: UUID(_payload(typed)),
    "float": _float,
    "int": lambda typed: int(_payload(typed)),
    "complex": _complex,
    "text": _payload,
    "str": _str,
    "path": lambda typed: PurePosixPath(_payload(typed)),
}
_SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple, "list": list, "set": set, "frozenset": frozenset,
}  # fmt: skip
_KNOWN = {*_SCALARS, *_SEQUENCES, *_LOST, "dict", "enum", "object"}
