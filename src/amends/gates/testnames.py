"""Whether a test that somebody named is among the cases of a suite's run, and how it ended.

Tests go by several names: pytest's own (``tests/test_x.py::TestY::test_z[1]``), a class with a method as
JUnit reports have it (``tests.test_x.TestY`` and ``test_z[1]``), or a title alone. A *key* is a name in one
spelling: dots for every separator. A selector has one key, a case has all those under which a selector may
mean it, and they meet where these are equal: a comparison that can be a join.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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

    Its full name and its name alone, each with and without parameters, its class and its file.
    """
    if _is_node(case.name):
        bare, bracket, parameters = case.name.partition("[")
        parents, _, name = bare.rpartition("::")
        name += bracket + parameters
    else:
        parents, name = case.classname, case.name
    inside = _dotted(parents) if _is_node(parents) else parents
    file = _dotted(case.file) if case.file.endswith(".py") else _dotted(parents.partition("::")[0])
    full = f"{inside}.{name}" if inside else name
    names = {full, full.partition("[")[0], name, name.partition("[")[0], inside, file}
    return frozenset(names - {""})


def outcome_in(run: SuiteFinished, key: str) -> int:
    """Return the outcome of the test with this key in one run: the worst of its cases, ``UNSEEN`` without."""
    found = [_CODES[case.outcome] for case in run.cases if key and key in case_keys(case)]
    return max(found, key=_IN_A_RUN.index, default=UNSEEN)


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
