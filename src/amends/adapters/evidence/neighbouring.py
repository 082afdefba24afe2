"""Other services at each row's moment: what of them runs where, and which of their incidents are open.

That depends on the moment alone, so it is found once for each distinct one. Moments are sorted: a fact counts
for a range of them, from the first by which it was known.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.database import Array
from amends.adapters.evidence.facts import LANE, NAME
from amends.adapters.evidence.ranges import covering, highest
from amends.adapters.evidence.reading import Folder
from amends.adapters.evidence.relations import event_codes, whole
from amends.gates.table import OPEN_AT_MOST, Bools, Floats, Ints, Neighbours, relation_of

_RESOLVED = 0  # the place of incident.resolved among the kinds of its table


def make_neighbours(asked: Asked, named: Collection[tuple[str, str]]) -> Neighbours:
    """Return each service and environment that was named, where it was ever seen there."""
    pairs = sorted(set(named))
    spelt = sorted({word for pair in pairs for word in pair})
    codes = dict(zip(spelt, asked.folder.words.codes(spelt).tolist(), strict=True))
    moments, of_row = np.unique(asked.at, return_inverse=True)
    parts = []
    for service, environment in pairs:
        found = _Neighbour(asked.folder, moments, codes[service], codes[environment])
        asked.undated["neighbours"] += found.undated[of_row]
        rows = np.flatnonzero(found.seen[of_row])
        *told, event, incident = found.columns(of_row[rows])
        parts.append((rows, *told, event_codes(asked, event), event_codes(asked, incident)))
    if not parts:
        empty: Neighbours = relation_of(Neighbours, {})
        return empty
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    by_row = np.argsort(columns[0], kind="stable")
    return Neighbours(*(column[by_row] for column in columns))


@dataclass(slots=True)
class _Neighbour:
    """One service in one environment; each column has an item for each moment.

    ``version`` is a word's code, 0 where none is known to run there; ``event`` and ``incident`` are numbers
    of events, -1 where there is none.
    """

    folder: Folder
    moments: Floats
    service: int
    environment: int
    seen: Bools = field(init=False)
    undated: Ints = field(init=False)
    version: Ints = field(init=False)
    since: Floats = field(init=False)
    open: Ints = field(init=False)
    event: Ints = field(init=False)
    incident: Ints = field(init=False)

    def __post_init__(self) -> None:
        lanes = self.folder.pairs(LANE)
        lane = np.flatnonzero((lanes.first == self.service) & (lanes.second == self.environment))
        self.undated = np.zeros(len(self.moments), dtype=np.int64)
        self._find_version(lane)
        self._find_incidents(lane)

    def columns(self, moment: Ints) -> tuple[Array, ...]:
        """Return the relation's columns for some moments, by their places."""
        here = np.full(len(moment), self.service), np.full(len(moment), self.environment)
        found = (self.version, self.since, self.open, self.event, self.incident)
        return (*here, *(column[moment] for column in found))

    def _from(self, known: Floats) -> Ints:
        """Return the place of the first moment by which each fact was known; past all of them for undated."""
        return np.searchsorted(self.moments, known, side="left")

    def _to_the_end(self, count: int) -> Ints:
        return np.full(count, len(self.moments), dtype=np.int64)

    def _find_version(self, lane: Ints) -> None:
        name, known, occurred, event = self.folder.matching(
            "moves", "lane", lane, "name", "known", "occurred", "event"
        )
        self.undated += int(np.isnan(known).sum())
        count = len(known)
        last = highest(self._from(known), self._to_the_end(count), np.arange(count), len(self.moments))
        self.seen = last >= 0
        if not self.seen.any():
            self.version, self.event = np.zeros_like(last), last
            self.since = np.full(len(last), np.nan)
            return
        self.since = np.where(self.seen, occurred[last], np.nan)
        self.event = np.where(self.seen, event[last], -1)
        self.version = self._meant(np.where(self.seen, whole(self.folder.pairs(NAME).second[name[last]]), 0))

    def _meant(self, word: Ints) -> Ints:
        """Return the version that each moment's name means, by what declares exactly that name."""
        version, spelt, digest, known = self.folder.matching(
            "releases", "service", np.array([self.service]), "version", "spelt", "digest", "known"
        )
        said, place = _once(np.concatenate([version, spelt, digest]), len(version), np.unique(word[word > 0]))
        order = np.argsort(word, kind="stable")  # moments by their name; those of one name are a range
        width = len(self.moments) + 1
        keys = word[order] * width + order
        start = np.searchsorted(keys, said * width + self._from(known[place]))
        first, stop = (np.searchsorted(keys, (said + more) * width) for more in (0, 1))
        unknown, exact = np.isnan(known[place]), version[place] == said
        undated, latest, is_version = np.zeros((3, len(word)), dtype=np.int64)
        undated[order] = covering(first[unknown], stop[unknown], len(word))
        latest[order] = highest(start, stop, place, len(word))
        is_version[order] = highest(start[exact], stop[exact], place[exact], len(word))
        self.undated += undated
        meant = word.copy()
        other = (latest >= 0) & (is_version < 0)
        meant[other] = version[latest[other]]
        return meant

    def _find_incidents(self, lane: Ints) -> None:
        incident, known, occurred, event = self.folder.matching(
            "incidents", "lane", lane, "incident", "known", "occurred", "event"
        )
        count, unknown = len(self.moments), np.isnan(known)
        stop = np.searchsorted(self.moments - OPEN_AT_MOST, occurred, side="right")
        begun = np.searchsorted(self.moments, occurred[unknown], side="right")
        self.undated += covering(begun, stop[unknown], count)
        start = self._from(known)
        counts = start < stop
        incident, start, stop, event = (column[counts] for column in (incident, start, stop, event))
        found = _Stretches(self.folder, self.moments, whole(incident), start, stop)
        self.undated += covering(found.first, found.last, count, found.undated)
        self.seen |= covering(found.first, found.last, count) > 0
        still = found.is_open
        first, last = found.first[still], found.last[still]
        self.open = covering(first, last, count)
        # The last to have been opened counts, by the event that spoke of it last.
        width = max(len(event), 1)
        newest = highest(first, last, found.earliest[still] * width + found.latest[still], count)
        self.incident = np.full(count, -1, dtype=np.int64)
        has = newest >= 0
        self.incident[has] = event[newest[has] % width]


