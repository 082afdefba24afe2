"""All measures together: every number leads to its rows, and nothing is about a person or a team."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from amends.application.measuring import KEYS, CaseBook, Known, case_of, measure_all
from amends.application.record import read_record
from amends.events import payloads as p
from amends.measures.drawing import draw
from amends.measures.measure import Measure, Scope, Strips, text_of
from amends.measures.tables import as_csv, as_data, figures_csv, say_figure
from tests.many import tell_many
from tests.story import BAD, SERVICE, Story


@pytest.fixture(scope="module")
def story() -> Story:
    return Story().tell()


@pytest.fixture(scope="module")
def many() -> tuple[Story, Known, Scope]:
    story = Story()
    end = tell_many(story.log, 25)
    return story, CaseBook(story.log).read(), Scope(end)


@pytest.fixture(scope="module")
def measures(many: tuple[Story, Known, Scope]) -> list[Measure]:
    return measure_all(many[1], many[2])


def test_an_incident_is_the_same_read_alone_or_with_its_service(many: tuple[Story, Known, Scope]) -> None:
    story, known, _ = many
    assert len(known.cases) == 25
    for case in known.cases:
        assert case == case_of(read_record(story.log, case.incident.id))


def test_a_book_follows_what_is_recorded_later() -> None:
    story = Story().tell()
    book = CaseBook(story.log)
    assert book.read() is book.read()
    before = book.read().cases[0]
    suite = p.SuiteFinished(service=SERVICE, release=BAD, suite="unit", outcome="success")
    story.add("testsuiterun.finished", suite)
    story.add("milestone.set", p.MilestoneSet(
        incident=story.incident, service=SERVICE, milestone="resolved", at=story.clock.now(), role="team"
    ))  # fmt: skip
    after = book.read().cases[0]
    assert (before.milestones[-1].recorded, after.milestones[-1].recorded) == (False, True)


def test_every_figure_leads_to_rows(measures: list[Measure]) -> None:
    for measure in measures:
        for figure in measure.figures:
            rows = measure.rows_where(dict(figure.where))
            assert {column for column, _ in figure.where} <= set(measure.columns)
            if figure.unit == "count" and figure.where and "case" not in figure.label:
                assert len(rows) == figure.value, (measure.key, figure.label)


def test_every_row_cites_events_that_the_log_has(
    many: tuple[Story, Known, Scope], measures: list[Measure]
) -> None:
    for measure in measures:
        assert "events" in measure.columns
        for row in measure.rows[:10]:
            for event in text_of(row["events"]).split():
                many[0].log.event(event)


def test_nothing_is_counted_by_person_or_team(measures: list[Measure], story: Story) -> None:
    forbidden = {"team", "person", "author", "reviewer", "role", "by", "owner"}
    assert not forbidden & {column for measure in measures for column in measure.columns}
    text = json.dumps([as_data(m) for m in measure_all(CaseBook(story.log).read(), Scope(story.clock.now()))])
    assert not any(word in text for word in ("p-author", "p-reviewer", "shop-team", "on-call engineer"))


def test_every_measure_names_its_definition(measures: list[Measure]) -> None:
    assert tuple(measure.key for measure in measures) == KEYS
    assert all(len(measure.definition) > 80 and measure.source for measure in measures)
    assert sum("DORA" in measure.source for measure in measures) == 5


def test_charts_are_drawings_whose_numbers_stand_in_a_table(measures: list[Measure]) -> None:
    for measure in measures:
        assert measure.chart is not None, measure.key
        drawn = ElementTree.fromstring(draw(measure.chart, measure.title))
        assert drawn.get("role") == "img"
        if isinstance(measure.chart, Strips):
            counted = as_data(measure)["over_time"]["counts"]
            assert sum(map(sum, counted.values())) > 0


def test_a_chart_escapes_what_it_is_told() -> None:
    drawn = draw(Strips(("2026-W01",), (("<script>", (3,)),)), '"><script>')
    assert "<script>" not in drawn


def test_rows_survive_csv_and_no_cell_is_a_formula(measures: list[Measure]) -> None:
    for measure in measures:
        read = list(csv.DictReader(io.StringIO(as_csv(measure))))
        assert len(read) == len(measure.rows)
        assert tuple(read[0]) == measure.columns
    evil = Measure("x", "x", "x", "x", ("service",), ({"service": "=1+1"},), ())
    assert as_csv(evil).splitlines()[1] == "'=1+1"
    assert len(list(csv.reader(io.StringIO(figures_csv(measures))))) == 1 + sum(
        len(measure.figures) for measure in measures
    )


def test_recurrence_compares_failures_of_the_same_service(many: tuple[Story, Known, Scope]) -> None:
    story, known, scope = many
    first = known.cases[0]
    seen = first.failures[0]
    again = p.IncidentOpened(
        incident="INC-900", service=first.incident.service, environment="production", summary="again",
        opened_by="alert", release=known.cases[-1].incident.release,
    )  # fmt: skip
    story.log.record("incident.detected", again, at=scope.until)
    story.log.record("failure.captured", p.FailureCaptured(
        service=first.incident.service, release=again.release, environment="production", incident="INC-900",
        signature=seen,
    ), at=scope.until)  # fmt: skip
    measure = measure_all(CaseBook(story.log).read(), scope)[KEYS.index("recurrence")]
    row = next(row for row in measure.rows if row["incident"] == "INC-900")
    assert row["recurrence"] == "again"
    found = next(case for case in known.cases if case.incident.id == row["seen_before"])
    assert found.incident.service == first.incident.service
    assert seen in found.failures


def test_open_milestones_are_open_and_unknown_ones_are_not_counted(story: Story) -> None:
    found = measure_all(CaseBook(story.log).read(), Scope(story.clock.now()))
    rows = {row["duration"]: row for row in found[KEYS.index("milestone-durations")].rows}
    assert rows["time to resolve"]["open"] == "yes"
    assert rows["time to mitigate"]["open"] == "no"
    assert "undecided" in [say_figure(figure) for figure in found[3].figures]
