"""Incidents of stays: which are open, and since when it has been quiet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.database import Array
from amends.adapters.evidence.facts import NAME
from amends.adapters.evidence.ranges import Ranges, counted, last_of, spread
from amends.adapters.evidence.relations import event_codes, whole
from amends.gates.table import Floats, Ints

_OPENED = ("lane", "name", "service", "named", "environment", "incident", "known", "occurred", "event")
_ENDED = ("incident", "known", "occurred", "turn", "event")
_RESOLVED = 0  # the place of incident.resolved among the kinds of its table


@dataclass(slots=True)
class Trouble:
    """For each stay: since when it is quiet, how many incidents are open, and the event that says so.

    Stays are sorted by row and environment.
    """

    asked: Asked
    row: Ints
    environment: Ints
    lane: Ints
    since: Floats
    quiet: Floats = field(init=False)
    open: Ints = field(init=False)
    event: Ints = field(init=False)
    opened: dict[str, Array] = field(init=False)
    ended: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        folder = self.asked.folder
        self.opened = dict(zip(_OPENED, folder.columns("incidents", *_OPENED), strict=True))
        self.ended = dict(zip(_ENDED, folder.columns("incident_ends", *_ENDED), strict=True))
        row, place = self._named()
        self._count_undated_ends(row, place)
        stay, incident = self._of_stays(row, place)
        end = self._ends(stay, incident)
        self._judge(stay, incident, end)

    def _named(self) -> tuple[Ints, Ints]:
        """Return the known incidents that name each row's release; count those that nobody dated."""
        opened, asked = self.opened, self.asked
        named = np.flatnonzero(opened["named"])
        named = named[np.argsort(opened["name"][named], kind="stable")]
        pair, index = Ranges(opened["name"][named], len(asked.folder.pairs(NAME))).expand(asked.pairs_name)
        self._count_undated_openings()
        known, began = opened["known"], opened["occurred"]
        return asked.dated("incidents", asked.pairs_row[pair], named[index], known, began)

    def _count_undated_openings(self) -> None:
        """Count, of incidents that name no release, those that nobody dated and that had begun."""
        opened, asked = self.opened, self.asked
        unknown = np.isnan(opened["known"]) & ~opened["named"]
        for service in np.unique(opened["service"][unknown]):
            began = np.sort(opened["occurred"][unknown & (opened["service"] == service)])
            row = np.flatnonzero(asked.service == service)
            asked.undated["incidents"][row] += np.searchsorted(began, asked.at[row], side="left")

    def _count_undated_ends(self, row: Ints, place: Ints) -> None:
        """Count ends that nobody dated, of incidents that were known and may be the row's."""
        incident = self.ended["incident"][np.isnan(self.ended["known"])]
        if not len(incident):
            return
        opened, asked = self.opened, self.asked
        pairs = {(int(r), int(opened["incident"][p])) for r, p in zip(row, place, strict=True)}
        for index in np.flatnonzero(~opened["named"] & np.isin(opened["incident"], incident)):
            mine = (asked.service == opened["service"][index]) & (asked.at >= opened["known"][index])
            pairs |= {(int(r), int(opened["incident"][index])) for r in np.flatnonzero(mine)}
        count = dict(zip(*(part.tolist() for part in np.unique(incident, return_counts=True)), strict=True))
        for r, name in pairs:
            asked.undated["incidents"][r] += count.get(name, 0)

    def _of_stays(self, row: Ints, place: Ints) -> tuple[Ints, Ints]:
        """Return pairs of a stay and an incident that is of it, incidents in the order of their opening."""
        stay = find_stays(self.row, self.environment, row, self.opened["environment"][place])
        stays, places = [stay[stay >= 0]], [place[stay >= 0]]
        others = np.flatnonzero(~self.opened["named"])
        lanes = self.opened["lane"][others]
        mine = np.flatnonzero(np.isin(self.lane, lanes) & ~np.isnan(self.since)) if len(others) else others
        for lane in np.unique(self.lane[mine]):
            found = self._unnamed(mine[self.lane[mine] == lane], others[lanes == lane])
            stays.append(found[0])
            places.append(found[1])
        stay, place = np.concatenate(stays), np.concatenate(places)
        order = np.lexsort((place, stay))
        return stay[order], place[order]

    def _unnamed(self, stays: Ints, places: Ints) -> tuple[Ints, Ints]:
        """Pair stays with the incidents of their environment that name no release and began since."""
        occurred, known = self.opened["occurred"][places], self.opened["known"][places]
        earliest = np.minimum.accumulate(np.where(np.isnan(known), np.inf, known)[::-1])[::-1]
        at = self.asked.at[self.row[stays]]
        low = np.searchsorted(occurred, self.since[stays], side="left")
        high = np.searchsorted(earliest, at, side="right")
        index, place = spread(low, np.maximum(high - low, 0))
        kept = known[place] <= at[index]
        return stays[index[kept]], places[place[kept]]

    def _ends(self, stay: Ints, incident: Ints) -> Ints:
        """Return where the last known end of each pair's incident stands, -1 where it is not resolved."""
        ended, names = self.ended, self.opened["incident"][incident]
        first = np.searchsorted(ended["incident"], names, side="left")
        counts = np.searchsorted(ended["incident"], names, side="right") - first
        pair, place = spread(first, counts)
        kept = ended["known"][place] <= self.asked.at[self.row[stay[pair]]]
        pair, place = pair[kept], place[kept]
        last = last_of(pair)
        pair, place = pair[last], place[last]
        found = np.full(len(stay), -1, dtype=np.int64)
        resolved = ended["turn"][place] == _RESOLVED
        found[pair[resolved]] = place[resolved]
        return found

    def _judge(self, stay: Ints, incident: Ints, end: Ints) -> None:
        still = end < 0
        self.open = counted(stay[still], len(self.row))
        numbers = np.full(len(self.row), -1, dtype=np.int64)
        self.quiet = self.since.copy()
        if (~still).any():
            over = self.ended["occurred"][np.maximum(end, 0)]
            counts = ~still & (over >= self.since[stay])
            np.maximum.at(self.quiet, stay[counts], over[counts])
            numbers[stay[counts]] = self.ended["event"][end[counts]]  # of several the last one stays
        numbers[stay[still]] = self.opened["event"][incident[still]]
        self.event = event_codes(self.asked, whole(numbers))


def find_stays(rows: Ints, environments: Ints, row: Ints, environment: Any) -> Ints:
    """Return which of the stays (sorted by row, then environment) each pair is of; -1: of none."""
    if not len(rows):
        return np.full(len(row), -1, dtype=np.int64)
    width = int(max(environments.max(), environment.max(initial=0))) + 1
    keys, wanted = rows * width + environments, row * width + environment
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
