"""What came of past deployments: which were good, and which let a defect out.

A row is a *stay*: a release taking over an environment, until another does. It is an escape when an incident
was detected there on it, when it was rolled back, or when one of its changes was reverted as a failure. A
revert whose reason nobody can tell makes the row *uncertain*: it counts on neither side, and neither does
another stay of a release that escaped. All other rows are good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from amends.backtests.deployments import (
    FAILURE,
    INCIDENT,
    NOT_FAILURE,
    REVERT,
    ROLLBACK,
    Deployments,
    Outcomes,
)  # fmt: skip
from amends.backtests.deployments import UNCERTAIN as UNSURE
from amends.backtests.loose import LooseEnd
from amends.gates.evidence import Question
from amends.gates.questions import Questions, moment_of
from amends.gates.table import Bools, Codes, Ints, Words

GOOD, ESCAPE, UNCERTAIN = range(3)


@dataclass(frozen=True, slots=True)
class Escaped:
    """An incident, by its own name or as ``revert of CHANGE`` or ``rollback of RELEASE``.

    ``row`` is the deployment that let it out; ``None`` when nobody recorded which that was.
    """

    name: str
    service: str
    release: str
    row: int | None
    at: datetime
    event: str


@dataclass(frozen=True, slots=True)
class History:
    """Past deployments in the order of their decision moments: what was asked, and what came of it.

    ``event`` (a code of ``questions.words``) is what says that the release took over or was there.
    """

    environment: str
    questions: Questions
    event: Ints
    outcome: Codes
    incidents: tuple[Escaped, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def question(self, row: int) -> Question:
        """Return one row as the gates were asked."""
        return self.questions.question(row)

    def event_id(self, row: int) -> str:
        """Return the id of a row's event."""
        return self.questions.words[int(self.event[row])]

    def between(self, since: datetime | None, until: datetime | None) -> History:
        """Return the deployments decided on from ``since`` until ``until``, with their incidents."""
        low = -np.inf if since is None else since.timestamp()
        high = np.inf if until is None else until.timestamp()
        keep = (self.questions.at >= low) & (self.questions.at < high)
        place = np.cumsum(keep) - 1
        incidents = tuple(
            Escaped(
                one.name, one.service, one.release, None if one.row is None else int(place[one.row]), one.at,
                one.event,
            )
            for one in self.incidents
            if (low <= one.at.timestamp() < high if one.row is None else keep[one.row])
        )  # fmt: skip
        return History(
            self.environment, self.questions.take(keep), self.event[keep], self.outcome[keep], incidents
        )


def past_deployments(
    found: Deployments, environment: str, *, loose: Sequence[LooseEnd] = (), no_defects: Collection[str] = ()
) -> History:
    """Make the history of an environment.

    Parameters
    ----------
    found:
        Every deployment, with what came of each.
    loose:
        Escapes of releases that never took over.
    no_defects:
        Names of incidents that are none of the release, such as a gate that was passed by.
    """
    stays, head = _stays(found)
    items = _attributed(found, head, _codes_of(found.questions.words, no_defects))
    words = _Words(found.questions.words)
    parts = _Parts.of(found, stays, words)
    parts.add_loose(loose, environment)
    return parts.history(environment, items)


def _stays(found: Deployments) -> tuple[Ints, Ints]:
    """Return the rows at which a stay begins, and for each row the place of its stay among them."""
    asked = found.questions
    order = np.lexsort((np.arange(len(found)), found.deployed, asked.service))
    service, version = asked.service[order], asked.version[order]
    begins = np.ones(len(found), dtype=np.bool_)
    begins[1:] = (service[1:] != service[:-1]) | (version[1:] != version[:-1])
    begins |= _after_rollback(found, order, begins)
    stay = np.cumsum(begins) - 1
    head = np.empty(len(found), dtype=np.int64)
    head[order] = stay
    return order[begins], head


def _after_rollback(found: Deployments, order: Ints, begins: Bools) -> Bools:
    """Find deployments of what runs already that are not: it was rolled back in between."""
    again = np.zeros(len(found), dtype=np.bool_)
    place = np.empty(len(found), dtype=np.int64)
    place[order] = np.arange(len(found))
    rolled = found.outcomes.kind == ROLLBACK
    for row, at in zip(found.outcomes.row[rolled], found.outcomes.at[rolled], strict=True):
        here = int(place[row])
        if not begins[here] and found.deployed[order[here - 1]] <= at < found.deployed[row]:
            again[here] = True
    return again


def _codes_of(words: Words, named: Collection[str]) -> Ints:
    codes = []
    for word in named:
        try:
            codes.append(words.index(word))
        except ValueError:
            continue
    return np.array(codes, dtype=np.int64)


def _attributed(found: Deployments, head: Ints, ignored: Ints) -> Outcomes:
    """Give each outcome to one stay: the last that was let in before it happened.

    A revert or a rollback from before every stay concerns none of them. An incident without such a stay is
    the first stay's: clocks differ.
    """
    of = found.outcomes
    takes = of.classified != NOT_FAILURE
    takes &= ~((of.kind == INCIDENT) & np.isin(of.name, ignored))
    row, at = of.row[takes], of.at[takes]
    kind, name, event = of.kind[takes], of.name[takes], of.event[takes]
    moment = np.minimum(found.questions.at[row], found.deployed[row])
    before = moment <= at
    order = np.lexsort((np.where(before, moment, -moment), before, name, event))
    last = np.ones(len(order), dtype=np.bool_)
    event_, name_ = event[order], name[order]
    last[:-1] = (event_[1:] != event_[:-1]) | (name_[1:] != name_[:-1])
    chosen = order[last]
    chosen = chosen[before[chosen] | (kind[chosen] == INCIDENT)]
    stay = head[row[chosen]]
    final = np.argsort(stay, kind="stable")
    pick = chosen[final]
    return Outcomes(stay[final], kind[pick], name[pick], of.classified[takes][pick], at[pick], event[pick])


