"""The posterior against brute force, and what makes a next run worth most."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.prevention.culprit import (
    ANY_RATE,
    FALSE_FAIL,
    FALSE_PASS,
    SMALLEST_EFFECT,
    Posterior,
    Setting,
    next_revision,
    posterior,
    stated,
    unknown,
)

CHANGES = 5
Counts = list[int]
COUNTS = st.lists(st.integers(0, 4), min_size=CHANGES + 1, max_size=CHANGES + 1)


def by_enumeration(setting: Setting, fails: Counts, passes: Counts) -> tuple[list[float], float]:
    """Sum over every culprit and every pair of rates, one run at a time."""
    weights = setting.suspicion or (1.0,) * setting.changes
    pairs = [
        (a, b, wa * wb)
        for (a, wa), (b, wb) in itertools.product(
            zip(setting.false_fail.values, setting.false_fail.weights, strict=True),
            zip(setting.false_pass.values, setting.false_pass.weights, strict=True),
        )
        if (1 - b) / b >= SMALLEST_EFFECT * a / (1 - a)
    ]
    whole = math.fsum(w for *_, w in pairs)
    masses = []
    for k in range(1, setting.changes + 1):
        mass = 0.0
        for a, b, w in pairs:
            likely = 1.0
            for revision, (f, p) in enumerate(zip(fails, passes, strict=True)):
                rate = a if revision < k else 1 - b
                likely *= rate**f * (1 - rate) ** p
            mass += w / whole * likely
        masses.append(mass * (1 - setting.no_culprit) * weights[k - 1] / math.fsum(weights))
    none = setting.no_culprit * math.fsum(
        w * f ** sum(fails) * (1 - f) ** sum(passes)
        for f, w in zip(ANY_RATE.values, ANY_RATE.weights, strict=True)
    )
    total = math.fsum(masses) + none
    return [mass / total for mass in masses], none / total


@given(fails=COUNTS, passes=COUNTS, heavy=st.integers(0, CHANGES - 1))
def test_the_posterior_is_that_of_enumeration(fails: Counts, passes: Counts, heavy: int) -> None:
    suspicion = tuple(4.0 if at == heavy else 1.0 for at in range(CHANGES))
    for setting in (Setting(CHANGES, suspicion), Setting(CHANGES, false_fail=stated(0.1), no_culprit=0.5)):
        found = posterior(setting, fails, passes)
        culprit, none = by_enumeration(setting, fails, passes)
        assert found.culprit == pytest.approx(culprit, abs=1e-12)
        assert found.none == pytest.approx(none, abs=1e-12)


def test_beliefs_of_rates_are_whole_and_where_they_are_said_to_be() -> None:
    for rates in (FALSE_FAIL, FALSE_PASS, ANY_RATE, unknown(2.0, 6.0), stated(0.1), stated(0.0)):
        assert sum(rates.weights) == pytest.approx(1.0)
    belief = unknown(2.0, 6.0)
    mean = sum(v * w for v, w in zip(belief.values, belief.weights, strict=True))
    assert mean == pytest.approx(0.25, abs=0.01)
    assert max(stated(0.1).values) == pytest.approx(0.2)


def test_many_runs_do_not_overflow() -> None:
    fails, passes = [0] * 101, [5000] * 101
    fails[60:], passes[60:] = [5000] * 41, [0] * 41
    found = posterior(Setting(100), fails, passes)
    assert found.culprit.argmax() + 1 == 60
    assert found.culprit.max() == pytest.approx(1.0)


def information(belief: Posterior, at: int) -> float:
    """The mutual information of one run's outcome and the culprit, from its definition."""
    changes = np.arange(1, len(belief.culprit) + 1)
    fails = np.append(np.where(changes > at, belief.fail_before, belief.fail_after), belief.fail_always)
    prior = np.append(belief.culprit, belief.none)
    told = 0.0
    for likely in (fails, 1 - fails):
        mass = float(prior @ likely)
        terms = prior * likely
        told += float(sum(t * math.log(t / (q * mass)) for t, q in zip(terms, prior, strict=True) if t > 0))
    return told


@given(fails=COUNTS, passes=COUNTS)
def test_the_next_revision_tells_most(fails: Counts, passes: Counts) -> None:
    belief = posterior(Setting(CHANGES), fails, passes)
    told = [information(belief, at) for at in range(CHANGES + 1)]
    at = next_revision(belief, np.ones(CHANGES + 1, dtype=bool))
    assert at is None or told[at] == pytest.approx(max(told), abs=1e-9)


def test_without_runs_the_middle_is_asked_and_a_batch_cuts_into_equal_parts() -> None:
    belief = posterior(Setting(128, no_culprit=0.0), [0] * 129, [0] * 129)
    allowed = np.ones(129, dtype=bool)
    pending: list[int] = []
    for _ in range(3):
        at = next_revision(belief, allowed, pending)
        assert at is not None
        pending.append(at)
    assert abs(pending[0] - 64) <= 3
    gaps = np.diff([0, *sorted(pending), 128])
    assert gaps.min() >= 22
    assert gaps.max() <= 45


def test_what_may_not_be_asked_is_not() -> None:
    belief = posterior(Setting(8), [0] * 9, [0] * 9)
    allowed = np.zeros(9, dtype=bool)
    assert next_revision(belief, allowed) is None
    allowed[7] = True
    assert next_revision(belief, allowed) == 7
