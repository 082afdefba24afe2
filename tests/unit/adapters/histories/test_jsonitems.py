"""Every way in which answers of an API are kept in files gives the same items, each with its line."""

from __future__ import annotations

import pytest

from amends.adapters.histories.jsonitems import read_items
from amends.application.history import Fault


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"id": 1}\n{"id": 2}\n', [1, 2]),
        ('[\n{"id": 1},\n{"id": 2}\n]', [2, 3]),
        ('[{"id": 1}]\n[{"id": 2}]', [1, 2]),
        ('{"total_count": 2, "check_runs": [{"id": 1}, {"id": 2}]}', [1, 1]),
        ('[[{"id": 1}], [{"id": 2}]]', [1, 1]),
    ],
)
def test_items_and_their_lines(text: str, lines: list[int]) -> None:
    assert list(read_items(text, "f")) == [(f"f:{line}", {"id": n}) for n, line in enumerate(lines, start=1)]


def test_what_is_broken_is_named_by_its_line_after_what_came_before() -> None:
    first, fault = read_items('[{"id": 1},\n{"id": ', "f")
    assert first == ("f:1", {"id": 1})
    assert isinstance(fault, Fault)
    assert fault.where == "f:2"


def test_an_array_that_never_ends_is_reported() -> None:
    *_, fault = read_items('[{"id": 1},', "f")
    assert isinstance(fault, Fault)
