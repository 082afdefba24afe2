"""The rule of Kayenta's NetflixACAJudge for one metric that may not rise, ported for comparison.

A Mann-Whitney interval at 98% for the shift between the arms' points, by inverting the normal approximation
with continuity and tie correction (as R's ``wilcox.test(conf.int=TRUE)`` does); "High" if its lower end
exceeds a quarter of the Hodges-Lehmann estimate and the means do not contradict it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Rule:
    """The classifier's settings; those of the judge are fixed in its code, its own tests use others."""

    confidence: float = 0.98
    effect: float = 0.25
    ratio: float = 1.0

    @property
    def z(self) -> float:
        return float(stats.norm.ppf((1 + self.confidence) / 2))


JUDGE = Rule()


def is_high(
    control: np.ndarray, experiment: np.ndarray, rng: np.random.Generator, rule: Rule = JUDGE
) -> bool:
    """Say whether Kayenta would call the experiment's points High."""
    y, x = control[~np.isnan(control)], experiment[~np.isnan(experiment)]
    if x.size == 0 or y.size == 0:
        return False
    if np.array_equal(np.sort(x), np.sort(y)) or np.unique(np.concatenate([x, y])).size == 1:
        return False
    if np.ptp(x) == 0 and np.ptp(y) == 0:
        x = x + rng.normal(0, 1e-5 * abs(x[0]), x.size)
        y = y + rng.normal(0, 1e-5 * abs(y[0]), y.size)
    lower, estimate = _interval(x, y, rule.z)
    return bool(lower > rule.effect * abs(estimate) and x.mean() >= rule.ratio * y.mean())


def _interval(x: np.ndarray, y: np.ndarray, z: float) -> tuple[float, float]:
    least, most = x.min() - y.max(), x.max() - y.min()

    def w(shift: float, line: float, half: float) -> float:
        ranks = stats.rankdata(np.concatenate([x - shift, y]))
        n, m = x.size, y.size
        d = ranks[:n].sum() - n * (n + 1) / 2 - n * m / 2
        _, ties = np.unique(ranks, return_counts=True)
        total = n + m
        variance = n * m / 12 * (total + 1 - (ties**3 - ties).sum() / (total * (total - 1)))
        return (d - half * np.sign(d)) / np.sqrt(variance) - line if variance > 0 else -line

    lower = least if w(least, z, 0.5) <= 0 else _root(w, least, most, z, 0.5)
    return lower, _root(w, least, most, 0.0, 0.0)


def _root(w, least: float, most: float, line: float, half: float) -> float:  # type: ignore[no-untyped-def]
    if w(least, line, half) * w(most, line, half) > 0:
        return least
    return float(optimize.brentq(w, least, most, args=(line, half), xtol=_TOLERANCE))
