"""The work for a post-mortem grows with its size alone: counted in calls, and in what expressions repeat."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from amends.incidents import postmortems
from amends.incidents.postmortems import read_postmortem

SHAPES: dict[str, Callable[[int], str]] = {
    "prose": lambda n: "The service was slow for some of its users. " * n,
    "rows": lambda n: (
        "# A\n## Timeline\n|Time|Event|\n|---|---|\n"
        + "".join(f"| 2026-03-01 {i // 60 % 24:02}:{i % 60:02} | step {i} fails |\n" for i in range(n))
    ),
    "items": lambda n: "- 10:00 errors begin, fixed again\n" * n,
    "headings": lambda n: "".join("#" * (1 + i % 6) + f" 10:{i % 60:02} problem\n" for i in range(n)),
    "durations": lambda n: "".join(
        f"The outage lasted {i} minutes. It was down from 10:00 to 11:{i % 60:02} UTC on 2020-01-01.\n\n"
        for i in range(n)
    ),
    "html": lambda n: "<html><script>x</script>" + "<p>It was <b>down</b> at 10:00 UTC.</p>\n" * n,
}


def calls(text: str) -> int:
    counted = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read_postmortem("a.html" if text.startswith("<html") else "a.md", text.encode())
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_text_is_twice_the_work(shape: str) -> None:
    one, two = (calls(SHAPES[shape](n)) for n in (400, 800))
    assert two < 2.3 * one


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in iter_modules(postmortems.__path__):
        found = import_module(f"{postmortems.__name__}.{module.name}")
        for name, value in vars(found).items():
            yield from _in(f"{module.name}.{name}", value)


def _in(name: str, value: Any) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, tuple):
        for one in value:
            yield from _in(name, one)


def unbounded(parsed: Any, within: bool = False) -> bool:
    """Whether a repetition without a bound stands within another one: what takes exponential time.

    One that begins anew with a certain character ("* * *") is none.
    """
    for op, argument in parsed:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            endless = argument[1] == sre.MAXREPEAT
            inner = endless and argument[2][0][0] is not sre.LITERAL
            if (endless and within) or unbounded(argument[2], within or inner):
                return True
        elif any(unbounded(one, within) for one in inside(op, argument)):
            return True
    return False


def inside(op: Any, argument: Any) -> list[Any]:
    if op is sre.BRANCH:
        return list(argument[1])
    if op is sre.SUBPATTERN:
        return [argument[3]]
    return [argument[1]] if op in (sre.ASSERT, sre.ASSERT_NOT) else []


def test_no_expression_repeats_without_bound_within_one_that_does() -> None:
    assert unbounded(_parser.parse("(a+)+"))
    found = dict(patterns())
    assert len(found) > 50
    assert [
        name for name, pattern in found.items() if unbounded(_parser.parse(pattern.pattern, pattern.flags))
    ] == []


@pytest.mark.parametrize(
    "text", ["\xff\xfe<p>", "<script>" * 3, "# \x00 10:00\n- 25:61 x\n", "|" * 50, "<html><a <b"]
)
def test_what_is_broken_gives_no_facts_and_no_error(text: str) -> None:
    assert read_postmortem("a.md", text.encode("latin-1")).milestones == {}
