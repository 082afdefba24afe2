"""Each state of the escape matrix, from a record that shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.application.incidents import incident_view, open_incident
from amends.application.reviewing import draft_text
from amends.events import payloads as p
from amends.incidents.escape import QUESTIONS, STANDARD_GATES, EscapeMatrix, EscapeRow, EscapeState
from tests.escapes import KEY, POLICY, TRACEBACK, Escape, escape, minutes

Lines = dict[str, tuple[int, ...]]


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.declare("1.0")
        told.deploy("1.0")
        told.declare("1.1")
        yield told


def matrix(told: Escape, *rows: p.GateRow, decision: str = "pass", captured: bool = True) -> EscapeMatrix:
    """Let 1.1 reach production with these answers of its gates, and fail there."""
    if rows:
        told.tell(
            "gates.decided",
            p.GatesDecided(
                service="shop", release="1.1", environment="production", at=told.clock.now(),
                decision=decision, gates=rows, policy="digest",  # type: ignore[arg-type]
            ),
        )  # fmt: skip
    told.tell(
        "service.deployed",
        p.ServiceDeployed(service="shop", release="1.1", environment="production", previous="1.0"),
    )
    incident = told.roll_back()
    if captured:
        told.capture(incident)
    return incident_view(told.log, incident).record.matrix


def gate(decision: str = "pass", *, kind: str = "tests", **more: object) -> p.GateRow:
    return p.GateRow(gate=kind, kind=kind, decision=decision, reason="said so", **more)  # type: ignore[arg-type]


def row_of(found: EscapeMatrix, name: str) -> EscapeRow:
    return next(row for row in found.rows if row.gate == name)


def exercise(
    told: Escape, *, inputs: tuple[str, ...] = (), covered: Lines | None = None, missed: Lines | None = None
) -> str:
    fact = told.tell(
        "exercise.recorded",
        p.ExerciseRecorded(
            service="shop",
            release="1.1",
            suite="unit",
            covered=covered or {},
            missed=missed or {},
            inputs=inputs,
        ),
    )
    return fact.id


def test_every_standard_gate_has_a_row_and_every_row_its_question(told: Escape) -> None:
    found = matrix(told, gate())
    assert {row.kind for row in found.rows} == set(STANDARD_GATES)
    assert all(row.question == QUESTIONS[row.state] and row.reason for row in found.rows)
    assert row_of(found, "replay").state is EscapeState.NOT_IN_PLACE
    assert row_of(found, "replay").events == ()


def test_its_own_records_hold_the_signature_it_saw_and_passed(told: Escape) -> None:
    suite = told.suite("1.1", output=TRACEBACK)
    row = row_of(matrix(told, gate(events=(suite.id,))), "tests")
    assert row.state is EscapeState.SAW_AND_PASSED
    assert suite.id in row.events


def test_another_failure_in_its_records_is_not_the_one_that_escaped(told: Escape) -> None:
    suite = told.suite("1.1", output=TRACEBACK.replace("share", "total"))
    assert row_of(matrix(told, gate(events=(suite.id,))), "tests").state is EscapeState.SIGHT_UNKNOWN


def test_recorded_inputs_without_the_failing_one_show_that_it_ran_blind(told: Escape) -> None:
    suite = told.suite("1.1")
    event = exercise(told, inputs=("POST /share people=one",))
    row = row_of(matrix(told, gate(events=(suite.id,))), "tests")
    assert row.state is EscapeState.RAN_BLIND
    assert KEY in row.reason
    assert event in row.events


@pytest.mark.parametrize(
    ("covered", "missed", "state"),
    [
        ({"shop/price.py": (1,)}, {"shop/price.py": (2,)}, EscapeState.RAN_BLIND),
        ({}, {"shop/price.py": (2,)}, EscapeState.RAN_BLIND),
        # the file was not measured; the line is in neither list, as the rest of a statement is; it ran
        ({"shop/server.py": (1, 2)}, {"shop/server.py": (3,)}, EscapeState.SIGHT_UNKNOWN),
        ({"shop/price.py": (1,)}, {"shop/price.py": (9,)}, EscapeState.SIGHT_UNKNOWN),
        ({"shop/price.py": (1, 2)}, {}, EscapeState.SIGHT_UNKNOWN),
        ({}, {}, EscapeState.SIGHT_UNKNOWN),
    ],
)
def test_coverage_shows_blindness_only_where_it_lists_the_failing_line_as_missed(
    told: Escape, covered: Lines, missed: Lines, state: EscapeState
) -> None:
    suite = told.suite("1.1")
    exercise(told, covered=covered, missed=missed)
    assert row_of(matrix(told, gate(events=(suite.id,))), "tests").state is state


def test_it_sent_the_input_and_did_not_show_the_failure(told: Escape) -> None:
    suite = told.suite("1.1")
    exercise(told, inputs=(KEY,))
    row = row_of(matrix(told, gate(events=(suite.id,))), "tests")
    assert row.state is EscapeState.SIGHT_UNKNOWN
    assert "did not show the failure" in row.reason


def test_one_suite_without_records_leaves_the_sight_unknown(told: Escape) -> None:
    suites = (told.suite("1.1"), told.suite("1.1", "integration"))
    exercise(told, inputs=("POST /share people=one",))
    row = row_of(matrix(told, gate(events=tuple(s.id for s in suites))), "tests")
    assert row.state is EscapeState.SIGHT_UNKNOWN
    assert "integration" in row.reason


def test_without_records_and_without_a_failure_the_sight_is_unknown(told: Escape) -> None:
    suite = told.suite("1.1")
    assert row_of(matrix(told, gate(events=(suite.id,)), captured=False), "tests").state is (
        EscapeState.SIGHT_UNKNOWN
    )


def test_a_failure_seen_in_staging_before_the_decision_was_seen_by_the_soak(told: Escape) -> None:
    told.capture(environment="staging")
    row = row_of(matrix(told, gate(kind="soak")), "soak")
    assert row.state is EscapeState.SAW_AND_PASSED


@pytest.mark.parametrize(
    ("row", "decision", "state"),
    [
        (gate("undecided"), "undecided", EscapeState.UNDECIDED),
        (gate("error"), "error", EscapeState.ERROR),
        (gate("block"), "block", EscapeState.BYPASSED),
        (gate("block", overridden_by="event-9"), "pass", EscapeState.OVERRIDDEN),
    ],
)
def test_what_did_not_pass_and_went_on(
    told: Escape, row: p.GateRow, decision: str, state: EscapeState
) -> None:
    found = matrix(told, row, decision=decision)
    assert row_of(found, "tests").state is state
    assert found.bypassed is (decision != "pass")


def test_a_gate_that_observes_could_hold_nothing(told: Escape) -> None:
    row = row_of(matrix(told, gate("block", mode="observe")), "tests")
    assert row.observing
    assert row.state is EscapeState.SIGHT_UNKNOWN
    assert "observing" in row.reason


def test_a_policy_in_force_and_no_decision_is_a_bypass(told: Escape) -> None:
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
    found = matrix(told)
    assert found.bypassed
    assert row_of(found, "tests").state is EscapeState.BYPASSED
    assert row_of(found, "sign_off").state is EscapeState.BYPASSED


def test_a_gate_of_the_policy_that_the_decision_does_not_hold_was_not_run(told: Escape) -> None:
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
    found = matrix(told, gate())
    assert row_of(found, "sign_off").state is EscapeState.NOT_RUN


def test_a_decision_after_the_deployment_does_not_count(told: Escape) -> None:
    told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
    told.tell("service.deployed", p.ServiceDeployed(service="shop", release="1.1", environment="production"))
    told.tell(
        "gates.decided",
        p.GatesDecided(
            service="shop", release="1.1", environment="production", at=told.clock.now() + minutes(1),
            decision="pass", gates=(gate(),), policy="digest",
        ),
    )  # fmt: skip
    found = incident_view(told.log, told.roll_back()).record.matrix
    assert row_of(found, "tests").state is EscapeState.BYPASSED


def test_a_watch_that_promoted_has_a_row_and_one_that_caught_it_has_none(told: Escape) -> None:
    def incident_after(verdict: str, deployment: str) -> EscapeMatrix:
        told.tell(
            "watch.assessed",
            p.WatchAssessed(
                deployment=deployment, service="shop", environment="production", step=1, tick=1,
                verdict=verdict, reason="as counted", state={},  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        incident = open_incident(
            told.log, service="shop", release="1.1", previous="1.0", environment="production",
            summary="errors", opened_by="rollback", deployment=deployment,
        )  # fmt: skip
        return incident_view(told.log, incident).record.matrix

    assert row_of(incident_after("promote", "d-1"), "watch").state is EscapeState.SIGHT_UNKNOWN
    caught = incident_after("roll_back", "d-2")
    assert "watch" not in {row.kind for row in caught.rows}
    assert "watch caught it" in caught.caught


def test_where_no_policy_is_known_that_is_said(told: Escape) -> None:
    incident = open_incident(
        told.log, service="other", release="9", previous="", environment="production", summary="errors",
        opened_by="person",
    )  # fmt: skip
    found = incident_view(told.log, incident).record.matrix
    assert not found.bypassed
    assert {row.state for row in found.rows} == {EscapeState.NOT_RECORDED}
    assert all(STANDARD_GATES[row.kind] in row.question for row in found.rows)
    assert all(row.reason == "Not recorded: nobody recorded which policy applied." for row in found.rows)
    text = draft_text(told.log, incident)
    assert text.count("Which policy applied") == 1
    assert "Make that test" not in text
    assert "amends record failure --incident" in text


def test_a_gate_that_did_not_apply_was_not_in_place_for_this_release(told: Escape) -> None:
    row = row_of(matrix(told, gate(applies=False)), "tests")
    assert row.state is EscapeState.NOT_IN_PLACE
    assert "for other releases" in row.reason
