"""By simulation: how often a verdict on a culprit is right, and how often a flaky test convicts nobody.

Larger runs are in ``benchmarks/culprit.py``. A test fails only where the share that it allows
would fail it less than once in a thousand seeds.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from amends.prevention.culprit import FALSE_FAIL, FALSE_PASS, Rates, stated
from amends.prevention.search import Question, Run, Try, Verdict, decide

CHANGES = 128
ROUNDS = 150


def most_wrong(share: float) -> int:
    """Return how many of the rounds may go wrong when this share does."""
    return int(stats.binom.ppf(0.999, ROUNDS, share))


def verdicts(
    false_fail: float, false_pass: float, believed: tuple[Rates, Rates], *, changed: bool = True
) -> tuple[list[Verdict], list[int], float]:
    """Return verdicts, the planted culprits, and the mean number of runs."""
    random = np.random.default_rng(7)
    question = Question(((),) * CHANGES, false_fail=believed[0], false_pass=believed[1])
    culprits = [int(random.integers(1, CHANGES + 1)) if changed else CHANGES + 1 for _ in range(ROUNDS)]
    found, count = [], 0
    for culprit in culprits:
        runs: list[Run] = []
        while not isinstance(step := decide(question, runs), Verdict):
            assert isinstance(step, Try)
            rate = 1 - false_pass if step.revision >= culprit else false_fail
            runs.append(Run(step.revision, "red" if random.random() < rate else "green", step.purpose))
        found.append(step)
        count += len(runs)
    return found, culprits, count / ROUNDS


@pytest.mark.parametrize(
    ("false_fail", "false_pass", "believed", "runs"),
    [
        (0.0, 0.0, (FALSE_FAIL, FALSE_PASS), 16),
        (0.1, 0.0, (FALSE_FAIL, FALSE_PASS), 22),
        (0.05, 0.3, (FALSE_FAIL, FALSE_PASS), 70),
        (0.1, 0.0, (stated(0.05), stated(0.0)), 20),
        (0.1, 0.0, (stated(0.2), stated(0.0)), 20),
    ],
)
def test_a_verdict_claimed_at_99_percent_is_right(
    false_fail: float, false_pass: float, believed: tuple[Rates, Rates], runs: float
) -> None:
    found, culprits, mean = verdicts(false_fail, false_pass, believed)
    wrong = [
        k for verdict, k in zip(found, culprits, strict=True)
        if verdict.kind == "culprit" and verdict.candidates != (k,)
    ]  # fmt: skip
    named = sum(verdict.kind == "culprit" for verdict in found)
    assert len(wrong) <= most_wrong(0.015)
    assert named >= ROUNDS - most_wrong(0.015)
    assert mean <= runs


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_where_nothing_changed_nobody_is_convicted(rate: float) -> None:
    found, _, _ = verdicts(rate, 0.0, (FALSE_FAIL, FALSE_PASS), changed=False)
    assert sum(verdict.kind == "culprit" for verdict in found) <= most_wrong(0.01)
