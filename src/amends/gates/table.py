"""The evidence table: what the log knows about releases at moments, as NumPy columns.

A row is a question: one release, one environment, one moment. What differs in number from row to row (the
changes of a release, its approvals, its suites) is a *relation*: arrays of equal length whose first column
``row`` says which row each item belongs to and never falls, so that counting is ``np.bincount(row)`` and an
item's place is ``np.searchsorted``. Words (names of suites, teams, pseudonyms, event ids) are codes into one
vocabulary, so that equality is an integer comparison; code 0 is the empty word. Times are seconds since the
epoch in float64, NaN where there is none.
 Builders put into the table only facts with ``known_at`` at or before the row's moment, already reduced to
what no gate's parameter can change (the latest verdict of each reviewer, the latest run of each suite, the
present stay of the release in each environment). ``undated`` counts, per family, the facts that concern a
row and whose ``known_at`` nobody stated.

There are two builders: ``gates.evidence`` folds facts, for live decisions; a bulk builder fills the same
columns with as-of joins.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.int8]
_T = TypeVar("_T")

FAMILIES = (
    "releases", "changes", "reviews", "suites", "sign_offs", "deployments", "traffic", "incidents", "shifts",
    "overrides", "quarantines", "edge_cases", "amendments", "results", "neighbours",
)  # fmt: skip

APPROVED, CHANGES_REQUESTED = 1, 2
SUITE_OUTCOMES = ("success", "failure", "error", "cancel")
UNSEEN, PASSED, FAILED, BROKEN, SKIPPED = -1, 0, 1, 2, 3
"""The outcomes of one test: not among the cases of any suite's latest run, passed, failed, error, skipped."""
OPEN_AT_MOST = 90 * 86400.0
"""Seconds after which an incident of another service that nobody resolved no longer counts as open."""


class Words(Protocol):
    """A vocabulary: code 0 is the empty word. Live it is a tuple; in bulk words are read when looked at."""

    def __len__(self) -> int:
        """Return how many codes there are."""

    def __getitem__(self, code: int, /) -> str:
        """Return a code's word."""

    def index(self, word: str, /) -> int:
        """Return a word's code. Raises ``ValueError`` when it has none."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the release. ``merged`` is false for one that is only named by the release; ``owned`` is
    false where the change's owners were not recorded, ``reviews_known`` where its reviews were not.
    ``lines`` and ``files`` say how many it touches, -1 where nobody recorded that.
    """

    row: Ints
    change: Ints
    author: Ints
    merged: Bools
    owned: Bools
    event: Ints
    reviews_known: Bools
    lines: Ints
    files: Ints


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that a change touches, each once. ``item`` is the index into ``Changes``."""

    row: Ints
    item: Ints
    path: Ints


@dataclass(frozen=True, slots=True)
class Owners:
    """Owners of the touched paths. ``item`` is the index into ``Changes``; one entry of any ``group`` is
    enough for that group, each group is needed. ``owner`` is a team without ``@`` and organisation where
    ``team`` is set, otherwise a pseudonym, which no sentence may show.
    """

    row: Ints
    item: Ints
    group: Ints
    owner: Ints
    team: Bools


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The latest verdict of each reviewer on each change; comments are no verdict.

    ``item`` is the index into ``Changes``, ``verdict`` is ``APPROVED`` or ``CHANGES_REQUESTED``.
    """

    row: Ints
    item: Ints
    reviewer: Ints
    team: Ints
    verdict: Codes
    event: Ints


@dataclass(frozen=True, slots=True)
class Suites:
    """The latest run of each suite against the release. ``outcome`` indexes ``SUITE_OUTCOMES``; ``detail``
    is the word that names up to three failed tests. ``listed`` counts the tests that the run names, and
    ``digest`` is the bare digest of the artifact that it tested, 0 where nobody recorded it.
    """

    row: Ints
    suite: Ints
    outcome: Codes
    passed: Ints
    failed: Ints
    skipped: Ints
    detail: Ints
    event: Ints
    listed: Ints
    digest: Ints


@dataclass(frozen=True, slots=True)
class EdgeCases:
    """The documented edge cases of the row's service that nobody retired.

    ``test`` is the selector of its test, ``suite`` the suite that runs it, 0 for any. ``outcome`` is that of
    the test in the latest runs of the release's suites (``gates.testnames``), ``event`` the run that
    says so, 0 where it was not seen; ``documented`` is the event that documents the edge case.
    """

    row: Ints
    case: Ints
    test: Ints
    suite: Ints
    outcome: Codes
    event: Ints
    documented: Ints


@dataclass(frozen=True, slots=True)
class Guards:
    """The tests of the row's service's amendments that are proven or active: as in ``EdgeCases``.

    ``proven`` is the event by which the amendment came to its state.
    """

    row: Ints
    amendment: Ints
    selector: Ints
    outcome: Codes
    event: Ints
    proven: Ints


