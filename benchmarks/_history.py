"""A seeded history of releases, written straight into the files that the evidence cache keeps.

Of each release: its build, two changes with about three reviews, a run of its suite, a stay in staging with
traffic, and its deployment: ten events. One in a hundred has an incident in staging, one in
a hundred in production.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from amends.adapters.evidence.cache import MANIFEST, Manifest
from amends.adapters.evidence.database import Database
from amends.adapters.evidence.facts import layout
from amends.adapters.evidence.merging import merge

START, YEARS = 1_600_000_000.0, 3
SERVICES, PEOPLE, TEAMS = 100, 5_000, 20
LABELS = ["", "staging", "production", "unit", *(f"service-{n}" for n in range(SERVICES)),
          *(f"p-{n:012x}" for n in range(PEOPLE)), *(f"team-{n}" for n in range(TEAMS))]  # fmt: skip
STAGING, PRODUCTION, UNIT = 1, 2, 3
SERVICE, PERSON, TEAM = 4, 4 + SERVICES, 4 + SERVICES + PEOPLE
FIRST = len(LABELS)
HOUR = 3600.0


class History:
    """Writes a history of ``releases`` releases into a folder, ``chunk`` at a time."""

    def __init__(self, folder: Path, releases: int, seed: int, chunk: int = 100_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._releases, self._chunk = folder, releases, chunk
        self._draw = np.random.default_rng(seed)
        self._database = Database(folder, memory_mb=1500)
        self._manifest = Manifest(layout())

    def write(self) -> int:
        """Write it and return how many events it has."""
        self._dictionaries()
        for start in range(0, self._releases, self._chunk):
            self._manifest.number += 1
            self._part(np.arange(start, min(start + self._chunk, self._releases)))
        merge(self._manifest, self._database)
        self._manifest.previous = []
        self._database.close()
        keep = self._manifest.files()
        for path in self._folder.glob("*.parquet"):
            if path.name not in keep:
                path.unlink()
        (self._folder / MANIFEST).write_bytes(msgspec.json.encode(self._manifest))
        return self._manifest.events

    def _dictionaries(self) -> None:
        """Words: labels, then versions, commits and two changes of each release."""
        count, manifest = self._releases, self._manifest
        labels = {"code": np.arange(FIRST), "word": np.array(LABELS, dtype=object)}
        query = (
            "SELECT code::INTEGER AS code, word FROM labels UNION ALL"
            f" SELECT ({FIRST} + n)::INTEGER, '1.' || n FROM range({count}) t(n) UNION ALL"
            f" SELECT ({FIRST} + {count} + n)::INTEGER, sha1(n::VARCHAR) FROM range({count}) t(n) UNION ALL"
            f" SELECT ({FIRST} + 2 * {count} + n)::INTEGER, '#' || n FROM range({2 * count}) t(n)"
            " ORDER BY code"
        )
        self._dictionary("word", query, FIRST + 4 * count, labels=labels)
        service = f"({SERVICE} + (n % {SERVICES}))::INTEGER AS first"
        releases = (
            f"SELECT n::INTEGER AS code, {service}, ({FIRST} + n)::INTEGER AS second FROM range({count}) t(n)"
        )
        self._dictionary("name", f"{releases} ORDER BY code", count)
        of = f"({SERVICE} + ((n // 2) % {SERVICES}))::INTEGER AS first"
        word = f"({FIRST} + 2 * {count} + n)::INTEGER AS second"
        changes = f"SELECT n::INTEGER AS code, {of}, {word} FROM range({2 * count}) t(n)"
        self._dictionary("change", f"{changes} ORDER BY code", 2 * count)
        lanes = f"({SERVICE} + n // 2)::INTEGER AS first, (n % 2 + 1)::INTEGER AS second"
        query = f"SELECT n::INTEGER AS code, {lanes} FROM range({2 * SERVICES}) t(n) ORDER BY code"
        self._dictionary("lane", query, 2 * SERVICES)
        manifest.sources = []

    def _dictionary(self, space: str, query: str, codes: int, **tables: Any) -> None:
        file = f"codes-{space}-0.parquet"
        self._database.write(query, self._folder / file, **tables)
        self._manifest.dictionaries[space], self._manifest.codes[space] = [file], codes

    def _part(self, n: Any) -> None:
        draw, count = self._draw, len(n)
        goes = START + (n + draw.random(count)) * (YEARS * 365 * 24 * HOUR / self._releases)
        staged = goes - draw.uniform(0.2, 3.0, count) * HOUR
        built = staged - draw.uniform(0.1, 1.0, count) * HOUR
        service, name, word = SERVICE + n % SERVICES, n, FIRST + n
        self._keep("releases", built, name=name, service=service, version=word, commit=word + self._releases,
                   spelt=word + self._releases, digest=n * 0, bare=n * 0,
                   n_release_changes=n * 0 + 2)  # fmt: skip
        changes = np.stack([2 * n, 2 * n + 1], 1).ravel()
        self._side("release_changes", changes, count)
        merged = np.repeat(built, 2) - draw.uniform(0.1, 5.0, 2 * count) * HOUR
        author = PERSON + draw.integers(0, PEOPLE, 2 * count)
        none = changes * 0
        self._keep("changes", merged, change=changes, author=author, owned=none.astype(bool), lines=none + 9,
                   reviews_known=~none.astype(bool), files=none + 1, n_owners=none, n_paths=none)  # fmt: skip
        self._reviews(changes, merged, author)
        broke = draw.random(count) < 0.03
        self._keep("suites", built + 300.0, name=name, suite=n * 0 + UNIT, outcome=broke.astype(np.int8),
                   passed=n * 0 + 40, failed=broke.astype(np.int64), skipped=n * 0, detail=n * 0,
                   listed=n * 0,
                   digest=n * 0, spelt=word)  # fmt: skip
        lane = 2 * (n % SERVICES)
        both = {"name": np.tile(name, 2), "left": np.tile(n * 0, 2), "deployment": np.tile(n * 0, 2)}
        self._keep("moves", np.concatenate([staged, goes]), lane=np.concatenate([lane, lane + 1]), **both,
                   environment=np.repeat([STAGING, PRODUCTION], count))  # fmt: skip
        self._keep("traffic", goes - 60.0, name=name, environment=n * 0 + STAGING, since=staged,
                   until=goes - 60.0,
                   requests=draw.integers(0, 200, count))  # fmt: skip
        self._troubles(n, name, lane, staged, goes)

    def _reviews(self, changes: Any, merged: Any, author: Any) -> None:
        """Two reviews of each change, or one; some by the author, some unkind."""
        half = np.arange(len(changes)).reshape(-1, 2)
        most = self._draw.random(len(half)) < 0.6
        twice = np.concatenate([half[most].ravel(), half[most].ravel(), half[~most].ravel()])
        draw, count = self._draw, len(twice)
        who = np.where(draw.random(count) < 0.02, author[twice], PERSON + draw.integers(0, PEOPLE, count))
        verdict = np.where(draw.random(count) < 0.97, 1, 2).astype(np.int8)
        self._keep("reviews", merged[twice] - draw.uniform(60, 3600, count), change=changes[twice],
                   reviewer=who,
                   team=TEAM + draw.integers(0, TEAMS, count), verdict=verdict)  # fmt: skip

    def _troubles(self, n: Any, name: Any, lane: Any, staged: Any, goes: Any) -> None:
        draw = self._draw
        for place, begin in ((STAGING, staged), (PRODUCTION, goes)):
            hit = np.flatnonzero(draw.random(len(n)) < 0.01)
            if not len(hit):
                continue
            incident = FIRST + n[hit]  # a word that is there: its name matters to nobody here
            opened = begin[hit] + draw.uniform(60, 1800, len(hit))
            self._keep("incidents", opened, lane=lane[hit] + place - 1, name=name[hit],
                       service=SERVICE + n[hit] % SERVICES, named=np.ones(len(hit), bool),
                       environment=n[hit] * 0 + place, incident=incident, deployment=n[hit] * 0)  # fmt: skip
            self._keep("incident_ends", opened + draw.uniform(60, 3600, len(hit)), incident=incident)

    def _keep(self, table: str, occurred: Any, **columns: Any) -> None:
        count, manifest = len(occurred), self._manifest
        # Moves of a lane are known in their order: the SQL by hand relies on it.
        known = occurred + (15.0 if table == "moves" else self._draw.uniform(0, 30, count))
        event = manifest.events + np.arange(count)
        manifest.events += count
        whole = {
            name: c.astype(np.int32) if c.dtype == np.int64 and name in _CODES else c
            for name, c in columns.items()
        }
        rows = {
            "event": event, "occurred": occurred, "recorded": known, "seq": event * 0 + 1, "known": known,
            "turn": (event * 0).astype(np.int8), **whole,
        }  # fmt: skip
        if table in ("releases", "changes"):
            self._events = event
        self._file(table, "*, md5(event::VARCHAR) AS id, 0::INTEGER AS source", rows)

    def _side(self, side: str, change: Any, count: int) -> None:
        rows = {
            "event": np.repeat(self._events, 2),
            "place": np.tile([0, 1], count),
            "change": change.astype(np.int32),
        }
        self._file(side, "*", rows)

    def _file(self, table: str, columns: str, rows: Any) -> None:
        pending = self._manifest.pending.setdefault(table, [])
        file = f"{table}-part-{self._manifest.number}-{len(pending)}.parquet"
        self._database.write(f"SELECT {columns} FROM part", self._folder / file, part=rows)
        pending.append(file)


_CODES = {
    "name", "change", "lane", "left", "service", "version", "commit", "spelt", "digest", "bare", "author",
    "reviewer", "team", "suite", "detail", "environment", "deployment", "incident",
}  # fmt: skip
