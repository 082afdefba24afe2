"""The decision of a replay on simulated releases, end to end; the benchmark has more of each."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay import A_NOISY_ONE, CLEAN, Cell, by_amends


def reported(cell: Cell, runs: int, seed: int) -> list[set[str]]:
    rng = np.random.default_rng(seed)
    return [by_amends(cell, rng)[0] for _ in range(runs)]


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_a_release_that_did_not_change_is_hardly_ever_called_different(noise: float) -> None:
    alarms = sum(bool(found) for found in reported(Cell("", 60, noise=noise), 120, seed=5))
    assert alarms <= 4  # at 0.5% each, five of 120 have a probability of one in 2,000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "least"),
    [
        (Cell("", field=CLEAN, inputs=0.02), 24),
        (Cell("", field=CLEAN, replies=0.02), 24),
        (Cell("", field=A_NOISY_ONE, replies=0.10), 23),
        (Cell("", field=CLEAN, inputs=-1), 24),
    ],
)
def test_a_small_change_is_found(cell: Cell, least: int) -> None:
    found = reported(cell, 25, seed=6)
    assert sum(f"body.f{cell.field}" in fields for fields in found) >= least
