"""The same arithmetic for very many numbers: observations into counts, thousands of e-processes at once.

Everything runs over blocks that stay in a core's cache, so that memory is read once. Results are those of
`amends.stats.mixture` and of counting one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amends.stats.combination import Floats

Counts = npt.NDArray[np.int64]

_BLOCK = 1 << 16
_METRICS = 1 << 12
_PARTS = 8  # buckets in each doubling: the widest is 12.5% wide
_SHIFT = 52 - int(math.log2(_PARTS))  # of a double's 52 bits of fraction the first three say which part
_LOWEST, _HIGHEST = -20, 20  # powers of two: from a microsecond to twelve days, where the unit is the second
_FIRST = (1023 + _LOWEST) * _PARTS
_BUCKETS = (_HIGHEST - _LOWEST) * _PARTS + 2
_INFINITE = int(np.float64(np.inf).view(np.int64)) - 1 >> _SHIFT

LOG_BOUNDS: Floats = np.concatenate(
    [
        [2.0**_LOWEST],
        np.ldexp(
            np.tile(1 + np.arange(1, _PARTS + 1) / _PARTS, _HIGHEST - _LOWEST),
            np.repeat(np.arange(_LOWEST, _HIGHEST), _PARTS),
        ),
    ]
)
"""Upper bounds of the buckets of `count_latencies`; each includes its bound, one more lies above the last."""


@dataclass(frozen=True, slots=True)
class Binned:
    """Counts per group and bucket, and how many values were no latencies (negative or not a number)."""

    counts: Counts
    left_out: int


def count_groups(groups: npt.ArrayLike, size: int, weights: npt.ArrayLike | None = None) -> Floats:
    """Return how many observations (or what sum of ``weights``) each group has.

    Parameters
    ----------
    groups:
        The group of each observation, whole numbers from 0 below ``size``, for example
        ``2 * (tick * arms + arm) + failed``.

    Raises
    ------
    ValueError
        If a group is negative or not below ``size``.
    """
    codes = np.asarray(groups)
    amounts = None if weights is None else np.asarray(weights, dtype=np.float64)
    found = np.zeros(size)
    for start in range(0, codes.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        here = np.bincount(codes[block], None if amounts is None else amounts[block], minlength=size)
        if here.size > size:
            raise ValueError(f"a group is {here.size - 1}; there are {size}, counted from 0")
        found += here
    return found


def count_latencies(values: npt.ArrayLike, groups: npt.ArrayLike | None = None, size: int = 1) -> Binned:
    """Return how many raw latencies of each group lie in each bucket of `LOG_BOUNDS`.

    The bucket is read off a double's bits: exponent and the first three bits of the fraction, of the next
    smaller double, because a bucket includes its upper bound as Prometheus' ``le`` does.

    Parameters
    ----------
    groups:
        As in `count_groups`; without it all are of one group.

    Raises
    ------
    ValueError
        If a group is negative or not below ``size``.
    """
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    codes = None if groups is None else np.asarray(groups)
    found = np.zeros(size * _BUCKETS, dtype=np.int64)
    place = np.empty(min(bits.size, _BLOCK), dtype=np.int64)
    left_out = 0
    for start in range(0, bits.size, _BLOCK):
        raw = bits[start : start + _BLOCK]
        here = place[: raw.size]
        np.subtract(raw, 1, out=here)
        np.right_shift(here, _SHIFT, out=here)
        group = None if codes is None else codes[start : start + _BLOCK]
        if here.max() > _INFINITE or here.min() < -1:  # the double before 0 counts as -1
            good = raw.view(np.float64) >= 0
            here[raw << 1 == 0] = 0
            left_out += int(raw.size - np.count_nonzero(good))
            here, group = here[good], None if group is None else group[good]
        np.subtract(here, _FIRST - 1, out=here)
        np.clip(here, 0, _BUCKETS - 1, out=here)
        if group is not None:
            here += _in_range(group, size) * _BUCKETS
        found += np.bincount(here, minlength=found.size)
    return Binned(found.reshape(size, _BUCKETS), left_out)


def _in_range(groups: npt.NDArray[np.generic], size: int) -> Counts:
    codes = groups.astype(np.int64)
    if codes.size and not 0 <= codes.min() <= codes.max() < size:
        raise ValueError(f"groups lie between {codes.min()} and {codes.max()}; there are {size}")
    return codes


def advance_mixtures(
    log_e: Floats,
    grid: Floats,
    events: npt.ArrayLike,
    candidate_events: npt.ArrayLike,
    share: npt.ArrayLike,
) -> Floats:
    """Bring very many mixtures on by a tick, in place, and return ln of each one's e-value.

    What `amends.stats.mixture.update_mixture` and `mixture_evidence` do to a few, with the grid along the
    *first* axis: neighbours in memory are then different metrics, which a core handles eight at a time.

    Parameters
    ----------
    log_e:
        Log e-values, of shape (grid, metrics); changed.
    events, candidate_events, share:
        One value per metric; a share of 0 or 1 compares nothing.
    """
    total, ours, theta = (np.asarray(x, dtype=np.float64) for x in (events, candidate_events, share))
    rise = np.expm1(grid)[:, None]
    steps = grid[:, None]
    evidence = np.empty(log_e.shape[1])
    for start in range(0, evidence.size, _METRICS):
        block = slice(start, start + _METRICS)
        part, split = log_e[:, block], theta[block]
        compared = (split > 0) & (split < 1)
        step = rise * np.where(compared, split, 0.0)
        np.log1p(step, out=step)
        step *= total[block]
        np.subtract(steps * np.where(compared, ours[block], 0.0), step, out=step)
        part += step
        top = part.max(axis=0)
        np.subtract(part, top, out=step)
        np.exp(step, out=step)
        evidence[block] = top + np.log(step.mean(axis=0))
    return evidence
