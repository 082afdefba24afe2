from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.stats.kernels import LOG_BOUNDS, advance_mixtures, count_groups, count_latencies
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture

SEVERAL_BLOCKS = 150_000


def by_hand(values: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(LOG_BOUNDS, values, side="left"), minlength=LOG_BOUNDS.size + 1)


@given(st.lists(st.floats(0, allow_nan=False), max_size=30))
def test_each_latency_lies_in_the_bucket_whose_bounds_hold_it(values: list[float]) -> None:
    found = count_latencies(values)
    assert found.left_out == 0
    assert found.counts[0].tolist() == by_hand(np.array(values)).tolist()


def test_a_bound_lies_in_its_own_bucket_and_what_is_just_above_in_the_next() -> None:
    assert count_latencies(LOG_BOUNDS).counts[0].tolist() == [1] * LOG_BOUNDS.size + [0]
    above = np.nextafter(LOG_BOUNDS, np.inf)
    assert count_latencies(above).counts[0].tolist() == [0] + [1] * LOG_BOUNDS.size


def test_buckets_are_narrow_everywhere() -> None:
    assert (LOG_BOUNDS[1:] / LOG_BOUNDS[:-1]).max() <= 1.125


def test_many_blocks_and_groups_are_counted_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(-2, 1, SEVERAL_BLOCKS)
    groups = rng.integers(0, 6, SEVERAL_BLOCKS).astype(np.uint8)
    found = count_latencies(values, groups, 6).counts
    for group in range(6):
        assert found[group].tolist() == by_hand(values[groups == group]).tolist()


def test_what_is_no_latency_is_left_out_and_counted() -> None:
    values = np.array([0.1, np.nan, -np.nan, -0.2, np.inf, 0.0, -0.0, -np.inf])
    found = count_latencies(values, np.arange(8) % 2, 2)
    assert found.left_out == 4
    assert found.counts.sum(axis=1).tolist() == [3, 1]
    assert (found.counts[0, 0], found.counts[1, 0], found.counts[0, -1]) == (1, 1, 1)


def test_groups_are_counted_or_weighed() -> None:
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 3, SEVERAL_BLOCKS)
    assert count_groups(groups, 4).tolist() == [*(np.sum(groups == g) for g in range(3)), 0]
    weighed = count_groups(groups, 4, groups * 2.0)
    assert weighed.tolist() == [0, 2 * np.sum(groups == 1), 4 * np.sum(groups == 2), 0]


@pytest.mark.parametrize("groups", [[0, 3], [-1, 0]])
def test_a_group_that_is_not_there_is_refused(groups: list[int]) -> None:
    with pytest.raises(ValueError, match=r"there are 3|negative"):
        count_groups(groups, 3)
    with pytest.raises(ValueError, match="there are 3"):
        count_latencies([0.1, 0.2], groups, 3)


def test_many_mixtures_are_what_each_would_be_alone() -> None:
    rng = np.random.default_rng(3)
    metrics, grid = 9_000, effect_grid(1.5, higher=True, lower=True)
    share = rng.uniform(0, 1, metrics)
    share[:2] = 0, 1
    together = np.zeros((grid.size, metrics))
    alone = np.zeros((metrics, grid.size))
    for _ in range(3):
        events = rng.poisson(20, metrics) / 1.7
        ours = events * rng.uniform(0, 1, metrics)
        evidence = advance_mixtures(together, grid, events, ours, share)
        alone = update_mixture(alone, grid, events, ours, share)
        np.testing.assert_allclose(evidence, mixture_evidence(alone), rtol=0, atol=1e-12)
    np.testing.assert_allclose(together.T, alone, rtol=0, atol=1e-12)
    assert not together[:, :2].any()
