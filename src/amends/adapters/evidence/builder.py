"""The bulk builder of the evidence table: the columns that ``gates.evidence`` folds, for many questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.cache import EvidenceCache
from amends.adapters.evidence.changing import Changing
from amends.adapters.evidence.database import Database
from amends.adapters.evidence.neighbouring import make_neighbours
from amends.adapters.evidence.past import PastDeployments
from amends.adapters.evidence.quarantining import Quarantining
from amends.adapters.evidence.reading import Folder
from amends.adapters.evidence.relations import (
    make_overrides,
    make_results,
    make_shifts,
    make_sign_offs,
    make_suites,
)
from amends.adapters.evidence.sources import Source
from amends.adapters.evidence.staying import Staying
from amends.adapters.evidence.tested import FAMILIES as TESTED
from amends.adapters.evidence.tested import make_tested
from amends.backtests.deployments import Deployments
from amends.gates.questions import Questions
from amends.gates.table import (
    Changes,
    EdgeCases,
    EvidenceTable,
    Guards,
    Neighbours,
    Overrides,
    Owners,
    Paths,
    Quarantines,
    Results,
    Shifts,
    SignOffs,
    Stays,
    Suites,
    Verdicts,
    relation_of,
)

_EMPTY: dict[str, type[Any]] = {
    "changes": Changes, "owners": Owners, "verdicts": Verdicts, "suites": Suites, "sign_offs": SignOffs,
    "paths": Paths, "results": Results, "edge_cases": EdgeCases, "guards": Guards, "neighbours": Neighbours,
    "stays": Stays, "shifts": Shifts, "overrides": Overrides, "quarantines": Quarantines,
}  # fmt: skip


class BulkEvidence:
    """An ``EvidenceBuilder`` over a folder of facts, brought up to date when it is opened.

    Parameters
    ----------
    folder:
        Where the facts are kept as columns; made when it is not there.
    sources:
        The histories that it holds.
    memory_mb:
        How much memory DuckDB may use beside the columns that are worked on.
    """

    def __init__(self, folder: Path, sources: Sequence[Source], *, memory_mb: int = 200) -> None:
        manifest = EvidenceCache(folder, sources).refresh()
        self._sources = sources
        self._database = Database(folder, memory_mb=memory_mb)
        self._folder = Folder(folder, manifest, self._database)

    def deployments(self, services: Collection[str], environment: str) -> Deployments:
        """See ``EvidenceBuilder.deployments``."""
        return PastDeployments(self._folder, services, environment).read()

    def build(
        self,
        questions: Questions,
        families: Collection[str],
        *,
        teams: Collection[str] | None = None,
        neighbours: Sequence[tuple[str, str]] = (),
    ) -> EvidenceTable:
        """See ``EvidenceBuilder.build``."""
        asked = Asked.of(self._folder, questions)
        made = {name: relation_of(kind, {}) for name, kind in _EMPTY.items()}
        made |= _of_changes(asked, families)
        if "suites" in families:
            made["suites"] = make_suites(asked)
        if "results" in families:
            made["results"] = make_results(asked)
        if set(TESTED) & set(families):
            made |= make_tested(asked, questions, self._sources)
        if "sign_offs" in families:
            made["sign_offs"] = make_sign_offs(asked)
        if {"deployments", "traffic", "incidents"} & set(families):
            made["stays"] = Staying(asked).stays()
        if "neighbours" in families:
            made["neighbours"] = make_neighbours(asked, neighbours)
        if "shifts" in families:
            made["shifts"] = make_shifts(asked, teams)
        if "overrides" in families:
            made["overrides"] = make_overrides(asked)
        if "quarantines" in families:
            made["quarantines"] = Quarantining(asked).make()
        return EvidenceTable(
            words=self._folder.words, service=asked.service, version=asked.version,
            environment=asked.environment, at=asked.at, declared=asked.declarations.declared,
            digest=asked.bare,
            undated=asked.undated, **made,
        )  # fmt: skip

    def close(self) -> None:
        """See ``EvidenceBuilder.close``."""
        self._database.close()


def _of_changes(asked: Asked, families: Collection[str]) -> dict[str, Any]:
    if not {"changes", "reviews"} & set(families):
        return {}
    changing = Changing(asked)
    made: dict[str, Any] = {
        "changes": changing.changes(),
        "owners": changing.owners(),
        "paths": changing.paths(),
    }
    if "reviews" in families:
        made["verdicts"] = changing.verdicts()
    return made
