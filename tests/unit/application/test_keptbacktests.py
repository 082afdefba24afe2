"""Backtests for pages are made once for each state of the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from amends.adapters.policyfile import parse_policy
from amends.application.backtesting import Priced, Swept
from amends.application.keptbacktests import KeptBacktests
from amends.backtests.folded import FoldedEvidence
from amends.errors import UsageError
from tests.planted import BEGIN, REVIEW, Change, Recorder


def test_a_backtest_is_made_once_for_each_position_and_renewed_beside_what_is_shown() -> None:
    recorder = Recorder()
    recorder.change(Change("c1", BEGIN, 0, True, "INC-1"))
    log = recorder.done()
    made: list[int] = []
    waiting: list[Callable[[], None]] = []

    def render(priced: Priced, swept: Swept | None) -> str:
        made.append(priced.backtest.deployments)
        return str(priced.backtest.deployments)

    kept = KeptBacktests(log, lambda: FoldedEvidence(log.facts()), render, waiting.append)
    policy = parse_policy(REVIEW)
    assert [kept.read(policy).body for _ in range(3)] == ["1"] * 3
    recorder.change(Change("c2", BEGIN + timedelta(days=1), 1, False))
    recorder.done()
    _age(kept, policy.digest)
    assert kept.read(policy).body == kept.read(policy).body == "1"  # the old one, while a new one is awaited
    assert len(waiting) == 1
    waiting.pop()()
    assert kept.read(policy).body == "2"
    assert made == [1, 2]


def _age(kept: KeptBacktests, digest: str) -> None:
    one = kept._kept[(digest, "")]
    kept._kept[(digest, "")] = replace(one, made_at=one.made_at - timedelta(days=1))


def test_a_fault_while_renewing_is_told_to_whoever_looks_next() -> None:
    recorder = Recorder("till")
    recorder.change(Change("c1", BEGIN, 0, True, "INC-1"))
    log = recorder.done()
    kept = KeptBacktests(log, lambda: FoldedEvidence(log.facts()), lambda *_: "", lambda work: work())
    policy = parse_policy(REVIEW)
    kept.read(policy)
    for service in ("cart", "desk"):
        other = Recorder(service)
        other.log, other._ids = log, recorder._ids
        other.deploy("1", BEGIN)
        other.done()
    _age(kept, policy.digest)
    kept.read(policy)
    with pytest.raises(UsageError, match="cart, desk, till"):
        kept.read(policy)
