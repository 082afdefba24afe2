"""What a command's failure is recognised by; the driver in a written test reads it in the same way."""

from __future__ import annotations

from typing import Any

import pytest

from amends.prevention import drivers
from amends.prevention.commandfailure import failure_of, last_line, not_run_reason

TRACEBACK = """Traceback (most recent call last):
  File "/t/tree/shop/x.py", line 3, in total
    1/0
ZeroDivisionError: d
"""
LINES = ["", "a\nparse error at 0xdeadBEEF in /tmp/a1/b.txt:17, column 4\n\n", "x" * 500, "panic: [3] '/a/b'"]


def test_exit_code_and_last_line_without_what_changes() -> None:
    one = failure_of(3, "noise\nparse error in /tmp/a/in.txt:17\n")
    other = failure_of(3, "parse error in /var/b/in:4\n")
    assert one is not None
    assert one.same(other)
    assert not one.same(failure_of(2, "parse error in /var/b/in:4\n"))
    assert not one.same(failure_of(3, "out of memory"))
    assert not one.same(None)
    assert failure_of(0, "fine") is None


def test_a_traceback_says_more_than_the_exit_code() -> None:
    one = failure_of(1, TRACEBACK, ("/t/tree",))
    assert one is not None
    assert one.describe() == "ZeroDivisionError in shop/x.py:total"
    assert one.same(failure_of(7, TRACEBACK.replace("line 3", "line 9"), ("/t/tree",)))
    assert not one.same(failure_of(1, TRACEBACK.replace("Zero", "Big"), ("/t/tree",)))


def test_what_was_not_run_is_no_failure() -> None:
    assert "not found" in not_run_reason(127, "")
    assert "imported" in not_run_reason(1, "Traceback…\nModuleNotFoundError: No module named 'x'\n")
    assert not_run_reason(1, "boom") == ""


@pytest.mark.parametrize("output", LINES)
def test_the_driver_reads_the_last_line_in_the_same_way(output: str) -> None:
    names: dict[str, Any] = {}
    exec("import re\n" + drivers.LAST_LINE, names)
    assert names["last_line"](output) == last_line(output)
