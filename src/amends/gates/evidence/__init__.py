"""Live evidence: a fold of facts into the rows of the evidence table.

Order, repetition and lateness of facts do not matter: a fact counts when its ``known_at`` is at or before the
moment asked about, once, and "latest" means by when it happened (then by when and where it was recorded).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from amends.events.codec import Fact
from amends.gates.evidence.changes import fill_changes
from amends.gates.evidence.facts import KINDS as KINDS
from amends.gates.evidence.facts import sorted_by_kind
from amends.gates.evidence.growing import Columns
from amends.gates.evidence.neighbours import fill_neighbours
from amends.gates.evidence.places import fill_results, fill_stays
from amends.gates.evidence.question import Question as Question
from amends.gates.evidence.row import Row
from amends.gates.evidence.terms import fill_overrides, fill_quarantines, fill_shifts
from amends.gates.evidence.testing import fill_sign_offs, fill_suites, fill_tests
from amends.gates.table import EvidenceTable

_FAMILIES = (
    fill_changes, fill_suites, fill_tests, fill_sign_offs, fill_stays, fill_results, fill_neighbours,
    fill_shifts, fill_overrides, fill_quarantines,
)  # fmt: skip


def collect_evidence(
    facts: Iterable[Fact], questions: Sequence[Question], neighbours: Collection[tuple[str, str]] = ()
) -> EvidenceTable:
    """Build the evidence table with one row per question, from facts in any order.

    Facts of other services and kinds are ignored; those with ``known_at`` after a question's moment, too.
    ``neighbours`` are the other services that a gate asks about, each with an environment
    (``Policy.neighbours``).
    """
    by_kind = sorted_by_kind(facts)
    table = Columns()
    for number, question in enumerate(questions):
        row = Row(table, number, question, by_kind, tuple(sorted(set(neighbours))))
        row.begin()
        for fill in _FAMILIES:
            fill(row)
    return table.build(questions)
