"""Asking the gates of a log: what is read, what is recorded, and emergency exceptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from amends.adapters.policyfile import parse_policy
from amends.adapters.stores import open_store
from amends.application.gating import decide_gates, explain_policy, grant_override
from amends.application.log import Log
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.gates.policy import LoadedPolicy
from amends.verdicts import Decision

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
COMMIT = "c0ffee" + "0" * 34
LIFTED = p.QuarantineLifted(service="shop", release="v2", reason="harmless", role="qa", incident="INC-1")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def log() -> Log:
    ids = count(1)
    return Log(open_store("memory:").store, Clock(), lambda: f"e{next(ids)}", "/test")


@pytest.fixture
def loaded() -> LoadedPolicy:
    return parse_policy("""
service: shop
team: "@org/pay"
environments: [dev, staging, production]
gates:
  dev: []
  production:
    - {review: {approvals: 1}, mode: block}
    - {tests: {suites: [unit]}, mode: block}
    - {soak: {environment: staging, for: 7d, min_requests: 100}, mode: block}
    - {watchers: {role: on-call}, mode: block}
""")


def tell(log: Log, **more: Any) -> None:
    """Record a release with everything that production asks of it."""
    clock: Any = log.clock
    log.record_all([
        ("change.merged", p.ChangeMerged(service="shop", change="c1", author="p-ann")),
        ("change.reviewed", p.ChangeReviewed(service="shop", change="c1", reviewer="p-bob")),
        ("artifact.packaged",
         p.ReleaseDeclared(service="shop", version="1.2.0", commit=COMMIT, changes=("c1",))),
        ("testsuiterun.finished",
         p.SuiteFinished(service="shop", release=COMMIT[:8], suite="unit", outcome="success")),
        ("service.deployed", p.ServiceDeployed(service="shop", release="1.2.0", environment="staging")),
    ])  # fmt: skip
    clock.time = START + 8 * DAY
    log.record_all([
        ("traffic.observed",
         p.TrafficObserved(service="shop", release=COMMIT, environment="staging", requests=500,
                           since=START, until=clock.time)),
        ("shift.acknowledged",
         p.ShiftAcknowledged(team="pay", role="on-call", person="p-cat", starts=START, ends=START + 9 * DAY)),
    ])  # fmt: skip


def test_what_was_recorded_under_any_name_carries_a_release_through(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    found = decide_gates(log, loaded, COMMIT[:9], "production")
    assert [(row.gate, row.decision) for row in found.rows if row.decision != "pass"] == []
    assert found.decision is Decision.PASS
    assert found.release == "1.2.0"


def test_the_same_moment_has_the_same_answer_whatever_came_later(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    then = log.clock.now()
    before = decide_gates(log, loaded, "1.2.0", "production", at=then, record=False)
    log.clock.wait(60)
    opened = p.IncidentOpened(
        incident="INC-1",
        service="shop",
        environment="staging",
        summary="s",
        opened_by="alert",
        release="1.2.0",
    )
    log.record("incident.detected", opened)
    log.record("quarantine.set", p.QuarantineSet(service="shop", release=COMMIT, reason="r"))
    assert decide_gates(log, loaded, "1.2.0", "production", at=then, record=False) == before
    blocked = decide_gates(log, loaded, "1.2.0", "production", record=False)
    assert [row.gate for row in blocked.rows if row.decision == "block"] == ["quarantine", "soak"]


def test_a_resolved_incident_is_found_through_its_own_stream(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    opened = p.IncidentOpened(
        incident="INC-1",
        service="shop",
        environment="staging",
        summary="s",
        opened_by="alert",
        release="1.2.0",
    )
    log.record("incident.detected", opened)
    log.record("incident.resolved", p.IncidentMoved(incident="INC-1", service="shop"))
    found = decide_gates(log, loaded, "1.2.0", "production")
    assert (found.decision, found.until) == (Decision.UNDECIDED, START + 15 * DAY)


def test_the_decision_is_recorded_and_the_policy_once(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    for _ in range(2):
        decide_gates(log, loaded, "1.2.0", "production", deployment="d1")
    decide_gates(log, loaded, "1.2.0", "production", record=False)
    decided = [fact.payload for fact in log.facts(kinds=["gates.decided"])]
    adopted = [fact.payload for fact in log.facts(kinds=["policy.adopted"])]
    assert len(decided) == 2
    assert isinstance(decided[0], p.GatesDecided)
    assert (decided[0].policy, decided[0].deployment) == (loaded.digest, "d1")
    assert [a.text for a in adopted if isinstance(a, p.PolicyAdopted)] == [loaded.text]


def test_an_unknown_release_or_environment_is_named_with_the_nearest(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    with pytest.raises(NotFoundError, match=r"1\.2\.0"):
        decide_gates(log, loaded, "1.2.O", "production")
    with pytest.raises(UsageError, match="did you mean `production`"):
        decide_gates(log, loaded, "1.2.0", "prodution")
    assert log.facts(kinds=["gates.decided"]) == []


ASKED = {
    "reason": "checkout is down",
    "requested_by": "p-ann",
    "approved_by": "p-bob",
    "role": "lead",
    "lasts": HOUR,
}


def test_an_override_lets_a_release_past_until_it_expires(log: Log, loaded: LoadedPolicy) -> None:
    tell(log)
    log.record("testsuiterun.finished",
               p.SuiteFinished(service="shop", release="1.2.0", suite="unit", outcome="failure"))  # fmt: skip
    assert decide_gates(log, loaded, "1.2.0", "production").decision is Decision.BLOCK
    granted = grant_override(log, loaded, COMMIT, "production", gates=["tests"], **ASKED)  # type: ignore[arg-type]
    found = decide_gates(log, loaded, "1.2.0", "production")
    assert found.decision is Decision.PASS
    assert [row.overridden_by for row in found.rows if row.decision == "block"] == [granted.id]
    log.clock.wait(3601)
    assert decide_gates(log, loaded, "1.2.0", "production").decision is Decision.BLOCK


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"approved_by": "p-ann"}, "cannot approve it"),
        ({"reason": "  "}, "needs a reason"),
        ({"role": ""}, "the approver's role"),
        ({"lasts": timedelta(0)}, "longer than nothing"),
        ({"gates": ["test"]}, "did you mean tests"),
        ({"gates": ["quarantine"]}, "a quarantine cannot be overridden"),
    ],
)
def test_an_override_that_nobody_answers_for_is_refused(
    log: Log, loaded: LoadedPolicy, change: dict[str, Any], said: str
) -> None:
    tell(log)
    with pytest.raises(UsageError, match=said):
        grant_override(log, loaded, "1.2.0", "production", **{**ASKED, **change})
    assert log.facts(kinds=["override.granted"]) == []


def test_a_policy_is_explained_in_sentences(loaded: LoadedPolicy) -> None:
    told = {place["environment"]: place for place in explain_policy(loaded)}
    assert told["staging"]["summary"] == "undecided: the policy sets no gates"
    assert told["production"]["gates"][1]["wants"] == "unit succeeded for this version"


def test_another_version_of_a_quarantined_build_is_quarantined_too(log: Log, loaded: LoadedPolicy) -> None:
    told = [
        p.ReleaseDeclared(service="shop", version="2", commit=COMMIT),
        p.ReleaseDeclared(service="shop", version="v2", commit=COMMIT),
        p.ReleaseDeclared(service="shop", version="3", commit="b" * 40),
    ]
    log.record_all([("artifact.packaged", payload) for payload in told])
    log.record("quarantine.set", p.QuarantineSet(service="shop", release="2", reason="r", incident="INC-1"))
    found = {name: decide_gates(log, loaded, name, "dev") for name in ("2", "v2", "3")}
    assert {name: told.decision for name, told in found.items()} == {
        "2": Decision.BLOCK, "v2": Decision.BLOCK, "3": Decision.PASS,
    }  # fmt: skip
    assert found["v2"].rows[0].reason == (
        "v2 is quarantined, as the same build as 2 until INC-1 says otherwise"
    )
    for alias in (COMMIT, COMMIT[:8]):
        with pytest.raises(UsageError, match="fits several versions of shop: 2, v2"):
            decide_gates(log, loaded, alias, "dev")
    log.record("quarantine.lifted", LIFTED)
    assert decide_gates(log, loaded, "2", "dev").decision is Decision.PASS
