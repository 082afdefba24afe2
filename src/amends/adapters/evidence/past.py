"""Past deployments out of a folder of facts, with the moment of each decision and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from amends.adapters.evidence.database import Array
from amends.adapters.evidence.declarations import Declarations
from amends.adapters.evidence.facts import CHANGE, LANE, NAME
from amends.adapters.evidence.ranges import Ranges, spread
from amends.adapters.evidence.reading import Folder
from amends.adapters.evidence.relations import whole
from amends.backtests.deployments import FAILURE, INCIDENT, REVERT, ROLLBACK, Deployments, Outcomes
from amends.backtests.names import ReleaseNames
from amends.gates.questions import Questions
from amends.gates.table import Bools, Floats, Ints
from amends.releases.catalogue import Release

_LONG_AGO = datetime.fromtimestamp(0, UTC)
_ROLLED_BACK = 2  # the place of service.rolledback among the kinds of its table


@dataclass(slots=True)
class PastDeployments:
    """Reads the deployments of some services (all, if none is named) to one environment."""

    folder: Folder
    services: Collection[str]
    environment: str
    moves: dict[str, Array] = field(init=False)
    canonical: Ints = field(init=False)

    def read(self) -> Deployments:
        """Return them, by when they took over."""
        columns = ("lane", "name", "left", "turn", "occurred", "deployment", "event", "rank")
        self.moves = dict(zip(columns, self.folder.columns("moves", *columns), strict=True))
        place = np.flatnonzero(self._is_here(self.moves["lane"]) & (self.moves["turn"] != _ROLLED_BACK))
        place = place[np.argsort(self.moves["rank"][place])]
        self.canonical = self._canonical()
        name = self.canonical[self.moves["name"][place]]
        deployed, deployment = self.moves["occurred"][place], whole(self.moves["deployment"][place])
        names = self.folder.pairs(NAME)
        told = Declarations.known(self.folder, name, None)
        questions = Questions(
            self.folder.words, whole(names.first[name]), whole(names.second[name]), told.commit, told.digest,
            np.full(len(name), self._code(self.environment)), self._decided(name, deployed, deployment),
        )  # fmt: skip
        return Deployments(
            questions, deployed, deployment, self._events(self.moves["event"][place]), _again(name),
            self._outcomes(name, deployment, told),
        )  # fmt: skip

    def _code(self, word: str) -> int:
        try:
            return self.folder.words.index(word)
        except ValueError:
            return -1

    def _events(self, numbers: Any) -> Ints:
        return whole(numbers) + self.folder.word_count

    def _is_here(self, lane: Array) -> Bools:
        lanes = self.folder.pairs(LANE)
        here = lanes.second == self._code(self.environment)
        if self.services:
            here &= np.isin(lanes.first, [self._code(service) for service in self.services])
        return np.asarray(here[lane], dtype=np.bool_)

    def _canonical(self) -> Ints:
        """Return for the code of each name that of the version it means, whenever that was declared."""
        names = self.folder.pairs(NAME)
        found = np.arange(len(names))
        (declared,) = self.folder.columns("releases", "name")
        other = np.ones(len(names), dtype=np.bool_)
        other[declared] = False
        declares = np.zeros(self.folder.word_count, dtype=np.bool_)
        declares[names.first[declared]] = True
        other &= declares[names.first] & (names.second > 0)
        if other.any():
            self._resolve(found, np.flatnonzero(other & self._used()))
        return found

    def _used(self) -> Bools:
        """Return which names the facts about deployments here use."""
        used = np.zeros(len(self.folder.pairs(NAME)), dtype=np.bool_)
        for table in ("moves", "decided", "requested", "incidents"):
            lane, name = self.folder.columns(table, "lane", "name")
            used[name[self._is_here(lane)]] = True
        used[self.moves["left"][self._is_here(self.moves["lane"])]] = True
        return used

    def _resolve(self, found: Ints, names: Ints) -> None:
        pairs, words = self.folder.pairs(NAME), self.folder.words
        services = np.unique(pairs.first[names])
        releases, codes = self._releases(services)
        index = ReleaseNames(releases)
        for name in names.tolist():
            ref = index.declared(words[int(pairs.first[name])], words[int(pairs.second[name])])
            if ref is not None:
                found[name] = codes[ref.service, ref.version]

    def _releases(self, services: Array) -> tuple[list[Release], dict[tuple[str, str], int]]:
        """Return every release of some services, oldest first, and the codes of their names."""
        name, service, rank = self.folder.columns("releases", "name", "service", "rank")
        places = np.flatnonzero(np.isin(service, services))
        places = places[np.argsort(rank[places])]
        _, first = np.unique(name[places], return_index=True)
        chosen = name[places[np.sort(first)]]
        told = Declarations.known(self.folder, chosen, None)
        pairs, words = self.folder.pairs(NAME), self.folder.words
        releases, codes = [], {}
        for index, code in enumerate(chosen.tolist()):
            owner, version = words[int(pairs.first[code])], words[int(pairs.second[code])]
            codes[owner, version] = code
            commit, digest = words[int(told.commit[index])], words[int(told.digest[index])]
            releases.append(Release(owner, version, commit, digest, (), "", "", _LONG_AGO, None, ""))
        return releases, codes

    def _decided(self, name: Ints, deployed: Floats, deployment: Ints) -> Floats:
        """Return when each was decided on: its gates' decision, else its request, else its taking over."""
        at = self._latest("decided", "at", name, deployed, deployment)
        asked = self._latest("requested", "occurred", name, deployed, deployment)
        return np.where(np.isnan(at), np.where(np.isnan(asked), deployed, asked), at)

    def _latest(self, table: str, moment: str, name: Ints, deployed: Floats, deployment: Ints) -> Floats:
        lane, key, then, of = self.folder.columns(table, "lane", "name", moment, "deployment")
        here = np.flatnonzero(self._is_here(lane))
        key, then, of = self.canonical[key[here]], then[here], of[here]
        order = np.lexsort((then, key))
        key, then, of = key[order], then[order], of[order]
        row, place = Ranges(key, len(self.canonical)).expand(name)
        kept = (then[place] <= deployed[row]) & (
            (deployment[row] == 0) | (of[place] == 0) | (of[place] == deployment[row])
        )
        found = np.full(len(name), np.nan)
        found[row[kept]] = then[place[kept]]  # the last one assigned is the latest
        return found

    def _outcomes(self, name: Ints, deployment: Ints, told: Declarations) -> Outcomes:
        rows = np.argsort(name, kind="stable")
        of_name = Ranges(name[rows], len(self.canonical))
        parts = [self._rollbacks(of_name), *self._incidents(of_name, name, deployment), self._reverts(told)]
        made = []
        for index, (owner, place, kind, columns) in enumerate(parts):
            row = rows[place] if index < 2 else place
            made.append((row, np.full(len(row), kind, np.int8), *(column[owner] for column in columns)))
        row, kinds, names, classified, at, event = (np.concatenate(part) for part in zip(*made, strict=True))
        order = np.lexsort((event, row))
        return Outcomes(
            row[order], kinds[order], whole(names[order]), classified[order].astype(np.int8), at[order],
            self._events(event[order]),
        )  # fmt: skip

    def _rollbacks(self, of_name: Ranges) -> tuple[Ints, Ints, int, list[Array]]:
        place = np.flatnonzero(self._is_here(self.moves["lane"]) & (self.moves["turn"] == _ROLLED_BACK))
        left = self.moves["left"][place]
        named = self.folder.pairs(NAME).second[left] > 0
        place, left = place[named], left[named]
        owner, index = of_name.expand(self.canonical[left])
        nothing = np.zeros(len(place), dtype=np.int64)
        columns = [nothing, nothing + FAILURE, self.moves["occurred"][place], self.moves["event"][place]]
        return owner, index, ROLLBACK, columns

    def _incidents(
        self, of_name: Ranges, own: Ints, deployment: Ints
    ) -> list[tuple[Ints, Ints, int, list[Array]]]:
        lane, name, service, named, incident, mine, occurred, event = self.folder.columns(
            "incidents", "lane", "name", "service", "named", "incident", "deployment", "occurred", "event"
        )
        place = np.flatnonzero(self._is_here(lane))
        columns = [incident[place], np.full(len(place), FAILURE), occurred[place], event[place]]
        release = np.where(named[place], self.canonical[name[place]], -1) if len(place) else place
        owner, index = of_name.expand(release)
        wanted = np.where(named[place], 0, mine[place])
        by_deployment = np.argsort(deployment, kind="stable")
        first = np.searchsorted(deployment[by_deployment], wanted, side="left")
        last = np.searchsorted(deployment[by_deployment], wanted, side="right")
        other, at = spread(first, np.where(wanted > 0, last - first, 0))
        services = self.folder.pairs(NAME).first[own[by_deployment[at]]]
        same = services == service[place][other]
        other, at = other[same], at[same]
        return [(owner, index, INCIDENT, columns), (other, by_deployment[at], INCIDENT, columns)]

    def _reverts(self, told: Declarations) -> tuple[Ints, Ints, int, list[Array]]:
        change, classified, occurred, event = self.folder.columns(
            "reverts", "change", "classified", "occurred", "event"
        )
        words = self.folder.pairs(CHANGE).second
        columns = [words[change], classified, occurred, event]
        (count,) = self.folder.columns("releases", "n_release_changes")
        (made_of,) = self.folder.columns("release_changes", "change")
        rows = np.flatnonzero(told.place >= 0)
        item, place = spread((np.cumsum(count) - count)[told.place[rows]], count[told.place[rows]])
        order = np.argsort(change, kind="stable")
        found, index = Ranges(change[order], len(words)).expand(made_of[place])
        return order[index], rows[item[found]], REVERT, columns


def _again(name: Ints) -> Bools:
    """Mark every deployment of a release but its first."""
    if not len(name):
        return np.zeros(0, dtype=np.bool_)
    first = np.zeros(int(name.max()) + 1, dtype=np.int64)
    first[name[::-1]] = np.arange(len(name))[::-1]  # the last one assigned is the first deployment
    return np.asarray(first[name] != np.arange(len(name)), dtype=np.bool_)
