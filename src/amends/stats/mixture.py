"""Conditional mixture e-process for events on two arms: valid at every look, under any shared rate and split.

Given the x events of a tick and the candidate's share θ of its requests, equal rates make the number of
events on the candidate hypergeometric (requests) or binomial (Poisson counts). Hoeffding (1963, section 6)
bounds the first one's moment generating function by the second's, so that for every δ

    ln E_δ += x_B·δ − x·ln(1 + θ(e^δ − 1))

is the logarithm of a supermartingale that starts at 1, whatever the rate does from tick to tick and however
the traffic is shifted, as long as both arms see the same rate within a tick. An average over a fixed grid
of δ is one too; by Ville's inequality it ever reaches 1/α with probability at most α.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from amends.stats.combination import Floats, log_mean_exp

_GRID_POINTS = 12
_GRID_SPAN = (0.12, 3.0)  # in ln(ratio) beyond the smallest effect: from 1.13 to 20 times it


def effect_grid(smallest: float, *, higher: bool = True, lower: bool = False) -> Floats:
    """Return the alternatives δ = ln(ratio) beyond the smallest effect, closest where they are small.

    A small effect takes the longest to find, and a δ that misses it by a given step costs it the most. Spaced
    like this the watch needs at most 1.25 times Wald's bound, and a tick (``benchmarks/watch_detection.py``).

    Parameters
    ----------
    smallest:
        The smallest ratio of rates that matters, at least 1 (1.5: half as much again).
    higher, lower:
        Whether a higher rate on the candidate is worse, a lower one, or both.
    """
    steps = math.log(smallest) + np.geomspace(*_GRID_SPAN, _GRID_POINTS)
    parts = ([steps] if higher else []) + ([-steps] if lower else [])
    return np.concatenate(parts)


def update_mixture(
    log_e: npt.ArrayLike,
    grid: Floats,
    events: npt.ArrayLike,
    candidate_events: npt.ArrayLike,
    share: npt.ArrayLike,
) -> Floats:
    """Return ``log_e`` after one tick (or one stratum of a tick).

    ``events`` and ``candidate_events`` count both arms and the candidate, ``share`` is the candidate's
    share of the exposure. Scalars, or arrays of one value per metric with ``log_e`` of shape (metrics,
    grid). Counts may be fractional: overdispersed ones are divided by their Fano factor. A share of 0 or 1
    compares nothing and changes nothing.
    """
    theta = np.asarray(share, dtype=np.float64)[..., None]
    compared = (theta > 0) & (theta < 1)
    total = np.asarray(events, dtype=np.float64)[..., None]
    ours = np.asarray(candidate_events, dtype=np.float64)[..., None]
    step = ours * grid - total * np.log1p(np.where(compared, theta, 0.0) * np.expm1(grid))
    return np.asarray(log_e, dtype=np.float64) + np.where(compared, step, 0.0)


def mixture_evidence(log_e: npt.ArrayLike) -> Floats:
    """Return ln of the e-value: the average over the grid."""
    return log_mean_exp(log_e)
