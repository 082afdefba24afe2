"""Quantiles of durations of which some have not ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.measures.censored import Span, quantile, quantiles_of
from amends.measures.shares import share_interval

# Kaplan and Meier's estimate of these is in every textbook: Freireich et al. (1963), 6-MP arm, in weeks.
FREIREICH = [
    (6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False),
    (32, False), (32, False), (34, False), (35, False),
]  # fmt: skip


def test_the_median_is_that_of_the_textbook() -> None:
    assert quantile(FREIREICH, 0.5) == 23
    assert quantile(FREIREICH, 0.9) is None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.25, 0.5, 0.9]))
def test_without_open_cases_it_is_the_plain_quantile(times: list[float], share: float) -> None:
    found = quantile([(time, True) for time in times], share)
    assert found is not None
    assert sum(time <= found for time in times) >= share * len(times) - 1e-6
    assert sum(time < found for time in times) < share * len(times) + 1e-6


def test_leaving_out_open_cases_would_flatter() -> None:
    ended = [Span(minutes, minutes) for minutes in (1.0, 2.0, 3.0, 4.0, 5.0)]
    still_open = [Span(100.0, None)] * 4
    half = {f.label: f.value for f in quantiles_of([*ended, *still_open])}["half ended within (median)"]
    assert half == 5.0


def test_few_ended_cases_are_undecided() -> None:
    counted, median = quantiles_of([Span(1, 1)] * 4 + [Span(9, None)])
    assert (counted.value, counted.note) == (5, "1 still open")
    assert median.value is None
    assert "4 ended; 5 are needed" in median.note


def test_where_most_are_open_the_quantile_is_at_least_what_was_seen() -> None:
    figures = quantiles_of([Span(1, 1)] * 5 + [Span(50.0, None)] * 20)
    last = figures[-1]
    assert (last.value, last.low) == (None, 50.0)


def test_uncertain_times_give_a_range() -> None:
    median = quantiles_of([Span(low, low + 10) for low in range(5)])[2]
    assert (median.low, median.high) == (2, 12)


# Published: Brown, Cai, DasGupta (2001) and R's binom::binom.wilson(1, 10).
@pytest.mark.parametrize(("hits", "of", "low", "high"), [(1, 10, 0.0179, 0.4042), (0, 10, 0, 0.2775)])
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert share_interval(hits, of) == pytest.approx((low, high), abs=1e-4)
