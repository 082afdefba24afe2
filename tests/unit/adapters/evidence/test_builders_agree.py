"""The two builders of the evidence table, live and in bulk, make the same of every history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings

from amends.backtests.folded import FoldedEvidence
from amends.events.codec import Fact
from amends.gates.evidence import Question, collect_evidence
from amends.gates.questions import questions_of
from amends.gates.table import FAMILIES
from tests.unit.adapters.evidence.histories import (
    bulk_of,
    histories,
    questions,
    spelt_deployments,
    spelt_table,
)


@settings(max_examples=25, deadline=None)
@given(histories(), questions())
def test_a_table_in_bulk_is_the_live_one(facts: list[Fact], asked: list[Question]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bulk = bulk_of(Path(folder), facts)
        found = spelt_table(bulk.build(questions_of(asked), FAMILIES))
        bulk.close()
    assert found == spelt_table(collect_evidence(facts, asked))


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
