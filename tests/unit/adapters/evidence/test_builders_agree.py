"""The two builders of the evidence table, live and in bulk, make the same of every history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.backtests.folded import FoldedEvidence
from amends.events.codec import Fact
from amends.gates.evidence import Question, collect_evidence
from amends.gates.questions import questions_of
from amends.gates.table import FAMILIES
from tests.unit.adapters.evidence.histories import (
    builds,
    bulk_of,
    histories,
    moves,
    neighbours,
    questions,
    spelt_deployments,
    spelt_table,
    troubles,
)


@settings(max_examples=25, deadline=None)
@given(histories(), questions(), neighbours)
def test_a_table_in_bulk_is_the_live_one(
    facts: list[Fact], asked: list[Question], around: list[tuple[str, str]]
) -> None:
    assert_alike(facts, asked, around)


@settings(max_examples=25, deadline=None)
@given(histories(st.one_of(builds(), moves(), troubles(), troubles())), questions())
def test_neighbours_in_bulk_are_the_live_ones(facts: list[Fact], asked: list[Question]) -> None:
    assert_alike(facts, asked, [("till", "production"), ("shop", "staging"), ("shop", "production")])


def assert_alike(facts: list[Fact], asked: list[Question], around: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bulk = bulk_of(Path(folder), facts)
        found = spelt_table(bulk.build(questions_of(asked), FAMILIES, neighbours=around))
        bulk.close()
    assert found == spelt_table(collect_evidence(facts, asked, around))


@settings(max_examples=25, deadline=None)
@given(histories())
def test_past_deployments_in_bulk_are_the_folded_ones(facts: list[Fact]) -> None:
    folded = FoldedEvidence(facts)
    with tempfile.TemporaryDirectory() as folder:
        bulk = bulk_of(Path(folder), facts)
        for services in ((), ("shop",)):
            past, expected = bulk.deployments(services, "staging"), folded.deployments(services, "staging")
            assert spelt_deployments(past) == spelt_deployments(expected)
        table = spelt_table(bulk.build(past.questions, FAMILIES))
        bulk.close()
    assert table == spelt_table(folded.build(expected.questions, FAMILIES))


def test_an_empty_history_has_a_table_too(tmp_path: Path) -> None:
    bulk = bulk_of(tmp_path, [])
    past = bulk.deployments(("shop",), "staging")
    assert len(bulk.build(past.questions, FAMILIES)) == 0
    bulk.close()
