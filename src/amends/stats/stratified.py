"""A difference of two shares over strata, with an interval that holds for few cases and for clusters.

The estimate is Mantel and Haenszel's risk difference: in each stratum the share of cases that are marked less
the share of the others, weighted by n1·n0/N (Greenland and Robins 1985, Biometrics 41:55).

Whether chance could have made it is answered twice, both times exactly and without drawing numbers, by the
distribution of the number of marked cases given how many there are of each in each stratum:

- as if marks were dealt out anew among a stratum's members (hypergeometric: the exact test of Cochran,
  Mantel and Haenszel; for one stratum Fisher's), and
- as if each stratum's row of marks were turned round like a ring, every turn as likely. That keeps runs of
  marks and runs of cases as they are, so that two storms that happen to meet once do not count as many
  coincidences (the toroidal shift; Harris 2020, arXiv:2012.06862, on why the plain test fails there).

The larger of both two-sided p-values counts. The interval is the stratified Newcombe interval (Yan and Su
2010, Statistics in Biopharmaceutical Research 2:329; Newcombe 1998, Statistics in Medicine 17:873), with the
numbers of members divided by how much wider the second distribution is than the first, and widened to the
test-based interval of that p-value (Miettinen 1976, American Journal of Epidemiology 103:226), so that
interval and test agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_ALPHA = 0.05
_Z = NormalDist().inv_cdf(1 - _ALPHA / 2)


@dataclass(frozen=True, slots=True)
class Stratum:
    """The members of one stratum in the order of time: which are cases, and which are marked."""

    case: Bools
    marked: Bools

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Cases, others, marked cases, marked others."""
        cases, marked = int(self.case.sum()), int(self.marked.sum())
        both = int((self.case & self.marked).sum())
        return cases, len(self.case) - cases, both, marked - both


@dataclass(frozen=True, slots=True)
class RiskDifference:
    """What the strata say.

    ``estimate`` is ``None`` when no stratum has both cases and others; ``low``, ``high`` are then -1, 1.
    ``marked_cases`` is in the strata that count, ``expected`` what chance would have made of it.
    ``spread`` is how much wider runs in time make the distribution than independent members (1: no wider).
    """

    estimate: float | None
    low: float
    high: float
    p_value: float
    marked_cases: int
    cases: int
    others: int
    expected: float
    spread: float


def risk_difference(strata: Sequence[Stratum]) -> RiskDifference:
    """Return the share of cases that are marked less the share of others that are, with its 95% interval.

    Strata without a case or without another say nothing and are left out.
    """
    kept = [s for s in strata if 0 < int(s.case.sum()) < len(s.case)]
    if not kept:
        return RiskDifference(None, -1.0, 1.0, 1.0, 0, 0, 0, 0.0, 1.0)
    counts = np.array([s.counts for s in kept], dtype=np.float64)
    cases, others, both, marked_others = counts.T
    total = cases + others
    weight = cases * others / total
    share1 = float((weight * both / cases).sum() / weight.sum())
    share0 = float((weight * marked_others / others).sum() / weight.sum())
    estimate = share1 - share0
    dealt = _together([_dealt(s) for s in kept])
    turned = _together([_turned(s) for s in kept])
    spread = _spread(dealt, turned)
    p_value = max(_two_sided(dealt, int(both.sum())), _two_sided(turned, int(both.sum())))
    size1 = float(weight.sum() ** 2 / (weight**2 / cases).sum()) / spread
    size0 = float(weight.sum() ** 2 / (weight**2 / others).sum()) / spread
    low, high = _newcombe(share1, size1, share0, size0)
    low, high = _agreeing(estimate, low, high, p_value)
    expected = float((cases * (both + marked_others) / total).sum())
    return RiskDifference(
        estimate, low, high, p_value, int(both.sum()), int(cases.sum()), int(others.sum()), expected, spread
    )


def wilson(share: float, size: float) -> tuple[float, float]:
    """Return Wilson's 95% score interval of a share seen among ``size`` members, which need not be whole."""
    centre = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    reach = _Z / (1 + _Z**2 / size) * math.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _newcombe(share1: float, size1: float, share0: float, size0: float) -> tuple[float, float]:
    low1, high1 = wilson(share1, size1)
    low0, high0 = wilson(share0, size0)
    difference = share1 - share0
    low = difference - math.hypot(share1 - low1, high0 - share0)
    return max(-1.0, low), min(1.0, difference + math.hypot(high1 - share1, share0 - low0))


def _agreeing(estimate: float, low: float, high: float, p_value: float) -> tuple[float, float]:
    """Widen an interval to the test-based one of a p-value."""
    z = -NormalDist().inv_cdf(max(p_value, 1e-300) / 2)
    if z <= 0:
        return min(low, 0.0), max(high, 0.0)
    reach = _Z / z * abs(estimate)
    low, high = max(-1.0, min(low, estimate - reach)), min(1.0, max(high, estimate + reach))
    return (min(low, 0.0), max(high, 0.0)) if p_value >= _ALPHA else (low, high)


def _dealt(stratum: Stratum) -> Floats:
    """Return the hypergeometric distribution of the number of marked cases, from 0 to the number of cases."""
    cases, others, both, marked_others = stratum.counts
    marked = both + marked_others
    found = np.zeros(cases + 1)
    least, most = max(0, marked - others), min(cases, marked)
    x = np.arange(least, most, dtype=np.float64)
    ratios = (cases - x) * (marked - x) / ((x + 1) * (others - marked + x + 1))
    logs = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    masses = np.exp(logs - logs.max())
    found[least : most + 1] = masses / masses.sum()
    return found


def _turned(stratum: Stratum) -> Floats:
    """Return the distribution of the number of marked cases over all turns of the ring of marks."""
    size = len(stratum.case)
    meet = np.fft.irfft(
        np.conj(np.fft.rfft(stratum.case.astype(np.float64)))
        * np.fft.rfft(stratum.marked.astype(np.float64)),
        size,
    )
    counts = np.rint(meet).astype(np.int64)
    return np.bincount(counts, minlength=int(stratum.case.sum()) + 1) / size


def _together(parts: Sequence[Floats]) -> Floats:
    """Return the distribution of a sum of independent counts."""
    found = np.ones(1)
    for part in parts:
        found = np.convolve(found, part)
    return found


def _two_sided(masses: Floats, seen: int) -> float:
    tails = masses[: seen + 1].sum(), masses[seen:].sum()
    return float(min(1.0, 2 * min(tails)))


def _spread(dealt: Floats, turned: Floats) -> float:
    plain = _variance(dealt)
    return max(1.0, _variance(turned) / plain) if plain > 0 else 1.0


def _variance(masses: Floats) -> float:
    x = np.arange(len(masses), dtype=np.float64)
    mean = float((x * masses).sum())
    return float(((x - mean) ** 2 * masses).sum())
