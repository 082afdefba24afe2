"""Where answers differ, and what a person states."""

from __future__ import annotations

from typing import Any

import pytest

from amends.errors import UsageError
from amends.prevention.oracle import Oracle, asserted, differences, kinds_of, stated


@pytest.mark.parametrize(
    ("bad", "good", "expected"),
    [
        ([1, 1], [2, 2], (((), 2),)),
        ([{"a": 1, "b": 2}], [{"a": 1, "b": 3}], ((("b",), 3),)),
        ([{"a": [1, 2]}], [{"a": [1, 5]}], ((("a", 1), 5),)),
        ([{"a": 1}], [{"a": 1}], ()),
        ([{"a": 1}], [{"a": 1, "b": 2}], (((), {"a": 1, "b": 2}),)),
        # "id" says something else each time, on one side or on both: it tells nothing.
        ([{"id": 1, "b": 2}, {"id": 2, "b": 2}], [{"id": 3, "b": 4}, {"id": 3, "b": 4}], ((("b",), 4),)),
        ([{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}], ()),
    ],
)
def test_answers_differ_where_both_are_steady(bad: list[Any], good: list[Any], expected: Any) -> None:
    assert differences(bad, good) == expected


def test_places_are_compared_without_positions() -> None:
    first = differences([{"a": [1, 2]}], [{"a": [1, 5]}])
    other = differences([{"a": [9]}], [{"a": [8]}])
    assert kinds_of(first) == kinds_of(other)


def test_a_small_answer_is_asserted_whole_and_a_reply_by_its_fields() -> None:
    found = ((("a",), 1), (("b",), 2), (("c",), 3), (("d",), 4))
    assert asserted(found, {"a": 1}, whole=True) == (((), {"a": 1}),)
    assert asserted(found, {"a": 1}, whole=False) == found[:3]


def test_a_person_states_a_literal_or_a_status() -> None:
    assert stated("404", http=True) == Oracle("status", "person", status=404)
    assert stated("404", http=False).places == (((), 404),)
    assert stated('{"ok": true}', http=True).places == (((), {"ok": True}),)
    with pytest.raises(UsageError, match="no literal"):
        stated("price()", http=False)
