"""Where each row's release stands: its present stay in every environment, and what it served there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.facts import LANE, NAME
from amends.adapters.evidence.merging import MOVES_BY_NAME
from amends.adapters.evidence.ranges import Ranges, counted, last_of
from amends.adapters.evidence.relations import event_codes, whole
from amends.adapters.evidence.trouble import Trouble, find_stays
from amends.gates.table import Bools, Floats, Ints, Stays


@dataclass(slots=True)
class Staying:
    """Stays of every row, sorted by row and environment. ``start`` is a place among the moves, -1: gone."""

    asked: Asked
    row: Ints = field(init=False)
    environment: Ints = field(init=False)
    lane: Ints = field(init=False)
    start: Ints = field(init=False)

    def __post_init__(self) -> None:
        lane, known, environment = self.asked.folder.columns("moves", "lane", "known", "environment")
        self._count_undated(lane, known)
        row, place = self._mine(known)
        order = np.lexsort((place, environment[place], row))
        row, place = row[order], place[order]
        last = last_of(row, lane[place])
        gone = self._left(place[last], row[last], lane, known)
        begins = self._begins(row, place, last, known)
        self.row, self.environment = row[last], whole(environment[place[last]])
        self.lane = whole(lane[place[last]])
        self.start = np.where(gone, -1, begins)

    def _count_undated(self, lane: Any, known: Floats) -> None:
        """Count what concerns a row although nobody dated it: every such move of its service."""
        unknown = np.isnan(known)
        if unknown.any():
            services = self.asked.folder.pairs(LANE).first[lane[unknown]]
            per_service = counted(services, len(self.asked.folder.words))
            self.asked.undated["deployments"] += per_service[self.asked.service]

    def _mine(self, known: Floats) -> tuple[Ints, Ints]:
        """Return each row's moves that its release took over by, as far as they were known."""
        name, moves = self.asked.folder.columns(MOVES_BY_NAME, "name", "place")
        pair, index = Ranges(name, len(self.asked.folder.pairs(NAME))).expand(self.asked.pairs_name)
        row, place = self.asked.pairs_row[pair], whole(moves[index])
        kept = known[place] <= self.asked.at[row]
        return row[kept], place[kept]

    def _left(self, last: Ints, row: Ints, lane: Any, known: Floats) -> Bools:
        """Whether a later move of the environment was known, which can only be another release's."""
        if not len(last):
            return np.zeros(0, dtype=np.bool_)
        earliest = _earliest_from(lane, known)
        after = np.minimum(last + 1, len(lane) - 1)
        same = (last + 1 < len(lane)) & (lane[after] == lane[last])
        return np.asarray(same & (earliest[after] <= self.asked.at[row]), dtype=np.bool_)

    def _begins(self, row: Ints, place: Ints, last: Bools, known: Floats) -> Ints:
        """Return where each stay began: at its first move after which no other release's was known."""
        ends = np.flatnonzero(last)
        begins = place[ends].copy()
        first = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
        for stay in np.flatnonzero(ends > first):  # seldom: the release was brought there more than once
            at = self.asked.at[row[ends[stay]]]
            for index in range(int(ends[stay]), int(first[stay]), -1):
                between = known[place[index - 1] + 1 : place[index]]
                if (between <= at).any():
                    break
                begins[stay] = place[index - 1]
        return begins

    def stays(self) -> Stays:
        """Return the relation."""
        occurred, event = self.asked.folder.columns("moves", "occurred", "event")
        here = self.start >= 0
        if len(occurred):
            since = np.where(here, occurred[self.start], np.nan)
            begun = event_codes(self.asked, np.where(here, event[self.start], -1))
        else:
            since, begun = np.zeros(0), np.zeros(0, dtype=np.int64)
        del occurred, event
        trouble = Trouble(self.asked, self.row, self.environment, self.lane, since)
        requests, observations, traffic = self._served(trouble.quiet)
        return Stays(
            self.row, self.environment, since, trouble.quiet, requests, observations, trouble.open, begun,
            trouble.event, traffic,
        )  # fmt: skip

    def _served(self, quiet: Floats) -> tuple[Ints, Ints, Ints]:
        """Return requests and observations in each stay's quiet time, and the last observation's event."""
        row, place = self.asked.reach("traffic", "traffic")
        environment, count, since, until, event = self.asked.folder.columns(
            "traffic", "environment", "requests", "since", "until", "event"
        )
        stay = find_stays(self.row, self.environment, row, environment[place])
        kept = stay >= 0
        row, place, stay = row[kept], place[kept], stay[kept]
        begin, end = since[place], until[place]
        first = np.fmax(begin, quiet[stay])  # no quiet time: all counts
        last = np.minimum(end, self.asked.at[row])
        counts = (first <= last) & ~((first == last) & (begin != end))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(end > begin, (last - first) / (end - begin), 1.0)
        served = np.trunc(count[place] * share + 1e-9)
        stay, place, served = stay[counts], place[counts], served[counts]
        latest = np.full(len(self.row), -1, dtype=np.int64)
        latest[stay] = event[place]  # of several the last one stays
        requests, observations = counted(stay, len(self.row), served), counted(stay, len(self.row))
        return requests, observations, event_codes(self.asked, latest)


def _earliest_from(lane: Any, known: Floats) -> Floats:
    """Return for each move the earliest moment at which it or a later one of its lane was known."""
    found = np.where(np.isnan(known), np.inf, known)
    if bool(((found[1:] >= found[:-1]) | (lane[1:] != lane[:-1])).all()):
        return found  # what happened later was known later, as nearly always
    starts = np.flatnonzero(np.append(True, lane[1:] != lane[:-1]))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(lane)], strict=True):
        found[start:end] = np.minimum.accumulate(found[start:end][::-1])[::-1]
    return found
