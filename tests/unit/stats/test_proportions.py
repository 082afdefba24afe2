import pytest
from scipy import stats

from amends.stats.proportions import clopper_pearson


@pytest.mark.parametrize(("hits", "runs"), [(0, 30), (1, 30), (17, 30), (30, 30), (3, 4000), (90, 10_000)])
def test_the_interval_is_that_of_the_beta_distribution(hits: int, runs: int) -> None:
    low = stats.beta.ppf(0.025, hits, runs - hits + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 1, runs - hits) if hits < runs else 1.0
    assert clopper_pearson(hits, runs) == pytest.approx((low, high), abs=1e-9)


def test_without_runs_nothing_is_known() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
