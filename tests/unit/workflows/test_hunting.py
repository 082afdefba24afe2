"""One run of a search: how the command's output is read, and how runs are written down."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from amends.amendments.selector import parse_selector
from amends.application.ports import CommandResult, CommitInfo
from amends.errors import UsageError
from amends.events.payloads import Signature
from amends.prevention.search import Run, Try
from amends.workflows.hunting import Hunt, kept, read_kept, read_run

TRACEBACK = """\
Traceback (most recent call last):
  File "/trees/x/check.py", line 3, in <module>
    share(1, [])
  File "/trees/x/shop/price.py", line 9, in share
    return cents // len(people)
ZeroDivisionError: integer division or modulo by zero
"""
COMMIT = CommitInfo("b" * 40, "Divide evenly", "", "ana@example.com", datetime(2026, 3, 2, tzinfo=UTC), (), 1)
STEP = Try(1, "search")


def hunt(command: str) -> Hunt:
    return Hunt("a" * 40, (COMMIT,), parse_selector(command))


def read(command: str, code: int, output: str = "", *, timed_out: bool = False) -> Run:
    return read_run(hunt(command), STEP, CommandResult(code, output, timed_out), ("/trees/x",))


def test_a_red_run_has_its_signature_and_the_files_of_its_traceback() -> None:
    run = read("python check.py", 1, TRACEBACK)
    assert run.outcome == "red"
    assert run.signatures[0] == Signature(exception="ZeroDivisionError", frame="shop/price.py:share")
    assert run.files == ("shop/price.py", "check.py")


@pytest.mark.parametrize(
    ("command", "code", "output", "outcome", "note"),
    [
        ("make test", 0, "", "green", ""),
        ("make test", 2, "make: *** [test] Error 1", "red", ""),
        ("make test", 125, "", "untestable", "125"),
        ("make test", 127, "make: not found", "untestable", "not found"),
        ("make test", -9, "", "untestable", "ended from outside"),
        (
            "python x.py",
            1,
            "ModuleNotFoundError: No module named 'yaml'",
            "untestable",
            "ModuleNotFoundError",
        ),
        ("pytest t.py", 0, "1 passed in 0.1s", "green", ""),
        ("pytest t.py", 0, "1 skipped in 0.1s", "untestable", "1 skipped"),
        ("pytest t.py", 2, "errors during collection", "untestable", "collect"),
        ("pytest t.py", 4, "file or directory not found: t.py", "untestable", "does not exist"),
    ],
)
def test_what_a_run_shows(command: str, code: int, output: str, outcome: str, note: str) -> None:
    run = read(command, code, output)
    assert run.outcome == outcome
    assert note in run.note


def test_a_run_that_was_stopped_is_no_evidence_unless_a_hang_is_the_failure() -> None:
    stopped = CommandResult(-15, "", timed_out=True)
    assert read_run(hunt("make test"), STEP, stopped, ()).outcome == "untestable"
    assert read_run(replace(hunt("make test"), hang_is_failure=True), STEP, stopped, ()).outcome == "red"


def test_an_import_error_counts_where_it_is_the_failure_that_is_searched() -> None:
    output = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nImportError: no x\n'
    asked = replace(hunt("python a.py"), expected=Signature(exception="ImportError"))
    assert read_run(asked, STEP, CommandResult(1, output), ()).outcome == "red"
    assert read("python a.py", 1, output).outcome == "untestable"


def test_runs_are_read_as_they_were_written() -> None:
    runs = [
        read("python check.py", 1, TRACEBACK), Run(0, "green", "ends"),
        Run(1, "untestable", "neighbour", note="why"),
    ]  # fmt: skip
    written = [json.loads(json.dumps(kept(run, number))) for number, run in enumerate(runs, 1)]
    assert read_kept(written, 1, "notes") == runs
    for broken in ({}, {**written[0], "revision": 2}, {**written[0], "outcome": "blue"}, "red"):
        with pytest.raises(UsageError, match="no note of a run"):
            read_kept([broken], 1, "notes")


def test_searches_that_differ_in_what_is_run_are_different_searches() -> None:
    first = hunt("make test")
    others = [
        hunt("make check"), replace(first, files=(("a.py", ""),)), replace(first, setup=("make",)),
        replace(first, good="c" * 40), replace(first, hang_is_failure=True),
    ]  # fmt: skip
    assert len({one.digest() for one in (first, *others)}) == 6
    assert replace(first, timeout=1.0).digest() == first.digest()
