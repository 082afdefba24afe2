"""Live evidence: a fold of facts into the rows of the evidence table.

Order, repetition and lateness of facts do not matter: a fact counts when its ``known_at`` is at or before the
moment asked about, once, and "latest" means by when it happened (then by when and where it was recorded).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.table import (
    APPROVED,
    CHANGES_REQUESTED,
    FAMILIES,
    SUITE_OUTCOMES,
    Changes,
    EvidenceTable,
    Overrides,
    Owners,
    Quarantines,
    Shifts,
    SignOffs,
    Stays,
    Suites,
    Verdicts,
    relation_of,
    team_name,
)  # fmt: skip
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import SHORTEST_COMMIT, releases_of

_PSEUDONYM = re.compile(r"p-[0-9a-f]{12}")
KINDS = (
    "artifact.packaged", "change.merged", "change.reviewed", "testsuiterun.finished", "signoff.given",
    "service.deployed", "service.upgraded", "service.rolledback", "traffic.observed", "incident.detected",
    "incident.resolved", "incident.reopened", "shift.acknowledged", "override.granted", "quarantine.set",
    "quarantine.lifted",
)  # fmt: skip
"""The kinds of fact that a gate may rely on."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this release go to this environment at this moment?"""

    service: str
    release: ReleaseRef
    environment: str
    at: datetime


