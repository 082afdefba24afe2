"""What an expression of a policy may name: dotted variables with their CEL types, read from the table.

A value that nobody recorded is left out of a row's values: an expression that needs it has no answer, and one
that does not (``a || b`` with ``a`` true) still has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from amends.gates.gate import ORDER, Setting
from amends.gates.table import (
    APPROVED,
    CHANGES_REQUESTED,
    PASSED,
    SUITE_OUTCOMES,
    EvidenceTable,
    items_of,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One row of the table, and what the gate and its policy say.

    ``environments`` and ``services`` (``service/environment``) are those at which the gate looks.
    """

    table: EvidenceTable
    row: int
    setting: Setting
    environments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def items(self, relation: Any) -> range:
        """Return the indices of the row's items in a relation."""
        where = items_of(relation, self.row)
        return range(where.start, where.stop)


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that expressions may use. ``value`` gives ``None`` where nobody recorded it."""

    name: str
    type: str
    families: tuple[str, ...]
    value: Callable[[Scope], Any]
    says: str


def _changes(scope: Scope) -> range | None:
    """Return the release's changes; ``None`` when it has none or one of them was never recorded."""
    items = scope.items(scope.table.changes)
    merged = scope.table.changes.merged[items.start : items.stop]
    return items if len(items) and bool(merged.all()) else None


def _total(column: str) -> Callable[[Scope], int | None]:
    def read(scope: Scope) -> int | None:
        items = _changes(scope)
        if items is None:
            return None
        counts = getattr(scope.table.changes, column)[items.start : items.stop]
        return None if (counts < 0).any() else int(counts.sum())

    return read


def _count_of_changes(scope: Scope) -> int | None:
    return len(scope.items(scope.table.changes)) or None  # a release of which no change is known is not small


def _paths(scope: Scope) -> list[str] | None:
    items = _changes(scope)
    if items is None:
        return None
    paths = scope.table.paths
    where = items_of(paths, scope.row)
    listed = np.bincount(paths.item[where], minlength=items.stop)[items.start : items.stop]
    files = scope.table.changes.files[items.start : items.stop]
    if (listed < np.where(files < 0, 1, files)).any():
        return None
    return sorted({scope.table.word(code) for code in paths.path[where]})


def _approvals(scope: Scope) -> int | None:
    """Return the fewest approvals of any change by people other than its author."""
    items, table = _changes(scope), scope.table
    if items is None:
        return None
    changes, verdicts = table.changes, table.verdicts
    if not changes.reviews_known[items.start : items.stop].all() or not changes.author[list(items)].all():
        return None
    given = items_of(verdicts, scope.row)
    item, reviewer = verdicts.item[given], verdicts.reviewer[given]
    counted = (verdicts.verdict[given] == APPROVED) & (reviewer > 0) & (reviewer != changes.author[item])
    return int(np.bincount(item[counted], minlength=items.stop)[items.start : items.stop].min())


def _refusals(scope: Scope) -> int | None:
    items = _changes(scope)
    if items is None:
        return None
    given = scope.table.verdicts.verdict[items_of(scope.table.verdicts, scope.row)]
    found = int((given == CHANGES_REQUESTED).sum())
    known = scope.table.changes.reviews_known[items.start : items.stop].all()
    return found if found or known else None


def _suites(scope: Scope) -> dict[str, str]:
    runs, word = scope.table.suites, scope.table.word
    return {word(runs.suite[i]): SUITE_OUTCOMES[int(runs.outcome[i])] for i in scope.items(runs)}


def _tests(column: str) -> Callable[[Scope], int | None]:
    def read(scope: Scope) -> int | None:
        where = items_of(scope.table.suites, scope.row)
        counts = getattr(scope.table.suites, column)[where]
        return int(counts.sum()) if len(counts) else None

    return read


def _cases(relation: str, *, passed: bool) -> Callable[[Scope], int]:
    def read(scope: Scope) -> int:
        found = getattr(scope.table, relation)
        outcomes = found.outcome[items_of(found, scope.row)]
        return int((outcomes == PASSED).sum()) if passed else len(outcomes)

    return read


def _sign_offs(scope: Scope) -> dict[str, bool]:
    given, found = scope.table.sign_offs, dict[str, bool]()
    for item in scope.items(given):
        role = scope.table.word(given.role[item])
        found[role] = found.get(role, True) and bool(given.granted[item])
    return found


def _stays(column: str) -> Callable[[Scope], dict[str, Any]]:
    """Read a column of the release's present stays in the environments that the gate looks at."""

    def read(scope: Scope) -> dict[str, Any]:
        stays, table = scope.table.stays, scope.table
        here = [i for i in scope.items(stays) if not np.isnan(stays.since[i])]
        named = {table.word(stays.environment[i]): i for i in here}
        wanted = {name: i for name, i in named.items() if name in scope.environments}
        if column == "hours":
            at = float(table.at[scope.row])
            return {name: (at - float(stays.quiet_since[i])) / 3600 for name, i in wanted.items()}
        return {name: int(getattr(stays, column)[i]) for name, i in wanted.items()}

    return read


