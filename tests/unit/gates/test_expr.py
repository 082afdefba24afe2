"""The expr gate."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from amends.gates.entry import GateEntry
from amends.gates.variables import VARIABLES
from tests.unit.gates.record import (
    DAY,
    HOUR,
    NOW,
    amendment,
    ask,
    case,
    declared,
    deployed,
    edge_case,
    finished,
    incident,
    judged,
    merged,
    reviewed,
    shift,
    suite,
    traffic,
)


def expr(cel: str, **more: Any) -> dict[str, Any]:
    return {"expr": {"cel": cel, **more}}


RECORD = (
    declared("c1", "c2", at=NOW - 9 * DAY), merged("c1", lines=10, paths=("db/a.sql",)),
    merged("c2", lines=30, files=1, paths=("src/a.py",)), reviewed("p-bob", change="c1"),
    reviewed("p-author", change="c2"), suite("unit", cases=(case("t"),), passed=5, skipped=2),
    edge_case("zero", "t"), amendment("A-1", "gone", at=NOW - DAY), judged("A-1"),
    deployed(at=NOW - 5 * HOUR), traffic(40, NOW - 4 * HOUR, NOW - 3 * HOUR), finished(),
    shift("p-cat", NOW - HOUR), deployed("2.3", "production", "payments"),
    incident("INC-5", "", "payments", "production"),
)  # fmt: skip


@pytest.mark.parametrize(
    "cel",
    [
        "release.changes == 2 && release.lines == 40 && release.files == 2",
        "release.paths.exists(path, path.startsWith('db/'))",
        "review.approvals == 0 && review.refusals == 0",
        "suites.unit == 'success' && tests.passed == 5 && tests.skipped == 2 && tests.failed == 0",
        "edge_cases.documented == 1 && edge_cases.passed == 1",
        "guards.proven == 1 && guards.passed == 0",
        "soak.hours['staging'] > 4.9 && soak.requests['staging'] == 40",
        "soak.open_incidents.staging == 0 && watch.staging == 'pass'",
        "watchers == 1 && tier == 'client-specific' && environment == 'production'",
        "running['payments/production'] == '2.3' && open_incidents['payments/production'] == 1",
        "at.getHours('Europe/Berlin') == 13 && release.version == '1.2.0'",
        "!('qa' in sign_offs)",
    ],
)
def test_what_an_expression_may_name(cel: str) -> None:
    gate = expr(cel, environments=["staging"], services=["payments/production"])
    row = ask(gate, *RECORD)
    assert row.decision == "pass", row.reason


def test_only_what_the_gate_lists_is_looked_at_elsewhere() -> None:
    assert ask(expr("'staging' in soak.hours"), *RECORD).decision == "block"
    assert ask(expr("'payments/production' in running"), *RECORD).decision == "block"


def test_false_blocks_with_what_was_found() -> None:
    row = ask(expr("release.lines < 40", says="small changes only"), *RECORD)
    assert (row.decision, row.reason) == ("block", "release.lines is 40; required: small changes only")
    assert row.events


@pytest.mark.parametrize(
    ("cel", "said"),
    [("release.lines / (release.changes - 2) == 1", "divide by zero"),
     ("release.paths[7] == 'a'", "index=7 size=2")],
)  # fmt: skip
def test_a_runtime_fault_is_an_error_and_never_true(cel: str, said: str) -> None:
    row = ask(expr(cel), *RECORD)
    assert row.decision == "error"
    assert said in row.reason


def test_what_nobody_recorded_is_undecided_where_the_answer_needs_it() -> None:
    record = (declared("c1"), merged("c1"))
    row = ask(expr("release.lines < 400"), *record)
    assert row.decision == "undecided"
    assert "nobody recorded release.lines" in row.reason
    row = ask(expr("suites['unit'] == 'success'"), *record)
    assert (row.decision, 'nobody recorded "unit"' in row.reason) == ("undecided", True)
    assert ask(expr("release.changes < 3 || release.lines < 400"), *record).decision == "pass"


def test_reviews_that_nobody_recorded_are_not_counted_as_none() -> None:
    record = (declared("c1"), merged("c1", unrecorded=("reviews",)))
    assert ask(expr("review.approvals < 1"), *record).decision == "undecided"
    assert ask(expr("review.refusals == 0"), *record).decision == "undecided"
    refused = reviewed("p-ann", "changes_requested")
    assert ask(expr("review.refusals == 0"), *record, refused).decision == "block"


def test_an_undated_fact_leaves_what_reads_it_undecided() -> None:
    late = suite("unit", known=None)
    assert ask(expr("suites['unit'] == 'success'"), *RECORD, late).decision == "undecided"
    assert ask(expr("release.lines == 40"), *RECORD, late).decision == "pass"


@pytest.mark.parametrize(
    ("cel", "said"),
    [
        ("release.lnes < 400", "did you mean `release.lines`?"),
        ("release.lines < 'a'", "no matching overload"),
        ("soak.hours['staging'] < 2", "as 2.0"),
        ("release.lines", "it gives a number, not true or false"),
        ("dyn(true)", "not true or false"),
        ("release.lines <", "Syntax error"),
        ("release.lines / 0 > 1", "it divides by zero (line 1, character 15)"),
        ("release.lines % -0 == 1", "it divides by zero"),
        ("release == 1", "undeclared reference to 'release'"),
    ],
)
def test_a_fault_is_found_when_the_policy_is_read(cel: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GateEntry.model_validate(expr(cel))
    assert said in str(caught.value)


def test_a_zero_that_divides_nothing_is_no_fault() -> None:
    cel = "release.version != '1 / 0' && release.lines / 05 < 9 && 1.0 / 0.5 > 1.0 // of 1/0"
    assert GateEntry.model_validate(expr(cel)).kind == "expr"


def test_the_caret_stands_under_the_fault() -> None:
    with pytest.raises(ValidationError) as caught:
        GateEntry.model_validate(expr("release.changes < 3\n  && release.lnes < 400"))
    shown, caret = str(caught.value.errors()[0]["ctx"]["error"]).splitlines()[1:]
    assert shown[caret.index("^") :].startswith(".lnes")


def test_the_families_are_those_of_the_variables() -> None:
    gate = GateEntry.model_validate(expr("suites.unit == 'success' || watchers > 1")).gate
    assert set(gate.families()) == {"releases", "suites", "shifts"}
    assert gate.teams("pay") == ("pay",)


def test_every_variable_is_explained() -> None:
    assert [variable.name for variable in VARIABLES if not variable.says] == []


def test_a_release_of_which_no_change_is_known_is_not_small() -> None:
    for record in ((), (declared(),)):
        for cel in ("release.changes < 3", "release.lines < 400", "release.paths.all(path, path != 'db')"):
            assert ask(expr(cel), *record).decision == "undecided"


def test_paths_are_known_only_when_all_are() -> None:
    cel = expr("release.paths.all(path, !path.startsWith('db/'))")
    assert ask(cel, declared("c1"), merged(files=2, paths=("src/a.py",))).decision == "undecided"
    assert ask(cel, declared("c1"), merged(files=0)).decision == "pass"
