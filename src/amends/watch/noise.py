"""The baseline against itself: what its two halves differ by, and what counts are divided by because of it.

Where a baseline has two instances or more, they are split into halves that stay the same from tick to tick. A
release cannot be worse than itself: what the halves differ by beyond chance is noise of instances, and the
same noise lies between baseline and candidate. `amends.stats.dispersion` has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amends.stats.dispersion import (
    FIELDS,
    SPANS,
    Dispersion,
    add_tick,
    estimate_dispersion,
    event_score,
    no_blocks,
)
from amends.stats.rank import TAIL_QUANTILES, count_bucket_wins, exceedances, rank_increment, tail_positions
from amends.watch.deltas import Stratum
from amends.watch.measurements import MetricKind
from amends.watch.plan import MetricSpec
from amends.watch.state import MetricState, Noise

_WIDTH = len(SPANS) * FIELDS

Score = tuple[float, float, float]  # deviation, its variance if requests are independent, load of an instance


@dataclass(frozen=True, slots=True)
class Factors:
    """What a tick's counts are divided by: all events or ranks, and exceedances of each tail quantile."""

    whole: float = 1.0
    tails: tuple[float, ...] = (1.0,) * len(TAIL_QUANTILES)

    @property
    def largest(self) -> float:
        """The largest of them."""
        return max(self.whole, *self.tails)


def factors_of(
    spec: MetricSpec,
    noise: tuple[Noise, ...],
    strata: Sequence[Stratum],
    history: tuple[float, ...],
    alpha: float,
) -> Factors:
    """Return what this tick is divided by, from what was known before it.

    ``noise`` is that of `MetricState.noise`, ``history`` the baseline's buckets before this tick. Noise whose
    share grows with the traffic weighs more in a busier tick than in those it was estimated from; in a
    quieter one it is not taken for less, since bunches of events would not be.
    """
    tails = len(TAIL_QUANTILES)
    if isinstance(spec.dispersion, float | int):
        return Factors(float(spec.dispersion), (float(spec.dispersion),) * tails)
    if not noise:
        return Factors() if spec.dispersion == "auto" else Factors(math.inf, (math.inf,) * tails)
    found = estimate(noise, alpha)
    loads = [score[2] for score in scores(spec, strata, history)]
    loads += [0.0] * (len(noise) - len(loads))
    used = [_used(spec, found, i, noise[i], load) for i, load in enumerate(loads)]
    return Factors(used[0], tuple(used[1:]) or (1.0,) * tails)


@lru_cache(maxsize=256)
def estimate(noise: tuple[Noise, ...], alpha: float) -> Dispersion:
    """Return the factor of each part: all events, or ranks and then each tail."""
    return estimate_dispersion(np.stack([_table(n) for n in noise]), alpha)


def add_noise(spec: MetricSpec, state: MetricState, halves: Sequence[Stratum]) -> tuple[Noise, ...]:
    """Return the state's noise after a tick of the baseline's halves."""
    told = scores(spec, halves, state.baseline.counts)
    if not told:
        return state.noise
    size = len(TAIL_QUANTILES) + 1 if spec.kind is MetricKind.LATENCY else 1
    before = state.noise if len(state.noise) == size else (Noise(),) * size
    return tuple(_added(n, s) for n, s in zip(before, told, strict=False)) + before[len(told) :]


def scores(spec: MetricSpec, strata: Sequence[Stratum], history: tuple[float, ...]) -> list[Score]:
    """Return the scores of one tick, strata added up: of all events, or of ranks and then of each tail."""
    shared = [s for s in strata if s.baseline.exposure > 0 and s.candidate.exposure > 0]
    if not shared or spec.kind is MetricKind.GAUGE:
        return []
    if spec.kind is not MetricKind.LATENCY:
        return [_total([_of_events(s, s.baseline.events, s.candidate.events) for s in shared])]
    ranks = _total([_of_ranks(s) for s in shared])
    tails = [_total([_of_tail(s, p) for s in shared]) for p in tail_positions(history)]
    return [ranks, *tails]


def _table(noise: Noise) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if len(noise.blocks) != _WIDTH:
        return no_blocks()
    return np.array(noise.blocks).reshape(len(SPANS), FIELDS)


def _used(spec: MetricSpec, found: Dispersion, part: int, noise: Noise, load: float) -> float:
    if spec.dispersion == "auto" and not bool(found.certain[part]):
        return 1.0
    usual = noise.load[0] / noise.load[1] if noise.load[1] > 0 else 0.0
    busier = max(1.0, load / usual) if usual > 0 else 1.0
    return 1.0 + (float(found.used[part]) - 1.0) * busier


def _added(noise: Noise, score: Score) -> Noise:
    deviation, variance, load = score
    table = add_tick(_table(noise), deviation, variance)
    before = noise.load
    return Noise(tuple(float(x) for x in table.ravel()), (before[0] + variance * load, before[1] + variance))


def _total(parts: Sequence[Score]) -> Score:
    return tuple(float(sum(column)) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def _load(stratum: Stratum, variance: float) -> float:
    ours, theirs = (max(1, n) for n in stratum.instances)
    return variance * (1 / ours + 1 / theirs)


def _of_events(stratum: Stratum, theirs: float, ours: float) -> Score:
    share = stratum.candidate.exposure / (stratum.baseline.exposure + stratum.candidate.exposure)
    deviation, variance = event_score(theirs + ours, ours, share)
    return float(deviation), float(variance), _load(stratum, float(variance))


def _of_ranks(stratum: Stratum) -> Score:
    theirs, ours = stratum.baseline.counts, stratum.candidate.counts
    s, v = rank_increment(float(count_bucket_wins(theirs, ours)), sum(theirs), sum(ours))
    return float(s), float(v), _load(stratum, float(v))


def _of_tail(stratum: Stratum, position: int) -> Score:
    sides = (exceedances(side.counts, position) for side in (stratum.baseline, stratum.candidate))
    return _of_events(stratum, *sides)
