"""The team's own words: beside the rows of the matrix, and as contributing factors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.application.casewords import answer_row, name_factor, withdraw_factor
from amends.application.incidents import incident_data, incident_view, take_note
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.incidents.escape import EscapeRow, EscapeState
from amends.incidents.factors import BY_WORD, TAXONOMY
from amends.incidents.nextmoves import RowCard, next_moves
from tests.escapes import KEY, POLICY, Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.tell("policy.adopted", p.PolicyAdopted(service="shop", digest="digest", text=POLICY))
        yield told


def card(told: Escape, incident: str, gate: str) -> RowCard:
    return next(one for one in incident_view(told.log, incident).cards if one.row.gate == gate)


def test_answers_stand_beside_their_row_and_none_replaces_another(told: Escape) -> None:
    incident = told.live_through()
    answer_row(told.log, incident, "tests", "a cart without people", role="shop-team")
    answer_row(told.log, incident, "tests", "and one with a child", role="qa")
    said = card(told, incident, "tests").answers
    assert [(one.role, one.words) for one in said] == [
        ("shop-team", "a cart without people"), ("qa", "and one with a child")
    ]  # fmt: skip
    assert said[0].question == card(told, incident, "tests").row.question
    assert not card(told, incident, "review").answers


def test_words_keep_the_state_that_they_were_about_when_the_row_changes(told: Escape) -> None:
    incident = told.live_through()
    answer_row(told.log, incident, "tests", "nobody knows what it sends", role="shop-team")
    told.capture(incident)
    told.tell("exercise.recorded", p.ExerciseRecorded(
        service="shop", release="1.1", suite="unit", covered={}, inputs=("POST /share people=2",),
    ))  # fmt: skip
    found = card(told, incident, "tests")
    assert found.row.state is EscapeState.RAN_BLIND
    assert KEY in found.row.reason
    assert found.answers[0].state == EscapeState.SIGHT_UNKNOWN


def test_an_answer_to_no_row_names_the_nearest(told: Escape) -> None:
    incident = told.live_through()
    with pytest.raises(NotFoundError, match="did you mean tests"):
        answer_row(told.log, incident, "test", "x", role="shop-team")
    with pytest.raises(UsageError, match="no words"):
        answer_row(told.log, incident, "tests", "  ", role="shop-team")


def test_secrets_in_words_are_masked(told: Escape) -> None:
    incident = told.live_through()
    answer_row(told.log, incident, "tests", "it used password=hunter2hunter2", role="shop-team")
    assert "hunter2" not in card(told, incident, "tests").answers[0].words


def row(state: EscapeState, kind: str = "tests", environment: str = "production") -> EscapeRow:
    return EscapeRow(kind, kind, environment, state, "", (), "")


@pytest.mark.parametrize("state", EscapeState)
@pytest.mark.parametrize("kind", ["tests", "soak", "review", "watch", "edge_cases", "another"])
def test_every_row_offers_something_to_do(told: Escape, state: EscapeState, kind: str) -> None:
    incident = incident_view(told.log, told.live_through()).incident
    moves = next_moves(incident, row(state, kind), captured=False)
    assert moves
    assert all(move.command.startswith("amends ") for move in moves)


def test_a_blind_gate_below_is_offered_data_there_and_a_captured_input_becomes_a_test(told: Escape) -> None:
    incident = incident_view(told.log, told.live_through()).incident
    moves = next_moves(incident, row(EscapeState.RAN_BLIND, "soak", "staging"), captured=True)
    assert [move.kind for move in moves] == ["data", "edge case", "test"]
    assert "staging" in moves[0].text
    assert moves[2].command == f"amends test write --incident {incident.id}"


def test_a_hostile_name_stays_one_word_of_a_command(told: Escape) -> None:
    told.tell("service.deployed", p.ServiceDeployed(service="shop", release="1.1", environment="production"))
    incident = incident_view(told.log, told.roll_back()).incident
    (move, *_) = next_moves(incident, row(EscapeState.UNDECIDED, "x", "prod; rm -rf ~"), captured=False)
    assert "'prod; rm -rf ~'" in move.command


def test_an_incident_has_several_factors_each_in_words_and_none_is_the_root_cause(told: Escape) -> None:
    incident = told.live_through()
    evidence = take_note(told.log, incident, "no test had an empty list", role="qa").id
    name_factor(told.log, incident, "test-data", "no empty lists", role="qa", evidence=[evidence])
    name_factor(told.log, incident, "interface-limits", "the share of nobody", role="shop-team")
    data = incident_data(incident_view(told.log, incident))
    assert [one["factor"]["word"] for one in data["factors"]] == ["test-data", "interface-limits"]
    assert not [key for key in data if "cause" in key]


def test_a_withdrawn_factor_stays_in_the_record_and_says_so(told: Escape) -> None:
    incident = told.live_through()
    named = name_factor(told.log, incident, "load", "many orders", role="qa")
    taken = withdraw_factor(told.log, incident, named.id, role="qa", reason="it was quiet that day")
    (one,) = incident_view(told.log, incident).record.factors
    assert one.withdrawn == taken.id
    assert one.words == "many orders"
    with pytest.raises(NotFoundError):
        withdraw_factor(told.log, incident, named.id, role="qa", reason="again")


@pytest.mark.parametrize("word", ["human error", "developer", "root cause", "carelessness"])
def test_no_person_and_no_single_cause_is_a_factor(told: Escape, word: str) -> None:
    with pytest.raises(UsageError, match=r"found the factor"):
        name_factor(told.log, told.live_through(), word, "x", role="qa")


def test_evidence_that_is_not_in_the_record_is_refused(told: Escape) -> None:
    with pytest.raises(UsageError, match="not in the record"):
        name_factor(told.log, told.live_through(), "load", "x", role="qa", evidence=["elsewhere"])


def test_the_taxonomy_is_traced_to_what_is_published() -> None:
    assert len(BY_WORD) == len(TAXONOMY)
    assert all(factor.traced.startswith(("ODC: ", "CAST: ")) for factor in TAXONOMY)
