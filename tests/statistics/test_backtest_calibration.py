"""A policy that does nothing is called helpful or harmful in at most one history of twenty."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from amends.backtests.effect import measure_effect
from amends.backtests.history import ESCAPE, GOOD, History
from amends.gates.evidence import Question
from amends.gates.questions import questions_of
from amends.releases.actuation import ReleaseRef
from tests.planted import BEGIN

Bools = npt.NDArray[np.bool_]
HISTORIES = 400


def verdict(case: Bools, held: Bools) -> str:
    rows = [
        Question("shop", ReleaseRef("shop", str(row)), "production", BEGIN + timedelta(hours=row))
        for row in range(len(case))
    ]
    outcome = np.where(case, ESCAPE, GOOD).astype(np.int8)
    events = np.zeros(len(rows), dtype=np.int64)
    history = History("production", questions_of(rows), events, outcome, ())
    return measure_effect(history, held, np.ones(len(rows), dtype=np.bool_)).verdict


def in_runs(rng: np.random.Generator, size: int, share: float, length: float) -> Bools:
    """Marks that come in runs of a mean length (a Markov chain); length 1: each for itself."""
    if length <= 1:
        return np.asarray(rng.random(size) < share)
    leave = 1 / length
    enter = leave * share / (1 - share)
    drawn, state, found = rng.random(size), bool(rng.random() < share), np.zeros(size, dtype=np.bool_)
    for row in range(size):
        state = bool(drawn[row] >= leave if state else drawn[row] < enter)
        found[row] = state
    return found


def exactly(rng: np.random.Generator, size: int, number: int) -> Bools:
    found = np.zeros(size, dtype=np.bool_)
    found[rng.choice(size, number, replace=False)] = True
    return found


def drifting(rng: np.random.Generator, size: int, share: float, *, up: bool = True) -> Bools:
    time = np.linspace(0, 2, size)
    return np.asarray(rng.random(size) < share * (time if up else 2 - time))


CASES = {
    "5 incidents": lambda r: (exactly(r, 200, 5), in_runs(r, 200, 0.3, 1)),
    "20 incidents": lambda r: (exactly(r, 300, 20), in_runs(r, 300, 0.3, 1)),
    "rare holds": lambda r: (exactly(r, 300, 15), in_runs(r, 300, 0.02, 1)),
    "clustered failures": lambda r: (in_runs(r, 300, 0.1, 5), in_runs(r, 300, 0.3, 1)),
    "clustered failures and holds": lambda r: (in_runs(r, 300, 0.1, 8), in_runs(r, 300, 0.3, 8)),
    "long storms and freezes": lambda r: (in_runs(r, 600, 0.1, 15), in_runs(r, 600, 0.4, 20)),
    "both drift up": lambda r: (drifting(r, 300, 0.07), drifting(r, 300, 0.25)),
    "they drift apart": lambda r: (drifting(r, 300, 0.07), drifting(r, 300, 0.25, up=False)),
    "a small history": lambda r: (in_runs(r, 50, 0.2, 1), in_runs(r, 50, 0.4, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_policy_that_does_nothing_is_seldom_given_a_verdict(name: str) -> None:
    rng = np.random.default_rng(7)
    wrong = sum(verdict(*CASES[name](rng)) != "no evidence" for _ in range(HISTORIES))
    # Five in a hundred would give more than this in one run of a thousand.
    assert wrong <= stats.binom(HISTORIES, 0.05).ppf(0.999)
    assert wrong / HISTORIES <= 0.05


@pytest.mark.parametrize(("escapes", "good", "expected"), [(0.7, 0.1, "helps"), (0.05, 0.5, "harms")])
def test_a_policy_that_does_something_is_found(escapes: float, good: float, expected: str) -> None:
    rng = np.random.default_rng(8)
    found = []
    for _ in range(100):
        case = exactly(rng, 300, 20)
        held = rng.random(300) < np.where(case, escapes, good)
        found.append(verdict(case, np.asarray(held)))
    assert found.count(expected) >= 90
    assert not set(found) - {expected, "no evidence"}
