"""The decorator records the calls in which a function fails, and is not felt by it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from amends_capture import ASGICapture, capture
from tests.unit.capture.services import Kept, http, serve


def quiet(**more: Any) -> Kept:
    return Kept(**{"sample_share": 0.0, **more})


def test_a_call_that_raises_is_recorded_with_its_arguments() -> None:
    recorder = quiet()

    @capture(recorder=recorder)
    def share(total: float, among: int, *, password: str) -> float:
        return total / among

    with pytest.raises(ZeroDivisionError):
        share(1.5, 0, password="hunter2")
    [found] = recorder.documents()
    assert (found["kind"], found["why"], found["request"]) == ("call", "exception", None)
    call = found["call"]
    assert call["function"].endswith(
        "test_calls:test_a_call_that_raises_is_recorded_with_its_arguments.<locals>.share"
    )
    assert call["file"] == "tests/unit/capture/test_calls.py"
    assert (call["args"], len(call["kwargs"]["password"])) == ([1.5, 0], 7)
    assert "hunter2" not in str(found)


def test_a_positional_argument_is_known_by_its_name() -> None:
    recorder = quiet()

    @capture(recorder=recorder)
    def log_in(user: str, password: str) -> None:
        raise PermissionError(user)

    with pytest.raises(PermissionError):
        log_in("jo", "letmein")
    assert "letmein" not in str(recorder.documents())


def test_arguments_are_as_they_were_before_the_call() -> None:
    recorder = quiet()

    @capture(recorder=recorder)
    def drain(items: list[int]) -> int:
        while items:
            items.pop()
        return items[0]

    with pytest.raises(IndexError):
        drain([1, 2, 3])
    assert recorder.documents()[0]["call"]["args"] == [[1, 2, 3]]


def test_coroutines_and_generators_are_recorded_too() -> None:
    recorder = quiet()

    @capture(recorder=recorder)
    async def fetch(n: int) -> int:
        await asyncio.sleep(0)
        return 1 // n

    @capture(recorder=recorder)
    def count(n: int) -> Iterator[int]:
        yield n
        yield 1 // n

    assert inspect.iscoroutinefunction(fetch)
    assert inspect.isgeneratorfunction(count)
    assert asyncio.run(fetch(1)) == 1
    with pytest.raises(ZeroDivisionError):
        asyncio.run(fetch(0))
    with pytest.raises(ZeroDivisionError):
        list(count(0))
    assert [found["call"]["args"] for found in recorder.documents()] == [[0], [0]]


def test_a_predicate_finds_a_wrong_value() -> None:
    recorder = quiet()

    @capture(recorder=recorder, predicate=lambda total: total < 0)
    def total(*prices: int) -> int:
        """Add up."""
        return sum(prices)

    assert (total(1, 2), total(1, -2), total.__doc__) == (3, -1, "Add up.")
    assert [found["why"] for found in recorder.documents()] == ["predicate"]


def test_a_call_within_a_request_carries_its_trace() -> None:
    recorder = quiet()

    @capture(recorder=recorder)
    def fail() -> None:
        raise ValueError

    async def app(scope: Any, receive: Any, send: Any) -> None:
        fail()

    trace = (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    with pytest.raises(ValueError, match=r"^$"):
        serve(ASGICapture(app, recorder=recorder), http(headers=[trace]))
    told = [(found["kind"], found["trace_id"][:4]) for found in recorder.documents()]
    assert told == [("call", "4bf9"), ("http", "4bf9")]


def test_what_cannot_be_watched_is_left_as_it_is() -> None:
    @capture(recorder=quiet())
    async def ticks() -> Any:
        yield 1

    assert inspect.isasyncgenfunction(ticks)
    assert capture(recorder=quiet())(len)([1, 2]) == 2


def test_methods_of_a_class_stay_such() -> None:
    recorder = quiet()

    class Shop:
        @capture(recorder=recorder)
        @classmethod
        def named(cls, count: int) -> str:
            return f"{cls.__name__}{1 // count}"

        @capture(recorder=recorder)
        @staticmethod
        def plain(count: int) -> int:
            return 1 // count

        @capture(recorder=recorder)
        @property
        def size(self) -> int:
            return 3

    assert (Shop.named(1), Shop().plain(1), Shop().size) == ("Shop1", 1, 3)
    for call in (Shop.named, Shop.plain):
        with pytest.raises(ZeroDivisionError):
            call(0)
    assert [found["call"]["function"].rpartition(".")[2] for found in recorder.documents()] == [
        "named",
        "plain",
    ]


def test_the_kind_of_the_input_is_recorded_and_a_key_that_fails_is_not_felt() -> None:
    recorder = quiet()

    @capture(recorder=recorder, key=lambda cart: f"kinds={len(cart['lines'])}")
    def quote(cart: dict[str, Any]) -> float:
        return 1 / len(cart["lines"])

    for cart, error in (({"lines": []}, ZeroDivisionError), ({}, KeyError)):
        with pytest.raises(error):
            quote(cart)
    assert [found["key"] for found in recorder.documents()] == ["kinds=0", ""]
