"""What counts of the gates' answers: modes, overrides, quarantine, and environments without gates."""

from __future__ import annotations

from amends.events import payloads as p
from amends.verdicts import Decision
from tests.unit.gates.record import DAY, HOUR, NOW, decide, declared, fact, merged, override, policy, suite

UNIT = {"tests": {"suites": ["unit"]}}
SLOW = {"tests": {"suites": ["slow"]}}
RED = suite("unit", "failure", failed=1)


def quarantined(**kw: object) -> object:
    payload = p.QuarantineSet(service="shop", release="1.2.0", reason="rolled back", incident="INC-7")
    return fact("quarantine.set", payload, at=NOW - 2 * HOUR, id="q1")


def lifted(incident: str = "INC-7") -> object:
    payload = p.QuarantineLifted(
        service="shop", release="1.2.0", reason="harmless", role="lead", incident=incident
    )
    return fact("quarantine.lifted", payload)


def test_one_block_outweighs_every_pass() -> None:
    found = decide(policy(UNIT, SLOW), [RED, suite("slow")])
    assert found.decision is Decision.BLOCK
    assert [row.decision for row in found.rows] == ["pass", "block", "pass"]


def test_a_gate_without_a_mode_observes_and_says_what_it_would_have_done() -> None:
    found = decide(policy({**UNIT, "mode": "observe"}), [RED])
    assert found.decision is Decision.PASS
    assert (found.rows[1].decision, found.rows[1].mode) == ("block", "observe")
    assert decide(policy(UNIT), [RED]).decision is Decision.BLOCK


def test_an_override_names_its_gate_and_leaves_the_answer_visible() -> None:
    found = decide(policy(UNIT, SLOW), [RED, override("tests", id="o1")])
    assert [(row.decision, row.overridden_by) for row in found.rows[1:]] == [
        ("block", "o1"),
        ("undecided", "o1"),
    ]
    assert found.decision is Decision.PASS


def test_an_override_of_one_gate_leaves_the_others() -> None:
    named = [{**UNIT, "name": "fast"}, {**SLOW, "name": "slow"}]
    assert decide(policy(*named), [RED, override("fast")]).decision is Decision.UNDECIDED
    assert decide(policy(*named), [RED, override()]).decision is Decision.PASS


def test_an_override_expires_and_needs_a_second_person() -> None:
    assert decide(policy(UNIT), [RED, override()], NOW + 5 * HOUR).decision is Decision.BLOCK
    assert decide(policy(UNIT), [RED, override(approved_by="p-dev")]).decision is Decision.BLOCK
    assert decide(policy(UNIT), [RED, override(at=NOW + HOUR)]).decision is Decision.BLOCK


def test_a_gate_that_passes_is_not_marked_as_overridden() -> None:
    assert decide(policy(UNIT), [suite("unit"), override()]).rows[1].overridden_by == ""


def test_a_quarantined_release_is_blocked_and_no_override_helps() -> None:
    found = decide(policy(UNIT), [suite("unit"), quarantined(), override()])
    assert found.decision is Decision.BLOCK
    assert found.rows[0].reason == "1.2.0 is quarantined until INC-7 says otherwise"
    assert found.rows[0].events == ("q1",)


def test_the_quarantines_own_incident_lifts_it() -> None:
    facts = [suite("unit"), quarantined()]
    assert decide(policy(UNIT), [*facts, lifted()]).decision is Decision.PASS
    assert decide(policy(UNIT), [*facts, lifted("INC-8")]).decision is Decision.BLOCK


def test_an_environment_without_gates_passes_only_where_the_policy_says_so() -> None:
    found = policy(gates={"dev": []})
    assert decide(found, [], environment="dev").decision is Decision.PASS
    unlisted = decide(found, [], environment="staging")
    assert unlisted.decision is Decision.UNDECIDED
    assert "`staging: []`" in unlisted.rows[1].reason


def test_the_decision_waits_for_the_last_of_its_gates() -> None:
    days = {"window": {"days": ["fri"]}}
    soak = {"soak": {"environment": "staging", "for": "9d"}}
    move = fact(
        "service.deployed", p.ServiceDeployed(service="shop", release="1.2.0", environment="staging"), at=NOW
    )
    found = decide(policy(days, soak), [move])
    assert found.until == NOW + 9 * DAY
    assert decide(policy(days, {**soak, "mode": "observe"}), [move]).until < NOW + 3 * DAY  # type: ignore[operator]


def test_facts_of_another_service_change_nothing() -> None:
    other = p.SuiteFinished(service="mail", release="1.2.0", suite="unit", outcome="success")
    assert decide(policy(UNIT), [fact("testsuiterun.finished", other)]).decision is Decision.UNDECIDED


def test_repeated_kinds_are_numbered() -> None:
    found = decide(policy(UNIT, SLOW), [declared("c1"), merged()])
    assert [row.gate for row in found.rows] == ["quarantine", "tests", "tests-2"]
