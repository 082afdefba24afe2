"""Pairs of series that nothing happened to, looked at every point: how often they are rolled back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from amends.watch.outcome import Final
from amends.watch.series import SeriesPair, judge_series

RUNS = 300


def series(phi: float, length: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(length + 100)
    for t in range(1, noise.size):
        noise[t] += phi * noise[t - 1]
    return 10 + noise[100:] * np.sqrt(1 - phi**2)


def decisions(phi: float, shift: float, candidate: int) -> list[Final]:
    rng = np.random.default_rng(int(100 * phi) + candidate)
    found = []
    for _ in range(RUNS):
        points = series(phi, 60 + candidate, rng)
        pair = SeriesPair("x", tuple(points[:60]), tuple(points[60:] + shift))
        found.append(judge_series(pair).decision)
    return found


@pytest.mark.parametrize(("phi", "candidate"), [(0.0, 6), (0.5, 6), (0.9, 6), (0.5, 20)])
def test_peeking_at_every_point_keeps_false_rollbacks_within_alpha(phi: float, candidate: int) -> None:
    false = decisions(phi, 0.0, candidate).count(Final.ROLLBACK)
    assert stats.binomtest(false, RUNS, 0.01, "greater").pvalue > 0.001


def test_large_shifts_are_found_and_alike_points_promoted() -> None:
    assert decisions(0.0, 4.0, 6).count(Final.ROLLBACK) > 0.85 * RUNS
    assert decisions(0.0, 0.0, 10).count(Final.PROMOTE) > 0.5 * RUNS


def test_what_the_baseline_would_call_unusual_is_seldom_promoted() -> None:
    assert decisions(0.0, 1.7, 10).count(Final.PROMOTE) < 0.05 * RUNS
