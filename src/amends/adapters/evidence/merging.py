"""Merging new parts into the sorted tables, and what is found once for all readers of a folder.

Each table ends up as one file, sorted by what it is looked up by and then in the order in which
``gates.evidence`` takes facts: when it happened, when it was recorded, its place in its stream, its id.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amends.adapters.evidence.database import Database, parquet
from amends.adapters.evidence.facts import LABELS, NAME, TABLES, WORD
from amends.releases.catalogue import SHORTEST_COMMIT

if TYPE_CHECKING:
    from amends.adapters.evidence.cache import Manifest

_ORDER = ("occurred", "recorded", "seq", "id")
_MOST_FILES = 16
LABEL_WORDS, SHORT_COMMITS, MOVES_BY_NAME = "labels", "shorts", "moves_by_name"


def merge(manifest: Manifest, database: Database) -> None:
    """Merge every pending file into its table, and make again what is found from those tables."""
    changed = set(manifest.pending)
    old = [file for name, file in manifest.tables.items() if name in changed]
    for space, files in manifest.dictionaries.items():
        if len(files) > _MOST_FILES:
            old += files
            _join(manifest, database, space)
    for name, table in TABLES.items():
        if name in changed:
            _sort(manifest, database, name, table.by)
            for side in table.sides:
                if side in changed:
                    _sort_side(manifest, database, side, name)
    parts = [file for files in manifest.pending.values() for file in files]
    manifest.pending = {}
    for name, query in _found(manifest, database.folder, changed).items():
        old += filter(None, [manifest.tables.get(name)])
        database.write(query, database.folder / _name(manifest, name))
        manifest.tables[name] = _name(manifest, name)
    manifest.previous = [*old, *parts]


def _name(manifest: Manifest, table: str) -> str:
    return f"{table}-{manifest.number}.parquet"


def _all(manifest: Manifest, folder: Path, name: str) -> str:
    files = [*filter(None, [manifest.tables.get(name)]), *manifest.pending.get(name, ())]
    # A part has no rank yet; DuckDB then takes columns by name.
    return parquet(*(folder / file for file in files), by_name=True)


def _sort(manifest: Manifest, database: Database, name: str, order: tuple[str, ...]) -> None:
    target = _name(manifest, name)
    files = _all(manifest, database.folder, name)
    rank = f"row_number() OVER (ORDER BY {', '.join(_ORDER)})::INTEGER AS rank"
    kept = "* EXCLUDE rank" if name in manifest.tables else "*"
    query = f"SELECT {kept}, {rank} FROM {files} ORDER BY {', '.join((*order, 'rank'))}"
    database.write(query, database.folder / target)
    manifest.tables[name] = target


def _sort_side(manifest: Manifest, database: Database, side: str, name: str) -> None:
    parent = parquet(database.folder / manifest.tables[name], numbered=True)
    query = (
        f"SELECT side.* FROM {_all(manifest, database.folder, side)} AS side"
        f" JOIN (SELECT event, file_row_number AS row FROM {parent}) AS parent USING (event)"
        " ORDER BY parent.row, side.place"
    )
    target = _name(manifest, side)
    database.write(query, database.folder / target)
    manifest.tables[side] = target


def _join(manifest: Manifest, database: Database, space: str) -> None:
    """Make one file of a space's many."""
    target = f"codes-{space}-{manifest.number}.parquet"
    files = parquet(*(database.folder / file for file in manifest.dictionaries[space]))
    database.write(f"SELECT * FROM {files} ORDER BY code", database.folder / target)
    manifest.dictionaries[space] = [target]


def _found(manifest: Manifest, folder: Path, changed: set[str]) -> dict[str, str]:
    """Return the queries of what is found from tables that changed."""

    def of(name: str) -> str:
        return parquet(folder / manifest.tables[name])

    labels = [(table, column) for table, column in LABELS if table in manifest.tables]
    queries = {}
    if labels and changed.intersection(table for table, _ in labels):
        codes = " UNION ".join(f"SELECT {column} AS code FROM {of(table)}" for table, column in labels)
        words = parquet(*(folder / file for file in manifest.dictionaries[WORD]))
        queries[LABEL_WORDS] = f"SELECT code, word FROM {words} SEMI JOIN ({codes}) AS used USING (code)"
    if "moves" in changed:
        moves = parquet(folder / manifest.tables["moves"], numbered=True)
        queries[MOVES_BY_NAME] = (
            f"SELECT name, file_row_number::INTEGER AS place FROM {moves} ORDER BY name, file_row_number"
        )
    naming = {name for name, table in TABLES.items() if NAME in table.columns.values()}
    if "releases" in manifest.tables and naming & changed:
        queries[SHORT_COMMITS] = _shorts(manifest, folder, of("releases"))
    return queries


def _shorts(manifest: Manifest, folder: Path, releases: str) -> str:
    """Find which names begin which declared commits: pairs of a name's word and a commit's word."""
    words = parquet(*(folder / file for file in manifest.dictionaries[WORD]))
    names = parquet(*(folder / file for file in manifest.dictionaries[NAME]))
    return (
        f"WITH commits AS (SELECT code, word, left(word, {SHORTEST_COMMIT}) AS head FROM {words}"
        f" SEMI JOIN (SELECT DISTINCT commit AS code FROM {releases}) AS used USING (code)),"
        f" spelt AS (SELECT code, lower(word) AS word, left(lower(word), {SHORTEST_COMMIT}) AS head"
        f" FROM {words} SEMI JOIN (SELECT second AS code FROM {names}"
        f" UNION SELECT spelt FROM {releases} UNION SELECT digest FROM {releases}) AS used USING (code)"
        f" WHERE length(word) >= {SHORTEST_COMMIT})"
        " SELECT spelt.code AS name, commits.code AS commit FROM spelt JOIN commits USING (head)"
        " WHERE starts_with(commits.word, spelt.word) AND spelt.code <> commits.code"
    )
