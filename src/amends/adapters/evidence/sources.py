"""Where the cache's facts come from: a log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from amends.application.ports import EventStore
from amends.events.codec import Fact, decode

_PAGE = 5_000
_MOST_ANCHORS = 32

State = dict[str, Any]


class Source(Protocol):
    """A history. Its state is plain JSON: how far it was read, and what it would be known again by."""

    def begin(self) -> State:
        """Return the state in which nothing has been read."""

    def is_same(self, state: State) -> bool:
        """Return whether what was read up to this state is still there, unchanged as far as can be seen."""

    def read(self, state: State) -> Iterator[Fact]:
        """Yield what comes after a state, which is brought up to date before each fact is yielded."""


class LogSource:
    """An event store, read on from its last position.

    The events at some positions that were read are looked at again: a log that was replaced, cut short or
    restored in another order shows there. What ``amends log verify`` finds besides is not looked for.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def begin(self) -> State:
        """See ``Source.begin``."""
        return {"log": True, "position": 0, "last": "", "anchors": []}

    def is_same(self, state: State) -> bool:
        """See ``Source.is_same``."""
        if state.get("log") is not True:
            return False
        seen = [*state["anchors"], [state["position"], state["last"]]]
        for position, digest in seen if state["position"] else ():
            found = self._store.read(after=position - 1, limit=1)
            if not found or (found[0].position, found[0].digest) != (position, digest):
                return False
        return True

    def read(self, state: State) -> Iterator[Fact]:
        """See ``Source.read``."""
        while records := self._store.read(after=state["position"], limit=_PAGE):
            for record in records:
                state["position"], state["last"] = record.position, record.digest
                yield decode(record)
            state["anchors"] = _thinned([*state["anchors"], [state["position"], state["last"]]])


def _thinned(anchors: list[list[Any]]) -> list[list[Any]]:
    """Keep every other anchor once there are many, and always the last."""
    return anchors if len(anchors) <= _MOST_ANCHORS else [*anchors[:-1:2], anchors[-1]]
