"""The bugs of BugsInPy: read from a clone of it, which the project does not hold."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FIELD = re.compile(r'^(\w+)\s*=\s*"([^"]*)"', re.MULTILINE)
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug: its two commits, the files of its test at the fix, and the tests as pytest names them."""

    project: str
    number: int
    bad: str
    good: str
    files: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """As BugsInPy calls it."""
        return f"{self.project} {self.number}"


def git(repo: Path, *words: str) -> str:
    """Return what git says; empty when it refuses."""
    done = subprocess.run(["git", "-C", repo, *words], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def bugs_of(bugsinpy: Path, project: str) -> list[Bug]:
    """Return a project's bugs, in order. ``bugsinpy`` is a clone, bare or not."""
    folder = f"projects/{project}/bugs/"
    names = git(bugsinpy, "ls-tree", "--name-only", "HEAD", folder).split()
    numbers = sorted(int(one.rsplit("/", 1)[-1]) for one in names if one.rsplit("/", 1)[-1].isdigit())
    return [_bug(bugsinpy, project, number) for number in numbers]


def _bug(bugsinpy: Path, project: str, number: int) -> Bug:
    folder = f"HEAD:projects/{project}/bugs/{number}"
    told = dict(_FIELD.findall(git(bugsinpy, "show", f"{folder}/bug.info").replace("\r", "")))
    files = tuple(told.get("test_file", "").split(";"))
    script = git(bugsinpy, "show", f"{folder}/run_test.sh").replace("\r", "")
    tests = tuple(one for line in script.splitlines() for one in _tests(line, files))
    return Bug(project, number, told["buggy_commit_id"], told["fixed_commit_id"], files, tests)


def _tests(line: str, files: tuple[str, ...]) -> Iterator[str]:
    """Yield what a line of the script runs, as pytest names it; unittest's dotted names are turned round."""
    for word in shlex.split(line, comments=True):
        if ".py" in word and not word.startswith("-"):
            yield word
        elif re.fullmatch(r"\w+(\.\w+)+", word) and "unittest" in line:
            begins = {f.removesuffix(".py").replace("/", ".") + ".": f for f in files}
            file = next((f for begin, f in begins.items() if word.startswith(begin)), "")
            if file:
                yield "::".join([file, *word[len(file) - 2 :].split(".")])


def changed_spans(repo: Path, bug: Bug) -> dict[str, list[tuple[int, int]]]:
    """Return, for each file of the code, the lines of the functions that the fix changes.

    A file of which it changes no function (a table, a new function) counts as a whole.
    """
    names = git(repo, "diff", "--name-only", "--diff-filter=M", bug.bad, bug.good).split("\n")
    found = {}
    for name in names:
        if not name.endswith(".py") or "test" in name or name in ("setup.py", "docs/conf.py"):
            continue
        diff = git(repo, "diff", "-U0", bug.bad, bug.good, "--", name)
        lines = [(int(start), int(start) + max(int(count or 1), 1)) for start, count in _HUNK.findall(diff)]
        try:
            tree = ast.parse(git(repo, "show", f"{bug.bad}:{name}"))
        except SyntaxError:
            continue
        functions = [
            (min([n.lineno, *(d.lineno for d in n.decorator_list)]), n.end_lineno or n.lineno)
            for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)
        ]  # fmt: skip
        hit = [(a, z) for a, z in functions if any(a <= last and first <= z for first, last in lines)]
        found[name] = hit if len(hit) else [(1, 10**6)]
    return found


def test_files(repo: Path, bug: Bug) -> dict[str, str]:
    """Return the files that the bug's test needs, as the fix has them."""
    changed = git(repo, "diff", "--name-only", "--diff-filter=AM", bug.bad, bug.good).split("\n")
    names = {*bug.files, *(name for name in changed if re.match(r"(.*/)?tests?/", name))}
    texts = {name: git(repo, "show", f"{bug.good}:{name}") for name in names if name}
    return {name: text for name, text in texts.items() if text}
