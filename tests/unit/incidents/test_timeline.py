"""Timeline and milestones: the same for the same facts, with what was known when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.application.incidents import (
    acknowledge,
    incident_view,
    open_incident,
    resolve,
    set_milestone,
    take_note,
)
from amends.events import payloads as p
from amends.incidents.milestones import durations_of, milestones_of
from amends.incidents.timeline import Knowledge, pivot_of, timeline_of
from amends.incidents.wording import say_range, say_seconds
from tests.escapes import BEGAN, Escape, escape, minutes


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        yield told


@given(st.randoms(use_true_random=False))
def test_order_and_repetition_of_facts_do_not_matter(random: object) -> None:
    with escape() as told:
        incident = told.live_through()
        record = incident_view(told.log, incident).record
        facts = [*record.facts, *record.facts[:3]]
        random.shuffle(facts)  # type: ignore[attr-defined]
        assert timeline_of(facts, pivot_of(record.milestones, facts)) == record.timeline
        assert milestones_of(record.incident, facts) == record.milestones


def test_every_line_cites_an_event_of_the_log(told: Escape) -> None:
    record = incident_view(told.log, told.live_through()).record
    assert record.timeline
    for line in record.timeline:
        assert told.log.event(line.event).kind == line.kind


def test_what_was_told_after_the_rollback_about_before_is_learned_later(told: Escape) -> None:
    incident = told.live_through()
    told.clock.wait(600)
    take_note(told.log, incident, "A client had complained", role="support", at=BEGAN + minutes(7))
    take_note(told.log, incident, "The fix is being written", role="team")
    by_text = {line.text: line.knowledge for line in incident_view(told.log, incident).record.timeline}
    assert by_text["support: A client had complained"] is Knowledge.LATER
    assert by_text["team: The fix is being written"] is Knowledge.AFTER
    assert by_text["Release 1.1 took over production, replacing 1.0"] is Knowledge.THEN


def test_an_imported_fact_without_a_time_of_knowledge_says_so(told: Escape) -> None:
    incident = told.live_through()
    note = p.NoteTaken(incident=incident, service="shop", text="From the chat", at=BEGAN)
    told.log.record("note.taken", note, imported=True, at=BEGAN)
    line = next(x for x in incident_view(told.log, incident).record.timeline if x.text == "From the chat")
    assert line.knowledge is Knowledge.UNDATED


def test_a_watch_shows_its_changes_of_mind_not_its_looks(told: Escape) -> None:
    for tick, verdict in enumerate(["watching"] * 5 + ["roll_back"] * 2):
        told.tell(
            "watch.assessed",
            p.WatchAssessed(
                deployment="d-1", service="shop", environment="production", step=1, tick=tick,
                verdict=verdict, reason="as counted", state={},  # type: ignore[arg-type]
            ),
        )  # fmt: skip
    lines = [x for x in timeline_of(told.log.facts(), None) if x.kind == "watch.assessed"]
    assert [line.text.split(":")[1].strip() for line in lines] == ["watching", "roll back"]


def test_milestones_come_from_the_record_with_source_and_uncertainty(told: Escape) -> None:
    incident = told.live_through()
    acknowledge(told.log, incident, role="on-call", at=told.clock.now() + minutes(2))
    resolve(told.log, incident, role="team", reason="fixed", at=told.clock.now() + minutes(60))
    view = incident_view(told.log, incident)
    named = {m.name: m for m in view.record.milestones}
    assert named["started"].earliest is not None
    assert named["started"].uncertainty_seconds == 60
    assert named["mitigated"].source == "the rollback"
    assert named["acknowledged"].source == "recorded by on-call"
    assert not named["cause_found"].recorded
    durations = {d.name: d for d in view.record.durations}
    assert durations["time to acknowledge"].formula == "acknowledged − detected"
    assert durations["time to acknowledge"].low == durations["time to acknowledge"].high == 120
    assert durations["time to find the cause"].missing == ("cause_found",)


def test_what_a_person_states_outweighs_the_record_and_an_interval_gives_a_range(told: Escape) -> None:
    incident = told.live_through()
    set_milestone(told.log, incident, "detected", at=BEGAN + minutes(20), role="support")
    set_milestone(
        told.log, incident, "started", earliest=BEGAN, latest=BEGAN + minutes(5), role="team", source="chat"
    )
    record = incident_view(told.log, incident).record
    duration = durations_of(record.milestones)[0]
    assert (duration.low, duration.high) == (15 * 60, 20 * 60)
    assert say_range(duration.low, duration.high) == "15 min to 20 min"


def test_whoever_opens_an_incident_by_hand_gives_a_bound_not_a_point(told: Escape) -> None:
    incident = open_incident(
        told.log, service="shop", release="1.1", previous="1.0", environment="production", summary="errors",
        opened_by="person", deployed_at=BEGAN - minutes(60), rolled_back_at=BEGAN - minutes(30),
    )  # fmt: skip
    record = incident_view(told.log, incident).record
    named = {m.name: m for m in record.milestones}
    assert named["detected"].at is None
    assert named["detected"].latest == BEGAN - minutes(30)
    assert [line.knowledge for line in record.timeline[:2]] == [Knowledge.UNDATED] * 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (59, "59 s"), (125, "2 min 5 s"), (90061, "1 d 1 h"), (-90, "−1 min 30 s")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert say_seconds(seconds) == text
