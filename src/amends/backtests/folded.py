"""Evidence and past deployments by folding facts: for a history of some thousands of events, held in memory.

The bulk builder gives the same for millions; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amends.backtests.deployments import (
    CLASSES,
    FAILURE,
    INCIDENT,
    REVERT,
    ROLLBACK,
    Deployments,
    Outcomes,
)  # fmt: skip
from amends.backtests.names import ReleaseNames
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evidence import collect_evidence
from amends.gates.questions import Questions
from amends.gates.table import EvidenceTable, relation_of
from amends.releases.catalogue import releases_of

_DEPLOYED = ("service.deployed", "service.upgraded")


class FoldedEvidence:
    """An ``EvidenceBuilder`` over facts in any order; a fact that is there twice counts once."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        kept: dict[tuple[str, str], Fact] = {}
        for fact in facts:
            if fact.payload is not None:
                kept.setdefault(fact.recorded.event.key, fact)
        self._facts = sorted(kept.values(), key=_order)

    def deployments(self, services: Collection[str], environment: str) -> Deployments:
        """See ``EvidenceBuilder.deployments``."""
        facts = [
            fact for fact in self._facts if not services or getattr(fact.payload, "service", "") in services
        ]
        return _Fold(facts, environment).deployments()

    def build(
        self,
        questions: Questions,
        families: Collection[str],  # noqa: ARG002 - all are filled
        *,
        teams: Collection[str] | None = None,  # noqa: ARG002 - all are in
        neighbours: Sequence[tuple[str, str]] = (),
    ) -> EvidenceTable:
        """See ``EvidenceBuilder.build``. All families are filled; ``teams`` narrows nothing."""
        asked = [questions.question(row) for row in range(len(questions))]
        return collect_evidence(self._facts, asked, neighbours)

    def close(self) -> None:
        """See ``EvidenceBuilder.close``."""


@dataclass(slots=True)
class _Fold:
    """The fold of one history for one environment; words become codes as they are met."""

    facts: list[Fact]
    environment: str
    codes: dict[str, int] = field(default_factory=lambda: {"": 0})
    names: ReleaseNames = field(init=False)
    rows: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    by_deployment: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    asked: dict[tuple[str, str], list[tuple[int, float, str]]] = field(default_factory=dict)

    def deployments(self) -> Deployments:
        self.names = ReleaseNames(releases_of(self.facts))
        self._read_moments()
        moves = [f for f in self.facts if f.kind in _DEPLOYED and self._is_here(f.payload)]
        found: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for row, fact in enumerate(moves):
            for name, value in self._deployment(row, fact, fact.payload).items():
                found[name].append(self._code(value) if isinstance(value, str) else value)
        outcomes = self._outcomes()

        def column(name: str, kind: Any = np.int64) -> Any:
            return np.array(found[name], dtype=kind)

        questions = Questions(
            tuple(self.codes), column("service"), column("version"), column("commit"), column("digest"),
            column("environment"), column("at", np.float64),
        )  # fmt: skip
        return Deployments(
            questions, column("deployed", np.float64), column("deployment"), column("event"),
            column("again", np.bool_), outcomes,
        )  # fmt: skip

    def _code(self, word: str) -> int:
        return self.codes.setdefault(word, len(self.codes))

    def _is_here(self, payload: Any) -> bool:
        return bool(payload.environment == self.environment)

    def _version(self, payload: Any) -> tuple[str, str]:
        return payload.service, self.names.find(payload.service, payload.release).version

    def _read_moments(self) -> None:
        """Keep when each release was decided on (1) or asked for (0), and for which deployment."""
        for fact in self.facts:
            said = fact.payload
            if isinstance(said, p.GatesDecided) and self._is_here(said):
                moment = 1, said.at.timestamp(), said.deployment
            elif isinstance(said, p.DeploymentRequested) and self._is_here(said):
                moment = 0, fact.occurred_at.timestamp(), said.deployment
            else:
                continue
            self.asked.setdefault(self._version(said), []).append(moment)

    def _deployment(self, row: int, fact: Fact, said: Any) -> dict[str, Any]:
        release = self.names.find(said.service, said.release)
        key, deployed = (said.service, release.version), fact.occurred_at.timestamp()
        _, at = max(
            (
                (rank, at) for rank, at, deployment in self.asked.get(key, ())
                if at <= deployed and (not said.deployment or deployment in ("", said.deployment))
            ),
            default=(0, deployed),
        )  # fmt: skip
        again = key in self.rows
        self.rows.setdefault(key, []).append(row)
        if said.deployment:
            self.by_deployment.setdefault((said.service, said.deployment), []).append(row)
        return {
            "service": said.service, "version": release.version, "commit": release.commit,
            "digest": release.digest, "environment": self.environment, "at": at, "deployed": deployed,
            "deployment": said.deployment, "event": fact.id, "again": again,
        }  # fmt: skip

    def _outcomes(self) -> Outcomes:
        found = [
            {"row": row, **outcome, "at": fact.occurred_at.timestamp(), "event": self._code(fact.id)}
            for fact in self.facts
            for outcome, rows in self._outcome(fact.payload)
            for row in rows
        ]
        found.sort(key=lambda one: one["row"])
        names = ("row", "kind", "name", "classified", "at", "event")
        made: Outcomes = relation_of(Outcomes, {name: [one[name] for one in found] for name in names})
        return made

    def _outcome(self, said: Any) -> list[tuple[dict[str, int], list[int]]]:
        """Return what a fact says came of deployments, with their rows."""
        if isinstance(said, p.ServiceRolledBack) and said.release and self._is_here(said):
            told = {"kind": ROLLBACK, "name": 0, "classified": FAILURE}
            return [(told, self.rows.get(self._version(said), []))]
        if isinstance(said, p.IncidentOpened) and self._is_here(said):
            told = {"kind": INCIDENT, "name": self._code(said.incident), "classified": FAILURE}
            rows = self.by_deployment.get((said.service, said.deployment), [])
            return [(told, self.rows.get(self._version(said), []) if said.release else rows)]
        if isinstance(said, p.ChangeReverted):
            classified = CLASSES.index(said.classified)
            told = {"kind": REVERT, "name": self._code(said.change), "classified": classified}
            return [(told, self._with_change(said.service, said.change))]
        return []

    def _with_change(self, service: str, change: str) -> list[int]:
        versions = self.names.with_change(service, change)
        return [row for version in versions for row in self.rows.get((service, version), [])]


_COLUMNS = (
    "service", "version", "commit", "digest", "environment", "at", "deployed", "deployment", "event", "again",
)  # fmt: skip


def _service(fact: Fact) -> str:
    return str(getattr(fact.payload, "service", ""))


def _order(fact: Fact) -> tuple[Any, ...]:
    recorded = fact.recorded
    return (fact.occurred_at, recorded.recorded_at, recorded.seq, fact.id)
