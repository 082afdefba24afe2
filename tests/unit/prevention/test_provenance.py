"""A capture is data: it may have nothing called that is not the project's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amends.prevention.captures import read_capture
from amends.prevention.provenance import foreign_names

FILES = ["README.md", "src/shop/price.py", "src/shop/__init__.py", "tools.py"]


def foreign(function: str, *args: Any) -> tuple[str, ...]:
    told = {
        "schema": "amends.capture/1", "id": "c-1", "at": "2026-03-20T14:27:05Z", "service": "shop",
        "release": "1", "environment": "production", "kind": "call", "why": "exception",
        "call": {"function": function, "args": list(args), "kwargs": {}},
        "exception": {"type": "KeyError", "message": "", "frames": []},
    }  # fmt: skip
    return foreign_names(read_capture(json.dumps(told), "c.json"), FILES)


@pytest.mark.parametrize("function", ["shop.price:quote", "shop:quote", "tools:add", "shop.price:Cart.add"])
def test_functions_of_the_project_are_its_own(function: str) -> None:
    assert foreign(function, {"items": [1]}) == ()


@pytest.mark.parametrize("function", ["os:system", "shop.other:quote", "price2:quote", "subprocess:run"])
def test_any_other_function_is_foreign(function: str) -> None:
    assert foreign(function, "touch /tmp/x") == (function,)


def test_a_value_cannot_bring_a_call_along_however_deep_it_lies() -> None:
    row = {"$type": "tuple", "class": "os:system", "items": ["touch /tmp/x"]}
    held = {"$type": "object", "class": "decimal:Context", "fields": {"deep": [{"a": row}]}}
    assert foreign("shop.price:quote", held) == ("os:system",)
    own = {"$type": "tuple", "class": "shop.price:Line", "items": [1, 2]}
    assert foreign("shop.price:quote", [own]) == ()
