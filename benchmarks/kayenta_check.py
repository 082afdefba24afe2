"""Check the port of Kayenta's rule against Kayenta's own classifier tests, read from a clone of it.

    .venv/bin/python benchmarks/kayenta_check.py --clone ../kayenta

Each test gives both arms' points, the settings and the class that it expects; the port knows High and not
High, by the ratio of means (tests of the judge's other measure of effect are left out). Besides, two
behaviours known from its issue tracker: zeros against rare errors pass (kayenta 426), and so do 7 of 10
points that are a hundred times higher (spinnaker 6278). Without a clone only these two are checked.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from _kayenta import Rule, is_high

_SUITE = "kayenta-judge/src/test/scala/com/netflix/kayenta/judge/ClassifierSuite.scala"
_NUMBERS = r"val {}Data\s*=\s*Array\(([^)]*)\)"
_MADE = re.compile(
    r"new MannWhitneyClassifier\(tolerance = ([\d.]+), confLevel = ([\d.]+)(.*?)\)\n", re.DOTALL
)
_EXPECTED = re.compile(r"classification == (\w+)")


def numbers(name: str, text: str) -> np.ndarray:
    found = re.search(_NUMBERS.format(name), text)
    return np.array([float(n) for n in found.group(1).split(",") if n.strip()]) if found else np.array([])


def judged(test: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """Return what the test expects and what the port says; ``None`` for tests of something else."""
    made, expected = _MADE.search(test), _EXPECTED.search(test)
    if made is None or expected is None or "Double.NaN" in test or "cles" in test:
        return None
    thresholds = re.search(r"effectSizeThresholds = \(([\d.]+), ([\d.]+)\)", made.group(3))
    rule = Rule(float(made.group(2)), float(made.group(1)), float(thresholds.group(2)) if thresholds else 1.0)
    high = is_high(numbers("control", test), numbers("experiment", test), rng, rule)
    high = high and "MetricDirection.Decrease" not in test
    return expected.group(1), "High" if high else "not High"


def known(rng: np.random.Generator) -> list[tuple[str, bool]]:
    rare = np.zeros(60)
    rare[[7, 21, 40]] = 1.0
    hundred = np.r_[np.full(7, 100.0) + np.arange(7), 1.0, 2.0, 3.0]
    return [
        ("zeros against rare errors pass", not is_high(np.zeros(60), rare, rng)),
        ("7 of 10 points at ×100 pass", not is_high(np.r_[1.0:2.0:10j], hundred, rng)),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--clone", type=Path)
    chosen = options.parse_args()
    rng = np.random.default_rng(1)
    for name, holds in known(rng):
        print(f"{'agrees' if holds else 'DIFFERS'}: {name}")
    if chosen.clone is None:
        return
    tests = (chosen.clone / _SUITE).read_text().split('test("')[1:]
    for test in tests:
        said = judged(test, rng)
        if said:
            expected, port = said
            agrees = (expected == "High") == (port == "High")
            print(f"{'agrees' if agrees else 'DIFFERS'}: {test.split(chr(34))[0]}: {expected}, port {port}")


if __name__ == "__main__":
    main()
