"""The tests gate by example."""

from __future__ import annotations

import pytest

from amends.events.payloads import TestCase
from tests.unit.gates.record import HOUR, NOW, RELEASE, ask, declared, suite

UNIT = {"tests": {"suites": ["unit"]}}
BOTH = {"tests": {"suites": ["unit", "integration"]}}


@pytest.mark.parametrize("name", ["1.2.0", RELEASE.commit, RELEASE.digest, RELEASE.commit[:8]])
def test_a_run_under_any_name_of_the_release_counts(name: str) -> None:
    assert ask(UNIT, suite("unit", release=name)).decision == "pass"


def test_a_run_of_another_version_does_not_count() -> None:
    row = ask(UNIT, suite("unit", release="1.1.9"))
    assert row.decision == "undecided"
    assert row.reason.startswith("unit did not run")


def test_an_alias_that_only_the_declaration_knows_counts() -> None:
    bare = declared()
    assert ask(UNIT, bare, suite("unit", release="sha256:abc")).decision == "pass"


def test_a_failure_blocks_and_names_three_tests() -> None:
    cases = tuple(TestCase(name=f"test_{n}", outcome="failed") for n in range(5))
    row = ask(BOTH, suite("unit", "failure", failed=5, cases=cases), suite("integration"))
    assert row.decision == "block"
    assert "5 tests failed (test_0, test_1, test_2 and 2 more)" in row.reason


def test_the_latest_run_counts() -> None:
    old, new = suite("unit", "failure", at=NOW - 3 * HOUR), suite("unit", at=NOW - 2 * HOUR)
    assert ask(UNIT, new, old).decision == "pass"
    assert ask(UNIT, new, suite("unit", "failure", at=NOW - HOUR)).decision == "block"


@pytest.mark.parametrize(
    ("outcome", "said", "decision"),
    [
        ("error", {}, "error"),
        ("cancel", {}, "undecided"),
        ("success", {"skipped": 4}, "undecided"),
        ("success", {"passed": 3, "failed": 1}, "block"),
    ],
)
def test_what_is_no_success_never_passes(outcome: str, said: dict[str, int], decision: str) -> None:
    assert ask(UNIT, suite("unit", outcome, **said)).decision == decision


def test_each_named_suite_is_needed() -> None:
    row = ask(BOTH, suite("unit", passed=12))
    assert row.decision == "undecided"
    assert "unit: 12 tests passed; integration did not run" in row.reason
