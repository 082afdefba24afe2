"""Which case of a report a selector means."""

from __future__ import annotations

import pytest

from amends.events import payloads as p
from amends.gates.table import FAILED, PASSED, SKIPPED, UNSEEN
from amends.gates.testnames import case_keys, outcome_of_runs, outcomes_in, selector_key
from tests.unit.gates.record import case

NODE = "tests/test_cart.py::TestTotal::test_zero[EUR-a/b]"


@pytest.mark.parametrize(
    "selector",
    [
        NODE,
        f"pytest {NODE}",
        f"python -m pytest -q './{NODE}'",
        "tests/test_cart.py::TestTotal::test_zero",
        "tests/test_cart.py::TestTotal",
        "tests/test_cart.py",
        "test_zero",
        "tests.test_cart.TestTotal.test_zero[EUR-a/b]",
    ],
)
@pytest.mark.parametrize(
    "reported", [case(NODE), case("test_zero[EUR-a/b]", classname="tests.test_cart.TestTotal")]
)
def test_a_test_is_found_by_each_of_its_names(selector: str, reported: p.TestCase) -> None:
    assert selector_key(selector) in case_keys(reported)


@pytest.mark.parametrize(
    "selector",
    ["", "test_zer", "tests/test_cart.py::test_zero", NODE.replace("EUR", "USD"), "tests/test_car.py",
     "other/tests/test_cart.py::TestTotal::test_zero", "pytest tests/a.py::b tests/test_cart.py"],
)  # fmt: skip
def test_another_test_is_not_taken_for_it(selector: str) -> None:
    assert selector_key(selector) not in case_keys(case(NODE))


def run(*cases: p.TestCase) -> p.SuiteFinished:
    return p.SuiteFinished(service="shop", release="1", suite="unit", outcome="success", cases=cases)


def test_in_one_run_the_worst_case_counts() -> None:
    ran = run(case("t[1]"), case("t[2]", "skipped"), case("u"), case("u[1]", "failed"))
    assert outcomes_in(ran, {"t", "t[1]", "u", "v"}) == {"t": SKIPPED, "t[1]": PASSED, "u": FAILED}


def test_what_one_suite_skips_another_may_have_passed() -> None:
    assert outcome_of_runs([SKIPPED, PASSED, UNSEEN]) == PASSED
    assert outcome_of_runs([SKIPPED, PASSED, FAILED]) == FAILED
    assert outcome_of_runs([]) == UNSEEN
