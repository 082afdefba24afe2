"""The writing of tests, tried on real bugs: BugsInPy (github.com/soarsmu/BugsInPy), on Python 3.11 as it is.

Run: python benchmarks/bugsinpy/run.py --bugsinpy CLONE --repositories DIR --pythons DIR [--out FILE]
[--minutes N] PROJECT[:1-9,12]...

DIR of repositories holds NAME.git or NAME for each project, DIR of pythons NAME/bin/python with what the
project and pytest need; neither these nor BugsInPy are part of this project, so all are fetched separately.
Results go to FILE, a line a bug; bugs that it holds already are not run again. For each bug:

1. Its own test has to be red on the buggy commit and green on the fixed one. If not, the bug is refused, with
   the reason of ``amends``: red through an import error, for example.
2. The calls that the test makes of the functions that the fix changed, and of what called them, are recorded
   as production's recorder would, their arguments alone: captured.
3. Those whose outcome differs between the two commits are what production would have seen fail. At most four
   are given to ``amends test write``, those of literals first and the smallest first: reproduced, reduced,
   written, proven. The first proven one counts.

The outcome of a call on the buggy commit stands for what production would have recorded with it; a wrong
value has the fixed commit as its oracle, as in ``amends test write --good``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from amends.adapters.codehost import GitHost
from amends.amendments.selector import parse_selector
from amends.application.ports import CommandResult, Worktree
from amends.errors import AmendsError
from amends.events.payloads import Signature
from amends.prevention.captures import Capture, read_capture
from amends.prevention.oracle import differences
from amends.prevention.subjects import CallSubject
from amends.workflows.looking import Looker, Lookers, Seen
from amends.workflows.testorder import Order, Written
from amends.workflows.testwriting import write
from amends.workflows.trying import Trial, read_result
from benchmarks.bugsinpy.bugs import Bug, bugs_of, changed_spans, test_files

HERE = Path(__file__).parent
MOST_CALLS = 200
MOST_WRITINGS = 4
SECONDS = 120.0


@dataclass
class Result:
    """What came of one bug. ``refused`` says why it cannot be tried; then nothing else is set."""

    project: str
    number: int
    refused: str = ""
    captured: int = 0
    differing: int = 0
    reproduced: bool = False
    reduced: bool = False
    written: bool = False
    proven: bool = False
    literals: bool = False
    oracle: str = ""
    failure: str = ""
    sizes: tuple[int, int] = (0, 0)
    evaluations: int = 0
    input: str = ""
    reasons: list[str] = field(default_factory=list)


def main() -> None:
    """Run what is asked for and print the table of everything in the file."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("projects", nargs="*", metavar="PROJECT[:NUMBERS]")
    for name in ("bugsinpy", "repositories", "pythons"):
        asked.add_argument(f"--{name}", type=Path, required=True)
    asked.add_argument("--out", type=Path, default=Path("bugsinpy.jsonl"))
    asked.add_argument("--minutes", type=float, default=1e9, help="begin no bug after so long")
    told = asked.parse_args()
    until = time.monotonic() + 60 * told.minutes
    known = {(one["project"], one["number"]) for one in _results(told.out)}
    for project, numbers in map(_wanted, told.projects):
        repo = next(
            p for p in (told.repositories / f"{project}.git", told.repositories / project) if p.exists()
        )
        host = GitHost(repo, python=str((told.pythons / project / "bin/python").absolute()))
        for bug in bugs_of(told.bugsinpy, project):
            wanted = not numbers or bug.number in numbers
            if not wanted or (project, bug.number) in known or time.monotonic() > until:
                continue
            result = tried(host, repo, bug)
            with told.out.open("a") as file:
                file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
            print(f"{bug.name}: {_said(result)}", file=sys.stderr, flush=True)
    print(table(_results(told.out)))


def tried(host: GitHost, repo: Path, bug: Bug) -> Result:
    """Take one bug through it all."""
    result = Result(bug.project, bug.number)
    try:
        calls = recorded(host, repo, bug, result)
        if not result.refused:
            _write_one(host, bug, calls, result)
    except AmendsError as error:
        result.reasons.append(error.message)
    return result


