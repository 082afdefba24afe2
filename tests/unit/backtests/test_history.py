"""Which past deployments let a defect out, and when each was decided on."""

from __future__ import annotations

from amends.backtests.history import ESCAPE, GOOD, UNCERTAIN, History
from amends.events import payloads as p
from tests.planted import BEGIN, DAY
from tests.unit.backtests.past import PROD, Told, day_of


def outcomes(history: History) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, outcome in enumerate(history.outcome):
        found.setdefault(history.question(row).release.version, []).append(int(outcome))
    return found


def moments(history: History) -> list[float | None]:
    return [day_of(history.question(row).at) for row in range(len(history))]


def names(history: History) -> list[tuple[str, str]]:
    return [(one.name, one.release) for one in history.incidents]


def test_incidents_rollbacks_and_failed_reverts_are_escapes_the_rest_is_good() -> None:
    told = Told()
    for day, version in enumerate(("1", "2", "3", "4", "5"), start=1):
        told.release(version, f"c{version}")
        told.deployed(version, day)
    told.incident("INC-1", "2", 2.5)
    told.reverted("c3", 3.5)
    told.rolled_back("5", "4", 5.5)
    history = told.history()
    assert outcomes(history) == {"1": [GOOD], "2": [ESCAPE], "3": [ESCAPE], "4": [GOOD], "5": [ESCAPE]}
    assert names(history) == [("INC-1", "2"), ("revert of c3", "3"), ("rollback of 5", "5")]


def test_one_defect_is_one_incident_however_often_it_is_told() -> None:
    told = Told()
    told.release("1", "c1")
    told.deployed("1", 1)
    told.incident("INC-1", "1", 1.1)
    told.incident("INC-1", "1", 1.1)
    told.reverted("c1", 1.2)
    told.rolled_back("1", "0", 1.3)
    assert names(told.history()) == [("INC-1", "1")]


def test_a_revert_for_a_reason_nobody_can_tell_is_on_neither_side() -> None:
    told = Told()
    for version in ("1", "2"):
        told.release(version, f"c{version}")
        told.deployed(version, int(version))
    told.reverted("c1", 3, "uncertain")
    told.reverted("c2", 3, "not_failure")
    history = told.history()
    assert outcomes(history) == {"1": [UNCERTAIN], "2": [GOOD]}
    assert history.incidents == ()


def test_what_was_taken_back_before_it_was_let_in_has_not_escaped() -> None:
    told = Told()
    told.release("1", "c1")
    told.reverted("c1", 1)
    told.deployed("1", 2)
    assert outcomes(told.history()) == {"1": [GOOD]}


def test_an_incident_elsewhere_and_a_bypass_are_no_escape() -> None:
    told = Told()
    told.deployed("1", 1)
    told.incident("INC-1", "1", 1.5, environment="staging")
    told.incident("INC-2", "1", 1.6, opened_by="bypass")
    history = told.history()
    assert (outcomes(history), history.incidents) == ({"1": [GOOD]}, ())


def test_a_stay_is_one_row_and_coming_back_is_another() -> None:
    told = Told()
    told.deployed("1", 1)
    told.deployed("1", 1.5)
    told.deployed("2", 2)
    told.deployed("1", 3)
    told.incident("INC-1", "1", 3.5)
    history = told.history()
    assert outcomes(history) == {"1": [UNCERTAIN, ESCAPE], "2": [GOOD]}
    assert history.incidents[0].row == 2


def test_the_moment_is_that_of_the_gates_then_of_the_request_then_of_taking_over() -> None:
    told = Told()
    for version in ("1", "2", "3"):
        told.deployed(version, 10 * int(version))
    asked = p.DeploymentRequested(**PROD, deployment="d1", release="1", plan={}, policy="")
    told("deployment.requested", 8, asked)
    for day, decision in ((8.5, "undecided"), (9.5, "pass"), (11, "pass")):
        decided = p.GatesDecided(
            **PROD, release="1", at=BEGIN + day * DAY, decision=decision, gates=(), policy=""
        )
        told("gates.decided", day, decided)
    told(
        "deployment.requested",
        19,
        p.DeploymentRequested(**PROD, deployment="d2", release="2", plan={}, policy=""),
    )
    assert moments(told.history()) == [9.5, 19, 30]


def test_a_candidate_that_was_rolled_back_before_it_took_over_was_let_in_all_the_same() -> None:
    told = Told()
    told.deployed("1", 1)
    decided = p.GatesDecided(**PROD, release="2", at=BEGIN + 2 * DAY, decision="pass", gates=(), policy="")
    told("gates.decided", 2, decided)
    told.rolled_back("2", "1", 2.1)
    told.incident("INC-1", "2", 2.1)
    history = told.history()
    assert outcomes(history) == {"1": [GOOD], "2": [ESCAPE]}
    assert moments(history) == [1, 2]


def test_an_incident_without_a_known_deployment_has_no_row() -> None:
    told = Told()
    told.deployed("1", 1)
    told.incident("INC-1", "9", 2)
    told.incident("INC-2", "", 3)
    told.incident("INC-3", "8", 4, deployed_at=BEGIN + 3 * DAY)
    assert [(one.name, one.row) for one in told.history().incidents] == [
        ("INC-1", None), ("INC-2", None), ("INC-3", 1),
    ]  # fmt: skip


def test_releases_go_by_any_of_their_names() -> None:
    told = Told()
    commit = "c0ffee1234567890c0ffee1234567890c0ffee12"
    told("artifact.packaged", 0, p.ReleaseDeclared(service="shop", version="1", commit=commit))
    told.deployed(commit[:10], 1)
    told.incident("INC-1", commit, 2)
    assert names(told.history()) == [("INC-1", "1")]


def test_a_part_of_the_history_keeps_its_own_incidents() -> None:
    told = Told()
    for day in (1, 2, 3):
        told.deployed(str(day), day)
        told.incident(f"INC-{day}", str(day), day + 5)
    part = told.history().between(BEGIN + 2 * DAY, BEGIN + 3 * DAY)
    assert [(one.name, one.row) for one in part.incidents] == [("INC-2", 0)]
    assert len(part) == 1
