"""What must hold for every record: order, repetition, the future, and one row or many."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evaluate import evaluate_policy, families_of
from amends.gates.evidence import Question, collect_evidence
from tests.unit.gates.record import (
    DAY,
    HOUR,
    NOW,
    RELEASE,
    amendment,
    case,
    declared,
    deployed,
    edge_case,
    fact,
    finished,
    incident,
    intervals,
    judged,
    merged,
    override,
    policy,
    replayed,
    resolved,
    retired,
    reviewed,
    shift,
    suite,
    traffic,
)  # fmt: skip

POLICY = policy(
    {"review": {"approvals": 2, "owners": True}},
    {"tests": {"suites": ["unit", "slow"]}},
    {"sign_off": {"role": "qa"}},
    {"soak": {"environment": "staging", "for": "3d", "min_requests": 50}},
    {
        "window": {
            "days": ["mon..thu"],
            "hours": "09:00-16:00",
            "time_zone": "Europe/Berlin",
            "freezes": "f.ics",
        }
    },
    {"watchers": {"at_least": 2}},
    {"edge_cases": {"suites": ["unit"]}},
    {"proofs": {}},
    {"watch": {"environment": "staging"}},
    {"replay": {}},
    {"attestation": {"suites": ["unit"]}},
    {"depends_on": {"services": [{"service": "payments", "at_least": "2.3"}], "needed_by": ["payments"]}},
    {"tests": {"suites": ["slow"]}, "name": "risky", "when": {"paths": ["db/**"], "lines_over": 100}},
    {"expr": {"cel": "guards.passed == guards.proven && release.lines < 9 && 'staging' in watch"}},
)
NEIGHBOURS = POLICY.neighbours("production")
CALENDARS = {"file:f.ics": intervals((NOW - 2 * DAY, NOW - DAY, "a"), (NOW + DAY, NOW + 2 * DAY, "b"))}
people = st.sampled_from(["p-ann", "p-bob", "p-author"])


verdicts = st.sampled_from(["approved", "changes_requested"])
outcomes = st.sampled_from(["success", "failure"])
suites = st.sampled_from(["unit", "slow"])
cases = st.sampled_from(["passed", "failed", "error", "skipped"])
digests = st.sampled_from(["", "sha256:abc", "def"])
words = st.sampled_from(["proven", "proven", "disproven", "activated", "lapsed", "accepted"])
ends = st.sampled_from(["promoted", "rolled_back", "aborted", "failed", "refused"])
paths = st.sampled_from([(), ("db/a",), ("web/a", "web/b")])
lines = st.sampled_from([None, 3, 300])
versions = st.sampled_from(["2.2", "2.3", "beef", "sha256:1"])


def signed(release: str, granted: bool, **kw: Any) -> Fact:
    payload = p.SignedOff(service="shop", release=release, role="qa", granted=granted)
    return fact("signoff.given", payload, **kw)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """Any fact that some gate may rely on, late, early or without a time."""
    at = NOW - draw(st.integers(-24, 240)) * HOUR
    known: Any = draw(st.sampled_from(["at", "late", "late", None]))
    known = at + draw(st.integers(0, 72)) * HOUR if known == "late" else known if known is None else at
    kw = {"at": at, "known": known, "seq": draw(st.integers(1, 9))}
    change, name = (
        draw(st.sampled_from(["c1", "c2"])),
        draw(st.sampled_from(["1.2.0", "1.3.0", RELEASE.commit])),
    )
    makers = [
        lambda: declared(*draw(st.sampled_from([("c1",), ("c1", "c2")])), **kw),
        lambda: merged(change, draw(people), owners=draw(st.sampled_from([None, (), (("web",),)])), **kw),
        lambda: merged(change, paths=draw(paths), lines=draw(lines), **kw),
        lambda: reviewed(draw(people), draw(verdicts), change, "web", **kw),
        lambda: suite(draw(suites), draw(outcomes), name, **kw),
        lambda: deployed(name, **kw),
        lambda: traffic(draw(st.integers(0, 200)), at, at + HOUR, **kw),
        lambda: incident(**kw),
        lambda: resolved(**kw),
        lambda: shift(draw(people), at, **kw),
        lambda: override(*draw(st.sampled_from([(), ("tests",)])), **kw),
        lambda: fact("quarantine.set", p.QuarantineSet(service="shop", release=name, reason="r"), **kw),
        lambda: signed(name, draw(st.booleans()), **kw),
        lambda: suite("unit", cases=(case("t", draw(cases)),), digest=draw(digests), **kw),
        lambda: edge_case("zero", draw(st.sampled_from(["t", "u", ""])), **kw),
        lambda: retired("zero", **kw),
        lambda: amendment("A-1", draw(st.sampled_from(["t", "u"])), **kw),
        lambda: judged("A-1", draw(words), **kw),
        lambda: judged("A-1", draw(words), **kw),
        lambda: finished(draw(ends), draw(st.sampled_from(["passed", "none"])), name, **kw),
        lambda: replayed(draw(st.sampled_from(["pass", "block"])), **kw),
        lambda: deployed(draw(versions), "production", "payments", **kw),
        lambda: incident("INC-2", "", "payments", "production", **kw),
        lambda: resolved("INC-2", **kw),
        lambda: fact("artifact.packaged", p.ReleaseDeclared(
            service="payments", version=draw(versions), commit="beef", digest="sha256:1"), **kw),
    ]  # fmt: skip
    return draw(st.sampled_from(makers))()


records = st.lists(facts(), max_size=25, unique_by=lambda fact: fact.id)
moments = st.integers(-100, 100).map(lambda hours: NOW + hours * HOUR)


def answers(record: list[Fact], *at: datetime) -> list[Any]:
    asked = [Question("shop", RELEASE, "production", moment) for moment in at]
    table = collect_evidence(record, asked, NEIGHBOURS)
    return evaluate_policy(POLICY, "production", table, CALENDARS)


@settings(max_examples=40, deadline=None)
@given(records, st.randoms(use_true_random=False), moments)
def test_order_and_repetition_change_nothing(record: list[Fact], chance: Any, at: datetime) -> None:
    shuffled = record + record[: len(record) // 2]
    chance.shuffle(shuffled)
    assert answers(shuffled, at) == answers(record, at)


@settings(max_examples=40, deadline=None)
@given(records, moments)
def test_what_becomes_known_later_changes_no_earlier_answer(record: list[Fact], at: datetime) -> None:
    known = [f for f in record if f.known_at is None or f.known_at <= at]
    assert answers(record, at) == answers(known, at)


@settings(max_examples=40, deadline=None)
@given(records, st.lists(moments, min_size=1, max_size=6))
def test_many_rows_answer_as_each_row_alone(record: list[Fact], at: list[datetime]) -> None:
    assert answers(record, *at) == [answers(record, moment)[0] for moment in at]


@settings(max_examples=40, deadline=None)
@given(records, moments)
def test_an_undated_fact_never_helps_a_release_through(record: list[Fact], at: datetime) -> None:
    dated = [f for f in record if f.known_at is not None]
    for row, without in zip(answers(record, at)[0].rows, answers(dated, at)[0].rows, strict=True):
        assert row.decision != "pass" or without.decision == "pass"


FAMILY = {
    "artifact.packaged": "releases", "change.merged": "changes", "change.reviewed": "reviews",
    "testsuiterun.finished": "suites", "signoff.given": "sign_offs", "service.deployed": "deployments",
    "traffic.observed": "traffic", "incident.detected": "incidents", "incident.resolved": "incidents",
    "shift.acknowledged": "shifts", "override.granted": "overrides", "quarantine.set": "quarantines",
    "edgecase.documented": "edge_cases", "edgecase.retired": "edge_cases",
    "deployment.finished": "results", "replay.finished": "results",
}  # fmt: skip


def family_of(told: Fact) -> str:
    if getattr(told.payload, "service", "shop") != "shop" or getattr(told.payload, "incident", "") == "INC-2":
        return "neighbours"
    return "amendments" if told.kind.startswith("amendment.") else FAMILY[told.kind]


@settings(max_examples=40, deadline=None)
@given(records, moments)
def test_a_gate_reads_no_family_that_it_does_not_name(record: list[Fact], at: datetime) -> None:
    everything = answers(record, at)[0].rows[1:]
    for entry, row in zip(POLICY.gates["production"], everything, strict=True):
        named = families_of([entry])
        alone = answers([f for f in record if family_of(f) in named], at)[0].rows[1:]
        assert row in alone
