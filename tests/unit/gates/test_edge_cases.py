"""The edge_cases gate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gates.record import DAY, HOUR, NOW, ask, case, declared, edge_case, retired, suite

GATE: dict[str, Any] = {"edge_cases": {}}
ZERO = edge_case("zero-amount", "tests/test_cart.py::test_zero", id="e-zero")


def ran(outcome: str = "passed", name: str = "unit", **kw: Any) -> Any:
    return suite(name, cases=(case("tests/test_cart.py::test_zero", outcome), case("other")), **kw)


def test_a_service_without_edge_cases_passes_and_says_so() -> None:
    row = ask(GATE, declared())
    assert (row.decision, row.events) == ("pass", ())
    assert "shop has no documented edge case" in row.reason


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [("passed", "pass"), ("failed", "block"), ("error", "error"), ("skipped", "undecided")],
)
def test_the_outcome_of_its_test_counts(outcome: str, decision: str) -> None:
    row = ask(GATE, declared(), ZERO, ran(outcome, id="run"))
    assert row.decision == decision
    assert set(row.events) == ({"run"} if decision == "pass" else {"run", "e-zero"})


def test_the_reason_names_what_is_not_covered() -> None:
    row = ask(GATE, declared(), ZERO, edge_case("no-currency"), ran("failed"))
    assert row.reason == (
        "2 of 2 edge cases are not covered: zero-amount (tests/test_cart.py::test_zero failed), no-currency "
        "(no test is named for it); required: the test of every documented edge case passed for this version"
    )


def test_an_edge_case_without_a_test_blocks() -> None:
    assert ask(GATE, declared(), edge_case("no-currency"), ran()).decision == "block"


def test_a_test_that_nobody_saw_is_undecided_until_its_suites_ran() -> None:
    other = suite("unit", cases=(case("other"),))
    blocks = {"edge_cases": {"suites": ["unit", "slow"]}}
    assert ask(GATE, declared(), ZERO, other).decision == "undecided"
    assert ask(blocks, declared(), ZERO, other).decision == "undecided"
    assert ask(blocks, declared(), ZERO, other, suite("slow")).decision == "undecided"  # names no test
    assert ask(blocks, declared(), ZERO, other, suite("slow", cases=(case("a"),))).decision == "block"


def test_only_the_suite_counts_that_it_names() -> None:
    slow = edge_case("zero-amount", "tests/test_cart.py::test_zero", "slow")
    assert ask(GATE, declared(), slow, ran()).decision == "undecided"
    assert ask(GATE, declared(), slow, ran("failed"), ran(name="slow")).decision == "pass"


def test_the_last_word_on_an_edge_case_counts_at_its_moment() -> None:
    record = (declared(at=NOW - 9 * DAY), edge_case("zero-amount", at=NOW - 8 * DAY),
              retired("zero-amount", at=NOW - 2 * DAY))  # fmt: skip
    assert ask(GATE, *record).decision == "pass"
    assert ask(GATE, *record, at=NOW - 3 * DAY).decision == "block"
    again = edge_case("zero-amount", "tests/test_cart.py::test_zero", at=NOW - HOUR)
    assert ask(GATE, *record, again).decision == "undecided"


def test_an_undated_edge_case_leaves_it_undecided() -> None:
    row = ask(GATE, declared(), ran(), edge_case("zero-amount", known=None))
    assert row.decision == "undecided"
    assert "does not say when it was known" in row.reason
