"""Events of other systems on their way into the log."""

from __future__ import annotations

from typing import Any

import pytest

from amends.adapters.clocks import SystemClock
from amends.adapters.stores.memory import MemoryStore
from amends.application.intake import take_events
from amends.application.log import Log
from amends.errors import InvalidEventError

PLAIN: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/ci", "type": "com.example.built"}


def log() -> Log:
    return Log(MemoryStore(), SystemClock(), lambda: "x", "/test")


def test_an_error_names_the_event_and_its_field() -> None:
    with pytest.raises(InvalidEventError) as caught:
        take_events(log(), [PLAIN, {"a": 1}])
    assert caught.value.where == "event 2, specversion"


def test_an_event_without_time_is_taken_once() -> None:
    mine = log()
    (first,), (second,) = take_events(mine, [PLAIN]), take_events(mine, [PLAIN])
    assert (first.fresh, second.fresh) == (True, False)
    assert first.fact.occurred_at == second.fact.occurred_at == first.fact.recorded.recorded_at
