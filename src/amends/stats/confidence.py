"""Confidence sequences: bounds on an effect that hold at every look together, by inverting e-processes.

For a ratio of rates φ the null share of the candidate is θφ/(1 − θ + θφ), and the log e-value of the
alternative φ·e^δ against it is X_B·δ − ψ(ln φ + δ) + ψ(ln φ), with the normaliser

    ψ(s) = Σ x·ln(1 + θ(e^s − 1))

One array of ψ on a fixed grid therefore answers for every φ. It is read between grid points with a
polynomial of fifth degree; the error is below 0.003 nats for 1,000 events. Exact for Poisson counts and for
rare events; where events are frequent the conditional law is narrower than the binomial one, so the bounds
err on the wide side.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from amends.stats.combination import Floats, log_mean_exp

_STEP = math.log(2) / 2
NORMALISER_GRID: Floats = _STEP * np.arange(-14, 15, dtype=np.float64)  # ln(ratio) from 1/128 to 128
_REACH = 10 * _STEP  # ratios are looked for between 1/32 and 32
_CANDIDATES: Floats = np.linspace(-_REACH, _REACH, 321)
_STEPS: Floats = 0.04 * 2.0 ** np.arange(6, dtype=np.float64)
_RATE_STEPS: Floats = 0.08 * 2.0 ** np.arange(7, dtype=np.float64)
_FINE_WEIGHT = 0.1
_NODES = 6
_RATES, _ROUNDS = 65, 8  # as fine as fifty halvings
_WINS_RHO = 25.0  # the mixture's variance: tightest after some hundred requests


def update_normaliser(psi: npt.ArrayLike, events: float, share: float) -> Floats:
    """Return ψ on `NORMALISER_GRID` after a tick with ``events`` on both; shares of 0 or 1 add nothing."""
    theta = share if 0 < share < 1 else 0.0
    return np.asarray(psi, dtype=np.float64) + events * np.log1p(theta * np.expm1(NORMALISER_GRID))


def _weights(at: Floats) -> Floats:
    """Return the matrix that reads ψ at the points ``at`` from its grid (Lagrange, six nodes)."""
    place = (at - NORMALISER_GRID[0]) / _STEP
    first = np.clip(np.floor(place).astype(int) - _NODES // 2 + 1, 0, len(NORMALISER_GRID) - _NODES)
    matrix = np.zeros((at.size, NORMALISER_GRID.size))
    for k in range(_NODES):
        weight = np.ones_like(at)
        for j in range(_NODES):
            if j != k:
                weight *= (place - (first + j)) / (k - j)
        matrix[np.arange(at.size), first + k] += weight
    return matrix


_HERE = _weights(_CANDIDATES)


@lru_cache(maxsize=64)
def _beyond(steps: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return how to read ψ at every candidate plus every step, and how far beyond the grid that is."""
    at = np.add.outer(np.array(steps), _CANDIDATES).ravel()
    inside = np.clip(at, NORMALISER_GRID[0], NORMALISER_GRID[-1])
    return _weights(inside), np.maximum(0.0, at - NORMALISER_GRID[-1])


def _mixture(psi: Floats, ours: float, events: float, steps: Floats) -> Floats:
    """Return, for each candidate ratio, the log e-value of the average over ``steps`` away from it.

    Beyond the grid ψ is replaced by what bounds it, flat below and of slope ``events`` above: the wide side.
    """
    matrix, excess = _beyond(tuple(float(s) for s in steps))
    beyond = (matrix @ psi + events * excess).reshape(steps.size, _CANDIDATES.size)
    return log_mean_exp(ours * steps[:, None] - beyond + _HERE @ psi, axis=0)


def _against(psi: Floats, ours: float, events: float, steps: Floats, sign: int) -> Floats:
    """Return, for each candidate ratio, the log evidence that the true one is above (+1) or below (-1) it.

    The weight is on the test's own grid, so that what it proves its bound shows; the fine one makes the
    bounds close in on the truth as evidence grows.
    """
    coarse = _mixture(psi, ours, events, sign * steps) + math.log(1 - _FINE_WEIGHT)
    fine = _mixture(psi, ours, events, sign * _STEPS) + math.log(_FINE_WEIGHT)
    return np.logaddexp(coarse, fine)


def _crossing(evidence: Floats, line: float, ratios: Floats) -> float | None:
    """Return the ratio at which evidence, walked from its rejected end, first falls below ``line``."""
    below = np.flatnonzero(evidence < line)
    if below.size == 0:
        return float(ratios[-1])
    first = int(below[0])
    if first == 0:
        return None
    high, low = evidence[first - 1], evidence[first]
    part = (high - line) / (high - low)
    return float(ratios[first - 1] + part * (ratios[first] - ratios[first - 1]))


