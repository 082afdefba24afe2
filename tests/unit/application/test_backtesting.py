"""Pricing policies on planted histories: verdicts, delay, what was never recorded, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.evidence.builder import BulkEvidence
from amends.adapters.evidence.sources import LogSource
from amends.adapters.policyfile import parse_policy
from amends.application.backtesting import Priced, Scope, backtest_policy
from amends.application.log import Log
from amends.backtests.folded import FoldedEvidence
from amends.backtests.report import report
from amends.backtests.wording import guard_sentences, incident_sentence, verdict_sentence
from amends.errors import UsageError
from amends.events import payloads as p
from tests.planted import BEGIN, DAY, HOUR, REVIEW, Change, Recorder, Truth, changes, planted, recorded


def price(log: Log, text: str = REVIEW, *, against: str = "", **scope: Any) -> Priced:
    current = parse_policy(against) if against else None
    evidence = FoldedEvidence(log.facts())
    return backtest_policy(log, evidence, parse_policy(text), Scope(**scope), against=current)


def gates(*lines: str, staging: bool = False) -> str:
    places = "[staging, production]" if staging else "[production]"
    listed = "\n".join(f"    - {line}" for line in lines)
    return f"service: shop\nenvironments: {places}\ngates:\n  production:\n{listed}\n"


def assert_priced_alike_in_bulk(folder: Path, log: Log, policy: str) -> None:
    bulk = BulkEvidence(folder, [LogSource(log.store)])
    found = backtest_policy(log, bulk, parse_policy(policy), Scope()).backtest
    bulk.close()
    assert report(found) == report(price(log, policy).backtest)


def test_evidence_in_bulk_prices_alike(tmp_path: Path) -> None:
    policy = gates("review: {approvals: 1}", "window: {days: [mon..thu]}")
    assert_priced_alike_in_bulk(tmp_path, planted("helps", 80), policy)


@pytest.mark.parametrize(
    ("truth", "verdict"), [("helps", "helps"), ("harms", "harms"), ("nothing", "no evidence")]
)
def test_the_verdict_is_what_was_planted(truth: Truth, verdict: str) -> None:
    found = price(planted(truth)).backtest
    assert found.effect.verdict == verdict
    assert verdict_sentence(found).startswith(f"{verdict}: ")


def test_the_counts_are_those_of_the_plan() -> None:
    plan = changes("helps")
    told = report(price(recorded(plan)).backtest)
    failed = [one for one in plan if one.fails]
    assert told["incidents"]["total"] == len(failed)
    assert told["incidents"]["stopped"] == sum(not one.approvals for one in failed)
    assert told["incidents"]["not_stopped"] == sum(one.approvals for one in failed)
    assert told["good_releases"]["total"] == len(plan) - len(failed)
    assert told["good_releases"]["held"] == sum(not one.approvals and not one.fails for one in plan)
    assert told["by_gate"][0]["incidents"]["stopped"] == told["incidents"]["stopped"]


def test_a_history_without_reviews_is_undecided_and_never_a_stop() -> None:
    recorder = Recorder()
    for one in changes("helps", 60):
        recorder.deploy(one.name, one.at)
        if one.fails:
            recorder.incident(one.incident, one.name, one.at + HOUR)
    found = price(recorder.done()).backtest
    assert found.count("undecided") == len(found.incidents) > 0
    assert found.undecided_good == found.good
    assert (len(found.held), found.lead_time.median, found.effect.verdict) == (0, None, "no evidence")
    assert "nobody can tell" in verdict_sentence(found)


def test_what_was_known_later_does_not_count() -> None:
    recorder = Recorder()
    one = Change("c1", BEGIN, approvals=0, fails=False)
    recorder.change(one)
    late = p.ChangeReviewed(service="shop", change="c1", reviewer="p-9", verdict="approved")
    recorder.add("change.reviewed", BEGIN + 5 * HOUR, late)
    held = price(recorder.done()).backtest.held
    assert [round((one.seconds or 0) / 3600, 1) for one in held] == [5.0]


def test_a_block_that_nothing_lifts_is_open_ended() -> None:
    found = price(recorded([Change("c1", BEGIN, 0, False), Change("c2", BEGIN + DAY, 1, False)])).backtest
    assert [one.seconds for one in found.held] == [None]
    lead = found.lead_time
    assert (lead.median, lead.mean, lead.known, lead.open_ended) == (0.0, 0.0, 1, 1)


def test_waiting_for_a_soak_that_ends_on_a_weekend_goes_on_until_the_window_opens() -> None:
    recorder = Recorder()
    recorder.add("artifact.packaged", BEGIN, p.ReleaseDeclared(service="shop", version="1"))
    recorder.deploy("1", BEGIN, "staging")
    served = p.TrafficObserved(
        service="shop", release="1", environment="staging", requests=9, since=BEGIN, until=BEGIN + HOUR
    )
    recorder.add("traffic.observed", BEGIN + HOUR, served)
    recorder.deploy("1", BEGIN + DAY)  # a Tuesday, 09:00
    policy = gates(
        "soak: {environment: staging, for: 5d}",
        "window: {days: [mon..fri], hours: '08:00-17:00'}",
        staging=True,
    )
    held = price(recorder.done(), policy).backtest.held
    # Five days from Monday 09:00 end on Saturday; the window opens on Monday 08:00.
    assert [one.seconds for one in held] == [(6 * DAY - HOUR).total_seconds()]
    assert held[0].holders[0].only_waits


def test_an_escape_that_only_waits_is_called_delayed() -> None:
    policy = gates("window: {days: [sat]}")
    found = price(recorded([Change("c1", BEGIN, 1, True, "INC-1")]), policy).backtest
    assert (found.count("stopped"), found.only_delayed) == (1, 1)
    assert incident_sentence(found.incidents[0]).startswith("delayed by window")


def test_the_incident_for_which_a_gate_was_written_does_not_vouch_for_it() -> None:
    plan = changes("helps")
    first = next(one for one in plan if one.fails)
    told = gates(f"review: {{approvals: 1}}\n      because: added after {first.incident}")
    with_all, without = price(recorded(plan)).backtest, price(recorded(plan), told).backtest
    assert without.guards.left_out == (first.incident,)
    assert without.effect.rows == with_all.effect.rows - 1
    assert len(without.incidents) == len(with_all.incidents)
    assert any(first.incident in line for line in guard_sentences(without))


def test_a_name_within_another_is_not_that_incident() -> None:
    plan = [Change("c1", BEGIN, 0, True, "INC-1"), Change("c2", BEGIN + DAY, 1, False)]
    found = price(recorded(plan), gates("review: {approvals: 1}\n      because: added after INC-12")).backtest
    assert found.guards.left_out == ()


def test_one_incident_that_carries_the_verdict_is_named() -> None:
    plan = [
        Change(f"c{n:03}", BEGIN + n * DAY, int(n not in (7, 31)), n in (7, 31, 50), f"INC-{n}")
        for n in range(60)
    ]
    found = price(recorded(plan)).backtest
    assert found.effect.verdict == "helps"
    assert found.guards.carried_by in ("INC-7", "INC-31")


def test_gates_that_observe_count_unless_one_asks_how_it_is() -> None:
    log = planted("helps", 60)
    assert len(price(log).backtest.held) > 0
    assert len(price(log, as_if_blocking=False).backtest.held) == 0


def test_against_another_policy_only_the_difference_speaks() -> None:
    log = planted("helps")
    same = price(log, against=REVIEW).comparison
    assert same
    assert (same.newly_stopped, same.no_longer_stopped, same.verdict) == ((), (), "no evidence")
    more = price(log, against=gates("window: {}")).comparison
    less = price(log, gates("window: {}"), against=REVIEW).comparison
    assert more
    assert less
    assert (more.verdict, less.verdict) == ("helps", "harms")
    assert more.newly_stopped == less.no_longer_stopped != ()
    assert more.newly_held == less.no_longer_held > 0


def test_nothing_on_record_is_said_and_no_error() -> None:
    empty = price(Recorder().done())
    assert "nothing to price" in verdict_sentence(empty.backtest)
    assert any("nobody recorded a deployment" in note for note in empty.notes)
    assert report(empty.backtest)["interval"] == [-1.0, 1.0]
    quiet = price(recorded([replace(one, fails=False) for one in changes("nothing", 20)])).backtest
    assert "no incident is on record" in verdict_sentence(quiet)
    bare = price(
        planted("helps", 20), "service: shop\nenvironments: [production]\ngates: {production: []}"
    ).backtest
    assert "no gate" in verdict_sentence(bare)


def test_the_only_other_service_is_taken_with_a_note_and_several_are_named() -> None:
    recorder = Recorder("till")
    recorder.change(Change("c1", BEGIN, 0, True, "INC-1"))
    priced = price(recorder.done())
    assert priced.service == "till"
    assert "till" in priced.notes[0]
    other = p.ServiceDeployed(service="cart", release="9", environment="production")
    recorder.add("service.deployed", BEGIN, other)
    with pytest.raises(UsageError, match="cart, till"):
        price(recorder.done())


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown environment"):
        price(planted("helps", 5), environment="moon")


def test_only_the_named_time_counts() -> None:
    plan = changes("helps", 40)
    found = price(recorded(plan), since=plan[10].at, until=plan[20].at).backtest
    assert found.deployments == 10
    assert [one.incident.name for one in found.incidents] == [c.incident for c in plan[10:20] if c.fails]


def test_a_gate_that_seldom_can_tell_is_set_aside_and_the_others_are_judged() -> None:
    policy = gates("review: {approvals: 1}", "tests: {suites: [unit]}")
    found = price(planted("helps"), policy).backtest
    assert found.guards.set_aside == ("tests",)
    assert found.effect.verdict == "helps"
    assert found.count("undecided") > 0


def test_evidence_that_is_missing_now_and_then_is_no_foresight() -> None:
    recorder = Recorder()
    for number, one in enumerate(changes("nothing", 200)):
        recorder.change(one)
        if number % 3:
            ran = p.SuiteFinished(service="shop", release=one.name, suite="unit", outcome="success")
            recorder.add("testsuiterun.finished", one.at - HOUR, ran)
    found = price(recorder.done(), gates("review: {approvals: 1}", "tests: {suites: [unit]}")).backtest
    assert found.guards.set_aside == ()
    assert found.effect.rows == sum(number % 3 > 0 for number in range(200))


def test_a_gate_that_looks_at_another_service_is_told_what_that_did(tmp_path: Path) -> None:
    recorder = Recorder()
    till = p.ServiceDeployed(service="till", release="9", environment="production")
    recorder.add("service.deployed", BEGIN + DAY, till)
    for number, day in enumerate((0, 2)):
        recorder.add("artifact.packaged", BEGIN, p.ReleaseDeclared(service="shop", version=f"1.{number}"))
        recorder.deploy(f"1.{number}", BEGIN + day * DAY)
    log, policy = recorder.done(), gates("depends_on: {services: [{service: till}]}")
    found = price(log, policy).backtest
    assert (found.deployments, found.undecided_good + len(found.held)) == (2, 1)
    assert_priced_alike_in_bulk(tmp_path, log, policy)


def test_deployments_that_have_not_happened_yet_are_left_out_and_counted() -> None:
    tomorrow = datetime.now(UTC) + DAY
    found = price(recorded([Change("c1", BEGIN, 1, False), Change("c2", tomorrow, 1, False)]))
    assert found.backtest.good == 1
    assert [note.split(" dated")[0] for note in found.notes] == ["1 deployment"]


def test_a_suite_that_the_history_does_not_have_is_named() -> None:
    recorder = Recorder()
    recorder.change(Change("c1", BEGIN, 1, False))
    run = p.SuiteFinished(service="shop", release="c1", suite="checks", outcome="success", passed=3)
    recorder.add("testsuiterun.finished", BEGIN - HOUR, run)
    found = price(recorder.done(), gates("tests: {suites: [unit, checks]}"))
    assert found.notes == ("no run of the suite unit is in this history; recorded are checks",)


def test_incidents_of_a_table_that_nobody_dated_do_not_hide_the_soak_of_their_releases() -> None:
    recorder = Recorder()
    recorder.add("artifact.packaged", BEGIN, p.ReleaseDeclared(service="shop", version="1"))
    recorder.deploy("1", BEGIN, "staging")
    recorder.deploy("1", BEGIN + DAY)
    opened = p.IncidentOpened(
        incident="INC-1", service="shop", environment="production", summary="slow", opened_by="person",
        release="1",
    )  # fmt: skip
    recorder.add("incident.detected", BEGIN + DAY, opened, known=None)
    policy = gates("soak: {environment: staging, for: 2d, min_requests: 0}", staging=True)
    assert price(recorder.done(), policy).backtest.count("stopped") == 1
