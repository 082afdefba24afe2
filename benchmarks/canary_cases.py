"""Real series, pre-aggregated and few: detection and false alarms beside Kayenta's rule and a robust z-score.

    .venv/bin/python benchmarks/canary_cases.py [--cases FILE] [--runs 400] [--seed 1]

Each line of the file is a case with `baseline`, `candidate` and `truth` (`regression` or `ok`), which only
this script reads. amends looks at every point, both directions, α = .01. Kayenta's rule, both directions, is
asked once with all points, and at every point from the second on ("peeked"). The robust z-score (Iglewicz &
Hoaglin 1993) alarms where a point, or the median of the candidate's points, is more than 3.5 from the
baseline's median, in units of its MAD (its mean absolute deviation where that is 0).

"Baseline against itself" has no release in it: of every different baseline the first 40 points stand
for the baseline and the next 6 for a candidate, then the first 46 and the next 6, then 52 and 6. The
simulated part has normal points with autocorrelation φ, 60 against 6 and 60 against 30.
Intervals are Clopper and Pearson's, 95%.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from _kayenta import is_high
from scipy import stats

from amends.watch.series import SeriesPair, judge_series

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "metrics" / "canary_cases.jsonl"
Rule = Callable[[np.ndarray, np.ndarray], bool]
_RNG = np.random.default_rng(1)  # only where both arms are constant, as Kayenta has it


def amends(baseline: np.ndarray, candidate: np.ndarray) -> bool:
    pair = SeriesPair("value", tuple(baseline), tuple(candidate))
    return judge_series(pair).decision == "rollback"


def kayenta(baseline: np.ndarray, candidate: np.ndarray) -> bool:
    return is_high(baseline, candidate, _RNG) or is_high(-baseline, -candidate, _RNG)


def kayenta_peeked(baseline: np.ndarray, candidate: np.ndarray) -> bool:
    return any(kayenta(baseline, candidate[:k]) for k in range(2, candidate.size + 1))


def z_of_points(baseline: np.ndarray, candidate: np.ndarray) -> bool:
    return bool(np.any(np.abs(candidate - np.median(baseline)) > 3.5 * spread(baseline)))


def z_of_median(baseline: np.ndarray, candidate: np.ndarray) -> bool:
    return bool(abs(np.median(candidate) - np.median(baseline)) > 3.5 * spread(baseline))


def spread(baseline: np.ndarray) -> float:
    away = np.abs(baseline - np.median(baseline))
    return float(1.4826 * np.median(away) or 1.2533 * away.mean())


RULES: dict[str, Rule] = {
    "amends": amends, "Kayenta, once": kayenta, "Kayenta, peeked": kayenta_peeked,
    "robust z, median": z_of_median, "robust z, any point": z_of_points,
}  # fmt: skip


def count(rule: Rule, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[int, int]:
    answers = [rule(baseline, candidate) for baseline, candidate in pairs]
    return sum(answers), len(answers)


def told(hits: int, total: int) -> str:
    if not total:
        return "–"
    found = stats.binomtest(hits, total).proportion_ci(0.95, "exact")
    return f"{hits}/{total} ({found.low:.3f}–{found.high:.3f})"


def against_itself(baselines: Iterable[tuple[float, ...]]) -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = []
    for points in baselines:
        series = np.array(points)
        pairs += [(series[:n], series[n : n + 6]) for n in (40, 46, 52) if series.size >= n + 6]
    return pairs


def simulated(phi: float, k: int, runs: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    noise = rng.standard_normal((runs, 160 + k))
    for t in range(1, noise.shape[1]):
        noise[:, t] += phi * noise[:, t - 1]
    return [(series[100:160], series[160:]) for series in noise]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--cases", type=Path, default=CASES)
    asked.add_argument("--runs", type=int, default=400)
    asked.add_argument("--seed", type=int, default=1)
    wish = asked.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    cases = [json.loads(line) for line in wish.cases.read_text("utf-8").splitlines() if line.strip()]
    rng = np.random.default_rng(wish.seed)
    rows: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for truth in ("regression", "ok"):
        for metric in [None, *sorted({c["metric"] for c in cases if c["truth"] == truth})]:
            chosen = [c for c in cases if c["truth"] == truth and metric in (None, c["metric"])]
            rows[f"{truth}, {metric or 'all'}"] = [
                (np.array(c["baseline"], float), np.array(c["candidate"], float)) for c in chosen
            ]
    rows["baseline against itself"] = against_itself(dict.fromkeys(tuple(c["baseline"]) for c in cases))
    for phi in (0.0, 0.3, 0.6, 0.9):
        for k in (6, 30):
            rows[f"simulated, φ = {phi:g}, 60:{k}"] = simulated(phi, k, wish.runs, rng)
    print(f"| series | {' | '.join(RULES)} |")
    print("|---|" + "---|" * len(RULES))
    for name, pairs in rows.items():
        cells = [told(*count(rule, pairs)) if _affordable(rule, name) else "–" for rule in RULES.values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _affordable(rule: Rule, name: str) -> bool:
    """Kayenta's root search at each of 30 points takes hours."""
    return rule is not kayenta_peeked or not name.endswith(":30")


if __name__ == "__main__":
    main()
