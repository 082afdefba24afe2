"""The evidence table while it grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, get_type_hints

import numpy as np

from amends.gates.evidence.question import Question
from amends.gates.table import FAMILIES, EvidenceTable, relation_of


@cache
def _relations() -> dict[str, type[Any]]:
    """Return the table's relations by the name of their field."""
    hints = get_type_hints(EvidenceTable)
    kinds = {column.name: hints[column.name] for column in fields(EvidenceTable)}
    return {name: kind for name, kind in kinds.items() if hasattr(kind, "__dataclass_fields__")}


@dataclass(slots=True)
class Columns:
    """Words as codes, relations as lists."""

    codes: dict[str, int] = field(default_factory=lambda: {"": 0})
    relations: dict[type[Any], dict[str, list[Any]]] = field(default_factory=dict)
    undated: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in FAMILIES})
    declared: list[bool] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def code(self, word: str) -> int:
        """Return the code of a word, which is new where need be."""
        return self.codes.setdefault(word, len(self.codes))

    def add(self, relation: type[Any], **values: Any) -> int:
        """Append an item (text becomes a code) and return its index."""
        columns = self.relations.setdefault(relation, {name: [] for name in values})
        for name, value in values.items():
            columns[name].append(self.code(value) if isinstance(value, str) else value)
        return len(columns["row"]) - 1

    def build(self, questions: Sequence[Question]) -> EvidenceTable:
        """Return the table."""

        def codes(words: Iterable[str]) -> Any:
            return np.array([self.code(word) for word in words], dtype=np.int64)

        key = {
            "service": codes(q.service for q in questions),
            "version": codes(q.release.version for q in questions),
            "environment": codes(q.environment for q in questions),
            "digest": codes(self.digests),
        }
        made = {name: relation_of(kind, self.relations.get(kind, {})) for name, kind in _relations().items()}
        return EvidenceTable(
            words=tuple(self.codes),
            **key,
            at=np.array([q.at.timestamp() for q in questions], dtype=np.float64),
            declared=np.array(self.declared, dtype=np.bool_),
            **made,
            undated={name: np.array(counts, dtype=np.int64) for name, counts in self.undated.items()},
        )
