"""Few points by rank: what the e-process averages to, what it needs, and what dependence costs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from amends.stats.points import (
    autocorrelation,
    innovations,
    point_evidence,
    points_needed,
    shift_interval,
)


@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5, 6), (0, 0, 0, 1, 1, 2)])
def test_the_e_value_of_every_look_averages_to_one_if_all_orders_are_alike(
    values: tuple[float, ...], sides: tuple[bool, bool]
) -> None:
    higher, lower = sides
    found = [
        np.exp(point_evidence(order[:3], order[3:], higher=higher, lower=lower))
        for order in sorted(set(itertools.permutations(values)))
    ]
    tied = len(set(values)) < len(values)
    assert np.mean(found, axis=0) == pytest.approx([1, 1, 1], abs=0.03 if tied else 1e-9)


def test_the_fewest_points_that_can_prove_anything_do_and_one_less_does_not() -> None:
    for n in (4, 8, 20, 60):
        needed = points_needed(n, 0.01)
        assert needed is not None
        extreme = point_evidence(np.zeros(n) + np.arange(n) / n, 10 + np.arange(needed))
        assert extreme[-1] >= math.log(100) > extreme[-2]


def test_more_baseline_needs_fewer_points() -> None:
    assert points_needed(0, 0.01) is None
    assert [points_needed(n, 0.01) for n in (4, 10, 60)] == sorted(
        (points_needed(n, 0.01) or 0 for n in (4, 10, 60)), reverse=True
    )


def test_a_single_old_incident_hides_no_dependence() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(200)
    for t in range(1, 200):
        noise[t] += 0.8 * noise[t - 1]
    before = autocorrelation(noise)
    noise[100] = 1e6
    assert autocorrelation(noise) == pytest.approx(before, abs=0.1)
    assert before > 0.6


def test_a_flat_baseline_has_no_dependence_and_two_points_tell_nothing_of_it() -> None:
    assert autocorrelation([5.0] * 30) == 0
    assert autocorrelation([1.0, 2.0]) > 0.9


def test_what_the_point_before_explains_is_no_news() -> None:
    baseline = [0.0, 1.0, -1.0, 0.5, -0.5, 0.0]
    _, ours = innovations(baseline, [10.0, 8.0, 6.4], 0.8)
    assert ours[1:] == pytest.approx([0.0, 0.0])
    assert 0 < ours[0] < 10


def test_an_incident_leaves_no_echo_on_the_other_side() -> None:
    theirs, _ = innovations([0.0, 1.0, -100.0, 1.0, 0.0, -1.0, 0.5], [], 0.5)
    assert theirs.max() <= 1.0


def test_the_interval_of_a_shift_covers_it_and_widens_with_dependence() -> None:
    rng = np.random.default_rng(2)
    theirs, ours = rng.standard_normal(60), rng.standard_normal(20) + 2
    plain, wide = shift_interval(theirs, ours, 0.01), shift_interval(theirs, ours, 0.01, 0.5)
    assert plain is not None
    assert wide is not None
    assert wide.lower < plain.lower < 2 < plain.upper < wide.upper  # type: ignore[operator]
    assert shift_interval(theirs, ours[:1], 0.01).lower is None  # type: ignore[union-attr]
    assert shift_interval([], ours, 0.01) is None
