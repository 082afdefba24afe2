"""What is read of the service and its neighbours beside the release: no more, and no answer differs by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.adapters.policyfile import parse_policy
from amends.application.evidence import read_evidence
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evaluate import PolicyDecision, evaluate_policy
from amends.gates.evidence import KINDS, Question, collect_evidence
from tests.unit.application.test_evidence import HOUR, NOW, RELEASE, hours, make_log

POLICY = parse_policy("""
service: shop
team: pay
environments: [staging, production]
gates:
  production:
    - edge_cases
    - proofs
    - watch: {environment: staging}
    - replay
    - depends_on:
        services: [{service: payments, at_least: "2.3"}, {service: web, environment: staging}]
        needed_by: [web]
    - expr: {cel: "'payments/staging' in running", services: [payments/staging]}
""").policy
NEIGHBOURS = POLICY.neighbours("production")
services = st.sampled_from(["payments", "web", "shop"])
places = st.sampled_from(["staging", "production"])
versions = st.sampled_from(["2.2", "2.3", "beef123", "sha256:1", "1.2.0"])
incidents = st.sampled_from(["INC-1", "INC-2", "INC-3"])
Told = tuple[str, Any]


@st.composite
def told(draw: st.DrawFn) -> Told:
    service, place, version, incident = draw(services), draw(places), draw(versions), draw(incidents)
    said: Any = {"amendment": "A-1", "incident": incident, "service": service}
    choices: list[Told] = [
        ("service.deployed", p.ServiceDeployed(service=service, release=version, environment=place)),
        ("service.rolledback", p.ServiceRolledBack(
            service=service, release="9", restored=draw(versions), environment=place)),
        ("artifact.packaged", p.ReleaseDeclared(
            service=service, version=draw(versions), commit="beef123", digest="sha256:1")),
        ("incident.detected", p.IncidentOpened(
            incident=incident, service=service, environment=place, summary="s", opened_by="alert")),
        ("incident.resolved", p.IncidentMoved(service=service, incident=incident)),
        ("incident.reopened", p.IncidentMoved(service=service, incident=incident)),
        ("edgecase.documented", p.EdgeCaseDocumented(service=service, edge_case="zero", words="w", test="t")),
        ("edgecase.retired", p.EdgeCaseRetired(service=service, edge_case="zero", reason="r")),
        ("amendment.proposed", p.AmendmentProposed(kind="test", title="t", selector="t", **said)),
        ("amendment.proven", p.AmendmentJudged(reason="r", **said)),
        ("amendment.disproven", p.AmendmentJudged(reason="r", **said)),
        ("deployment.finished", p.DeploymentFinished(
            deployment="d", service=service, environment=place, release=version, outcome="promoted",
            reason="r", watch="passed")),
        ("replay.finished", p.ReplayFinished(service=service, release=version, decision="pass")),
    ]  # fmt: skip
    return draw(st.sampled_from(choices))


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """A log with facts out of order, late, twice, and perhaps some that nobody dated."""
    log = make_log()
    declared = p.ReleaseDeclared(service="shop", version="1.2.0")
    log.record("artifact.packaged", declared, imported=True, known_at=NOW - 99 * HOUR)
    delays = draw(st.sampled_from([[0], [0, 0, 0, 3, 20, -2], [0, 0, 0, 0, 0, 0, 3, None]]))
    for kind, payload in draw(st.lists(told(), min_size=3, max_size=24)):
        at, late = draw(hours), draw(st.sampled_from(delays))
        known = None if late is None else at + late * HOUR
        for _ in range(draw(st.sampled_from([1, 1, 2]))):
            log.record(kind, payload, at=at, imported=True, known_at=known)
    return log


def answer(facts: list[Fact], at: datetime) -> PolicyDecision:
    table = collect_evidence(facts, [Question("shop", RELEASE, "production", at)], NEIGHBOURS)
    return evaluate_policy(POLICY, "production", table)[0]


@settings(max_examples=150, deadline=None)
@given(logs(), hours)
def test_reading_little_answers_as_reading_everything(log: Log, at: datetime) -> None:
    read = read_evidence(log, POLICY, RELEASE, "production", at)
    assert answer(read, at) == answer(log.facts(kinds=KINDS), at)


def test_the_past_of_a_neighbour_is_not_read() -> None:
    read = []
    for moves in (30, 90):
        log = make_log()
        for number in range(moves):
            move = p.ServiceDeployed(service="payments", release=f"2.{number}", environment="production")
            log.record("service.deployed", move, at=NOW - (moves - number) * HOUR)
        read.append(len(read_evidence(log, POLICY, RELEASE, "production", NOW)))
    assert read[0] == read[1]


def test_old_incidents_of_a_neighbour_are_not_read() -> None:
    log = make_log()
    for number in range(40):
        told = p.IncidentOpened(
            incident=f"INC-{number}", service="web", environment="production", summary="s", opened_by="alert"
        )
        log.record("incident.detected", told, at=NOW - (number + 1) * 240 * HOUR)
    read = read_evidence(log, POLICY, RELEASE, "production", NOW)
    assert [f.payload.incident for f in read if isinstance(f.payload, p.IncidentOpened)] == [
        f"INC-{number}" for number in range(9)
    ]
    assert "web has 9 open incidents" in answer(read, NOW).rows[5].reason


def test_what_no_gate_asks_for_is_not_read() -> None:
    log = make_log()
    log.record("edgecase.documented", p.EdgeCaseDocumented(service="shop", edge_case="zero", words="w"))
    plain = POLICY.model_copy(update={"gates": {"production": []}})
    assert read_evidence(log, plain, RELEASE, "production", NOW) == []
