"""Waiting for the gates: until they decide, until a moment comes, or until the limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from amends.adapters.clocks import StillClock
from amends.adapters.policyfile import parse_policy
from amends.adapters.stores import open_store
from amends.application.awaiting import LONGEST_NAP, await_gates
from amends.application.log import Log
from amends.events import payloads as p
from amends.verdicts import Decision

NIGHT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOADED = parse_policy("""
service: shop
environments: [production]
gates:
  production:
    - {tests: {suites: [unit]}, mode: block}
    - {window: {hours: "09:00-16:00"}, mode: block}
""")


class PassingClock(StillClock):
    """Real seconds are its seconds, and they pass only while somebody naps."""

    def real_seconds_until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.at).total_seconds())


class Napping:
    """A store in which waiting lets the clock go on; what is to happen during a nap happens then."""

    def __init__(self, store: Any, clock: StillClock) -> None:
        self._store, self._clock = store, clock
        self.naps: list[float] = []
        self.during: dict[int, Callable[[], Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def wait(self, after: int, timeout: float) -> bool:
        self.naps.append(timeout)
        happens = self.during.get(len(self.naps))
        if happens:
            happens()
        self._clock.wait(0.0 if happens else timeout)
        return bool(self._store.last_position() > after)


@pytest.fixture
def log() -> Log:
    ids = count(1)
    clock: Any = PassingClock(NIGHT)
    store: Any = Napping(open_store("memory:").store, clock)
    found = Log(store, clock, lambda: f"e{next(ids)}", "/test")
    found.record("artifact.packaged", p.ReleaseDeclared(service="shop", version="1.0", commit="abcdef0"))
    return found


def suite(log: Log, outcome: Any = "success") -> None:
    said = p.SuiteFinished(service="shop", release="1.0", suite="unit", outcome=outcome)
    log.record("testsuiterun.finished", said)


def wait(log: Log, minutes: int, **kw: Any) -> Decision:
    return await_gates(log, LOADED, "1.0", "production", limit=minutes * MINUTE, **kw).decision


def test_it_waits_for_the_window_to_open(log: Log) -> None:
    suite(log)
    assert wait(log, 60) is Decision.PASS
    assert log.clock.now() == NIGHT + 30 * MINUTE


def test_the_limit_ends_it_undecided(log: Log) -> None:
    suite(log)
    assert wait(log, 10) is Decision.UNDECIDED
    assert log.clock.now() == NIGHT + 10 * MINUTE


def test_what_is_recorded_meanwhile_counts_at_once(log: Log) -> None:
    store: Any = log.store
    store.during[2] = lambda: suite(log, "failure")
    assert wait(log, 60) is Decision.BLOCK
    assert len(store.naps) == 2


def test_an_error_is_not_waited_out(log: Log) -> None:
    suite(log, "error")
    assert wait(log, 60) is Decision.ERROR
    assert log.clock.now() == NIGHT


def test_it_naps_only_as_long_as_others_may_write_elsewhere(log: Log) -> None:
    wait(log, 10)
    store: Any = log.store
    assert max(store.naps) <= LONGEST_NAP


def test_each_change_of_an_answer_is_recorded_once_and_each_look_told(log: Log) -> None:
    store: Any = log.store
    store.during[3] = lambda: suite(log)
    looks: list[Any] = []
    wait(log, 60, tell=looks.append)
    recorded = [f.payload for f in log.facts(kinds=["gates.decided"])]
    told = [[row.decision for row in said.gates[1:]] for said in recorded if isinstance(said, p.GatesDecided)]
    assert told == [["undecided", "undecided"], ["pass", "undecided"], ["pass", "pass"]]
    assert len(looks) > len(told)


def test_nothing_is_recorded_when_asked_not_to(log: Log) -> None:
    suite(log)
    wait(log, 60, record=False)
    assert log.facts(kinds=["gates.decided"]) == []
