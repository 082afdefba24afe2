"""Several e-values into one, and the names of those that moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def log_mean_exp(log_values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Return ln of the mean of exp(``log_values``) along ``axis``, without overflow.

    The mean of e-values, however dependent, is an e-value; that of e-processes, an e-process (Vovk & Wang
    2021, "E-values: calibration, combination and applications").
    """
    values = np.asarray(log_values, dtype=np.float64)
    top = np.max(values, axis=axis, keepdims=True)
    mean = np.mean(np.exp(values - top), axis=axis, keepdims=True)
    return np.asarray(np.squeeze(top + np.log(mean), axis=axis))


def mean_evidence(log_values: Sequence[float]) -> float:
    """Return ln of the mean e-value; 0 (an e-value of 1, nothing known) where there are none."""
    return float(log_mean_exp(log_values)) if log_values else 0.0


def moved(log_values: Sequence[float], alpha: float) -> tuple[int, ...]:
    """Return the indices that e-BH names, ascending: at most ``alpha`` of them false in expectation.

    The e-values must be those of now. Their running maxima are not e-values (arXiv 2501.19360).
    Source: Wang & Ramdas 2022, "False discovery rate control with e-values", JRSS B 84(3).
    """
    total = len(log_values)
    order = sorted(range(total), key=lambda i: -log_values[i])
    named = 0
    for rank, index in enumerate(order, start=1):
        if log_values[index] >= math.log(total / (rank * alpha)):
            named = rank
    return tuple(sorted(order[:named]))
