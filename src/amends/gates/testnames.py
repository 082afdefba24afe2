"""Whether a test that somebody named is among the cases of a suite's run, and how it ended.

Tests go by several names: pytest's own (``tests/test_x.py::TestY::test_z[1]``), a class with a method as
JUnit reports have it (``tests.test_x.TestY`` and ``test_z[1]``), or a title alone. A *key* is a name in one
spelling: dots for every separator. A selector has one key, a case has all those under which a selector may
mean it, and they meet where these are equal: a comparison that can be a join.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import lru_cache

from amends.events.payloads import SuiteFinished, TestCase
from amends.gates.table import BROKEN, FAILED, PASSED, SKIPPED, UNSEEN

_NODE = re.compile(r"""([^\s'"\[\]]+\.py(?![\w.])(?:::[^\s'"\[\]]+)*(?:\[.*\])?)""")
_CODES = {"passed": PASSED, "failed": FAILED, "error": BROKEN, "skipped": SKIPPED}
_IN_A_RUN = (PASSED, SKIPPED, BROKEN, FAILED)  # what counts of several cases in one run, worst last
_IN_ALL_RUNS = (UNSEEN, SKIPPED, PASSED, BROKEN, FAILED)  # and of several runs: passed beats skipped


def selector_key(selector: str) -> str:
    """Return the key of a test's selector, ``""`` for none.

    ``pytest tests/test_x.py::test_y`` and ``tests/test_x.py::test_y`` mean the same test; a file or a class
    means every test in it. Of any other command with several words, the whole text is taken for the name.
    """
    nodes = _NODE.findall(selector)
    return _dotted(nodes[0]) if len(nodes) == 1 else " ".join(selector.split())


def case_keys(case: TestCase) -> frozenset[str]:
    """Return every key by which a selector may mean a case.

    Its full name and its name alone, each with and without parameters, and its class, file and folders.
    """
    if _is_node(case.name):
        bare, bracket, parameters = case.name.partition("[")
        parents, _, name = bare.rpartition("::")
        inside, name = _dotted(parents), name + bracket + parameters
    else:
        inside, name = case.classname, case.name
    full = f"{inside}.{name}" if inside else name
    return _holders(inside).union((full, full.partition("[")[0], name, name.partition("[")[0]))


@lru_cache(maxsize=4096)
def _holders(inside: str) -> frozenset[str]:
    """Return the keys of what holds a test: its class, its file, its folders."""
    steps = inside.split(".") if inside else []
    return frozenset(".".join(steps[:length]) for length in range(1, len(steps) + 1))


def outcomes_in(run: SuiteFinished, wanted: Set[str]) -> dict[str, int]:
    """Return the outcome in one run of each wanted key that it holds: the worst of the cases it means."""
    found: dict[str, int] = {}
    for case in run.cases if wanted else ():
        for key in case_keys(case) & wanted:
            found[key] = max(found.get(key, PASSED), _CODES[case.outcome], key=_IN_A_RUN.index)
    return found


def outcome_of_runs(outcomes: Iterable[int]) -> int:
    """Return what several suites together say of a test.

    What failed or broke anywhere did; what one suite skips, another may have passed.
    """
    return max(outcomes, key=_IN_ALL_RUNS.index, default=UNSEEN)


def _is_node(word: str) -> bool:
    return word.partition("::")[0].endswith(".py")


def _dotted(node: str) -> str:
    """Spell ``./tests/test_x.py::TestY::test_z`` as ``tests.test_x.TestY.test_z``; parameters stay."""
    name, bracket, parameters = node.partition("[")
    path, *inner = name.split("::")
    module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    return ".".join([module, *inner]) + bracket + parameters
