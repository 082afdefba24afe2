"""Finding a culprit: amends against git bisect, majority of three and git_bayesect, on the same questions.

Every method is asked for the same planted culprits among 128 changes, by simulated runs, and is told the
ends: the good one passed, the bad one failed. git_bayesect (PyPI, MIT) is not a dependency:

    uv run --with git_bayesect==1.2 benchmarks/culprit.py [--rounds 2000] [--seed 1]

With ``--planted REPOSITORY…`` real commits of these repositories are searched too, in real worktrees:
each of 128 commits gets a program that fails from a random commit on, and in a tenth of its runs by chance.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amends.prevention.culprit import FALSE_FAIL, FALSE_PASS, Rates, Setting, next_revision, posterior, stated
from amends.prevention.search import Question, Run, Try, Verdict, decide

try:
    from git_bayesect import Bisector
except ImportError:
    Bisector = None

CHANGES = 128
SURE = 0.99
RATES = (0.0, 0.01, 0.05, 0.1, 0.2)
HIDDEN = ((0.05, 0.3), (0.0, 0.5), (0.1, 0.1))
MOST = 500
Random = np.random.Generator
Test = Callable[[int], bool]  # revision -> whether it failed
Method = Callable[[Test], tuple[int, int]]  # -> the change that is named, and how many runs it took


def world(random: Random, culprit: int, false_fail: float, false_pass: float) -> Test:
    def fails(revision: int) -> bool:
        return bool(random.random() < ((1 - false_pass) if revision >= culprit else false_fail))

    return fails


def bound(false_fail: float, false_pass: float) -> float:
    """Fano's bound for an error of 1%, over the capacity of the channel that the test is."""
    need = math.log2(CHANGES) - entropy(0.01) - 0.01 * math.log2(CHANGES - 1)
    shares = np.linspace(0.001, 0.999, 9999)
    failing = shares * (1 - false_pass) + (1 - shares) * false_fail
    told = [entropy(f) for f in failing] - (shares * entropy(false_pass) + (1 - shares) * entropy(false_fail))
    return need / float(np.max(told))


def entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def bisect(votes: int) -> Method:
    """Return git bisect, each revision judged by ``votes`` runs; a decided majority is not run on."""

    def method(test: Test) -> tuple[int, int]:
        low, high, runs = 0, CHANGES, 0
        while high - low > 1:
            middle = (low + high) // 2
            ballots = [0, 0]
            while max(ballots) <= votes // 2:
                ballots[test(middle)] += 1
                runs += 1
            low, high = (low, middle) if ballots[1] > ballots[0] else (middle, high)
        return high, runs

    return method


def ours(false_fail: Rates = FALSE_FAIL, false_pass: Rates = FALSE_PASS) -> Method:
    """Return the search alone, told the ends: without running them, and without neighbours at the end."""
    setting = Setting(CHANGES, false_fail=false_fail, false_pass=false_pass, no_culprit=0.0)
    everywhere = np.ones(CHANGES + 1, dtype=bool)

    def method(test: Test) -> tuple[int, int]:
        fails, passes = np.zeros(CHANGES + 1), np.zeros(CHANGES + 1)
        fails[CHANGES], passes[0] = 1, 1
        runs = 0
        while True:
            belief = posterior(setting, fails, passes)
            at = next_revision(belief, everywhere)
            if belief.culprit.max() >= SURE or runs >= MOST or at is None:
                return int(belief.culprit.argmax()) + 1, runs
            (fails if test(at) else passes)[at] += 1
            runs += 1

    return method


def bayesect(*, told: bool) -> Method:
    """Return git_bayesect to 99%, with or without the outcomes of the ends, which then cost it nothing."""

    def method(test: Test) -> tuple[int, int]:
        weights = np.ones(CHANGES + 1)
        weights[CHANGES] = 0.0 if told else 1.0
        search = Bisector(weights)
        if told:
            search.record(0, True)
            search.record(CHANGES, False)
        runs = 0
        while search.distribution.max() < SURE and runs < MOST:
            at = search.select()
            search.record(at, test(CHANGES - at))
            runs += 1
        return CHANGES - int(search.distribution.argmax()), runs

    return method


def whole(question: Question, test: Test) -> tuple[Verdict, int]:
    """Play the command's search: ends, search, neighbours, with the hypothesis of no culprit."""
    runs: list[Run] = []
    while True:
        step = decide(question, runs)
        if isinstance(step, Verdict):
            return step, len(runs)
        assert isinstance(step, Try)
        runs.append(Run(step.revision, "red" if test(step.revision) else "green", step.purpose))


