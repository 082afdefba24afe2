"""Values become typed JSON without running the user's code, and captures keep to the published schema."""

from __future__ import annotations

import json
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from amends_capture import capture
from amends_capture.typed import Snapshot
from tests.unit.capture.services import Kept, answering, captured, failing, http

SCHEMA = json.loads((files("amends_capture") / "schema.json").read_text("utf-8"))
Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = "red"


@dataclass(slots=True)
class Slotted:
    price: Decimal


class Tricky:
    """Whoever touches it gets hurt."""

    def __init__(self) -> None:
        self.plain = 1

    def __repr__(self) -> str:
        raise AssertionError("repr was called")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("it was compared")

    __hash__ = object.__hash__

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise AssertionError("its class was asked for")


EXAMPLES: list[tuple[Any, Any]] = [
    ({"a": [1, 2.5, None, True, "é"]}, {"a": [1, 2.5, None, True, "é"]}),
    (b"\xff", {"$type": "bytes", "base64": "/w=="}),
    ((1, (2,)), {"$type": "tuple", "items": [1, {"$type": "tuple", "items": [2]}]}),
    ({3, 1, 2}, {"$type": "set", "items": [1, 2, 3]}),
    (float("nan"), {"$type": "float", "value": "nan"}),
    (2**70, {"$type": "int", "value": str(2**70)}),
    ({1: "a"}, {"$type": "dict", "items": [[1, "a"]]}),
    ({"$type": "tuple"}, {"$type": "dict", "items": [["$type", "tuple"]]}),
    (OrderedDict(a=1), {"a": 1}),
    (datetime(2026, 1, 2, tzinfo=UTC), {"$type": "datetime", "value": "2026-01-02T00:00:00+00:00"}),
    (date(2026, 1, 2), {"$type": "date", "value": "2026-01-02"}),
    (time(1, 2), {"$type": "time", "value": "01:02:00"}),
    (timedelta(1), {"$type": "timedelta", "value": "datetime.timedelta(days=1)", "seconds": 86400.0}),
    (Decimal("1.10"), {"$type": "decimal", "value": "1.10"}),
    (UUID(int=1), {"$type": "uuid", "value": "00000000-0000-0000-0000-000000000001"}),
    (PurePosixPath("a/b"), {"$type": "path", "value": "a/b"}),
    (Colour.RED, {"$type": "enum", "class": f"{__name__}:Colour", "name": "RED", "value": "red"}),
    (Slotted(Decimal(1)), {"$type": "object", "class": f"{__name__}:Slotted",
                           "attributes": {"price": {"$type": "decimal", "value": "1"}}}),
    (Point(1, 2), {"$type": "tuple", "items": [1, 2], "class": f"{__name__}:Point"}),
    (Tricky(), {"$type": "object", "class": f"{__name__}:Tricky", "attributes": {"plain": 1}}),
    ("\ud800", {"$type": "str", "base64": "7aCA"}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_a_value_is_typed(value: Any, expected: Any) -> None:
    assert Snapshot().take(value) == expected


def test_what_is_inside_itself_or_too_much_is_cut() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert Snapshot().take(loop) == [1, {"$type": "cut"}]
    assert Snapshot(nodes=4).take(list(range(1000)))[-1] == {"$type": "cut", "length": 997}
    assert Snapshot(longest=10).take("word " * 10) == {
        "$type": "cut",
        "length": 50,
        "head": "word " * 10,
    }
    # Of an enormous set some are taken, and it is not sorted first.
    assert Snapshot(nodes=4).take(set(range(1000)))["items"][-1] == {"$type": "cut", "length": 997}
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert json.dumps(Snapshot().take(deep)).count("[") == 12
    assert Snapshot().take(1 << 100_000) == {"$type": "cut", "length": 100_001}


def test_a_cut_text_holds_no_half_of_a_secret() -> None:
    found = Snapshot(longest=10).take("a " * 97 + "ghp_0123456789abcdef0123456789abcdef0123")
    assert "ghp_" not in found["head"]


def documents() -> list[dict[str, Any]]:
    """Return captures of each kind, with values of each type."""
    recorder = Kept()

    @capture(recorder=recorder)
    def fail(*values: Any, **named: Any) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        fail(*(value for value, _ in EXAMPLES), token="abc", x=1 << 100_000)
    body = b'{"password": "hunter2"}'
    error = failing(lambda body: json.loads(body)["a"])
    return [
        *recorder.documents(),
        captured(error, http(), body),
        captured(answering(500), http(), b"\xff\x00"),
    ]


def test_captures_keep_to_the_published_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for found in documents():
        assert [error.message for error in validator.iter_errors(found)] == []


def test_the_schema_refuses_what_is_none() -> None:
    found = documents()[0]
    validator = Draft202012Validator(SCHEMA)
    assert not validator.is_valid({**found, "why": "because"})
    assert not validator.is_valid({**found, "call": {**found["call"], "args": [{"$type": "pickle"}]}})
