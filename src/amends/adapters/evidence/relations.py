"""The relations of the evidence table that rest on one kind of fact each, but those about changes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.ranges import last_of, spread
from amends.gates.table import Floats, Ints, Overrides, Results, Shifts, SignOffs, Suites, team_name


def whole(column: Any) -> Ints:
    """Return a column as the table keeps whole numbers."""
    found: Ints = column.astype(np.int64, copy=False)
    return found


def event_codes(asked: Asked, numbers: Any) -> Ints:
    """Return the codes of events by their numbers; -1 is none."""
    codes: Ints = numbers + np.int64(asked.folder.word_count)
    if len(numbers) and numbers.min() < 0:
        codes[numbers < 0] = 0
    return codes


def make_suites(asked: Asked) -> Suites:
    """Return the latest run of each suite."""
    row, place = asked.reach("suites", "suites", "suite")
    suite, outcome, passed, failed, skipped, detail, event, listed, tested, spelt = asked.folder.columns(
        "suites", "suite", "outcome", "passed", "failed", "skipped", "detail", "event", "listed", "digest",
        "spelt",
    )  # fmt: skip
    last = last_of(row, suite[place])
    row, place = row[last], place[last]
    return Suites(
        row, whole(suite[place]), outcome[place], passed[place], failed[place], skipped[place],
        whole(detail[place]), event_codes(asked, event[place]), listed[place],
        _digests(asked, row, tested[place], spelt[place]),
    )  # fmt: skip


def _digests(asked: Asked, row: Ints, tested: Any, spelt: Any) -> Ints:
    """Return the digest that each run tested: as it says, or because it names the release by its digest."""
    mine = asked.bare[row]
    return np.where(tested > 0, tested, np.where((mine > 0) & (spelt == mine), mine, 0)).astype(np.int64)


def make_results(asked: Asked) -> Results:
    """Return the release's last watched deployment in each environment, and its last replay."""
    decision, part, environment, detail, event = asked.folder.columns(
        "results", "decision", "part", "environment", "detail", "event"
    )
    row, place = asked.reach("results", "results", "part", "environment")
    began = decision[place] >= 0
    row, place = row[began], place[began]
    last = last_of(row, part[place], environment[place])
    row, place = row[last], place[last]
    return Results(
        row, whole(part[place]), whole(environment[place]), decision[place], whole(detail[place]),
        event_codes(asked, event[place]),
    )  # fmt: skip


def make_sign_offs(asked: Asked) -> SignOffs:
    """Return the latest word of each role, for each environment that it named."""
    row, place = asked.reach("sign_offs", "sign_offs", "role", "environment")
    role, environment, granted, event = asked.folder.columns(
        "sign_offs", "role", "environment", "granted", "event"
    )
    last = last_of(row, role[place], environment[place])
    row, place = row[last], place[last]
    return SignOffs(
        row, whole(role[place]), whole(environment[place]), granted[place], event_codes(asked, event[place])
    )


def make_overrides(asked: Asked) -> Overrides:
    """Return the overrides in force, an item for each gate that they name."""
    row, place = asked.reach("overrides", "overrides")
    environment, honest, expires, event, count = asked.folder.columns(
        "overrides", "environment", "honest", "expires", "event", "n_override_gates"
    )
    (gate,) = asked.folder.columns("override_gates", "gate")
    holds = honest[place] & (expires[place] > asked.at[row]) & (environment[place] == asked.environment[row])
    row, place = row[holds], place[holds]
    item, at = spread((np.cumsum(count) - count)[place], count[place])
    return Overrides(row[item], whole(gate[at]), expires[place[item]], event_codes(asked, event[place[item]]))


def make_shifts(asked: Asked, teams: Collection[str] | None) -> Shifts:
    """Return the latest word on each shift that has not ended, of some teams or of all."""
    whose, team, role, person, starts, ends, acknowledged, known, event, rank = asked.folder.columns(
        "shifts",
        "whole",
        "team",
        "role",
        "person",
        "starts",
        "ends",
        "acknowledged",
        "known",
        "event",
        "rank",
    )
    order = np.argsort(rank) if teams is None else _of_teams(asked, team, rank, teams)
    moments = np.argsort(asked.at, kind="stable")
    at = asked.at[moments]
    ended = np.searchsorted(at, ends[order], side="left")
    begun = np.where(np.isnan(known[order]), 0, np.searchsorted(at, known[order], side="left"))
    shift, place = spread(begun, np.maximum(ended - begun, 0))
    row, shift = moments[place], order[shift]
    row, shift = asked.dated("shifts", row, shift, known)
    spelt = _numbered(whose, role, person, starts)
    sort = np.lexsort((rank[shift], spelt[shift], row))
    row, shift = row[sort], shift[sort]
    last = last_of(row, spelt[shift])
    row, shift = row[last], shift[last]
    return Shifts(
        row, whole(team[shift]), whole(role[shift]), whole(person[shift]), starts[shift], ends[shift],
        acknowledged[shift], event_codes(asked, event[shift]),
    )  # fmt: skip


def _of_teams(asked: Asked, team: Any, rank: Any, teams: Collection[str]) -> Ints:
    codes = asked.folder.words.codes(sorted({team_name(name) for name in teams}))
    order = np.argsort(rank)
    return order[np.isin(team[order], codes)]


def _numbered(whose: Any, role: Any, person: Any, starts: Floats) -> Ints:
    """Number what is the same shift: team, role, person and beginning."""
    found = np.zeros(len(starts), dtype=np.int64)
    for column in (whose, role, person, starts):
        _, part = np.unique(column, return_inverse=True)
        _, found = np.unique(found * (int(part.max(initial=0)) + 1) + part, return_inverse=True)
    return found
