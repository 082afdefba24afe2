import math

import numpy as np
import pytest
from scipy.special import logsumexp

from amends.stats.combination import log_mean_exp, mean_evidence, moved


def test_mean_of_e_values_without_overflow() -> None:
    values = np.array([[900.0, -900.0, 899.0], [0.0, 1.0, 2.0]])
    assert log_mean_exp(values) == pytest.approx(logsumexp(values, axis=1) - math.log(3))


def test_no_metric_is_no_evidence() -> None:
    assert mean_evidence([]) == 0


def test_e_bh_by_hand() -> None:
    """Of four e-values at α = .05 the lines are 80, 40, 26.7 and 20."""
    e = [math.log(x) for x in (30, 100, 2, 41)]
    assert moved(e, 0.05) == (0, 1, 3)
    assert moved([math.log(79), 0, 0, 0], 0.05) == ()
