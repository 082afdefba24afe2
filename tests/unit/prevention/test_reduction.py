"""A reduced input still fails in the same way, is 1-minimal, and never larger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amends.prevention.literals import flat
from amends.prevention.reduction import Reduction, reduce_input, size_of
from amends.prevention.typed import Instance, Row

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5000, 5000)
    | st.text("ab\n{}", max_size=8)
    | st.binary(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz", max_size=3), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=12,
)  # fmt: skip


def holding(marks: str) -> Callable[[Any], bool]:
    """Return a property that many parts together have: each mark stands somewhere in the input."""
    return lambda parts: all(mark in "".join(flat(part) for part in parts.values()) for mark in marks)


def shorter(value: Any) -> Iterator[Any]:
    """Yield every value from which one item, entry or character is gone."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: less} for less in shorter(value[key]))
    elif isinstance(value, list | tuple | str | bytes):
        for n in range(len(value)):
            yield value[:n] + value[n + 1 :]
            if isinstance(value, list | tuple):
                yield from (type(value)([*value[:n], less, *value[n + 1 :]]) for less in shorter(value[n]))


@settings(deadline=None, max_examples=60)
@given(value=VALUES, marks=st.text("ab{}x4", max_size=3))
def test_the_result_has_the_property_is_one_minimal_and_no_larger(value: Any, marks: str) -> None:
    whole = {"args": [value, "ab{}x4"], "kwargs": {}}
    keeps = holding(marks)
    found = reduce_input(whole, keeps)
    assert found.complete
    assert keeps(found.value)
    assert found.after == size_of(found.value) <= found.before == size_of(whole)
    for name, part in found.value.items():
        assert not any(keeps({**found.value, name: less}) for less in shorter(part))


@settings(deadline=None, max_examples=30)
@given(value=VALUES)
def test_the_same_input_and_answers_give_the_same_result(value: Any) -> None:
    whole = {"args": [value, value]}
    keeps = holding("a")
    if keeps(whole):
        assert reduce_input(whole, keeps) == reduce_input(whole, keeps)


def test_no_question_is_asked_twice_and_the_bound_is_kept() -> None:
    asked: list[str] = []

    def keeps(parts: Any) -> bool:
        asked.append(flat(parts["args"]))
        return "needle" in flat(parts["args"])

    whole = {"args": [{f"k{n}": "hay" * n for n in range(20)} | {"k": ["xx needle xx"]}]}
    found = reduce_input(whole, keeps)
    assert found.value == {"args": [{"k": ["needle"]}]}
    assert len(asked) == len(set(asked)) == found.evaluations
    asked.clear()
    short = reduce_input(whole, keeps, bound=7)
    assert (len(asked), short.evaluations, short.complete) == (7, 7, False)
    assert "needle" in flat(short.value["args"])


def test_time_that_is_over_ends_it_with_what_was_found() -> None:
    left = iter([False] * 3 + [True] * 99)
    found = reduce_input({"args": ["abc" * 30]}, lambda _: False, enough=lambda: next(left))
    assert found == Reduction({"args": ["abc" * 30]}, 94, 94, 3, complete=False)


@pytest.mark.parametrize(
    ("value", "keeps", "expected"),
    [
        ({"a": {"b": {"deep": 7}}}, lambda v: "deep" in flat(v), {"deep": 0}),
        ("one\ntwo 2\nthree\n", lambda v: "2" in v, "2"),
        ('{"a": [1, 2], "b": "keep me"}', lambda v: "keep" in json.loads(v)["b"], '{"b":"keep"}'),
        (98765, lambda v: isinstance(v, int) and v > 800, 1000),
        (-3.14159, lambda v: isinstance(v, float) and v < 0, -3.0),
        ((1, "x", 3), lambda v: isinstance(v, tuple) and 3 in v, (3,)),
        ({"aa", "bb"}, lambda v: isinstance(v, set) and bool(v), {""}),
        (Instance("m:C", {"a": 1, "b": [2]}), lambda v: "b" in v.fields, Instance("m:C", {"b": []})),
        (Row("m:P", (123, "ab")), lambda v: len(v.items) == 2, Row("m:P", (0, ""))),
        (b"..x..", lambda v: isinstance(v, bytes) and b"x" in v, b"x"),
    ],
)
def test_each_kind_of_value_gets_smaller_and_stays_of_its_kind(
    value: Any, keeps: Callable[[Any], bool], expected: Any
) -> None:
    found = reduce_input(
        {"args": [value, "other"]}, lambda p: len(p["args"]) > 0 and _asks(keeps, p["args"][0])
    )
    assert found.value == {"args": [expected]}


def _asks(keeps: Callable[[Any], bool], value: Any) -> bool:
    try:
        return keeps(value)
    except (TypeError, AttributeError, ValueError, LookupError):
        return False


def test_pairs_of_a_request_stay_pairs() -> None:
    asked: list[Any] = []

    def keeps(parts: Any) -> bool:
        asked.append(parts)
        return "shape=first" in ["=".join(pair) for pair in parts["query"]]

    value = {"query": [("sql", "select 1"), ("shape", "first")], "headers": [("x-a", "b")], "body": None}
    found = reduce_input(value, keeps)
    assert found.value == {"query": [("shape", "first")], "headers": [], "body": None}
    assert {len(pair) for parts in asked for name in ("query", "headers") for pair in parts[name]} == {2}
