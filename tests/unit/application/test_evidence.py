"""What is read for the gates: no answer differs from that of a reader who left nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.adapters.policyfile import parse_policy
from amends.adapters.stores import open_store
from amends.application.evidence import read_evidence
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evaluate import PolicyDecision, evaluate_policy
from amends.gates.evidence import KINDS, Question, collect_evidence
from amends.releases.actuation import ReleaseRef

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMIT, OTHER = "c0ffee" + "0" * 34, "beef" * 10
RELEASE = ReleaseRef("shop", "1.2.0", COMMIT)
POLICY = parse_policy("""
service: shop
team: "@org/pay"
environments: [dev, staging, production]
gates:
  production:
    - {review: {approvals: 1}, mode: block}
    - {tests: {suites: [unit]}, mode: block}
    - {soak: {environment: staging, for: 6h, min_requests: 50}, mode: block}
    - {watchers: {at_least: 2}, mode: block}
""").policy


class Clock:
    """Shows what it is set to."""

    accelerated = False
    time = NOW

    def now(self) -> datetime:
        return self.time

    def real_seconds_until(self, moment: datetime) -> float:
        return 0.0

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def make_log() -> Log:
    ids = count(1)
    return Log(open_store("memory:").store, Clock(), lambda: f"e{next(ids)}", "/test")


names = st.sampled_from(["1.2.0", COMMIT, COMMIT[:8], COMMIT.upper(), "1.3.0", OTHER[:9]])
places = st.sampled_from(["staging", "staging", "staging", "production"])
incidents = st.sampled_from(["INC-1", "INC-2"])
hours = st.integers(-30, 6).map(lambda number: NOW + number * HOUR)
Told = tuple[str, p.Payload]


@st.composite
def moves(draw: st.DrawFn) -> Told:
    release, place = draw(names), draw(places)
    kind = draw(st.sampled_from(["service.deployed", "service.upgraded", "service.rolledback"]))
    if kind != "service.rolledback":
        return kind, p.ServiceDeployed(service="shop", release=release, environment=place)
    return kind, p.ServiceRolledBack(service="shop", release=release, restored=draw(names), environment=place)


@st.composite
def troubles(draw: st.DrawFn) -> Told:
    incident = draw(incidents)
    kind = draw(st.sampled_from(["incident.detected", "incident.resolved", "incident.reopened"]))
    if kind != "incident.detected":
        return kind, p.IncidentMoved(service="shop", incident=incident)
    release = draw(st.sampled_from(["", "", "1.2.0", "1.3.0"]))
    return kind, p.IncidentOpened(
        incident=incident, service="shop", environment=draw(places), summary="s", opened_by="alert",
        release=release,
    )  # fmt: skip


@st.composite
def others(draw: st.DrawFn) -> Told:
    at, name = draw(hours), draw(names)
    person, team = (
        draw(st.sampled_from(["p-a", "p-b", "p-c"])),
        draw(st.sampled_from(["pay", "@org/pay", "web"])),
    )
    commit, version = (
        draw(st.sampled_from([COMMIT, COMMIT, OTHER])),
        draw(st.sampled_from(["1.2.0", "1.2.1"])),
    )
    name = draw(st.sampled_from([name, "1.2.1"]))
    return draw(st.sampled_from([
        ("artifact.packaged",
         p.ReleaseDeclared(service="shop", version=version, commit=commit, changes=("c1",))),
        ("artifact.packaged",
         p.ReleaseDeclared(service="shop", version="1.2.1", commit=OTHER, digest="sha256:1")),
        ("quarantine.set", p.QuarantineSet(service="shop", release=name, reason="r", incident="INC-1")),
        ("quarantine.lifted", p.QuarantineLifted(service="shop", release=name, reason="r", role="r")),
        ("change.reviewed", p.ChangeReviewed(service="shop", change="c1", reviewer=person)),
        ("testsuiterun.finished",
         p.SuiteFinished(service="shop", release=name, suite="unit", outcome="success")),
        ("traffic.observed",
         p.TrafficObserved(service="shop", release=name, environment="staging", requests=60, since=at,
                           until=at + 2 * HOUR)),
        ("shift.acknowledged",
         p.ShiftAcknowledged(team=team, role="r", person=person, starts=at, ends=at + 9 * HOUR)),
    ]))  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """A log with facts out of order, late, ahead of their time, twice, and some that nobody dated."""
    log = make_log()
    declared = p.ReleaseDeclared(service="shop", version="1.2.0", commit=COMMIT, changes=("c1",))
    log.record("artifact.packaged", declared, imported=True, known_at=NOW - 99 * HOUR)
    delays = draw(st.sampled_from([[0], [0, 0, 0, 3, 20, -2], [0, 0, 0, 0, 3, None]]))
    told = draw(
        st.sampled_from([moves(), st.one_of(moves(), troubles()), st.one_of(moves(), troubles(), others())])
    )
    for kind, payload in draw(st.lists(told, min_size=3, max_size=24)):
        at, late = draw(hours), draw(st.sampled_from(delays))
        known = None if late is None else at + late * HOUR
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            log.record(kind, payload, at=at, imported=True, known_at=known)
    return log


def answer(facts: list[Fact], at: datetime) -> PolicyDecision:
    table = collect_evidence(facts, [Question("shop", RELEASE, "production", at)])
    return evaluate_policy(POLICY, "production", table)[0]


def concerns(fact: Fact) -> bool:
    """Whether the gates of production look at such facts at all."""
    if isinstance(fact.payload, p.ShiftAcknowledged):
        return fact.payload.team != "web"
    if fact.kind.startswith("service.") or fact.kind == "incident.detected":
        return getattr(fact.payload, "environment", "") == "staging"
    return True


@settings(max_examples=150, deadline=None)
@given(logs(), hours)
def test_reading_little_answers_as_reading_everything(log: Log, at: datetime) -> None:
    everything = [fact for fact in log.facts(kinds=KINDS) if concerns(fact)]
    assert answer(read_evidence(log, POLICY, RELEASE, "production", at), at) == answer(everything, at)


def fill(log: Log, releases: int) -> None:
    """Let releases and shifts come and go, the asked one last."""
    for number in range(releases, 0, -1):
        at = NOW - number * 24 * HOUR
        told: list[tuple[str, Any]] = [
            ("service.deployed",
             p.ServiceDeployed(service="shop", release=f"0.{number}", environment="staging")),
            ("incident.detected",
             p.IncidentOpened(incident=f"INC-{number}", service="shop", environment="staging", summary="s",
                              opened_by="alert")),
            ("shift.acknowledged",
             p.ShiftAcknowledged(team="pay", role="r", person="p-a", starts=at, ends=at + 24 * HOUR)),
        ]  # fmt: skip
        log.record_all(told, at=at)
    mine = p.ServiceDeployed(service="shop", release="1.2.0", environment="staging")
    log.record("service.deployed", mine, at=NOW - HOUR)


def test_a_longer_past_is_not_read() -> None:
    read = []
    for releases in (3, 60):
        log = make_log()
        fill(log, releases)
        read.append(len(read_evidence(log, POLICY, RELEASE, "production", NOW)))
    assert read[0] == read[1]


def test_what_came_after_a_release_left_is_not_read() -> None:
    log = make_log()
    log.record("service.deployed", p.ServiceDeployed(service="shop", release="1.2.0", environment="staging"),
               at=NOW - 900 * HOUR)  # fmt: skip
    for number in range(60):
        later = p.ServiceDeployed(service="shop", release=f"2.{number}", environment="staging")
        log.record("service.deployed", later, at=NOW - (800 - number) * HOUR)
    assert len(read_evidence(log, POLICY, RELEASE, "production", NOW)) < 20
