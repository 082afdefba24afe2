"""DORA's five: which deployments there are, which failed, and what each measure counts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from amends.adapters.stores import open_store
from amends.application.log import Log
from amends.application.measuring import CaseBook, Known, measure_all, measure_one
from amends.events import payloads as p
from amends.measures.deliveries import read_deliveries
from amends.measures.measure import Measure, Scope
from tests.story import HeldClock

T0 = datetime(2026, 3, 2, tzinfo=UTC)
PLACE = {"service": "shop", "environment": "production"}


class Told:
    """A log told in hours."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.log = Log(open_store("memory:").store, HeldClock(T0), lambda: f"e{next(numbers)}")
        self.last = T0

    def say(self, hour: float, kind: str, payload: p.Payload) -> None:
        self.last = max(self.last, T0 + timedelta(hours=hour))
        self.log.record(kind, payload, at=T0 + timedelta(hours=hour))

    def release(self, version: str, merged: float | None = None, **more: Any) -> None:
        change = f"c-{version}"
        if merged is not None:
            self.say(merged, "change.merged", p.ChangeMerged(service="shop", change=change))
        self.say(0, "artifact.packaged", p.ReleaseDeclared(
            service="shop", version=version, changes=(change,), **more
        ))  # fmt: skip

    def deploy(self, hour: float, version: str, deployment: str = "") -> None:
        self.say(hour, "service.deployed", p.ServiceDeployed(
            release=version, deployment=deployment, **PLACE
        ))  # fmt: skip

    def back(self, hour: float, version: str, to: str, deployment: str = "") -> None:
        self.say(hour, "service.rolledback", p.ServiceRolledBack(
            release=version, restored=to, deployment=deployment, **PLACE
        ))  # fmt: skip

    def incident(self, hour: float, name: str, release: str = "", **more: Any) -> None:
        opened = {"opened_by": "alert", "summary": "it fails", **more}
        self.say(
            hour, "incident.detected", p.IncidentOpened(incident=name, release=release, **PLACE, **opened)
        )

    def known(self) -> Known:
        return CaseBook(self.log).read()

    def measure(self, key: str, **scope: Any) -> Measure:
        return measure_one(measure_all(self.known(), Scope(scope.pop("until", self.last), **scope)), key)

    def deliveries(self) -> list[tuple[str, bool]]:
        known = self.known()
        found = read_deliveries(known.deliveries, known.cases, Scope(self.last))
        return [(one.version, one.failed) for one in found.all]


def figure(measure: Measure, label: str) -> float | None:
    return next(one.value for one in measure.figures if one.label == label)


def test_an_incident_counts_for_the_release_that_it_names_and_not_for_the_last_one() -> None:
    told = Told()
    for hour, version in ((1, "1.0"), (2, "1.1"), (3, "1.2")):
        told.deploy(hour, version)
    told.incident(4, "INC-1", "1.1")
    assert told.deliveries() == [("1.0", False), ("1.1", True), ("1.2", False)]


def test_an_incident_that_names_no_deployment_counts_nowhere_and_is_said() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.incident(2, "INC-1")
    rate = told.measure("change-fail-rate")
    assert figure(rate, "failed") == 0
    assert any("1 incidents name no deployment" in caveat for caveat in rate.caveats)


def test_going_back_and_deploying_again_what_runs_are_no_deployments() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.deploy(2, "1.1", "d-1")
    told.back(3, "1.1", "1.0", "d-1")
    told.deploy(3.1, "1.0")
    told.deploy(4, "1.0")
    assert told.deliveries() == [("1.0", False), ("1.1", True)]


def test_a_rollout_that_met_traffic_and_was_taken_back_is_a_failed_deployment() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.say(2, "step.started", p.StepStarted(deployment="d-1", step=1, weight=10, seconds=60, **PLACE))
    told.say(3, "deployment.finished", p.DeploymentFinished(
        deployment="d-1", release="1.1", outcome="rolled_back", reason="worse", **PLACE
    ))  # fmt: skip
    told.back(3, "1.1", "1.0", "d-1")
    assert told.deliveries() == [("1.0", False), ("1.1", True)]


def test_a_bypass_of_the_gates_is_no_failure() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.incident(2, "INC-1", "1.0", opened_by="bypass")
    assert told.deliveries() == [("1.0", False)]


def test_a_change_reaches_production_with_the_first_release_that_follows_its_own() -> None:
    told = Told()
    told.release("1.0", merged=0)
    told.release("1.1", merged=1, previous="1.0")
    told.release("1.2", merged=50, previous="1.1")
    told.deploy(10, "1.1")
    measure = told.measure("change-lead-time", until=T0 + timedelta(hours=60))
    rows = [(row["change"], row["release"], row["open"]) for row in measure.rows]
    assert rows == [("c-1.0", "1.1", "no"), ("c-1.1", "1.1", "no"), ("c-1.2", "", "yes")]
    assert [row["seconds_since_merge"] for row in measure.rows] == [36000, 32400, 36000]


def test_releases_that_follow_each_other_in_a_circle_end() -> None:
    told = Told()
    told.release("1.0", merged=0, previous="1.1")
    told.release("1.1", merged=0, previous="1.0")
    told.deploy(1, "1.1")
    assert len(told.measure("change-lead-time").rows) == 2


def test_weeks_without_a_deployment_count() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.deploy(24 * 21 + 1, "1.1")
    measure = told.measure("deployment-frequency", until=T0 + timedelta(days=28))
    assert figure(measure, "deployments in the median week") == 0.5


def test_recovery_counts_what_is_still_open() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.deploy(2, "1.1", "d-1")
    told.back(3, "1.1", "1.0", "d-1")
    told.deploy(5, "1.2")
    told.incident(6, "INC-1", "1.2")
    measure = told.measure("failed-deployment-recovery-time", until=T0 + timedelta(hours=7))
    assert [(row["release"], row["open"]) for row in measure.rows] == [("1.1", "no"), ("1.2", "yes")]
    assert measure.rows[0]["seconds_since_deployment_high"] == 3600
    assert measure.rows[1]["seconds_since_detection_low"] == 3600


def test_rework_is_bounded_by_what_was_stated_and_what_can_be_inferred() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.incident(2, "INC-1", "1.0")
    told.deploy(3, "1.1")
    told.deploy(4, "1.2")
    told.say(5, "amendment.proposed", p.AmendmentProposed(
        amendment="AM-1", incident="INC-1", service="shop", kind="test", title="t", good="1.2"
    ))  # fmt: skip
    measure = told.measure("rework-rate")
    assert [row["rework"] for row in measure.rows] == ["no", "inferred", "stated"]
    assert figure(measure, "rework, as stated") == 1 / 3
    assert figure(measure, "rework, stated or inferred") == 2 / 3


def test_nothing_deployed_is_undecided() -> None:
    told = Told()
    for key in ("change-fail-rate", "rework-rate"):
        assert [one.value for one in told.measure(key).figures] == [None, None]
    assert figure(told.measure("deployment-frequency"), "deployments in the median week") is None


def test_a_scope_leaves_out_other_services_environments_and_times() -> None:
    told = Told()
    told.deploy(1, "1.0")
    told.say(2, "service.deployed", p.ServiceDeployed(service="mail", environment="production", release="7"))
    told.say(3, "service.deployed", p.ServiceDeployed(service="shop", environment="staging", release="1.1"))
    told.deploy(4, "1.1")
    measure = told.measure("deployment-frequency", service="shop", since=T0 + timedelta(hours=2))
    assert [row["release"] for row in measure.rows] == ["1.1"]
