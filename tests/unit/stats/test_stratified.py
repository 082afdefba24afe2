"""The stratified risk difference, held to scipy and to published examples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from amends.stats.stratified import Stratum, risk_difference, wilson


def stratum(case: str, marked: str) -> Stratum:
    return Stratum(*(np.array([letter == "x" for letter in row]) for row in (case, marked)))


def spread_out(cases: int, others: int, both: int, marked_others: int) -> Stratum:
    """A stratum of these counts in an order without runs."""
    rows = [(1, 1)] * both + [(1, 0)] * (cases - both) + [(0, 1)] * marked_others
    rows += [(0, 0)] * (others - marked_others)
    order = np.random.default_rng(5).permutation(len(rows))
    case, marked = np.array(rows, dtype=np.bool_)[order].T
    return Stratum(case, marked)


def test_one_stratum_is_newcombes_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, table II (a), method 10: 56/70 less 48/80.
    found = risk_difference([spread_out(70, 80, 56, 48)])
    assert found.estimate == pytest.approx(0.2)
    assert found.low <= 0.0524 + 5e-5
    assert found.high >= 0.3339 - 5e-5
    if found.spread == 1.0:
        assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=2e-2)


def test_the_estimate_is_that_of_mantel_and_haenszel() -> None:
    tables = [(5, 15, 4, 3), (8, 32, 3, 2), (2, 10, 0, 5)]
    found = risk_difference([spread_out(*table) for table in tables])
    top = sum((a * n0 - b * n1) / (n1 + n0) for n1, n0, a, b in tables)
    bottom = sum(n1 * n0 / (n1 + n0) for n1, n0, _, _ in tables)
    assert found.estimate == pytest.approx(top / bottom)
    assert found.expected == pytest.approx(sum(n1 * (a + b) / (n1 + n0) for n1, n0, a, b in tables))


def test_the_p_value_is_never_below_fishers() -> None:
    for table in [(5, 35, 4, 3), (10, 90, 6, 9), (6, 54, 0, 20), (4, 96, 1, 1)]:
        n1, n0, a, b = table
        margins = stats.hypergeom(n1 + n0, n1, a + b)
        exact = min(1.0, 2 * min(margins.cdf(a), margins.sf(a - 1)))
        assert risk_difference([spread_out(*table)]).p_value >= exact - 1e-12


def test_strata_add_up_as_enumeration_says() -> None:
    parts = [stratum("xx......", "xx.x...."), stratum(".x..x....", "....xx..x")]
    seen = sum(int((s.case & s.marked).sum()) for s in parts)
    turned = [
        sum(int((s.case & np.roll(s.marked, turn)).sum()) for s, turn in zip(parts, turns, strict=True))
        for turns in itertools.product(*(range(len(s.case)) for s in parts))
    ]
    by_turns = 2 * min(np.mean([t >= seen for t in turned]), np.mean([t <= seen for t in turned]))
    dealt = [stats.hypergeom(len(s.case), s.case.sum(), s.marked.sum()).pmf(range(3)) for s in parts]
    sums = np.convolve(*dealt)
    by_deals = 2 * min(sums[seen:].sum(), sums[: seen + 1].sum())
    assert risk_difference(parts).p_value == pytest.approx(min(1.0, max(by_turns, by_deals)))


def test_two_storms_that_meet_once_are_one_coincidence() -> None:
    met = risk_difference([stratum("xxxxx" + "." * 35, "xxxxx" + "." * 35)])
    exact = 2 * stats.hypergeom(40, 5, 5).pmf(5)
    assert met.p_value == pytest.approx(2 / 40)
    assert met.p_value > 1000 * exact
    assert met.low <= 0 < met.high


def test_interval_and_p_value_agree() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        size = int(rng.integers(10, 60))
        found = risk_difference([Stratum(rng.random(size) < 0.2, rng.random(size) < 0.4) for _ in range(3)])
        if found.p_value >= 0.05:
            assert found.low <= 0 <= found.high


def test_nothing_to_compare_is_no_knowledge() -> None:
    found = risk_difference([stratum("....", "x..x"), stratum("xxx", "x..")])
    assert (found.estimate, found.low, found.high) == (None, -1.0, 1.0)


def test_a_policy_that_holds_nothing_has_an_interval_around_nothing() -> None:
    found = risk_difference([stratum("x...x....", ".........")])
    assert found.estimate == 0
    assert found.low < 0 < found.high


def test_wilson_is_scipys() -> None:
    reference = stats.binomtest(3, 17).proportion_ci(method="wilson")
    assert wilson(3 / 17, 17) == pytest.approx((reference.low, reference.high))
