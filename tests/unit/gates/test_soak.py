"""The soak gate by example."""

from __future__ import annotations

from amends.events import payloads as p
from tests.unit.gates.record import DAY, HOUR, NOW, ask, deployed, fact, incident, resolved, traffic

SOAK = {"soak": {"environment": "staging", "for": "7d", "min_requests": 1000}}
LONG = deployed(at=NOW - 8 * DAY, id="d1")
BUSY = traffic(5000, NOW - 8 * DAY, NOW - HOUR, id="t1")


def test_long_enough_with_traffic_and_in_peace_passes() -> None:
    row = ask(SOAK, LONG, BUSY)
    assert row.decision == "pass"
    assert "8d in staging, 5,000 requests served" in row.reason
    assert set(row.events) == {"d1", "t1"}


def test_too_short_waits_until_the_time_is_up() -> None:
    row = ask(SOAK, deployed(at=NOW - 2 * DAY), traffic(5000, NOW - 2 * DAY, NOW))
    assert row.decision == "undecided"
    assert row.until == NOW + 5 * DAY
    assert "2d in staging" in row.reason


def test_time_without_observed_traffic_is_never_enough() -> None:
    row = ask(SOAK, LONG)
    assert row.decision == "undecided"
    assert row.until is None
    assert "no traffic observed" in row.reason
    assert ask(SOAK, LONG, traffic(999, NOW - 8 * DAY, NOW)).decision == "undecided"


def test_traffic_counts_only_for_the_part_within_the_stay() -> None:
    half = traffic(1998, NOW - 16 * DAY, NOW)
    assert "999 requests" in ask(SOAK, LONG, half).reason


def test_a_version_that_was_replaced_soaks_no_longer() -> None:
    other = deployed("1.3.0", at=NOW - DAY)
    row = ask(SOAK, LONG, BUSY, other)
    assert row.decision == "undecided"
    assert "no longer runs" in row.reason


def test_a_return_begins_anew() -> None:
    back = fact(
        "service.rolledback",
        p.ServiceRolledBack(service="shop", release="1.3.0", restored="1.2.0", environment="staging"),
        at=NOW - HOUR,
    )
    row = ask(SOAK, LONG, BUSY, deployed("1.3.0", at=NOW - DAY), back)
    assert row.until == NOW - HOUR + 7 * DAY


def test_the_same_deployment_reported_twice_does_not_begin_anew() -> None:
    assert ask(SOAK, LONG, BUSY, deployed(at=NOW - DAY)).decision == "pass"


def test_an_open_incident_blocks_and_a_resolved_one_starts_the_clock_again() -> None:
    trouble = incident(at=NOW - 6 * DAY)
    assert ask(SOAK, LONG, BUSY, trouble).decision == "block"
    row = ask(SOAK, LONG, BUSY, trouble, resolved(at=NOW - 5 * DAY))
    assert (row.decision, row.until) == ("undecided", NOW + 2 * DAY)


def test_an_incident_of_another_release_is_not_ours() -> None:
    assert ask(SOAK, LONG, BUSY, incident(release="1.1.0", at=NOW - 6 * DAY)).decision == "pass"


def test_an_incident_without_a_release_is_ours_only_while_we_are_there() -> None:
    assert ask(SOAK, LONG, BUSY, incident(release="", at=NOW - 6 * DAY)).decision == "block"
    assert ask(SOAK, LONG, BUSY, incident(release="", at=NOW - 9 * DAY)).decision == "pass"


def test_a_service_seen_elsewhere_only_has_not_soaked() -> None:
    row = ask(SOAK, deployed(environment="dev", at=NOW - 9 * DAY))
    assert row.reason.startswith("1.2.0 was never seen in staging")


def test_an_incident_that_began_later_is_not_known_yet_though_nobody_dated_it() -> None:
    later = incident(environment="production", at=NOW, known=None)
    assert ask(SOAK, LONG, BUSY, later).decision == "pass"
    before = incident(environment="production", at=NOW - HOUR, known=None)
    assert ask(SOAK, LONG, BUSY, before).decision == "undecided"


def test_a_soak_may_ask_for_time_alone_where_the_policy_says_so() -> None:
    quiet = {"soak": {"environment": "staging", "for": "7d", "min_requests": 0}}
    row = ask(quiet, LONG)
    assert row.decision == "pass"
    assert "request" not in row.reason
