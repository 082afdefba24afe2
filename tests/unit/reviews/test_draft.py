"""The draft of a review: from the record alone, each statement with its events, nobody named."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from amends.application.amending import Proposal, propose
from amends.application.casewords import answer_row, name_factor
from amends.application.incidents import incident_view
from amends.application.reviewing import draft_text
from amends.events import payloads as p
from tests.escapes import Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        yield told


def test_the_same_record_gives_the_same_text_and_every_citation_leads_to_an_event(told: Escape) -> None:
    incident = told.live_through()
    told.capture(incident)
    text = draft_text(told.log, incident)
    assert text == draft_text(told.log, incident)
    cited = set(re.findall(r"\[e(\d+)\](?!:)", text))
    defined = dict(re.findall(r"^- e(\d+): `([^`]+)`", text, re.M))
    assert cited == set(defined)
    for event in defined.values():
        told.log.event(event)


def test_it_has_a_row_and_a_question_for_each_gate(told: Escape) -> None:
    incident = told.live_through()
    text = draft_text(told.log, incident)
    for row in incident_view(told.log, incident).record.matrix.rows:
        assert f"| {row.gate} | **{row.state}**" in text
        assert f"**{row.gate}** ({row.state}): {row.question}" in text


def test_it_names_no_person_and_no_root_cause_and_supposes_nothing(told: Escape) -> None:
    told.tell(
        "change.merged", p.ChangeMerged(service="shop", change="c1", author="person-ada", title="Share")
    )
    told.tell("change.reviewed", p.ChangeReviewed(service="shop", change="c1", reviewer="person-grace"))
    told.declare("1.1", changes=("c1",))
    text = draft_text(told.log, told.live_through()).lower()
    assert "change c1 merged" in text
    for word in ("person-ada", "person-grace", "root cause", "should have", "could have", "failed to"):
        assert word not in text


def test_numbers_of_the_watch_become_the_impact(told: Escape) -> None:
    told.tell(
        "watch.assessed",
        p.WatchAssessed(
            deployment="d-1", service="shop", environment="production", step=1, tick=3, verdict="roll_back",
            reason="errors", state={},
            metrics=(
                {"metric": "errors", "kind": "ratio", "candidate": {"events": 31, "exposure": 1204},
                 "baseline": {"events": 0, "exposure": 9800}},
            ),
        ),
    )  # fmt: skip
    from amends.application.incidents import open_incident

    incident = open_incident(
        told.log, service="shop", release="1.1", previous="1.0", environment="production", summary="errors",
        opened_by="rollback", deployment="d-1",
    )  # fmt: skip
    assert "31 of 1,204 requests to the new release, against 0 of 9,800" in draft_text(told.log, incident)


def test_what_others_wrote_stays_on_its_line_and_in_its_cell(told: Escape) -> None:
    from amends.application.incidents import open_incident

    incident = open_incident(
        told.log, service="shop", release="1.1", previous="", environment="production",
        summary="a | b\n# not a heading <script>", opened_by="person",
    )  # fmt: skip
    text = draft_text(told.log, incident)
    assert "\n# not a heading" not in text
    assert "<script>" not in text


def test_what_people_said_and_agreed_is_taken_over_with_its_events(told: Escape) -> None:
    incident = told.live_through()
    told.capture(incident)
    before = draft_text(told.log, incident)
    assert "Nobody, as far as the record shows" in before
    assert "amends test write --incident" in before
    name_factor(told.log, incident, "test-data", "No test has an empty basket.", role="shop-team")
    row = incident_view(told.log, incident).record.matrix.rows[0]
    answer_row(
        told.log, incident, row.gate, "It looked at the form.", environment=row.environment, role="shop-team"
    )
    propose(told.log, incident, Proposal("test", title="An empty basket", selector="pytest t.py::test_x"))
    told.tell(
        "notice.intended",
        p.NoticeIntended(
            topic=incident, audience="leadership", kind="leadership", revision=1, subject="s", text="t",
            channels=("web",), words=1, seconds_each=1.0, incident=incident, service="shop",
        ),
    )  # fmt: skip
    text = draft_text(told.log, incident)
    assert re.search(r"^- \*\*.+\*\*: No test has an empty basket\. \[e\d+\]$", text, re.M)
    assert f"**{row.gate}**: It looked at the form. (shop-team) [e" in text
    assert f"**{row.gate}** ({row.state}): {row.question}" not in text
    assert re.search(
        r"\| An empty basket \[e\d+\] \| .* \| \[AM-1\]\(/amendments/AM-1\) \| proposed \|", text
    )
    assert "leadership, revision 1, on its way [e" in text
    assert "amends test write --incident" not in text
