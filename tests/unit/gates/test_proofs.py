"""The proofs gate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gates.record import DAY, NOW, amendment, ask, case, declared, judged, suite

GATE: dict[str, Any] = {"proofs": {}}
TEST = "tests/test_cart.py::test_zero"
PROVEN = (
    declared(),
    amendment("A-1", f"pytest {TEST}", at=NOW - 9 * DAY),
    judged("A-1", at=NOW - 8 * DAY, id="proven"),
)


def ran(outcome: str = "passed", name: str = "unit", **kw: Any) -> Any:
    return suite(name, cases=(case(TEST, outcome),), **kw)


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [("passed", "pass"), ("failed", "block"), ("error", "error"), ("skipped", "block")],
)
def test_a_guard_holds_only_when_it_passed(outcome: str, decision: str) -> None:
    row = ask(GATE, *PROVEN, ran(outcome, id="run"))
    assert row.decision == decision
    assert set(row.events) == ({"run"} if decision == "pass" else {"run", "proven"})


def test_the_reason_says_what_became_of_the_guard() -> None:
    row = ask(GATE, *PROVEN, ran("skipped"))
    assert row.reason.startswith("1 of 1 guard is not holding: A-1 (pytest tests/test_cart.py::test_zero was")


def test_a_guard_that_is_gone_blocks_once_its_suites_ran() -> None:
    other = suite("unit", cases=(case("other"),))
    assert ask(GATE, *PROVEN, other).decision == "undecided"
    assert ask({"proofs": {"suites": ["unit"]}}, *PROVEN).decision == "undecided"
    assert ask({"proofs": {"suites": ["unit"]}}, *PROVEN, other).decision == "block"


@pytest.mark.parametrize(
    ("words", "guards"),
    [
        ((), False),
        (("disproven",), False),
        (("proven", "activated"), True),
        (("proven", "disproven"), False),
        (("proven", "activated", "disproven"), True),
        (("proven", "activated", "lapsed"), False),
        (("proven", "activated", "lapsed", "proven"), True),
        (("accepted", "proven"), False),
    ],
)
def test_only_proven_and_active_amendments_guard(words: tuple[str, ...], guards: bool) -> None:
    moves = [judged("A-1", word, at=NOW - (20 - n) * DAY) for n, word in enumerate(words)]
    row = ask(GATE, declared(), amendment("A-1", TEST, at=NOW - 30 * DAY), *moves)
    assert row.decision == ("undecided" if guards else "pass")


def test_an_amendment_that_is_a_gate_is_not_looked_for_among_tests() -> None:
    row = ask(GATE, declared(), amendment("A-1", kind="gate"), judged("A-1"))
    assert (row.decision, "no amendment of shop is proven yet" in row.reason) == ("pass", True)


def test_a_guard_counts_from_when_its_proof_was_known() -> None:
    assert ask(GATE, *PROVEN, at=NOW - 8.5 * DAY).decision == "pass"
    assert ask(GATE, *PROVEN, at=NOW - 7 * DAY).decision == "undecided"
