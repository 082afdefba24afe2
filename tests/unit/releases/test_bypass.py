"""Which deployments went around their gates."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amends.events import codec
from amends.events import payloads as p
from amends.events.event import Recorded
from amends.releases.bypass import Bypass, BypassLedger

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
COMMIT = "c0ffee1234567890"


def fact(kind: str, payload: p.Payload, minute: float, *, dated: bool = True) -> codec.Fact:
    at = BEGAN + timedelta(minutes=minute)
    _, event = codec.make_event(kind, payload, id=f"{kind}-{minute}", source="/test", at=at)
    return codec.decode(Recorded(event, "stream", 1, at, at if dated else None, "", ""))


def adopted(minute: float = 0, text: str = "production", **kw: Any) -> codec.Fact:
    return fact("policy.adopted", p.PolicyAdopted(service="shop", digest=text, text=text), minute, **kw)


def decided(minute: float, decision: Any = "pass", release: str = "1.1", deployment: str = "") -> codec.Fact:
    at = BEGAN + timedelta(minutes=minute)
    row = p.GateRow(gate="tests", kind="tests", decision=decision, reason="r")
    said = p.GatesDecided(
        service="shop", release=release, environment="production", at=at, decision=decision, gates=(row,),
        policy="x", deployment=deployment,
    )  # fmt: skip
    return fact("gates.decided", said, minute)


def deployed(minute: float = 10, environment: str = "production", **said: Any) -> codec.Fact:
    payload = p.ServiceDeployed(service="shop", environment=environment, **{"release": "1.1", **said})
    return fact("service.deployed", payload, minute)


def quarantined(minute: float) -> codec.Fact:
    return fact("quarantine.set", p.QuarantineSet(service="shop", release="1.1", reason="worse"), minute)


def lifted(minute: float) -> codec.Fact:
    said = p.QuarantineLifted(service="shop", release="1.1", reason="harmless", role="qa")
    return fact("quarantine.lifted", said, minute)


def names(_service: str, name: str) -> tuple[str, ...]:
    return ("1.1", COMMIT) if name in ("1.1", COMMIT[:7]) else ()


def bypasses(*facts: codec.Fact) -> list[Bypass]:
    ledger = BypassLedger(lambda text: text.split())
    for one in facts:
        ledger.take(one)
    return ledger.all(names)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ([], "1.1 met production without a decision of its gates"),
        ([decided(5, "block")], "1.1 met production though its gates last said block (tests)"),
        ([decided(5, "undecided")], "1.1 met production though its gates last said undecided (tests)"),
        ([decided(4), decided(5, "block")], "1.1 met production though its gates last said block (tests)"),
        ([decided(11)], "1.1 met production without a decision of its gates"),
        ([decided(5, release="1.0")], "1.1 met production without a decision of its gates"),
        (
            [decided(4), quarantined(5)],
            "1.1 met production though it was quarantined after its gates let it pass",
        ),
    ],
)  # fmt: skip
def test_a_deployment_without_a_pass_before_it_is_a_bypass(facts: list[codec.Fact], says: str) -> None:
    (found,) = bypasses(adopted(), *facts, deployed())
    assert found.reason == says
    assert found.event == "service.deployed-10"


@pytest.mark.parametrize(
    "facts",
    [
        [adopted(), decided(5)],
        [adopted(), decided(4, "block"), decided(5)],
        [adopted(), decided(4), quarantined(5), lifted(6)],
        [adopted(), decided(5), quarantined(11)],
        [],  # no policy
        [adopted(11)],  # none yet
        [adopted(dated=False)],  # nobody knows when
        [adopted(0), adopted(5, text="staging")],  # the one in force sets no gates there
    ],
)
def test_what_passed_or_met_no_gates_is_none(facts: list[codec.Fact]) -> None:
    assert bypasses(*facts, deployed()) == []


def test_a_release_is_the_same_under_all_its_names() -> None:
    assert bypasses(adopted(), decided(5), deployed(release=COMMIT[:7])) == []


def test_what_amends_deploys_goes_by_its_own_deployments_answer() -> None:
    own = [decided(3, deployment="d1"), decided(5, "undecided")]
    assert bypasses(adopted(), *own, deployed(deployment="d1")) == []
    others = [decided(3, "block", deployment="d1"), decided(5, deployment="d2")]
    (found,) = bypasses(adopted(), *others, deployed(deployment="d1"))
    assert (found.deployment, found.decision) == ("d1", "gates.decided-3")


def test_the_order_in_which_facts_come_does_not_matter() -> None:
    facts = [adopted(), decided(4), decided(5, "block"), deployed(), deployed(20), deployed(7), decided(15)]
    expected = bypasses(*facts)
    assert [one.event for one in expected] == ["service.deployed-10", "service.deployed-7"]
    for seed in range(5):
        shuffled = random.Random(seed).sample(facts, len(facts))
        assert bypasses(*shuffled) == expected


def test_the_latest_deployment_of_an_environment_says_how_it_came() -> None:
    ledger = BypassLedger(lambda text: text.split())
    for one in (adopted(), deployed(), decided(12), deployed(20)):
        ledger.take(one)
    assert ledger.latest("shop", "production", names) is None
    ledger.take(deployed(30, release="2.0"))
    found = ledger.latest("shop", "production", names)
    assert found is not None
    assert found.release == "2.0"
    assert ledger.latest("shop", "staging", names) is None
