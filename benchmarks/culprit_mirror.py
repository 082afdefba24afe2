"""Finding the fix of real bugs: BugsInPy's, in windows of 128 changes of the projects' own histories.

BugsInPy (https://github.com/soarsmu/BugsInPy) has for each bug the fixing commit and its test, but hardly
ever a passing ancestor. So the question is turned round: the test is brought to each revision, a run in which
it fails counts as a pass, and the change that is searched is the fix, at a random place of its window. A
window whose ends do not show that is refused, with the reason. Repositories are obtained separately:

    .venv/bin/python benchmarks/culprit_mirror.py --bugs BUGSINPY --project youtube-dl=CLONE [--project …]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from amends.adapters.clocks import SystemClock
from amends.adapters.codehost import GitHost
from amends.adapters.spool import FileSpool
from amends.amendments.selector import parse_selector
from amends.errors import AmendsError
from amends.prevention.search import Question, Try, Verdict
from amends.workflows.hunting import Crew, Hunt, plan_hunt
from amends.workflows.search import search

CHANGES = 128
CHECK = "amends_mirror_check.py"
# Only a test that failed, or passed, says something: not one that was not collected, imported or found.
PROGRAM = """\
import os, re, subprocess, sys
done = subprocess.run({command}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout[-2000:].replace("Traceback", "traceback"))
lost = re.search(r"ImportError|ModuleNotFoundError|_FailedTest|has no attribute '(test|Test)|no tests ran|not found:",
                 done.stdout)
if lost or done.returncode not in (0, 1) or re.search(r"skipped|Ran 0 tests", done.stdout):
    sys.exit(125)
mended = done.returncode == 0
if int.from_bytes(os.urandom(4), "big") / 2**32 < {flakes}:
    mended = not mended
sys.exit(1 if mended else 0)
"""  # noqa: E501


@dataclass(frozen=True)
class Bug:
    """A bug of BugsInPy: ``tests`` are files as of its fix, ``command`` runs the one that shows it."""

    name: str
    fix: str
    tests: tuple[str, ...]
    command: tuple[str, ...]


def git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *words], text=True, capture_output=True)
    if done.returncode:
        raise LookupError(f"git {words[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def bugs_of(source: Path, project: str, python: str) -> list[Bug]:
    """Read a project's bugs, in the order of their numbers."""
    folder = f"projects/{project}/bugs"
    numbers = sorted(
        int(n) for n in git(source, "ls-tree", "--name-only", f"HEAD:{folder}").split() if n.isdigit()
    )
    found = []
    for number in numbers:
        told = git(source, "show", f"HEAD:{folder}/{number}/bug.info")
        info = dict(re.findall(r'^(\w+)\s*=\s*"([^"]*)"', told, re.M))
        script = git(source, "show", f"HEAD:{folder}/{number}/run_test.sh").replace("\0", "")
        first = next(line.split() for line in script.splitlines() if re.search(r"pytest|unittest|tox", line))
        kind = next(
            at for at, word in enumerate(first) if re.fullmatch(r"pytest|py\.test|unittest|tox", word)
        )
        runner = "unittest" if first[kind] == "unittest" else "pytest"
        tests = tuple(re.split(r"[;\s]+", info["test_file"].strip("; ")))
        found.append(Bug(f"{project} {number}", info["fixed_commit_id"], tests,
                         (python, "-m", runner, *first[kind + 1 :])))  # fmt: skip
    return found


def on_main_line(repository: Path, chain: list[str], bug: Bug) -> Bug:
    """Return the bug with the merge that brought its fix, where the fix is no change of the main line."""
    if bug.fix in chain:
        return bug
    after = set(git(repository, "rev-list", "--ancestry-path", f"{bug.fix}..HEAD").split())
    merges = [commit for commit in chain if commit in after]
    if not merges:
        raise LookupError("its fix is not in this history")
    return replace(bug, fix=merges[0])


def window(chain: list[str], bug: Bug, random: np.random.Generator) -> tuple[str, str]:
    """Return the ends of a window with the fix at a random place."""
    at = chain.index(bug.fix)
    low, high = max(0, at - CHANGES), min(at - 1, len(chain) - 1 - CHANGES)
    if high < low:
        raise LookupError("the history is too short around it")
    start = int(random.integers(low, high + 1))
    return chain[start], chain[start + CHANGES]