@dataclass(slots=True)
class _Stretches:
    """Stretches of moments in which nothing changes for one incident, of those in which it counts.

    ``incident`` are words' codes, an item for each detection, oldest first; it counts from ``start`` to
    before ``stop``, places of moments. ``earliest`` and ``latest`` say which detections count in a stretch.
    """

    folder: Folder
    moments: Floats
    incident: Ints
    start: Ints
    stop: Ints
    first: Ints = field(init=False)
    last: Ints = field(init=False)
    earliest: Ints = field(init=False)
    latest: Ints = field(init=False)
    is_open: Bools = field(init=False)
    undated: Ints = field(init=False)

    def __post_init__(self) -> None:
        names = np.unique(self.incident)
        ended, turn, known = self.folder.matching(
            "incident_ends", "incident", names, "incident", "turn", "known"
        )
        width = len(self.moments) + 1
        since = whole(ended) * width + np.searchsorted(self.moments, known, side="left")
        start, stop = (self.incident * width + place for place in (self.start, self.stop))
        cuts = np.unique(np.concatenate([start, stop, since]))
        start, stop, since = (np.searchsorted(cuts, keys) for keys in (start, stop, since))
        count = len(self.incident)
        latest = highest(start, stop, np.arange(count), len(cuts))
        earliest = count - 1 - highest(start, stop, np.arange(count)[::-1], len(cuts))
        until = np.searchsorted(cuts, (whole(ended) + 1) * width)
        end = highest(since, until, np.arange(len(ended)), len(cuts))
        # After an incident's last cut it does not count any more, so the next cut is always its own.
        kept = np.flatnonzero(latest >= 0)
        self.first, self.last = cuts[kept] % width, cuts[np.minimum(kept + 1, len(cuts) - 1)] % width
        self.earliest, self.latest, end = earliest[kept], latest[kept], end[kept]
        resolved = np.append(turn == _RESOLVED, False)  # an incident without an end has place -1
        self.is_open = ~resolved[end]
        nobody_dated = np.sort(ended[np.isnan(known)])
        low, high = (
            np.searchsorted(nobody_dated, cuts[kept] // width, side=side) for side in ("left", "right")
        )
        self.undated = high - low


def _once(words: Array, count: int, wanted: Array) -> tuple[Ints, Ints]:
    """Return the wanted words, each with the places (below ``count``, again and again) where it stands."""
    place = np.arange(len(words)) % max(count, 1)
    kept = np.isin(words, wanted)
    keys = np.unique(words[kept].astype(np.int64) * max(count, 1) + place[kept])
    return keys // max(count, 1), keys % max(count, 1)
