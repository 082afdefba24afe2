"""Exact tests of a randomised comparison: did it matter which of two arms answered?

Each block (one input of a replay) has slots in time. Which slots go to the candidate is drawn at random for
each block by itself, so if the candidate answers as the baseline does, every way of dealing out the labels
was as likely as the one that was drawn, whatever else made the answers vary (Fisher 1935, "The Design of
Experiments", ch. II; Rosenbaum 2002, "Observational Studies", ch. 2). Given the answers, the distributions
below are therefore exact: no noise level is assumed, and noise may come in bursts.

Two statistics, summed over blocks:

- *apart*: the candidate's answers have none in common with the baseline's. Weighs a block by how unlikely
  that is there. Sees what differs always for some inputs, be it one of a thousand.
- *shift*: how many of the candidate's answers are not the block's usual one. Sees a noise that grew or
  shrank.

A block whose answers are all equal, or all different from one another, says nothing in either. A test that
could not reach its line whatever the labels costs the others nothing (Tarone 1990, Biometrics 46:515).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = tuple[tuple[int, int], ...]
"""For each different answer of a block, in the order of its first slot: (baseline's, candidate's) number."""

_WEIGHTS_PER_BIT = 2
_LONGEST = 20_000
"""Support of a sum that is still added up exactly; beyond it the bound of Chernoff is used, which only
overstates a p-value."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A p-value, and the smallest that any dealing out of the labels could have given."""

    p: float = 1.0
    least: float = 1.0


def is_apart(counts: Counts) -> bool:
    """Return whether the arms have no answer in common."""
    return all(not (ours and theirs) for ours, theirs in counts)


def tells(counts: Counts) -> bool:
    """Return whether a block can say anything: its answers are neither all equal nor all different."""
    return 1 < len(counts) < sum(a + b for a, b in counts)


def apart_test(blocks: Iterable[Counts]) -> Chance:
    """Return the one-sided p-value of the arms being apart in as many, and as unlikely, blocks."""
    odds: list[float] = []
    met: list[bool] = []
    for counts in blocks:
        chance = _chance_apart(tuple(sorted(a + b for a, b in counts)), sum(b for _, b in counts))
        if 0 < chance < 1:
            odds.append(chance)
            met.append(is_apart(counts))
    if not odds:
        return Chance()
    weights = [max(1, round(-_WEIGHTS_PER_BIT * math.log2(chance))) for chance in odds]
    laws = [_two_points(chance, weight) for chance, weight in zip(odds, weights, strict=True)]
    seen = sum(weight for weight, was in zip(weights, met, strict=True) if was)
    least = math.exp(max(-700.0, math.fsum(math.log(chance) for chance in odds)))
    return Chance(_upper_tail(laws, seen) if seen else 1.0, least)


def shift_test(blocks: Iterable[Counts]) -> Chance:
    """Return the two-sided p-value of the candidate straying from the usual answer as often as it did."""
    laws: list[Floats] = []
    seen = 0
    for counts in blocks:
        if not tells(counts):
            continue
        usual = usual_of(counts)
        size, mine = sum(a + b for a, b in counts), sum(b for _, b in counts)
        marked = size - sum(counts[usual])
        seen += mine - counts[usual][1] - max(0, mine + marked - size)
        laws.append(_hypergeometric(size, marked, mine))
    if not laws:
        return Chance()
    highest = sum(len(law) - 1 for law in laws)
    p = min(_upper_tail(laws, seen), _upper_tail([law[::-1] for law in laws], highest - seen))
    ends = (math.fsum(_log(law[-1]) for law in laws), math.fsum(_log(law[0]) for law in laws))
    return Chance(min(1.0, 2 * p), min(1.0, 2 * math.exp(max(-700.0, min(ends)))))


def usual_of(counts: Counts) -> int:
    """Return the index of the answer that is most frequent in both arms together; of several, the first."""
    return max(range(len(counts)), key=lambda i: sum(counts[i]))


def line_of(tests: Sequence[Chance], alpha: float) -> float:
    """Return the p-value up to which a test counts, so that any false one has probability ``alpha`` at most.

    Source: Tarone 1990: the smallest k such that at most k tests could reach alpha / k.
    """
    least = sorted(test.least for test in tests)
    for k in range(1, len(least) + 1):
        if np.searchsorted(least, alpha / k, side="right") <= k:
            return alpha / k
    return alpha


def detectable_share(blocks: int, power: float = 0.95) -> float:
    """Return the share of inputs that a change must touch to meet one of ``blocks`` with that probability."""
    return 1.0 if blocks < 1 else 1 - (1 - power) ** (1 / blocks)


@lru_cache(maxsize=65_536)
def _chance_apart(sizes: tuple[int, ...], mine: int) -> float:
    """Return the share of the dealings in which each group of equal answers falls to one arm whole."""
    ways = [1] + [0] * mine
    for size in sizes:
        for total in range(mine, size - 1, -1):
            ways[total] += ways[total - size]
    return ways[mine] / math.comb(sum(sizes), mine)


@lru_cache(maxsize=4_096)
def _two_points(chance: float, weight: int) -> Floats:
    law = np.zeros(weight + 1)
    law[0], law[weight] = 1 - chance, chance
    return law


@lru_cache(maxsize=4_096)
def _hypergeometric(size: int, marked: int, mine: int) -> Floats:
    """Return the law of how many of ``marked`` slots fall to ``mine``, from its least value on."""
    low, high = max(0, mine + marked - size), min(marked, mine)
    ways = [math.comb(marked, k) * math.comb(size - marked, mine - k) for k in range(low, high + 1)]
    whole = math.comb(size, mine)
    return np.array([way / whole for way in ways])


def _upper_tail(laws: Sequence[Floats], seen: int) -> float:
    """Return the probability that a sum of independent numbers is ``seen`` or more."""
    if sum(len(law) - 1 for law in laws) > _LONGEST:
        return _chernoff(laws, seen)
    whole = np.ones(1)
    for law in laws:
        longer = np.zeros(len(whole) + len(law) - 1)
        for step in np.flatnonzero(law):
            longer[step : step + len(whole)] += law[step] * whole
        whole = longer
    return float(min(1.0, whole[seen:].sum()))


def _chernoff(laws: Sequence[Floats], seen: int) -> float:
    """Return an upper bound of the tail: the least of E exp(t X) / exp(t seen) over t >= 0."""
    kinds: dict[bytes, list[Floats]] = {}
    for law in laws:
        kinds.setdefault(law.tobytes(), []).append(law)
    bounds = [0.0]
    for t in np.geomspace(1e-4, 20.0, 160):
        grown = math.fsum(len(same) * _log_moment(same[0], float(t)) for same in kinds.values())
        bounds.append(grown - t * seen)
    return math.exp(max(-700.0, min(bounds)))


def _log_moment(law: Floats, t: float) -> float:
    """Return ln E exp(t X), without overflow."""
    top = t * (len(law) - 1)
    return top + _log(float(law @ np.exp(t * np.arange(len(law)) - top)))


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -700.0
