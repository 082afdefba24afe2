"""What of each fact is kept in columns: the part of the payload that gates and backtests read.

A table holds one or several kinds. Its columns are named here with their types; ``row`` gives a fact's
values in that order. Words become codes later; ``SPACES`` are pairs of words that get a code of their own, so
that what belongs to a release's name, a change or a lane is found without comparing words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from amends.backtests.deployments import CLASSES
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evidence.places import DECISIONS, ENDS, how_it_ended, what_replay_says
from amends.gates.evidence.testing import failed_tests
from amends.gates.gate import UNDECIDED
from amends.gates.table import APPROVED, CHANGES_REQUESTED, SUITE_OUTCOMES, bare_digest, team_name

_PSEUDONYM = re.compile(r"p-[0-9a-f]{12}")

WORD, NUMBER, SMALL, MOMENT, FLAG = "word", "number", "small", "moment", "flag"
NAME, CHANGE, LANE = "name", "change", "lane"  # pairs: (service, a release's name), (service, change), …
SPACES = (NAME, CHANGE, LANE)
_SQL_TYPES = {WORD: "INTEGER", NUMBER: "BIGINT", SMALL: "TINYINT", MOMENT: "DOUBLE", FLAG: "BOOLEAN"}


def sql_type(kind: str) -> str:
    """Return the DuckDB type of a column."""
    return _SQL_TYPES.get(kind, "INTEGER")


@dataclass(frozen=True, slots=True)
class Side:
    """What a fact has several of, in their order: the items of a table beside the table."""

    columns: dict[str, str]
    rows: Callable[[Any], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Table:
    """``by`` are columns that the rows are sorted by before they are sorted by when they happened."""

    kinds: tuple[str, ...]
    columns: dict[str, str]
    row: Callable[[Any], tuple[Any, ...]]
    by: tuple[str, ...] = ()
    sides: dict[str, Side] = field(default_factory=dict)


# Of every fact, beside its own columns; "turn" is its kind's place in Table.kinds.
COMMON = {
    "event": NUMBER, "occurred": MOMENT, "recorded": MOMENT, "seq": NUMBER, "known": MOMENT, "turn": SMALL,
}  # fmt: skip


def _release(said: p.ReleaseDeclared) -> tuple[Any, ...]:
    return (
        (said.service, said.version), said.service, said.version, said.commit.lower(), said.commit,
        said.digest, bare_digest(said.digest),
    )  # fmt: skip


def _changes_of(said: p.ReleaseDeclared) -> list[tuple[Any, ...]]:
    return [((said.service, change),) for change in dict.fromkeys(said.changes)]


def _change(said: p.ChangeMerged) -> tuple[Any, ...]:
    files = said.files if said.files is not None else len(dict.fromkeys(said.paths)) or -1
    return (
        (said.service, said.change), said.author, said.owners is not None,
        "reviews" not in said.unrecorded, -1 if said.lines is None else said.lines, files,
    )  # fmt: skip


def _result(said: Any) -> tuple[Any, ...]:
    """Return how a deployment ended, or what a replay said; -1 is a deployment that never began."""
    name = (said.service, said.release)
    if isinstance(said, p.ReplayFinished):
        return name, "replay", "", DECISIONS[said.decision], what_replay_says(said)
    if said.outcome not in ENDS:
        return name, "watch", said.environment, -1, ""
    watched = said.outcome != "promoted" or said.watch == "passed"
    decision = ENDS[said.outcome] if watched else UNDECIDED
    return name, "watch", said.environment, decision, how_it_ended(said)


def _owners_of(said: p.ChangeMerged) -> list[tuple[Any, ...]]:
    return [
        (group, team_name(owner), not _PSEUDONYM.fullmatch(owner))
        for group, members in enumerate(said.owners or ())
        for owner in members
    ]


def _review(said: p.ChangeReviewed) -> tuple[Any, ...]:
    verdict = {"approved": APPROVED, "changes_requested": CHANGES_REQUESTED}.get(said.verdict, 0)
    return (said.service, said.change), said.reviewer, team_name(said.team), verdict


def _suite(said: p.SuiteFinished) -> tuple[Any, ...]:
    failed = said.failed + said.errors
    outcome = "failure" if said.outcome == "success" and failed else said.outcome
    return (
        (said.service, said.release), said.suite, SUITE_OUTCOMES.index(outcome), said.passed, failed,
        said.skipped, failed_tests(said), len(said.cases), bare_digest(said.digest),
        bare_digest(said.release),
    )  # fmt: skip


def _move(said: Any) -> tuple[Any, ...]:
    back = isinstance(said, p.ServiceRolledBack)
    holder = said.restored if back else said.release
    left = said.release if back else ""
    return (
        (said.service, said.environment), (said.service, holder), (said.service, left), said.environment,
        said.deployment,
    )  # fmt: skip


def _traffic(said: p.TrafficObserved) -> tuple[Any, ...]:
    return (
        (said.service, said.release), said.environment, said.requests, said.since.timestamp(),
        said.until.timestamp(),
    )  # fmt: skip


def _incident(said: p.IncidentOpened) -> tuple[Any, ...]:
    return (
        (said.service, said.environment), (said.service, said.release), said.service, bool(said.release),
        said.environment, said.incident, said.deployment,
    )  # fmt: skip


def _shift(said: p.ShiftAcknowledged) -> tuple[Any, ...]:
    return (
        said.team, team_name(said.team), said.role, said.person, said.starts.timestamp(),
        said.ends.timestamp(), said.acknowledged,
    )  # fmt: skip


def _override(said: p.OverrideGranted) -> tuple[Any, ...]:
    honest = bool(said.reason.strip() and said.approved_by and said.approved_by != said.requested_by)
    return (said.service, said.release), said.environment, honest, said.expires_at.timestamp()


def _gates_of(said: p.OverrideGranted) -> list[tuple[Any, ...]]:
    return [(gate,) for gate in said.gates or ("",)]


def _decided(said: p.GatesDecided) -> tuple[Any, ...]:
    lane, name = (said.service, said.environment), (said.service, said.release)
    return lane, name, said.at.timestamp(), said.deployment


TABLES: dict[str, Table] = {
    "releases": Table(
        ("artifact.packaged",),
        {"name": NAME, "service": WORD, "version": WORD, "commit": WORD, "spelt": WORD, "digest": WORD,
         "bare": WORD},
        _release, ("name",), {"release_changes": Side({"change": CHANGE}, _changes_of)},
    ),
    "changes": Table(
        ("change.merged",),
        {"change": CHANGE, "author": WORD, "owned": FLAG, "reviews_known": FLAG, "lines": NUMBER,
         "files": NUMBER},
        _change, ("change",),
        {"owners": Side({"group": NUMBER, "owner": WORD, "team": FLAG}, _owners_of),
         "paths": Side({"path": WORD}, lambda said: [(path,) for path in dict.fromkeys(said.paths)])},
    ),
    "reviews": Table(
        ("change.reviewed",),
        {"change": CHANGE, "reviewer": WORD, "team": WORD, "verdict": SMALL},
        _review, ("change", "reviewer"),
    ),
    "suites": Table(
        ("testsuiterun.finished",),
        {"name": NAME, "suite": WORD, "outcome": SMALL, "passed": NUMBER, "failed": NUMBER, "skipped": NUMBER,
         "detail": WORD, "listed": NUMBER, "digest": WORD, "spelt": WORD},
        _suite, ("name", "suite"),
    ),
    "sign_offs": Table(
        ("signoff.given",),
        {"name": NAME, "role": WORD, "environment": WORD, "granted": FLAG},
        lambda said: ((said.service, said.release), said.role, said.environment, said.granted),
        ("name", "role", "environment"),
    ),
    "moves": Table(
        ("service.deployed", "service.upgraded", "service.rolledback"),
        {"lane": LANE, "name": NAME, "left": NAME, "environment": WORD, "deployment": WORD},
        _move, ("lane",),
    ),
    "traffic": Table(
        ("traffic.observed",),
        {"name": NAME, "environment": WORD, "requests": NUMBER, "since": MOMENT, "until": MOMENT},
        _traffic, ("name",),
    ),
    "incidents": Table(
        ("incident.detected",),
        {"lane": LANE, "name": NAME, "service": WORD, "named": FLAG, "environment": WORD, "incident": WORD,
         "deployment": WORD},
        _incident,
    ),
    "incident_ends": Table(
        ("incident.resolved", "incident.reopened"),
        {"incident": WORD}, lambda said: (said.incident,), ("incident",),
    ),
    "shifts": Table(
        ("shift.acknowledged",),
        {"whole": WORD, "team": WORD, "role": WORD, "person": WORD, "starts": MOMENT, "ends": MOMENT,
         "acknowledged": FLAG},
        _shift,
    ),
    "overrides": Table(
        ("override.granted",),
        {"name": NAME, "environment": WORD, "honest": FLAG, "expires": MOMENT},
        _override, ("name",), {"override_gates": Side({"gate": WORD}, _gates_of)},
    ),
    "quarantines": Table(
        ("quarantine.set", "quarantine.lifted"),
        {"name": NAME, "service": WORD, "release": WORD, "incident": WORD},
        lambda said: ((said.service, said.release), said.service, said.release, said.incident),
    ),
    "decided": Table(
        ("gates.decided",),
        {"lane": LANE, "name": NAME, "at": MOMENT, "deployment": WORD},
        _decided,
    ),
    "requested": Table(
        ("deployment.requested",),
        {"lane": LANE, "name": NAME, "deployment": WORD},
        lambda said: ((said.service, said.environment), (said.service, said.release), said.deployment),
    ),
    "results": Table(
        ("deployment.finished", "replay.finished"),
        {"name": NAME, "part": WORD, "environment": WORD, "decision": SMALL, "detail": WORD},
        _result, ("name", "part", "environment"),
    ),
    "reverts": Table(
        ("change.reverted",),
        {"change": CHANGE, "classified": SMALL},
        lambda said: ((said.service, said.change), CLASSES.index(said.classified)),
    ),
}  # fmt: skip

TABLE_OF = {kind: name for name, table in TABLES.items() for kind in table.kinds}
LABELS = (
    ("suites", "suite"), ("sign_offs", "role"), ("sign_offs", "environment"), ("moves", "environment"),
    ("shifts", "team"), ("shifts", "role"), ("override_gates", "gate"), ("results", "part"),
    ("results", "environment"),
)  # fmt: skip
"""Columns whose few words gates ask for by name."""

_MEANING = 2  # raise it when a column comes to mean something else under the same name


def layout() -> str:
    """Return a digest of what is kept: a folder with another one is of another version, and made again."""
    tables = {
        name: (
            table.kinds,
            *table.columns.items(),
            table.by,
            *((side, *spec.columns.items()) for side, spec in table.sides.items()),
        )
        for name, table in TABLES.items()
    }
    kept = (_MEANING, _SQL_TYPES, SPACES, COMMON, LABELS, tables)
    return hashlib.sha256(repr(kept).encode()).hexdigest()


def common_of(fact: Fact, event: int) -> tuple[Any, ...]:
    """Return the values of ``COMMON``; an unstated ``known`` is NaN."""
    recorded, known = fact.recorded, fact.known_at
    return (
        event, fact.occurred_at.timestamp(), recorded.recorded_at.timestamp(), recorded.seq,
        known.timestamp() if known else float("nan"), TABLES[TABLE_OF[fact.kind]].kinds.index(fact.kind),
    )  # fmt: skip