class _Words:
    """A vocabulary with a few more words behind it."""

    def __init__(self, base: Words) -> None:
        self._base, self._more, self._codes = base, list[str](), dict[str, int]()

    def __len__(self) -> int:
        return len(self._base) + len(self._more)

    def __getitem__(self, code: int, /) -> str:
        size = len(self._base)
        return self._base[code] if code < size else self._more[code - size]

    def index(self, word: str, /) -> int:
        """Return a word's code. Raises ``ValueError`` when it has none."""
        return self._codes[word] if word in self._codes else self._base.index(word)

    def code(self, word: str) -> int:
        """Return a word's code, adding it where it has none."""
        try:
            return self.index(word)
        except ValueError:
            self._codes[word] = len(self)
            self._more.append(word)
            return self._codes[word]


@dataclass(slots=True)
class _Parts:
    """The rows while loose ends are added; ``extra`` are those of releases that never took over."""

    words: _Words
    columns: dict[str, Any]
    loose: list[tuple[LooseEnd, int | None]]

    @classmethod
    def of(cls, found: Deployments, stays: Ints, words: _Words) -> _Parts:
        asked = found.questions.take(stays)
        names = ("service", "version", "commit", "digest", "environment", "at")
        columns = {name: getattr(asked, name) for name in names}
        return cls(words, {**columns, "event": found.event[stays]}, [])

    def add_loose(self, loose: Sequence[LooseEnd], environment: str) -> None:
        rows: dict[tuple[str, str], int] = {}
        more: dict[str, list[Any]] = {name: [] for name in self.columns}
        for end in loose:
            if end.release is None or end.at is None:
                self.loose.append((end, None))
                continue
            key = (end.service, end.release.version)
            if key not in rows:
                rows[key] = len(self.columns["at"]) + len(more["at"])
                named = (end.service, end.release.version, end.release.commit, end.release.digest)
                for name, word in zip(("service", "version", "commit", "digest"), named, strict=True):
                    more[name].append(self.words.code(word))
                more["environment"].append(self.words.code(environment))
                more["at"].append(end.at.timestamp())
                more["event"].append(self.words.code(end.event))
            self.loose.append((end, rows[key]))
        for name, column in self.columns.items():
            self.columns[name] = np.concatenate([column, np.array(more[name], dtype=column.dtype)])

    def history(self, environment: str, items: Outcomes) -> History:
        columns = self.columns
        outcome = np.full(len(columns["at"]), GOOD, dtype=np.int8)
        outcome[items.row[items.classified == UNSURE]] = UNCERTAIN
        outcome[items.row[items.classified == FAILURE]] = ESCAPE
        outcome[[row for _, row in self.loose if row is not None]] = ESCAPE
        outcome = _without_repeats(columns, outcome)
        order = np.argsort(columns["at"], kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        asked = Questions(
            self.words, columns["service"], columns["version"], columns["commit"], columns["digest"],
            columns["environment"], columns["at"],
        ).take(order)  # fmt: skip
        incidents = [*self._incidents(items, place, asked), *self._loose_incidents(place)]
        incidents.sort(key=lambda one: (one.at, one.name))
        return History(environment, asked, columns["event"][order], outcome[order], tuple(incidents))

    def _incidents(self, items: Outcomes, place: Ints, asked: Questions) -> list[Escaped]:
        """Name what escaped; an incident on record is what a revert or a rollback answered."""
        kept = np.flatnonzero(items.classified == FAILURE)
        best = np.full(len(place), ROLLBACK + REVERT + 1, dtype=np.int64)
        rank = np.array([0, 2, 1])[items.kind]  # incident, then revert, then rollback
        np.minimum.at(best, items.row[kept], rank[kept])
        found, seen = [], set()
        for item in kept[rank[kept] == best[items.row[kept]]]:
            row = int(place[items.row[item]])
            service, version = (self.words[int(column[row])] for column in (asked.service, asked.version))
            name = _name(int(items.kind[item]), self.words[int(items.name[item])], version)
            if (row, name) not in seen:
                seen.add((row, name))
                at, event = moment_of(float(items.at[item])), self.words[int(items.event[item])]
                found.append(Escaped(name, service, version, row, at, event))
        return found

    def _loose_incidents(self, place: Ints) -> list[Escaped]:
        named = {row for end, row in self.loose if end.incident}
        found: dict[tuple[int | None, str], Escaped] = {}
        for end, row in self.loose:
            if not end.incident and row in named:
                continue
            version = end.release.version if end.release else ""
            name = end.incident or f"rollback of {version}"
            where = None if row is None else int(place[row])
            found.setdefault(
                (where, name), Escaped(name, end.service, version, where, end.happened, end.event)
            )
        return list(found.values())


def _name(kind: int, name: str, version: str) -> str:
    if kind == INCIDENT:
        return name
    return f"revert of {name}" if kind == REVERT else f"rollback of {version}"


def _without_repeats(columns: dict[str, Any], outcome: Codes) -> Codes:
    """Put other stays of releases that escaped on neither side."""
    width = int(columns["version"].max(initial=0)) + 1
    release = columns["service"] * width + columns["version"]
    escaped = np.isin(release, release[outcome == ESCAPE])
    repeats = escaped & (outcome != ESCAPE)
    return np.where(repeats, UNCERTAIN, outcome).astype(np.int8)