# --- the bug's own test -----------------------------------------------------------------------------------


def recorded(host: GitHost, repo: Path, bug: Bug, result: Result) -> list[dict[str, Any]]:
    """Run the bug's own test on both commits; return the calls of the red run, or set why it is refused."""
    files = test_files(repo, bug)
    red, calls = _own_test(host, bug, bug.bad, files, changed_spans(repo, bug))
    if red.outcome != "red":
        result.refused = f"its test on the buggy commit: {red.outcome}; {red.note}".rstrip("; ")
        return []
    green, _ = _own_test(host, bug, bug.good, files, {})
    if green.outcome != "green":
        result.refused = f"its test on the fixed commit: {green.outcome}; {green.note or green.signature}"
        return []
    result.captured = len(calls)
    return calls


def _own_test(
    host: GitHost, bug: Bug, commit: str, files: dict[str, str], spans: dict[str, list[tuple[int, int]]]
) -> tuple[Trial, list[dict[str, Any]]]:
    tree = host.worktree(commit)
    try:
        for path, text in files.items():
            tree.write(path, text)
        out = tree.beside("calls.json", "[]")
        spec = {"root": str(tree.path), "out": str(out), "patched": spans}
        words = ["python", str(tree.beside("recorder.py", (HERE / "recorder.py").read_text()))]
        words += [str(tree.beside("spec.json", json.dumps(spec))), *bug.tests]
        done = _run(tree, words)
        selector = parse_selector(f"pytest {bug.tests[0]}" if bug.tests else "pytest none.py")
        trial = read_result(done, selector, Signature(), roots=(str(tree.path), str(tree.path.resolve())))
        return trial, json.loads(out.read_text())
    finally:
        tree.close()


def _run(tree: Worktree, words: list[str]) -> CommandResult:
    return tree.run(words, timeout=300)


# --- what production would have seen ----------------------------------------------------------------------


def _write_one(host: GitHost, bug: Bug, calls: list[dict[str, Any]], result: Result) -> None:
    found = list(differing(host, bug, calls))
    result.differing = len(found)
    for capture in found[:MOST_WRITINGS]:
        written = _written(host, bug, capture)
        _note(result, written, capture)
        if written.verdict == "proven":
            return


def differing(host: GitHost, bug: Bug, calls: list[dict[str, Any]]) -> Iterator[Capture]:
    """Yield captures of the calls whose outcome differs between the commits, the most useful first."""
    texts = {json.dumps(call): call for call in calls}
    ordered = sorted(texts, key=lambda one: (not _literal(one), not texts[one]["direct"], len(one)))
    first = next((_capture(bug, texts[text]) for text in ordered), None)
    if first is None or first.call is None:
        return
    with Lookers(host, CallSubject(first.call), 5.0) as trees:
        for text in ordered[:MOST_CALLS]:
            try:
                plain = _capture(bug, texts[text])
                seen = [_looked(trees.looker(commit), plain) for commit in (bug.bad, bug.good)]
                if _differ(*seen):
                    yield _capture(bug, texts[text], seen[0][0])
            except AmendsError:
                continue  # an answer or an argument that nothing can compare


def _literal(text: str) -> bool:
    return '"$type": "object"' not in text and '"$type": "enum"' not in text and '"class"' not in text


def _looked(looker: Looker, capture: Capture) -> list[Seen]:
    assert capture.call is not None
    looker.subject = CallSubject(capture.call)
    return [looker.look(looker.subject.parts) for _ in range(2)]


def _differ(bad: list[Seen], good: list[Seen]) -> bool:
    if any(one.kind not in ("failed", "answered") for one in [*bad, *good]):
        return False
    if bad[0].kind == "failed":
        return good[0].kind == "answered" or bad[0].signatures[:1] != good[0].signatures[:1]
    if good[0].kind == "failed":
        return True
    return bool(differences([one.value for one in bad], [one.value for one in good]))