def collect_evidence(facts: Iterable[Fact], questions: Sequence[Question]) -> EvidenceTable:
    """Build the evidence table with one row per question, from facts in any order.

    Facts of other services and kinds are ignored; those with ``known_at`` after a question's moment, too.
    """
    by_kind = _sorted_by_kind(facts)
    table = _Columns()
    for row, question in enumerate(questions):
        _Row(table, row, question, by_kind).fill()
    return table.build(questions)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A fact as the fold needs it; ``known`` is NaN where nobody said."""

    id: str
    kind: str
    payload: Any
    occurred: float
    known: float
    fact: Fact


def _sorted_by_kind(facts: Iterable[Fact]) -> dict[str, list[_Seen]]:
    """Keep each known event once, oldest first, by kind."""
    found: dict[tuple[str, str], tuple[tuple[float, float, int, str], _Seen]] = {}
    for fact in facts:
        key = fact.recorded.event.key
        if fact.payload is None or fact.kind not in KINDS or key in found:
            continue
        occurred = fact.occurred_at.timestamp()
        known = fact.known_at.timestamp() if fact.known_at else float("nan")
        order = (occurred, fact.recorded.recorded_at.timestamp(), fact.recorded.seq, fact.id)
        found[key] = order, _Seen(fact.id, fact.kind, fact.payload, occurred, known, fact)
    by_kind: dict[str, list[_Seen]] = {kind: [] for kind in KINDS}
    for _, seen in sorted(found.values(), key=lambda pair: pair[0]):
        by_kind[seen.kind].append(seen)
    return by_kind


@dataclass(slots=True)
class _Columns:
    """The table while it grows: words as codes, relations as lists."""

    codes: dict[str, int] = field(default_factory=lambda: {"": 0})
    relations: dict[type[Any], dict[str, list[Any]]] = field(default_factory=dict)
    undated: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in FAMILIES})
    declared: list[bool] = field(default_factory=list)

    def code(self, word: str) -> int:
        return self.codes.setdefault(word, len(self.codes))

    def add(self, relation: type[Any], **values: Any) -> int:
        """Append an item (text becomes a code) and return its index."""
        columns = self.relations.setdefault(relation, {name: [] for name in values})
        for name, value in values.items():
            columns[name].append(self.code(value) if isinstance(value, str) else value)
        return len(columns["row"]) - 1

    def build(self, questions: Sequence[Question]) -> EvidenceTable:
        def codes(words: Iterable[str]) -> Any:
            return np.array([self.code(word) for word in words], dtype=np.int64)

        def made(kind: type[Any]) -> Any:
            return relation_of(kind, self.relations.get(kind, {}))

        key = {
            "service": codes(q.service for q in questions),
            "version": codes(q.release.version for q in questions),
            "environment": codes(q.environment for q in questions),
        }
        return EvidenceTable(
            words=tuple(self.codes),
            **key,
            at=np.array([q.at.timestamp() for q in questions], dtype=np.float64),
            declared=np.array(self.declared, dtype=np.bool_),
            changes=made(Changes),
            owners=made(Owners),
            verdicts=made(Verdicts),
            suites=made(Suites),
            sign_offs=made(SignOffs),
            stays=made(Stays),
            shifts=made(Shifts),
            overrides=made(Overrides),
            quarantines=made(Quarantines),
            undated={name: np.array(counts, dtype=np.int64) for name, counts in self.undated.items()},
        )


@dataclass(slots=True)
class _Row:
    """The fold for one question."""

    table: _Columns
    row: int
    question: Question
    by_kind: dict[str, list[_Seen]]
    names: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    kin: set[str] = field(default_factory=set)
    changes: tuple[str, ...] = ()

    def fill(self) -> None:
        for family in FAMILIES:
            self.table.undated[family].append(0)
        self._declaration()
        self._changes()
        self._suites()
        self._sign_offs()
        self._stays()
        self._shifts()
        self._overrides()
        self._quarantines()

    def _facts(self, family: str, wanted: Callable[[Any], bool], *kinds: str) -> list[_Seen]:
        """Return what was known, oldest first, and count what nobody dated."""
        at = self.question.at.timestamp()
        found = [seen for kind in kinds for seen in self.by_kind[kind] if wanted(seen.payload)]
        if len(kinds) > 1:
            found.sort(key=lambda seen: seen.occurred)
        self.table.undated[family][self.row] += sum(seen.known != seen.known for seen in found)
        return [seen for seen in found if seen.known <= at]

    def _of_service(self, payload: Any) -> bool:
        return bool(payload.service == self.question.service)

    def _of_release(self, payload: Any) -> bool:
        return self._is_mine(payload.release) and self._of_service(payload)

    def _is_mine(self, name: str) -> bool:
        """Whether a name is the release's: version, digest, or commit (whole or its first digits)."""
        if name in self.names:
            return True
        short = (len(name) >= SHORTEST_COMMIT and name.lower()) or "-"
        return any(commit.startswith(short) for commit in self.commits)

    def _declaration(self) -> None:
        release = self.question.release
        found = self._facts(
            "releases",
            lambda said: said.version == release.version and self._of_service(said),
            "artifact.packaged",
        )
        self.table.declared.append(bool(found))
        self.names = {release.version, release.commit, release.digest}
        self.commits = {release.commit.lower()}
        for declared in releases_of(seen.fact for seen in found):
            self.names |= set(declared.aliases)
            self.commits.add(declared.commit)
            self.changes = tuple(dict.fromkeys(declared.changes))
        self.names.discard("")
        for seen in self.by_kind["artifact.packaged"]:
            said = seen.payload
            if self._is_same_build(said) and not seen.known > self.question.at.timestamp():
                self.kin |= {said.version, said.commit.lower(), said.digest} - {""}

    def _is_same_build(self, said: p.ReleaseDeclared) -> bool:
        """Whether it declares what this release is made of, under whatever version."""
        return self._of_service(said) and any(
            name and self._is_mine(name) for name in (said.commit, said.digest)
        )

    def _changes(self) -> None:
        mine = set(self.changes)

        def wanted(said: Any) -> bool:
            return said.change in mine and self._of_service(said)

        merged = {seen.payload.change: seen for seen in self._facts("changes", wanted, "change.merged")}
        verdicts: dict[str, dict[str, _Seen]] = {change: {} for change in self.changes}
        for seen in self._facts("reviews", wanted, "change.reviewed"):
            if seen.payload.verdict != "commented":
                verdicts[seen.payload.change][seen.payload.reviewer] = seen
        for change in self.changes:
            item = self._change(change, merged.get(change))
            for seen in verdicts[change].values():
                self._verdict(item, seen)

    def _change(self, change: str, merged: _Seen | None) -> int:
        said = merged.payload if merged else p.ChangeMerged(service="", change=change)
        item = self.table.add(
            Changes, row=self.row, change=change, author=said.author, merged=merged is not None,
            owned=said.owners is not None, event=merged.id if merged else "",
        )  # fmt: skip
        for group, members in enumerate(said.owners or ()):
            for owner in members:
                self.table.add(
                    Owners, row=self.row, item=item, group=group, owner=team_name(owner),
                    team=not _PSEUDONYM.fullmatch(owner),
                )  # fmt: skip
        return item

    def _verdict(self, item: int, seen: _Seen) -> None:
        said = seen.payload
        self.table.add(
            Verdicts, row=self.row, item=item, reviewer=said.reviewer, team=team_name(said.team),
            verdict=APPROVED if said.verdict == "approved" else CHANGES_REQUESTED, event=seen.id,
        )  # fmt: skip

    def _suites(self) -> None:
        found = self._facts("suites", self._of_release, "testsuiterun.finished")
        for seen in {seen.payload.suite: seen for seen in found}.values():
            said = seen.payload
            failed = said.failed + said.errors
            outcome = "failure" if said.outcome == "success" and failed else said.outcome
            self.table.add(
                Suites, row=self.row, suite=said.suite, outcome=SUITE_OUTCOMES.index(outcome),
                passed=said.passed, failed=failed, skipped=said.skipped, detail=_failed_tests(said),
                event=seen.id,
            )  # fmt: skip

    def _sign_offs(self) -> None:
        found = self._facts("sign_offs", self._of_release, "signoff.given")
        for seen in {(seen.payload.role, seen.payload.environment): seen for seen in found}.values():
            said = seen.payload
            self.table.add(
                SignOffs, row=self.row, role=said.role, environment=said.environment, granted=said.granted,
                event=seen.id,
            )  # fmt: skip

    def _stays(self) -> None:
        moves = self._facts(
            "deployments", self._of_service, "service.deployed", "service.upgraded", "service.rolledback"
        )
        since: dict[str, _Seen | None] = {}
        for seen in moves:
            said = seen.payload
            holder = said.restored if isinstance(said, p.ServiceRolledBack) else said.release
            if self._is_mine(holder):
                since[said.environment] = since.get(said.environment) or seen
            elif said.environment in since:
                since[said.environment] = None
        traffic = self._facts("traffic", self._of_release, "traffic.observed")
        troubles = self._incidents()
        for environment, start in since.items():
            self._stay(environment, start, traffic, troubles)

    def _incidents(self) -> list[tuple[_Seen, _Seen | None]]:
        """Return the incidents that may be the release's, each with its resolution if it has one."""
        opened = self._facts(
            "incidents",
            lambda said: self._of_service(said) and (not said.release or self._is_mine(said.release)),
            "incident.detected",
        )
        mine = {seen.payload.incident for seen in opened}
        moved = self._facts(
            "incidents", lambda said: said.incident in mine, "incident.resolved", "incident.reopened"
        )
        last = {seen.payload.incident: seen for seen in moved}
        return [
            (
                seen,
                end if (end := last.get(seen.payload.incident)) and end.kind == "incident.resolved" else None,
            )
            for seen in opened
        ]

    def _stay(
        self, environment: str, start: _Seen | None, traffic: list[_Seen],
        troubles: list[tuple[_Seen, _Seen | None]],
    ) -> None:  # fmt: skip
        since = start.occurred if start else float("nan")
        mine = [
            (seen, end) for seen, end in troubles
            if seen.payload.environment == environment and (seen.payload.release or seen.occurred >= since)
        ]  # fmt: skip
        ends = [end for _, end in mine if end and end.occurred >= since]
        quiet = max([since, *(end.occurred for end in ends)])
        still = [seen for seen, end in mine if end is None]
        served = [(seen, count) for seen in traffic if (count := self._served(seen, environment, quiet)) >= 0]
        self.table.add(
            Stays, row=self.row, environment=environment, since=since, quiet_since=quiet,
            requests=sum(count for _, count in served), observations=len(served), open_incidents=len(still),
            event=start.id if start else "",
            incident=still[-1].id if still else ends[-1].id if ends else "",
            traffic=served[-1][0].id if served else "",
        )  # fmt: skip

    def _served(self, seen: _Seen, environment: str, quiet: float) -> int:
        """Return how many of an observation's requests fall into the quiet time; -1 when none can.

        An observation that only partly overlaps counts in proportion, rounded down.
        """
        said = seen.payload
        begin, end = said.since.timestamp(), said.until.timestamp()
        first, last = max(begin, quiet), min(end, self.question.at.timestamp())
        if said.environment != environment or not first <= last or (first == last and begin != end):
            return -1
        share = (last - first) / (end - begin) if end > begin else 1.0
        return int(said.requests * share + 1e-9)

    def _shifts(self) -> None:
        at = self.question.at
        found = self._facts("shifts", lambda said: said.ends > at, "shift.acknowledged")
        latest = {(s.payload.team, s.payload.role, s.payload.person, s.payload.starts): s for s in found}
        for seen in latest.values():
            said = seen.payload
            self.table.add(
                Shifts, row=self.row, team=team_name(said.team), role=said.role, person=said.person,
                starts=said.starts.timestamp(), ends=said.ends.timestamp(), acknowledged=said.acknowledged,
                event=seen.id,
            )  # fmt: skip

    def _overrides(self) -> None:
        at, environment = self.question.at, self.question.environment
        for seen in self._facts("overrides", self._of_release, "override.granted"):
            said = seen.payload
            honest = said.reason.strip() and said.approved_by and said.approved_by != said.requested_by
            if said.environment != environment or said.expires_at <= at or not honest:
                continue
            for gate in said.gates or ("",):
                self.table.add(
                    Overrides, row=self.row, gate=gate, expires=said.expires_at.timestamp(), event=seen.id
                )

    def _quarantines(self) -> None:
        """A quarantine holds what was built: another version's name for it changes nothing."""
        standing: dict[str, _Seen] = {}

        def wanted(said: Any) -> bool:
            return self._of_service(said) and (self._is_mine(said.release) or said.release in self.kin)

        for seen in self._facts("quarantines", wanted, "quarantine.set", "quarantine.lifted"):
            if seen.kind == "quarantine.set":
                standing[seen.payload.incident] = seen
            elif seen.payload.incident:
                standing.pop(seen.payload.incident, None)
            else:
                standing.clear()
        for incident, seen in standing.items():
            name = "" if self._is_mine(seen.payload.release) else seen.payload.release
            self.table.add(Quarantines, row=self.row, incident=incident, name=name, event=seen.id)


def _failed_tests(said: p.SuiteFinished) -> str:
    names = [case.name for case in said.cases if case.outcome in ("failed", "error")]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
