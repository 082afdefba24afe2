"""The sign-off gate by example."""

from __future__ import annotations

from amends.events import payloads as p
from amends.events.codec import Fact
from tests.unit.gates.record import HOUR, NOW, ask, fact

QA = {"sign_off": {"role": "qa", "environment": "staging"}}


def signed(granted: bool = True, role: str = "qa", environment: str = "staging", hours: int = 1) -> Fact:
    payload = p.SignedOff(
        service="shop", release="1.2.0", role=role, granted=granted, environment=environment
    )
    return fact("signoff.given", payload, at=NOW - hours * HOUR)


def test_granted_passes_refused_blocks_missing_waits() -> None:
    assert ask(QA, signed()).decision == "pass"
    assert ask(QA, signed(granted=False)).decision == "block"
    assert ask(QA).reason.startswith("qa has not signed off in staging yet")


def test_the_latest_word_counts() -> None:
    assert ask(QA, signed(granted=False, hours=3), signed(hours=2)).decision == "pass"
    assert ask(QA, signed(hours=3), signed(granted=False, hours=2)).decision == "block"


def test_another_role_or_place_does_not_count() -> None:
    assert ask(QA, signed(role="dev"), signed(environment="dev")).decision == "undecided"


def test_without_an_environment_any_counts_and_one_refusal_blocks() -> None:
    anywhere = {"sign_off": {"role": "qa"}}
    assert ask(anywhere, signed(environment="dev")).decision == "pass"
    assert ask(anywhere, signed(environment="dev", granted=False), signed()).decision == "block"