def ratio_interval(
    psi: npt.ArrayLike, candidate_events: float, baseline_events: float, alpha: float, steps: Floats
) -> tuple[float | None, float | None]:
    """Return the lower and upper confidence bound of the ratio of rates, candidate over baseline.

    Each is wrong at any look with probability at most ``alpha``. ``None`` where the data do not bound it.
    Bounds are looked for between 1/32 and 32: a lower bound of 32 says "at least". ``steps`` is the test's
    grid for a higher rate (`amends.stats.mixture.effect_grid`).
    """
    table = np.asarray(psi, dtype=np.float64)
    events = candidate_events + baseline_events
    line = math.log(1 / alpha)
    low = _crossing(_against(table, candidate_events, events, steps, +1), line, _CANDIDATES)
    high = _crossing(_against(table, candidate_events, events, steps, -1)[::-1], line, _CANDIDATES[::-1])
    return (None if low is None else math.exp(low)), (None if high is None else math.exp(high))


def ratio_estimate(psi: npt.ArrayLike, candidate_events: float, baseline_events: float) -> float | None:
    """Return the ratio under which the events are likeliest, given each tick's split: no ramp biases it.

    0 where only the baseline has events; ``None`` where it has none.
    """
    if baseline_events <= 0:
        return None
    if candidate_events <= 0:
        return 0.0
    fit = candidate_events * _CANDIDATES - _HERE @ np.asarray(psi, dtype=np.float64)
    best = int(np.argmax(fit))
    if not 0 < best < len(fit) - 1:
        return math.exp(float(_CANDIDATES[best]))
    before, here, after = (float(f) for f in fit[best - 1 : best + 2])
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return math.exp(float(_CANDIDATES[best]) + shift * float(_CANDIDATES[1] - _CANDIDATES[0]))


def _rate_evidence(events: float, exposure: float, rates: Floats, sign: int) -> Floats:
    steps = sign * _RATE_STEPS
    return log_mean_exp(events * steps - exposure * np.log1p(rates[:, None] * np.expm1(steps)))


def rate_interval(events: float, exposure: float, alpha: float) -> tuple[float, float]:
    """Return the confidence bounds of a proportion: events among requests, mean over the time so far.

    Holds for rates that change over time, since Σ ln(1 + p_i·c) ≤ n·ln(1 + p̄·c) (the logarithm is
    concave). Each bound is wrong at any look with probability at most ``alpha``; (0, 1) where there are no
    data.
    """
    if exposure <= 0:
        return 0.0, 1.0
    line = math.log(1 / alpha)
    share = min(1.0, events / exposure)
    return (
        _nearest_rejected(events, exposure, line, 0.0, share, +1),
        _nearest_rejected(events, exposure, line, 1.0, share, -1),
    )


def matched_increment(
    baseline_events: float, baseline_n: float, candidate_events: float, candidate_n: float
) -> tuple[float, float, float]:
    """Return what a tick adds to both arms' weighted events (baseline first) and to their requests.

    Each arm's requests count as many as the smaller arm's, so that a rate which changes while the traffic
    is shifted is weighted alike on both: pooled rates would confound the two (Simpson's paradox). With
    weights a ≤ 1 `rate_interval` holds as before, since ln(1 + p(e^(λa) − 1)) is convex in a and 0 at
    a = 0, hence at most a·ln(1 + p(e^λ − 1)).
    """
    if baseline_n <= 0 or candidate_n <= 0:
        return 0.0, 0.0, 0.0
    k = min(baseline_n, candidate_n)
    return baseline_events * k / baseline_n, candidate_events * k / candidate_n, k


def _nearest_rejected(
    events: float, exposure: float, line: float, outer: float, inner: float, sign: int
) -> float:
    """Return the rejected rate nearest to ``inner``; evidence falls from ``outer`` to ``inner``.

    Each round looks at many rates at once and goes on between the last rejected one and its neighbour.
    """
    for _ in range(_ROUNDS):
        rates = np.linspace(outer, inner, _RATES)
        kept = _rate_evidence(events, exposure, rates, sign) < line
        first = int(np.argmax(kept)) if kept.any() else _RATES - 1
        if first == 0:
            break
        outer, inner = float(rates[first - 1]), float(rates[first])
    return outer


def wins_increment(wins: float, baseline_n: float, candidate_n: float) -> tuple[float, float]:
    """Return what a tick adds to (Σ k·share, Σ k): k the smaller arm, share the candidate's won pairs."""
    if baseline_n <= 0 or candidate_n <= 0:
        return 0.0, 0.0
    k = min(baseline_n, candidate_n)
    return k * wins / (baseline_n * candidate_n), k


def wins_interval(weighted: float, weight: float, alpha: float) -> tuple[float, float]:
    """Return the confidence bounds of the share of pairs in which the candidate is larger (0.5: alike).

    A two-sample U-statistic with a kernel in [0, 1] is sub-Gaussian with variance 1/(4·min(n, m)) under
    *any* two distributions (Hoeffding 1963, section 5), and Robbins's normal mixture (1970) makes that hold
    at every look. (0, 1) where there are no data.
    """
    if weight <= 0:
        return 0.0, 1.0
    v = weight / 4
    radius = math.sqrt((v + _WINS_RHO) * math.log((v + _WINS_RHO) / (_WINS_RHO * alpha**2))) / weight
    centre = weighted / weight
    return max(0.0, centre - radius), min(1.0, centre + radius)
