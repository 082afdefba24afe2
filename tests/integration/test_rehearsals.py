"""Attempts in a worktree: isolated from each other, bounded in time, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from amends.adapters.codehost import GitHost
from amends.application.ports import Rehearsal, Worktree
from tests.repositories import Repo


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Worktree]:
    repo = Repo(tmp_path / "repo")
    repo.commit("One", **{"counter.py": "count = []\n", "broken.py": "raise RuntimeError('no database')\n"})
    tree = GitHost(repo.path, state=tmp_path / "trees").worktree("HEAD")
    yield tree
    tree.close()
    assert not list((tmp_path / "trees").glob("*/*/tree"))


@pytest.fixture
def rehearsal(tree: Worktree) -> Iterator[Rehearsal]:
    others = {child.pid for child in psutil.Process().children(recursive=True)}  # servers that tests share
    rehearsal = tree.rehearse()
    yield rehearsal
    rehearsal.close()
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in others]
    assert left == []


def test_no_attempt_sees_what_another_changed(rehearsal: Rehearsal) -> None:
    source = "def attempt():\n    counter.count.append(1)\n    return counter.count, {1: (2, b'x')}\n"
    for _ in range(2):
        found = rehearsal.attempt("import counter", source, timeout=10)
        assert found.outcome == "returned"
        assert found.value["items"][0] == [1]


def test_what_is_raised_and_printed_comes_back(rehearsal: Rehearsal) -> None:
    source = "def attempt():\n    print('before')\n    raise KeyError('x')\n"
    found = rehearsal.attempt("", source, timeout=10)
    assert (found.outcome, found.exception, found.message) == ("raised", "KeyError", "'x'")
    assert found.output.startswith("before")
    assert found.output.rstrip().endswith("KeyError: 'x'")


@pytest.mark.parametrize(
    ("value", "how", "typed"),
    [
        ("(n for n in [1])", "listed", [1]), ("later(3)", "awaited", 3), ("each()", "walked", [4]),
        ("float('nan')", "", {"$type": "float", "value": "nan"}),
        ("object()", "", {"$type": "opaque", "class": "object"}),
    ],
)  # fmt: skip
def test_what_comes_back_is_finished_as_a_caller_would(
    rehearsal: Rehearsal, value: str, how: str, typed: object
) -> None:
    prepare = "async def later(n):\n    return n\n\nasync def each():\n    yield 4\n"
    found = rehearsal.attempt(prepare, f"def attempt():\n    return {value}\n", timeout=10)
    assert (found.outcome, found.how, found.value) == ("returned", how, typed)


def test_an_attempt_that_hangs_dies_or_forks_takes_nothing_with_it(rehearsal: Rehearsal) -> None:
    hangs = "import os, time\ndef attempt():\n    os.fork()\n    time.sleep(600)\n"
    assert rehearsal.attempt("", hangs, timeout=0.3).outcome == "hung"
    dies = rehearsal.attempt("", "import os\ndef attempt():\n    os._exit(7)\n", timeout=10)
    assert (dies.outcome, dies.message) == ("died", "it ended the process with exit code 7")
    ends = rehearsal.attempt("import os\nos._exit(9)\n", "", timeout=10)
    assert (ends.outcome, "exit code 9" in ends.message) == ("died", True)
    forks = "import os, time\ndef attempt():\n    if os.fork() == 0:\n        time.sleep(600)\n    return 1\n"
    assert rehearsal.attempt("", forks, timeout=10).value == 1


def test_what_cannot_be_prepared_is_told_apart_and_tried_again(rehearsal: Rehearsal) -> None:
    found = rehearsal.attempt("import broken", "def attempt():\n    pass\n", timeout=10)
    assert (found.outcome, found.exception, found.message) == ("unprepared", "RuntimeError", "no database")
    assert rehearsal.attempt("", "def attempt():\n    return 5\n", timeout=10).value == 5


def test_a_service_that_ended_is_prepared_again(rehearsal: Rehearsal, tree: Worktree) -> None:
    place = tree.beside("starts", "")
    prepare = (
        f"from pathlib import Path\nplace = Path({str(place)!r})\nplace.write_text(place.read_text() + 'x')\n"
        "class Service:\n    def alive(self):\n        return place.read_text() != 'x'\nservice = Service()\n"
    )
    told = [
        rehearsal.attempt(prepare, "def attempt():\n    return place.read_text()\n", timeout=10)
        for _ in range(3)
    ]
    assert [one.value for one in told] == ["x", "xx", "xx"]


def test_another_python_may_be_chosen(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("One")
    host = GitHost(repo.path, state=tmp_path / "trees", python="/nowhere/python")
    tree = host.worktree("HEAD")
    found = tree.rehearse().attempt("", "", timeout=10)
    assert (found.outcome, "/nowhere/python" in found.message) == ("unprepared", True)
    tree.close()