def _capture(bug: Bug, call: dict[str, Any], seen: Seen | None = None) -> Capture:
    """Return a call as the recorder writes it, with what came of it on the buggy commit."""
    kept = {name: call[name] for name in ("function", "file", "args", "kwargs")}
    document: dict[str, Any] = {
        "schema": "amends.capture/1", "id": f"{bug.project}-{bug.number}", "kind": "call", "call": kept,
        "why": "predicate", "release": bug.bad,
    }  # fmt: skip
    if seen is not None and seen.kind == "failed":
        path, _, function = (seen.signatures[0].frame if seen.signatures else "").rpartition(":")
        frames = [{"file": path, "function": function}] if path else []
        document["exception"] = {"type": seen.exception, "message": "", "frames": frames}
        document["why"] = "exception"
    return read_capture(json.dumps(document))


def _written(host: GitHost, bug: Bug, capture: Capture) -> Written:
    assert capture.call is not None
    begun = time.monotonic()
    name = f"test_{bug.project}_{bug.number}".lower().replace("-", "_")
    order = Order(
        bad=bug.bad, good=bug.good, subject=CallSubject(capture.call), path=f"tests/regression/{name}.py",
        name=name, words=bug.name, capture=capture, timeout=5.0, proof_timeout=120.0,
        expected=capture.signature(frozenset(host.files(bug.bad))),
        enough=lambda: time.monotonic() - begun > SECONDS,
    )  # fmt: skip
    return write(host, order)


def _note(result: Result, written: Written, capture: Capture) -> None:
    result.reproduced = result.reproduced or bool(written.input)
    result.reduced = result.reduced or written.reduced_size < written.original_size
    result.written = result.written or bool(written.text)
    if written.verdict != "proven":
        result.reasons.append(f"{written.verdict}: {written.reason}"[:300])
        return
    assert capture.call is not None
    made = "made(" in written.text or "import enum" in written.text
    result.proven, result.literals = True, not made and _imports(written.text) <= 1
    result.failure, result.oracle = written.failure, written.oracle.by or "no failure"
    result.sizes, result.evaluations = (written.original_size, written.reduced_size), written.evaluations
    result.input = written.input[:500]


def _imports(text: str) -> int:
    """Count what a test imports of the project: the function, and the classes of its input."""
    own = [line for line in text.splitlines() if line.startswith(("from ", "import "))]
    standard = ("pytest", "datetime", "decimal", "uuid", "asyncio", "pathlib")
    return sum(line.split()[1].split(".")[0] not in standard for line in own)


# --- the table --------------------------------------------------------------------------------------------


def _wanted(word: str) -> tuple[str, set[int]]:
    project, _, numbers = word.partition(":")
    found: set[int] = set()
    for part in filter(None, numbers.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return project, found


def _results(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def _said(result: Result) -> str:
    if result.refused:
        return f"refused: {result.refused[:150]}"
    if result.proven:
        return f"proven, {result.sizes[0]} to {result.sizes[1]}: {result.input[:100]}"
    return f"{result.captured} captured, {result.differing} differ; {'; '.join(result.reasons)[:200]}"


def table(results: list[dict[str, Any]]) -> str:
    """Return the figures as Markdown: a row a project, and why bugs were refused."""
    lines = [
        "| project | tried | workable | captured | differs | reproduced | reduced | written | proven "
        "| from literals | median reduction |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    names = [*dict.fromkeys(one["project"] for one in results)]
    lines += [_row(name, [one for one in results if one["project"] == name]) for name in names]
    if len(names) > 1:
        lines.append(_row("all", results))
    refused = Counter(one["refused"][:110] for one in results if one["refused"])
    return "\n".join([*lines, "", *(f"- refused, {n}: {why}" for why, n in refused.most_common())])


def _row(name: str, results: list[dict[str, Any]]) -> str:
    workable = [one for one in results if not one["refused"]]
    parts = [sum(bool(one[key]) for one in workable) for key in _STAGES]
    shares = [1 - one["sizes"][1] / one["sizes"][0] for one in workable if one["proven"] and one["sizes"][0]]
    median = f"{statistics.median(shares):.0%}" if shares else "–"
    return f"| {name} | {len(results)} | {len(workable)} | {' | '.join(map(str, parts))} | {median} |"


_STAGES = ("captured", "differing", "reproduced", "reduced", "written", "proven", "literals")

if __name__ == "__main__":
    main()
