"""Which change brought a failure, when the test that shows it is itself not to be trusted.

Revisions are numbered 0 (the good end) to N (the bad end); change ``k`` leads from revision ``k - 1`` to
``k``. Under "change k is the culprit" revisions before ``k`` fail falsely at a rate ``a`` and those from
``k`` on pass falsely at a rate ``b``; they fail clearly more often. Both are unknown: summed over a grid.
Under "no change is" every revision fails at one rate. After Ben-Or and Hassidim, "The Bayesian learner is
optimal for noisy binary search" (FOCS 2008), with the rates unknown and a hypothesis of no culprit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SMALLEST_EFFECT = 5.0
"""A culprit multiplies the odds of failing at least by this; less is not told from a test that is flaky."""
NO_CULPRIT = 0.5
"""How probable it is, before any run, that no change between the ends is to blame: as probable as not."""
_PATTERNS = 64  # of outcomes of a batch that are told apart; the least probable beyond are left out
_TELLS_NOTHING = 1e-9  # nats


@dataclass(frozen=True, slots=True)
class Rates:
    """What is believed of an error rate before any run: values between 0 and 1, and their weights."""

    values: tuple[float, ...]
    weights: tuple[float, ...]


_GRID = (0.0005, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.14, 0.18, 0.22, 0.27, 0.33, 0.4, 0.5, 0.6,
         0.7, 0.8, 0.9, 0.95)  # fmt: skip
_NEXT_TO_NOTHING = (0.6, 0.25, 0.15)  # how a quiet test's share falls on the first three points of the grid


# Where nothing changed, a test may also fail in all its runs.
_BOTH_WAYS = tuple(sorted({*_GRID, *(round(1 - value, 6) for value in _GRID)}))


def unknown(first: float, second: float, *, quiet: float = 0.0, values: tuple[float, ...] = _GRID) -> Rates:
    """Return a belief on the grid: ``quiet`` that the rate is next to nothing, else Beta(first, second).

    Each point has the mass of its neighbourhood, summed over 4,000 slices, so that no special function is
    needed.
    """
    fine = (np.arange(4000) + 0.5) / 4000
    density = fine ** (first - 1) * (1 - fine) ** (second - 1)
    grid = np.array(values)
    nearest = np.abs(fine[:, None] - grid[None, :]).argmin(axis=1)
    mass: Vector = np.bincount(nearest, weights=density, minlength=len(grid)).astype(np.float64)
    mass *= (1 - quiet) / mass.sum()
    mass[: len(_NEXT_TO_NOTHING)] += quiet * np.array(_NEXT_TO_NOTHING)
    return Rates(values, tuple(float(m) for m in mass))


_STEPS = (0.5, 0.75, 1.0, 1.3333, 2.0)
_STEP_WEIGHTS = (0.02, 0.13, 0.7, 0.13, 0.02)


def stated(rate: float) -> Rates:
    """Return the belief of somebody who states a rate: about that, at most twice as much or as little."""
    at = max(rate, _GRID[0])
    return Rates(tuple(min(at * step, _GRID[-1]) for step in _STEPS), _STEP_WEIGHTS)


# Most tests are quiet; of the others any rate will do. Chosen on benchmarks/culprit.py: see its results.
FALSE_FAIL = unknown(1.0, 4.0, quiet=0.6)
FALSE_PASS = unknown(1.0, 1.5, quiet=0.7)
ANY_RATE = unknown(0.5, 0.5, values=_BOTH_WAYS)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is asked: how many changes, how much each is suspected beforehand, and what is known of noise.

    ``suspicion`` has one weight for each change, in any unit; empty: all alike. ``no_culprit`` is the prior
    probability that no change is to blame.
    """

    changes: int
    suspicion: tuple[float, ...] = ()
    false_fail: Rates = FALSE_FAIL
    false_pass: Rates = FALSE_PASS
    no_culprit: float = NO_CULPRIT

    def prior(self) -> Vector:
        """Return the prior of each change; with ``no_culprit`` they add up to 1."""
        weights = np.array(self.suspicion or (1.0,) * self.changes, dtype=np.float64)
        result: Vector = weights / weights.sum() * (1.0 - self.no_culprit)
        return result


@dataclass(frozen=True)
class Posterior:
    """What is believed after some runs.

    ``culprit[k - 1]`` is the probability of change ``k``; ``none`` that of no culprit. ``fail_before[k - 1]``
    and ``fail_after[k - 1]`` are how often a revision before and after change ``k`` is expected to fail if
    ``k`` is the culprit; ``fail_always`` how often any fails if none is.
    """

    culprit: Vector
    none: float
    fail_before: Vector
    fail_after: Vector
    fail_always: float