def prepared(host: GitHost, repository: Path, ends: tuple[str, str], bug: Bug, flakes: float) -> Hunt:
    hunt = plan_hunt(host, *ends, parse_selector(f"python {CHECK}"))
    files = [(path, git(repository, "show", f"{bug.fix}:{path}") + "\n") for path in bug.tests]
    program = PROGRAM.format(command=repr(list(bug.command)), flakes=0.0)
    hunt = replace(hunt, files=(*files, (CHECK, program)), timeout=120.0)
    number = [commit.sha for commit in hunt.commits].index(bug.fix) + 1
    with Crew(host, hunt, 1) as crew:
        for at, where in ((number, "fix"), (number - 1, "change before the fix"), (0, "old end"),
                          (len(hunt.commits), "new end")):  # fmt: skip
            crew.start(Try(at, "ends"))
            run = crew.next()
            wanted = "red" if at >= number else "green"
            # An old end that does not know what the test needs is skipped by the search, as it should be.
            if run.outcome != wanted and (where, run.outcome) != ("old end", "untestable"):
                raise LookupError(f"at the {where} the test {told(run.outcome)} {run.note}".strip())
    flaky = PROGRAM.format(command=repr(list(bug.command)), flakes=flakes)
    return replace(hunt, files=(*files, (CHECK, flaky)))


def told(outcome: str) -> str:
    return {"red": "passes", "green": "fails", "untestable": "cannot be tried:"}[outcome]


def measure(
    source: Path, project: str, repository: Path, python: str, told: argparse.Namespace
) -> Counter[str]:
    chain = git(repository, "rev-list", "--first-parent", "HEAD").split()[::-1]
    random = np.random.default_rng(told.seed)
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone.git")
        git(repository, "clone", "-q", "--bare", "--shared", str(repository), str(clone))
        host = GitHost(clone, state=Path(folder, "trees"))
        for listed in bugs_of(source, project, python)[told.first - 1 :]:
            for again in range(told.windows):
                try:
                    bug = on_main_line(clone, chain, listed)
                    hunt = prepared(host, clone, window(chain, bug, random), bug, told.flakes)
                except (LookupError, AmendsError, UnicodeError) as why:
                    tally["refused"] += 1
                    print(f"  {listed.name}: refused: {str(why)[:150]}", flush=True)
                    continue
                question = Question(tuple(commit.paths for commit in hunt.commits), use_files=False)
                notes = FileSpool(Path(folder, f"{bug.name}-{again}.jsonl".replace(" ", "-")))
                found = search(host, hunt, question, notes, SystemClock(), jobs=told.jobs)
                kind = judged(hunt, bug, found.verdict)
                tally[kind] += 1
                tally["runs"] += len(found.runs)
                why = "" if kind == "exact" else f": {explained(hunt, bug, found.verdict)}"
                print(f"  {bug.name}: {kind} in {len(found.runs)} runs{why}", flush=True)
    return tally


def judged(hunt: Hunt, bug: Bug, verdict: Verdict) -> str:
    if verdict.kind != "culprit":
        named = [hunt.revision(one) for one in verdict.candidates]
        return "undecided, the fix among those named" if bug.fix in named else verdict.kind
    return "exact" if hunt.revision(verdict.candidates[0]) == bug.fix else "wrong"


def explained(hunt: Hunt, bug: Bug, verdict: Verdict) -> str:
    named = ", ".join(hunt.revision(one)[:12] for one in verdict.candidates)
    return f"{named} instead of {bug.fix[:12]} ({verdict.reason or f'{verdict.probability:.3f}'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bugs", type=Path, metavar="BUGSINPY")
    parser.add_argument("--project", action="append", default=[], metavar="NAME=CLONE[=PYTHON]")
    parser.add_argument("--windows", type=int, default=1, help="of each bug")
    parser.add_argument("--flakes", type=float, default=0.0)
    parser.add_argument(
        "--from", type=int, default=1, dest="first", metavar="N", help="the first bug's number"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    if not told.bugs or not told.project:
        print("nothing to do: BugsInPy and the projects' repositories are obtained separately, see --help")
        return
    whole: Counter[str] = Counter()
    for text in told.project:
        name, clone, *python = text.split("=")
        found = measure(told.bugs, name, Path(clone), python[0] if python else sys.executable, told)
        print(line(name, found), flush=True)
        whole += found
    print(line("all", whole))


def line(name: str, tally: Counter[str]) -> str:
    tried = sum(count for kind, count in tally.items() if kind not in ("runs", "refused"))
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.items()) if kind != "runs")
    mean = f"; {tally['runs'] / tried:.1f} runs each, {tally['exact'] / tried:.1%} exact" if tried else ""
    return f"{name}: {tried} windows: {kinds}{mean}"


if __name__ == "__main__":
    main()