def cell(method: Method, rates: tuple[float, float], rounds: int, seed: int) -> tuple[float, float]:
    """Return the share of exact answers and the mean number of runs; each method meets the same culprits."""
    culprits = np.random.default_rng(seed).integers(1, CHANGES + 1, rounds)
    random = np.random.default_rng(seed + 1)
    found = [(method(world(random, int(k), *rates)), int(k)) for k in culprits]
    return float(np.mean([got[0] == k for got, k in found])), float(np.mean([got[1] for got, _ in found]))


def shown(figures: tuple[float, float]) -> str:
    return f"{100 * figures[0]:.2f}% / {figures[1]:.1f}"


def compare(rounds: int, seed: int) -> None:
    print("\n## exact / mean runs, told the ends")
    print("| false fails, false passes | bound | git bisect | majority of 3 | noise stated | noise unknown | "
          "unknown, but seen each time | git_bayesect | git_bayesect, not told | "
          "unknown ÷ git_bayesect |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for rates in [(p, 0.0) for p in RATES] + list(HIDDEN):
        few = max(100, rounds // 4) if rates in HIDDEN else rounds
        cells = [cell(bisect(1), rates, few, seed), cell(bisect(3), rates, few, seed)]
        cells.append(cell(ours(stated(rates[0]), stated(rates[1])), rates, few, seed))
        cells.append(cell(ours(), rates, few, seed))
        seen = cell(ours(false_pass=stated(0.0)), rates, few, seed) if not rates[1] else None
        others = [cell(bayesect(told=told), rates, few, seed) for told in (True, False)] if Bisector else []
        row = [f"{rates[0]:.0%}, {rates[1]:.0%}", f"{bound(*rates):.2f}", *map(shown, cells)]
        row += [shown(seen) if seen else "–", *(map(shown, others) if others else ["–", "–"])]
        row.append(f"{cells[3][1] / others[0][1]:.2f}" if others else "–")
        print("| " + " | ".join(row) + " |", flush=True)


def command(rounds: int, seed: int) -> None:
    print("\n## the command's whole search: both ends run, neighbours re-tested, no culprit possible")
    print("| false fails, false passes | verdict culprit | of these exact | mean runs |\n|---|---|---|---|")
    question = Question(((),) * CHANGES)
    for rates in [(p, 0.0) for p in RATES] + list(HIDDEN):
        print(
            f"| {rates[0]:.0%}, {rates[1]:.0%} | {convictions(question, rates, rounds, seed)} |", flush=True
        )


def convictions(question: Question, rates: tuple[float, float], rounds: int, seed: int) -> str:
    culprits = np.random.default_rng(seed).integers(1, CHANGES + 1, rounds)
    random = np.random.default_rng(seed + 1)
    found = [(*whole(question, world(random, int(k), *rates)), int(k)) for k in culprits]
    named = [verdict.candidates[0] == k for verdict, _, k in found if verdict.kind == "culprit"]
    runs = float(np.mean([runs for _, runs, _ in found]))
    return f"{len(named) / rounds:.2%} | {np.mean(named):.2%} | {runs:.1f}"


def misstated(rounds: int, seed: int) -> None:
    print("\n## noise stated wrongly, the whole search")
    print(
        "| true false fails | stated | verdict culprit | of these exact | mean runs |\n|---|---|---|---|---|"
    )
    for true in (0.05, 0.1, 0.2):
        for factor in (0.5, 2.0):
            question = Question(((),) * CHANGES, false_fail=stated(true * factor), false_pass=stated(0.0))
            told = convictions(question, (true, 0.0), rounds, seed)
            print(f"| {true:.0%} | {true * factor:.1%} | {told} |", flush=True)


def nothing(rounds: int, seed: int) -> None:
    print("\n## nothing changed: how often no change is named")
    print("| every revision fails in | no culprit | flaky | mean runs |\n|---|---|---|---|")
    question = Question(((),) * CHANGES)
    for rate in (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0):
        random = np.random.default_rng(seed)
        found = [whole(question, world(random, CHANGES + 1, rate, 0.0)) for _ in range(rounds)]
        clear = np.mean([verdict.kind != "culprit" for verdict, _ in found])
        flaky = np.mean([verdict.kind == "flaky" for verdict, _ in found])
        runs = float(np.mean([runs for _, runs in found]))
        print(f"| {rate:.0%} | {clear:.2%} | {flaky:.1%} | {runs:.1f} |", flush=True)


PROGRAM = """\
import os, sys
defect = {defect}
if int.from_bytes(os.urandom(4), "big") / 2**32 < {flakes}:
    sys.exit(1)
sys.exit(1 if defect else 0)
"""


def plant(repository: Path, clone: Path, random: Random, flakes: float) -> tuple[str, str, str]:
    """Copy a window of real commits into ``clone`` with the program in each; return good, bad and culprit."""

    def git(*words: str, told: str = "") -> str:
        done = subprocess.run(["git", "-C", str(clone), *words], input=told, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    if not clone.exists():
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", str(repository), str(clone)], check=True)
    history = git("rev-list", "--first-parent", "HEAD").split()
    start = int(random.integers(0, len(history) - CHANGES))
    window = history[start : start + CHANGES + 1][::-1]
    culprit = int(random.integers(1, CHANGES + 1))
    blobs = [
        git("hash-object", "-w", "--stdin", told=PROGRAM.format(defect=defect, flakes=flakes))
        for defect in (False, True)
    ]
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com"]
    made: list[str] = []
    for number, commit in enumerate(window):
        entries = git("ls-tree", commit)
        tree = git("mktree", told=f"{entries}\n100644 blob {blobs[number >= culprit]}\tplanted_program.py\n")
        parent = ["-p", made[-1]] if made else []
        made.append(git(*who, "commit-tree", tree, *parent, "-m", f"change {number}"))
    return made[0], made[-1], made[culprit]


def planted(repositories: Sequence[Path], windows: int, flakes: float, seed: int) -> None:
    from amends.adapters.clocks import SystemClock
    from amends.adapters.codehost import GitHost
    from amends.adapters.spool import FileSpool
    from amends.amendments.selector import parse_selector
    from amends.workflows.hunting import plan_hunt
    from amends.workflows.search import search

    print(
        f"\n## planted in {windows} windows of 128 real commits, {flakes:.0%} injected flakes, real worktrees"
    )
    print(f"| noise | exact | flaky or undecided | wrong | mean runs | ÷ bound ({bound(flakes, 0):.2f}) |")
    print("|---|---|---|---|---|---|")
    for name, rates in {"unknown": (FALSE_FAIL, FALSE_PASS), "stated": (stated(flakes), stated(0.0))}.items():
        random = np.random.default_rng(seed)
        tally, runs, told = {"exact": 0, "none": 0, "wrong": 0}, 0, 0
        with tempfile.TemporaryDirectory() as folder:
            for number in range(windows):
                repository = repositories[number % len(repositories)]
                clone = Path(folder, f"{number % len(repositories)}.git")
                good, bad, truth = plant(repository, clone, random, flakes)
                host = GitHost(clone, state=Path(folder, "trees"))
                hunt = plan_hunt(host, good, bad, parse_selector("python planted_program.py"))
                question = Question(((),) * CHANGES, false_fail=rates[0], false_pass=rates[1])
                found = search(
                    host, hunt, question, FileSpool(Path(folder, f"{number}.jsonl")), SystemClock()
                )
                named = found.verdict.kind == "culprit" and hunt.revision(found.verdict.candidates[0])
                tally["none" if not named else "exact" if named == truth else "wrong"] += 1
                runs += len(found.runs)
                told += sum(run.purpose == "search" for run in found.runs)
        share = {key: f"{count / windows:.1%}" for key, count in tally.items()}
        print(f"| {name} | {share['exact']} | {share['none']} | {share['wrong']} | {runs / windows:.1f}, "
              f"{told / windows:.1f} without ends and neighbours | {runs / windows / bound(flakes, 0):.2f}, "
              f"{told / windows / bound(flakes, 0):.2f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", type=Path, nargs="*", default=[], metavar="REPOSITORY")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--flakes", type=float, default=0.1)
    parser.add_argument("--only-planted", action="store_true")
    told = parser.parse_args()
    if not told.only_planted:
        if Bisector is None:
            print("git_bayesect is not installed: uv run --with git_bayesect==1.2 benchmarks/culprit.py")
        compare(told.rounds, told.seed)
        command(max(100, told.rounds // 2), told.seed)
        misstated(max(100, told.rounds // 2), told.seed)
        nothing(max(100, told.rounds // 2), told.seed)
    if told.planted:
        planted(told.planted, told.windows, told.flakes, told.seed)


if __name__ == "__main__":
    main()