@dataclass(frozen=True, slots=True)
class Results:
    """The latest result of each other part of amends about the release, ``part`` being its word.

    ``watch``: the release's last deployment in ``environment`` that began. ``replay``: its last replay,
    ``environment`` 0. ``decision`` is a gate's code (``PASS``…), ``detail`` the reason in words.
    """

    row: Ints
    part: Ints
    environment: Ints
    decision: Codes
    detail: Ints
    event: Ints


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Each other service and environment that was asked about, where it was ever seen there.

    ``version`` is what runs there, 0 when only incidents are known. A move may name it by the commit or
    digest of a declaration, exactly as that spells it; the version declared last counts. Otherwise it is the
    name itself. ``since`` is when it last took over, ``event`` the move that says so. ``open_incidents``
    counts those of the last ``OPEN_AT_MOST`` seconds in the environment, of whatever release, that nobody
    resolved; ``incident`` is the event of the last of them.
    """

    row: Ints
    service: Ints
    environment: Ints
    version: Ints
    since: Floats
    open_incidents: Ints
    event: Ints
    incident: Ints


@dataclass(frozen=True, slots=True)
class SignOffs:
    """The latest word of each role about the release, per environment that it named."""

    row: Ints
    role: Ints
    environment: Ints
    granted: Bools
    event: Ints


@dataclass(frozen=True, slots=True)
class Stays:
    """How the release stands in each environment in which it was ever seen.

    ``since`` is when its present stay began: NaN when something else runs there now. ``quiet_since`` is the
    later of that and the resolution of its last incident there. ``requests`` were served since then, in
    ``observations`` observations. ``open_incidents`` are those of this stay that nobody resolved.
    """

    row: Ints
    environment: Ints
    since: Floats
    quiet_since: Floats
    requests: Ints
    observations: Ints
    open_incidents: Ints
    event: Ints
    incident: Ints
    traffic: Ints


@dataclass(frozen=True, slots=True)
class Shifts:
    """Shifts that have not ended by the row's moment: the latest word on each."""

    row: Ints
    team: Ints
    role: Ints
    person: Ints
    starts: Floats
    ends: Floats
    acknowledged: Bools
    event: Ints


@dataclass(frozen=True, slots=True)
class Overrides:
    """Overrides of the release for the row's environment that hold at its moment. ``gate`` 0: every gate."""

    row: Ints
    gate: Ints
    expires: Floats
    event: Ints


@dataclass(frozen=True, slots=True)
class Quarantines:
    """Quarantines of the release's build that nobody lifted; ``name``: the other version that has it."""

    row: Ints
    incident: Ints
    name: Ints
    event: Ints


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Evidence for ``len(table)`` questions. ``words`` is the vocabulary that all codes index.

    ``digest`` is the release's bare digest (``bare_digest``), 0 where it was declared without.
    """

    words: Words
    service: Ints
    version: Ints
    environment: Ints
    at: Floats
    declared: Bools
    digest: Ints
    changes: Changes
    paths: Paths
    owners: Owners
    verdicts: Verdicts
    suites: Suites
    edge_cases: EdgeCases
    guards: Guards
    results: Results
    sign_offs: SignOffs
    stays: Stays
    neighbours: Neighbours
    shifts: Shifts
    overrides: Overrides
    quarantines: Quarantines
    undated: Mapping[str, Ints] = field(default_factory=dict)
    _kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.at)

    def code(self, word: str) -> int:
        """Return a word's code; -1, which equals no code, for one that the table does not hold."""
        if not word:
            return 0
        try:
            return self.words.index(word)
        except ValueError:
            return -1

    def word(self, code: Any) -> str:
        """Return the word of a code."""
        return self.words[int(code)]

    def ids(self, codes: Any) -> tuple[str, ...]:
        """Return the event ids of codes, each once, in a stable order."""
        return tuple(sorted({self.words[int(code)] for code in codes if code > 0}))

    def moved_to(self, at: Floats) -> EvidenceTable:
        """Return the same evidence at other moments, with nothing kept that rests on the old ones."""
        return replace(self, at=at, _kept={})

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what ``make`` gives, made once for this table: for what no parameter of a gate changes.

        The arrays are shared by all who ask, so nobody may write to them.
        """
        if key not in self._kept:
            self._kept[key] = make()
        found: _T = self._kept[key]
        return found

    def unknown_times(self, *families: str) -> Ints:
        """Return for each row how many facts of these families nobody dated."""
        return self.once(("unknown", families), lambda: self._unknown_times(families))

    def all_dated(self, *families: str) -> bool:
        """Return whether every fact of these families says when it was known."""
        return self.once(("dated", families), lambda: not self.unknown_times(*families).any())

    def _unknown_times(self, families: tuple[str, ...]) -> Ints:
        total = np.zeros(len(self), dtype=np.int64)
        for family in families:
            if family in self.undated and self.undated[family].any():
                total += self.undated[family]
        return total


def count_rows(row: Ints, mask: Bools, rows: int) -> Ints:
    """Count, for each row of the table, the items of a relation that fit ``mask``."""
    return np.bincount(row[mask], minlength=rows).astype(np.int64)


def items_of(relation: Any, row: int) -> slice:
    """Return where a row's items are in a relation."""
    low, high = np.searchsorted(relation.row, [row, row + 1])
    return slice(int(low), int(high))


def relation_of(kind: type[Any], columns: Mapping[str, list[Any]]) -> Any:
    """Make a relation from lists, with each column's own type."""
    types = {"Ints": np.int64, "Floats": np.float64, "Bools": np.bool_, "Codes": np.int8}
    return kind(**{f.name: np.array(columns.get(f.name, []), dtype=types[str(f.type)]) for f in fields(kind)})


def team_name(name: str) -> str:
    """Return a team as it is compared: ``@org/payments`` and ``payments`` are the same team."""
    return name.removeprefix("@").rsplit("/", 1)[-1]


def bare_digest(digest: str) -> str:
    """Return a digest as it is compared: ``sha256:ABC`` and ``abc`` are the same one."""
    return digest.rpartition(":")[2].lower()
