"""What is read from a log to hold a policy against."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from amends.adapters.clocks import StillClock
from amends.adapters.policyfile import parse_policy
from amends.adapters.stores import open_store
from amends.application.log import Log
from amends.application.policies import check_policy, last_adopted, read_practice
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.gates.soundness import Weight

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
LOADED = parse_policy("""\
service: shop
team: "@org/pay"
environments: [dev, staging, production]
gates:
  dev: []
  staging: []
  production:
    - {soak: {environment: staging, for: 7d}, mode: block}
    - {watchers: {}, mode: block}
""")


@pytest.fixture
def log() -> Log:
    ids = count(1)
    return Log(open_store("memory:").store, StillClock(NOW), lambda: f"e{next(ids)}", "/test")


def deployed(log: Log, release: str, environment: str, days_ago: float) -> None:
    said = p.ServiceDeployed(service="shop", release=release, environment=environment)
    log.record("service.deployed", said, at=NOW - days_ago * DAY)


def test_arrivals_are_of_other_releases_in_the_order_in_which_they_happened(log: Log) -> None:
    log.record("artifact.packaged", p.ReleaseDeclared(service="shop", version="1", commit="abcdef0" * 5))
    for release, ago in (("2", 5), ("1", 9), ("abcdef0", 8), ("3", 3)):
        deployed(log, release, "staging", ago)
    back = p.ServiceRolledBack(service="shop", release="3", restored="2", environment="staging", reason="r")
    log.record("service.rolledback", back, at=NOW - 2 * DAY)
    deployed(log, "2", "staging", 1)
    found = read_practice(log, LOADED.policy, NOW).arrivals["staging"]
    assert [arrival.release for arrival in found] == ["1", "2", "3"]


def test_what_was_ever_recorded_is_known_by_name(log: Log) -> None:
    said: Any = p.SuiteFinished(service="shop", release="1", suite="unit", outcome="success")
    log.record("testsuiterun.finished", said)
    shift = p.ShiftAcknowledged(
        team="pay", role="on-call", person="p-1", starts=NOW - DAY, ends=NOW - DAY / 2
    )
    log.record("shift.acknowledged", shift)
    traffic = p.TrafficObserved(
        service="shop", release="1", environment="staging", requests=3, since=NOW - DAY, until=NOW
    )
    log.record("traffic.observed", traffic)
    found = read_practice(log, LOADED.policy, NOW)
    assert (found.suites, found.teams, found.traffic) == ({"unit"}, {"@org/pay"}, {"staging"})


def test_deployments_elsewhere_are_seen_too(log: Log) -> None:
    deployed(log, "1", "prod", 1)
    assert list(read_practice(log, LOADED.policy, NOW).arrivals) == ["dev", "staging", "production", "prod"]


def test_findings_come_by_line(log: Log) -> None:
    for number in range(6):
        deployed(log, f"1.{number}", "staging", 20 - 2 * number)
    found = check_policy(LOADED, NOW, log)
    doubts = [(LOADED.line_of(one.place), one.text[:30]) for one in found if one.weight is Weight.DOUBT]
    assert [line for line, _ in doubts] == [3, 3, 8, 8, 9]
    assert any(text.startswith("the soak is longer") for _, text in doubts)


def test_the_log_holds_policies_by_digest(log: Log) -> None:
    for digest in ("aaa1", "bbb2"):
        log.record("policy.adopted", p.PolicyAdopted(service="shop", digest=digest, text=digest))
    assert last_adopted(log, "shop").digest == "bbb2"
    assert last_adopted(log, "shop", "aaa").digest == "aaa1"
    with pytest.raises(NotFoundError, match="it has aaa1, bbb2"):
        last_adopted(log, "shop", "ccc")
