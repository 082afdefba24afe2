"""How sure one can be of a proportion that was counted once."""

from __future__ import annotations

import math
from collections.abc import Callable


def clopper_pearson(hits: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of Clopper & Pearson (1934) of a proportion: too wide at most, never too narrow.

    Parameters
    ----------
    hits, runs:
        How many of how many independent runs. (0, 1) where there were none.
    confidence:
        Of both sides together.
    """
    if runs <= 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _up_to(hits - 1, runs, p) - tail)
    high = 1.0 if hits == runs else _solve(lambda p: tail - _up_to(hits, runs, p))
    return low, high


def _up_to(hits: int, runs: int, p: float) -> float:
    """Return the probability of at most ``hits``, for 0 < p < 1."""
    log_p, log_q = math.log(p), math.log1p(-p)
    choose = math.lgamma(runs + 1)
    return math.fsum(
        math.exp(choose - math.lgamma(k + 1) - math.lgamma(runs - k + 1) + k * log_p + (runs - k) * log_q)
        for k in range(hits + 1)
    )


def _solve(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
