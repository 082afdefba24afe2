"""Quarantines that stand, under whatever name of the release's build they were set.

There are few of them, and of rows that they concern: these are folded one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amends.adapters.evidence.asked import Asked
from amends.adapters.evidence.database import Array
from amends.adapters.evidence.facts import NAME
from amends.adapters.evidence.ranges import Ranges
from amends.adapters.evidence.relations import event_codes
from amends.gates.table import Quarantines
from amends.releases.catalogue import SHORTEST_COMMIT

_COLUMNS = ("name", "service", "release", "incident", "turn", "known", "event")
_DECLARED = ("service", "version", "commit", "spelt", "digest", "known")
_SET = 0  # the place of quarantine.set among the kinds of its table


@dataclass(slots=True)
class Quarantining:
    """The fold of every row's quarantines."""

    asked: Asked
    facts: dict[str, Array] = field(init=False)

    def make(self) -> Quarantines:
        """Return the relation."""
        folder = self.asked.folder
        self.facts = dict(zip(_COLUMNS, folder.columns("quarantines", *_COLUMNS), strict=True))
        items = [
            (row, *item) for row, places in sorted(self._places().items()) for item in self._fold(row, places)
        ]
        found: Any = np.array(items, dtype=np.int64).reshape(-1, 4).T
        return Quarantines(found[0], found[1], found[2], event_codes(self.asked, found[3]))

    def _places(self) -> dict[int, dict[int, bool]]:
        """Return for each row the facts that may hold it, and whether under a name of the release itself."""
        found: dict[int, dict[int, bool]] = {}
        if not len(self.facts["name"]):
            return found
        order = np.argsort(self.facts["name"], kind="stable")
        names = Ranges(self.facts["name"][order], len(self.asked.folder.pairs(NAME)))
        pair, index = names.expand(self.asked.pairs_name)
        for row, place in zip(self.asked.pairs_row[pair].tolist(), order[index].tolist(), strict=True):
            found.setdefault(row, {})[place] = True
        for row, place in self._of_kin():
            found.setdefault(row, {}).setdefault(place, False)
        return found

    def _fold(self, row: int, places: dict[int, bool]) -> Iterator[tuple[int, int, int]]:
        """Yield what stands: the incident, the other version's name, the event's number."""
        standing: dict[int, int] = {}
        at = float(self.asked.at[row])
        for place in sorted(places):
            known, incident = float(self.facts["known"][place]), int(self.facts["incident"][place])
            if known != known:
                self.asked.undated["quarantines"][row] += 1
            if not known <= at:
                continue
            if self.facts["turn"][place] == _SET:
                standing[incident] = place
            elif incident:
                standing.pop(incident, None)
            else:
                standing.clear()
        for incident, place in standing.items():
            name = 0 if places[place] else int(self.facts["release"][place])
            yield incident, name, int(self.facts["event"][place])

    def _of_kin(self) -> Iterator[tuple[int, int]]:
        """Yield rows with quarantines of other versions that were declared of the same build."""
        held: dict[tuple[int, int], list[int]] = {}
        quarantined = zip(self.facts["service"].tolist(), self.facts["release"].tolist(), strict=True)
        for place, name in enumerate(quarantined):
            held.setdefault(name, []).append(place)
        kin = self._declared(held)
        for row in self._rows_of(kin):
            service, at = int(self.asked.service[row]), float(self.asked.at[row])
            names = self._names(row)
            for said in kin:
                if said["service"] == service and not said["known"] > at and self._is_same(said, row, names):
                    for word in {said["version"], said["commit"], said["digest"]} - {0}:
                        for place in held.get((service, word), ()):
                            yield row, place

    def _declared(self, held: dict[tuple[int, int], list[int]]) -> list[dict[str, Any]]:
        """Return the declarations that give a quarantined name to a build."""
        told = dict(zip(_DECLARED, self.asked.folder.columns("releases", *_DECLARED), strict=True))
        words = np.unique(np.array([word for _, word in held], dtype=np.int64))
        named = np.zeros(len(told["version"]), dtype=np.bool_)
        for column in ("version", "commit", "digest"):
            named |= np.isin(told[column], words)
        places = np.flatnonzero(named)
        return [{name: told[name][place].item() for name in _DECLARED} for place in places]

    def _rows_of(self, kin: list[dict[str, Any]]) -> list[int]:
        """Return the rows that may be of one of these builds, by any word that is theirs."""
        builds = {said[name] for said in kin for name in ("spelt", "digest")} - {0}
        if not builds:
            return []
        asked, is_build = self.asked, np.zeros(len(self.asked.folder.words) + 1, dtype=np.bool_)
        wanted = np.array(sorted(builds), dtype=np.int64)
        is_build[wanted] = True
        is_build[asked.shorts["commit"][np.isin(asked.shorts["name"], wanted)]] = True
        is_build[0] = False
        found = np.zeros(len(asked), dtype=np.bool_)
        told = asked.declarations
        for column in (asked.version, asked.commit, asked.lower, asked.digest, told.commit, told.digest):
            found |= is_build[column]
        return [int(row) for row in np.flatnonzero(found)]

    def _names(self, row: int) -> set[int]:
        asked, told = self.asked, self.asked.declarations
        columns = (asked.version, asked.commit, asked.digest, told.commit, told.digest)
        return {int(column[row]) for column in columns} - {0}

    def _is_same(self, said: dict[str, Any], row: int, names: set[int]) -> bool:
        """Whether the release goes by the commit or digest that was declared."""
        commits = {int(self.asked.lower[row]), int(self.asked.declarations.commit[row])} - {0}
        for word in {said["spelt"], said["digest"]} - {0}:
            begun = self.asked.shorts["commit"][self.asked.shorts["name"] == word]
            if word in names or commits & set(begun.tolist()):
                return True
            if word in commits and len(self.asked.folder.words[word]) >= SHORTEST_COMMIT:
                return True
        return False
