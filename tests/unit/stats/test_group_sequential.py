"""Group-sequential boundaries against published tables, and the exact test of events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from amends.stats.group_sequential import (
    Law,
    Spending,
    add_events,
    boundaries,
    cross,
    crossing,
    spent_by,
    tail_of,
)

FIFTHS = [0.2, 0.4, 0.6, 0.8, 1.0]


def two_sided(bounds: list[float]) -> float:
    """The two sides hardly ever both cross, so that twice one side is the tables' probability."""
    return 2 * sum(crossing(bounds, FIFTHS))


@pytest.mark.parametrize(
    ("shape", "constant"),
    [(lambda c: [c] * 5, 2.413), (lambda c: [c / math.sqrt(t) for t in FIFTHS], 2.040)],
    ids=["Pocock", "O'Brien-Fleming"],
)
def test_constants_of_jennison_and_turnbull(shape, constant: float) -> None:
    """Tables 2.1 and 2.3: five looks, two-sided α = .05."""
    found = optimize.brentq(lambda c: two_sided(shape(c)) - 0.05, 1.8, 3)
    assert found == pytest.approx(constant, abs=1.5e-3)


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        (Spending.OBRIEN_FLEMING, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (Spending.POCOCK, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_boundaries_of_lan_and_demets(spending: Spending, published: list[float]) -> None:
    """As the program of Reboussin, DeMets, Kim & Lan (2000) prints them for two-sided .05, five looks."""
    assert boundaries(tuple(FIFTHS), 0.025, spending) == pytest.approx(published, abs=2e-3)


def test_power_with_one_look_is_the_fixed_test_s() -> None:
    bound = boundaries((1.0,), 0.025, Spending.POCOCK)
    assert bound[0] == pytest.approx(1.95996, abs=1e-4)
    assert crossing(bound, [1.0], drift=3.0)[0] == pytest.approx(stats.norm.sf(1.95996 - 3), abs=1e-4)


def test_all_of_alpha_is_spent_at_the_end_and_no_more() -> None:
    for spending in Spending:
        assert spent_by(1.0, 0.01, spending) == pytest.approx(0.01)
        assert spent_by(2.0, 0.01, spending) == pytest.approx(0.01)
        assert spent_by(0.0, 0.01, spending) == 0


def test_one_look_at_one_tick_is_the_binomial_test() -> None:
    law = add_events(Law(), 12, 0.3)
    first, spent, _ = cross(law, 0.01)
    assert first == int(stats.binom.ppf(1 - 0.01, 12, 0.3)) + 1
    assert spent == pytest.approx(stats.binom.sf(first - 1, 12, 0.3))
    down, left, _ = cross(law, 0.02, upper=False)
    assert left == pytest.approx(stats.binom.cdf(down, 12, 0.3))
    assert left <= 0.02 < stats.binom.cdf(down + 1, 12, 0.3)
    assert tail_of(law, 9) == pytest.approx(stats.binom.sf(8, 12, 0.3))


def test_what_crossed_before_does_not_count_again() -> None:
    """By full enumeration: two looks, each of three events at a half."""
    first, spent, going_on = cross(add_events(Law(), 3, 0.5), 0.2)
    second = add_events(going_on, 3, 0.5)
    assert (first, spent) == (3, pytest.approx(0.125))
    expected = sum(0.5**6 * math.comb(3, a) * math.comb(3, 5 - a) for a in range(3) if 0 <= 5 - a <= 3)
    assert tail_of(second, 5) == pytest.approx(expected)


def test_nothing_can_be_rejected_on_one_event() -> None:
    first, spent, law = cross(add_events(Law(), 1, 0.5), 0.01)
    assert first == 2
    assert spent == 0
    assert sum(law.masses) == pytest.approx(1)


def test_a_hundred_thousand_events_stay_small() -> None:
    law = Law()
    for _ in range(20):
        law = add_events(law, 5000, 0.1)
    assert len(law.masses) < 2000
    assert np.dot(law.masses, np.arange(len(law.masses)) + law.offset) == pytest.approx(10_000, rel=1e-6)