def _on_shift(scope: Scope) -> int | None:
    shifts, at = scope.table.shifts, float(scope.table.at[scope.row])
    if not scope.setting.team:
        return None
    team = scope.table.code(scope.setting.team.removeprefix("@").rsplit("/", 1)[-1])
    return len({
        int(shifts.person[i]) for i in scope.items(shifts)
        if shifts.team[i] == team and shifts.acknowledged[i] and shifts.starts[i] <= at
    })  # fmt: skip


def _results(part: str) -> Callable[[Scope], dict[str, str]]:
    def read(scope: Scope) -> dict[str, str]:
        found, word = scope.table.results, scope.table.word
        return {
            word(found.environment[i]): ORDER[int(found.decision[i])].value
            for i in scope.items(found) if word(found.part[i]) == part
        }  # fmt: skip

    return read


def _neighbours(column: str) -> Callable[[Scope], dict[str, Any]]:
    def read(scope: Scope) -> dict[str, Any]:
        found, word = scope.table.neighbours, scope.table.word
        named = {f"{word(found.service[i])}/{word(found.environment[i])}": i for i in scope.items(found)}
        keys = {key: i for key, i in named.items() if key in scope.services}
        if column == "version":
            return {key: word(found.version[i]) for key, i in keys.items() if found.version[i]}
        return {key: int(found.open_incidents[i]) for key, i in keys.items()}

    return read


_OF_CHANGES, _OF_REVIEWS = ("releases", "changes"), ("releases", "changes", "reviews")
_OF_TESTS, _OF_STAYS = ("releases", "suites"), ("releases", "deployments", "traffic", "incidents")

VARIABLES = (
    Variable("at", "timestamp", (), lambda s: datetime.fromtimestamp(float(s.table.at[s.row]), UTC),
             "the moment of the decision; `at.getHours('Europe/Berlin')`"),
    Variable("environment", "string", (), lambda s: s.table.word(s.table.environment[s.row]),
             "where the release is to go"),
    Variable("tier", "string", (), lambda s: s.setting.tier, "the service's tier"),
    Variable("release.version", "string", (), lambda s: s.table.word(s.table.version[s.row]), "its version"),
    Variable("release.changes", "int", ("releases",), _count_of_changes, "how many changes it holds"),
    Variable("release.lines", "int", _OF_CHANGES, _total("lines"), "lines that its changes touch"),
    Variable("release.files", "int", _OF_CHANGES, _total("files"),
             "files that its changes touch, a file once for each change"),
    Variable("release.paths", "list", _OF_CHANGES, _paths, "every path that its changes touch"),
    Variable("review.approvals", "int", _OF_REVIEWS, _approvals,
             "approvals by others than the author, of the change that has fewest"),
    Variable("review.refusals", "int", _OF_REVIEWS, _refusals, "reviewers whose last word asks for changes"),
    Variable("suites", "texts", _OF_TESTS, _suites,
             "the outcome of each suite's latest run: success, failure, error or cancel"),
    Variable("tests.passed", "int", _OF_TESTS, _tests("passed"), "tests that passed, in all suites"),
    Variable("tests.failed", "int", _OF_TESTS, _tests("failed"), "tests that failed or broke"),
    Variable("tests.skipped", "int", _OF_TESTS, _tests("skipped"), "tests that were skipped"),
    Variable("edge_cases.documented", "int", (*_OF_TESTS, "edge_cases"), _cases("edge_cases", passed=False),
             "documented edge cases of the service"),
    Variable("edge_cases.passed", "int", (*_OF_TESTS, "edge_cases"), _cases("edge_cases", passed=True),
             "those whose test passed"),
    Variable("guards.proven", "int", (*_OF_TESTS, "amendments"), _cases("guards", passed=False),
             "tests of proven or active amendments"),
    Variable("guards.passed", "int", (*_OF_TESTS, "amendments"), _cases("guards", passed=True),
             "those that passed"),
    Variable("sign_offs", "flags", ("releases", "sign_offs"), _sign_offs,
             "by role: granted, and refused nowhere"),
    Variable("soak.hours", "numbers", _OF_STAYS, _stays("hours"),
             "by environment: hours of its present stay without incident"),
    Variable("soak.requests", "counts", _OF_STAYS, _stays("requests"),
             "by environment: requests served in that time"),
    Variable("soak.open_incidents", "counts", _OF_STAYS, _stays("open_incidents"),
             "by environment: incidents of its present stay that are open"),
    Variable("watchers", "int", ("shifts",), _on_shift,
             "people of the service's team on an acknowledged shift"),
    Variable("watch", "texts", ("releases", "results"), _results("watch"),
             "by environment: what its watch came to: pass, block, undecided or error"),
    Variable("running", "texts", ("neighbours",), _neighbours("version"),
             "by `service/environment`: the version that runs there"),
    Variable("open_incidents", "counts", ("neighbours",), _neighbours("open_incidents"),
             "by `service/environment`: incidents of the last 90 days that are open there"),
)  # fmt: skip

BY_NAME: Mapping[str, Variable] = {variable.name: variable for variable in VARIABLES}
