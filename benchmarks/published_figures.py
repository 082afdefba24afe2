"""Figures that others published, reproduced: a peeked Mann-Whitney test, and Kayenta's rule at two points.

    .venv/bin/python benchmarks/published_figures.py --runs 2000 --seed 1

Netflix (Lindon and others, 2022) report that a Mann-Whitney test at 5%, looked at after every observation,
rejects about 60 to 70% of experiments in which nothing differs. Kayenta's judge, asked about two points on
each side, calls the metric High in 11.3% of cases where both come from the same distribution. Beside them,
the watch's own test on the first one's data, at the same 5%, looked at after every ten pairs.
"""

from __future__ import annotations

import argparse
import bisect

import numpy as np
from _kayenta import is_high
from scipy import stats

from amends.stats.rank import count_wins, rank_evidence, rank_increment

PAIRS = (100, 1000, 3000, 10_000, 30_000)


def running_wins(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Return U, the number of pairs in which ours is the larger, after each further observation of both."""
    low: list[float] = []
    high: list[float] = []
    wins = np.zeros(len(ours))
    total = 0
    for k, (y, x) in enumerate(zip(theirs.tolist(), ours.tolist(), strict=True)):
        total += len(high) - bisect.bisect_right(high, y)
        bisect.insort(low, y)
        total += bisect.bisect_left(low, x)
        bisect.insort(high, x)
        wins[k] = total
    return wins


def peeked(pairs: int, runs: int, rng: np.random.Generator, every: int = 1) -> tuple[float, float]:
    """Return the part of A/A runs rejected at any look: by Mann-Whitney at 5%, two-sided, and by the watch.

    A pair of observations at a time, a look after every ``every`` pairs from the tenth on.
    """
    z = stats.norm.ppf(0.975)
    naive = valid = 0
    for _ in range(runs):
        theirs, ours = rng.lognormal(size=pairs), rng.lognormal(size=pairs)
        u = running_wins(theirs, ours)
        k = np.arange(1, pairs + 1)
        score = (u - k * k / 2) / np.sqrt(k * k * (2 * k + 1) / 12)
        naive += bool((np.abs(score[9::every]) > z).any())
        steps = [
            rank_increment(count_wins(theirs[i : i + 10], ours[i : i + 10]), 10, 10)
            for i in range(0, pairs - 9, 10)
        ]
        s_v = np.cumsum(steps, axis=0)
        valid += bool((rank_evidence(s_v[:, 0], s_v[:, 1], higher=True, lower=True) >= np.log(20)).any())
    return naive / runs, valid / runs


def two_points(runs: int, rng: np.random.Generator) -> float:
    """Return how often Kayenta's rule says High at one look on two points of the same distribution."""
    return float(
        np.mean([is_high(rng.lognormal(0, 0.1, 2), rng.lognormal(0, 0.1, 2), rng) for _ in range(runs)])
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    print("| A/A, looked at after every pair | Mann-Whitney at 5% | the watch at 5% |\n|---|---|---|")
    for pairs in PAIRS:
        runs = min(chosen.runs, 10_000_000 // pairs)
        naive, valid = peeked(pairs, runs, rng)
        print(f"| {pairs:,} pairs ({runs:,} runs) | {naive:.1%} | {valid:.1%} |", flush=True)
    print(
        f"\nKayenta's rule at two points: High in {two_points(10 * chosen.runs, rng):.1%} (published: 11.3%)."
    )


if __name__ == "__main__":
    main()