def posterior(setting: Setting, fails: Sequence[int] | Any, passes: Sequence[int] | Any) -> Posterior:
    """Return the joint posterior, given how often each revision (0 to N) failed and passed."""
    failed, passed = np.asarray(fails, dtype=np.float64), np.asarray(passes, dtype=np.float64)
    fails_before, passes_before = np.cumsum(failed)[:-1], np.cumsum(passed)[:-1]
    fails_after, passes_after = failed.sum() - fails_before, passed.sum() - passes_before
    a, b = np.array(setting.false_fail.values), np.array(setting.false_pass.values)
    joint = np.outer(setting.false_fail.weights, setting.false_pass.weights)
    odds_before, odds_after = a / (1 - a), (1 - b) / b
    joint = np.where(odds_after[None, :] >= SMALLEST_EFFECT * odds_before[:, None], joint, 0.0)
    joint /= joint.sum()
    before = np.outer(fails_before, np.log(a)) + np.outer(passes_before, np.log1p(-a))
    after = np.outer(passes_after, np.log(b)) + np.outer(fails_after, np.log1p(-b))
    top_before, top_after = before.max(axis=1), after.max(axis=1)
    before, after = np.exp(before - top_before[:, None]), np.exp(after - top_after[:, None])
    by_a, by_b = before * (after @ joint.T), after * (before @ joint)
    total = by_a.sum(axis=1)
    f, weight = np.array(ANY_RATE.values), np.array(ANY_RATE.weights)
    flat = failed.sum() * np.log(f) + passed.sum() * np.log1p(-f)
    by_f = weight * np.exp(flat - flat.max())
    with np.errstate(divide="ignore"):
        logs = np.log(setting.prior()) + top_before + top_after + np.log(total)
        none = np.log(setting.no_culprit) + flat.max() + np.log(by_f.sum())
    top = max(logs.max(), none)
    mass, none_mass = np.exp(logs - top), float(np.exp(none - top))
    whole = mass.sum() + none_mass
    return Posterior(
        mass / whole, float(none_mass / whole), by_a @ a / total, 1.0 - by_b @ b / total,
        float(by_f @ f / by_f.sum()),
    )  # fmt: skip


def next_revision(belief: Posterior, allowed: NDArray[np.bool_], pending: Sequence[int] = ()) -> int | None:
    """Return the revision whose next run tells most about the culprit, ``None`` where no run tells anything.

    ``pending`` are revisions whose runs are under way: their outcomes are taken into account by their
    probabilities, as if independent given the culprit, so that a batch does not ask one thing many times.
    """
    patterns = [(belief.culprit, belief.none)]
    for at in pending:
        patterns = _more_patterns(belief, patterns, at)
    gain = np.where(allowed, _gain(belief, patterns), -1.0)
    best = gain.max(initial=-1.0)
    if best < _TELLS_NOTHING:
        return None
    equal = np.flatnonzero(gain >= best - 1e-12)
    return int(equal[len(equal) // 2])


def _more_patterns(
    belief: Posterior, patterns: Sequence[tuple[Vector, float]], at: int
) -> list[tuple[Vector, float]]:
    changes = np.arange(1, len(belief.culprit) + 1)
    fails = np.where(changes > at, belief.fail_before, belief.fail_after)
    split = []
    for culprit, none in patterns:
        split.append((culprit * fails, none * belief.fail_always))
        split.append((culprit * (1 - fails), none * (1 - belief.fail_always)))
    split.sort(key=lambda one: -float(one[0].sum() + one[1]))
    return split[:_PATTERNS]


def _side_sums(values_before: Vector, values_after: Vector) -> Vector:
    """Return for each revision the sum over the changes: those after it are judged as before them."""
    after = np.concatenate([[0.0], np.cumsum(values_after)])
    before = np.cumsum(values_before[::-1])[::-1]
    result: Vector = after + np.concatenate([before, [0.0]])
    return result


def _xlogx(values: Any) -> Any:
    return np.where(values > 0, values * np.log(np.maximum(values, 1e-300)), 0.0)


def _gain(belief: Posterior, patterns: Sequence[tuple[Vector, float]]) -> Vector:
    """Return the expected gain of one more run where some are under way, over each pattern of their outcomes.

    The gain is the mutual information between the outcome and the culprit.
    """
    result = np.zeros(len(belief.culprit) + 1)
    for culprit, none in patterns:
        held = _xlogx(culprit).sum() + _xlogx(none) - _xlogx(culprit.sum() + none)
        for before, after, always in (
            (belief.fail_before, belief.fail_after, belief.fail_always),
            (1 - belief.fail_before, 1 - belief.fail_after, 1 - belief.fail_always),
        ):
            low, high, flat = culprit * before, culprit * after, none * always
            mass = _side_sums(low, high) + flat
            result += _side_sums(_xlogx(low), _xlogx(high)) + _xlogx(flat) - _xlogx(mass)
        result -= held
    return result
