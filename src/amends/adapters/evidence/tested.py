"""Edge cases and guards of amendments: folded live, service by service, for a policy that asks for them.

What single tests said is not kept in columns, so the facts are decoded again. That takes the time of reading
the whole history once, and then of the fold for each row; a policy without such gates pays nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.sources import Source
from amends.events.codec import Fact
from amends.gates.evidence import collect_evidence
from amends.gates.guards import MOVES
from amends.gates.questions import Questions
from amends.gates.table import EdgeCases, EvidenceTable, Guards, relation_of

FAMILIES = ("edge_cases", "amendments")
_KINDS = frozenset((
    "artifact.packaged", "testsuiterun.finished", "edgecase.documented", "edgecase.retired",
    "amendment.proposed", *MOVES,
))  # fmt: skip
_WORDS = {"case", "test", "suite", "event", "documented", "amendment", "selector", "proven"}


def make_tested(asked: Asked, questions: Questions, sources: Sequence[Source]) -> dict[str, Any]:
    """Return the relations of edge cases and guards, and count their facts that nobody dated."""
    services = {questions.words[int(code)] for code in np.unique(questions.service)}
    facts = _facts(sources, services)
    parts: list[tuple[Any, EvidenceTable]] = []
    for service in sorted(services):
        code = next(c for c in np.unique(questions.service) if questions.words[int(c)] == service)
        rows = np.flatnonzero(questions.service == code)
        table = collect_evidence(facts[service], [questions.question(int(row)) for row in rows])
        for family in FAMILIES:
            asked.undated[family][rows] += table.undated[family]
        parts.append((rows, table))
    return {
        "edge_cases": _joined(asked, EdgeCases, [(rows, table, table.edge_cases) for rows, table in parts]),
        "guards": _joined(asked, Guards, [(rows, table, table.guards) for rows, table in parts]),
    }


def _facts(sources: Sequence[Source], services: Collection[str]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {service: [] for service in services}
    for source in sources:
        for fact in source.read(source.begin()):
            service = getattr(fact.payload, "service", "")
            if fact.kind in _KINDS and service in found:
                found[service].append(fact)
    return found


def _joined(asked: Asked, kind: type[Any], parts: Sequence[tuple[Any, EvidenceTable, Any]]) -> Any:
    """Join the relations of several tables, by row, words in the folder's codes."""
    columns: dict[str, list[Any]] = {field.name: [] for field in fields(kind)}
    for rows, table, relation in parts:
        for name, values in columns.items():
            column = getattr(relation, name)
            made = (
                rows[column] if name == "row" else _coded(asked, table, column) if name in _WORDS else column
            )
            values.append(made)
    whole = {name: np.concatenate(values) for name, values in columns.items() if values}
    if not whole:
        return relation_of(kind, {})
    order = np.argsort(whole["row"], kind="stable")
    return kind(**{name: column[order] for name, column in whole.items()})


def _coded(asked: Asked, table: EvidenceTable, column: Any) -> Any:
    used = np.unique(column)
    codes = asked.folder.words.codes([table.word(code) for code in used], add=True)
    return codes[np.searchsorted(used, column)] if len(used) else column
