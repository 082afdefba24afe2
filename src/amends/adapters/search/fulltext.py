"""A search index in SQLite's FTS5, which comes with Python. It only ever repeats what the log says."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amends.application.searching import Found, Hit
from amends.errors import StoreUnavailableError
from amends.learning.entries import Entry

_VERSION = 2
# The columns of an entry, in their order; those that hold words come first.
_WORDY = ("title", "text", "also")
_PLAIN = ("key", "kind", "place", "service", "at", "event", "incident")
_WEIGHTS = "8.0, 1.0, 2.0"
_OPEN, _CLOSE = "\x02", "\x03"
_ASKED = re.compile(r'"([^"]*)"|(\S+)')
_KEPT = ", ".join(f"{name} TEXT NOT NULL" for name in _PLAIN)
_READ = 'tokenize="unicode61 remove_diacritics 2"'
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, {_KEPT});
CREATE UNIQUE INDEX IF NOT EXISTS entries_key ON entries (key);
CREATE INDEX IF NOT EXISTS entries_incident ON entries (incident);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5({", ".join(_WORDY)}, {_READ});
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(words, row);
"""


class FullTextIndex:
    """A ``SearchIndex`` in a file, or in memory without one. Many processes may share the file."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                str(path) if path else ":memory:", timeout=30, check_same_thread=False, isolation_level=None
            )
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(
                f"the search index cannot be opened: {error}",
                where=str(path or "in memory"),
                remedy="delete the file; it is made again from the log",
            ) from None

    def _prepare(self) -> None:
        if self._path is not None:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        if self._connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _VERSION):
            for table in ("vocabulary", "words", "entries", "meta"):
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.executescript(_SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def place(self) -> tuple[int, str]:
        """See ``SearchIndex.place``."""
        kept = dict(self._rows("SELECT name, value FROM meta"))
        return int(kept.get("position", "0")), kept.get("event", "")

    def add(self, entries: Sequence[Entry], position: int, event: str) -> None:
        """See ``SearchIndex.add``. Entries that another process has taken in meanwhile are taken in again."""
        with self._writing() as connection:
            for entry in entries:
                self._add(connection, entry)
            marks = (("position", str(position)), ("event", event))
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", marks)

    def _add(self, connection: sqlite3.Connection, entry: Entry) -> None:
        plain = (
            entry.key,
            entry.kind,
            entry.where,
            entry.service,
            entry.at.isoformat(),
            entry.event,
            entry.incident,
        )
        known = connection.execute("SELECT id FROM entries WHERE key = ?", (entry.key,)).fetchone()
        if known:
            connection.execute("DELETE FROM words WHERE rowid = ?", known)
            connection.execute("DELETE FROM entries WHERE id = ?", known)
        row = connection.execute(
            f"INSERT INTO entries ({', '.join(_PLAIN)}) VALUES (?, ?, ?, ?, ?, ?, ?)", plain
        ).lastrowid
        connection.execute(
            "INSERT INTO words (rowid, title, text, also) VALUES (?, ?, ?, ?)",
            (row, entry.title, entry.text, entry.also),
        )

    def clear(self) -> None:
        """See ``SearchIndex.clear``."""
        with self._writing() as connection:
            for table in ("words", "entries", "meta"):
                connection.execute(f"DELETE FROM {table}")

    def find(
        self, words: str, *, kinds: Collection[str] = (), service: str = "", limit: int = 20, offset: int = 0
    ) -> Found:
        """See ``SearchIndex.find``."""
        asked = _match(words)
        if not asked:
            return Found((), 0, ())
        where, values = "words MATCH ?", [asked]
        if service:
            where, values = f"{where} AND service = ?", [*values, service]
        by_kind = self._rows(
            f"SELECT kind, count(*) FROM words JOIN entries ON id = words.rowid WHERE {where} GROUP BY kind "
            "ORDER BY 2 DESC, 1", values,
        )  # fmt: skip
        if kinds:
            where = f"{where} AND kind IN ({', '.join('?' * len(kinds))})"
            values = [*values, *kinds]
        rows = self._rows(
            f"SELECT title, text, also, {', '.join(_PLAIN)}, "
            f"snippet(words, -1, '{_OPEN}', '{_CLOSE}', ' … ', 24) FROM words JOIN entries ON id = "
            "words.rowid "
            f"WHERE {where} ORDER BY bm25(words, {_WEIGHTS}), at DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )  # fmt: skip
        counted = tuple((str(kind), int(count)) for kind, count in by_kind if not kinds or kind in kinds)
        hits = tuple(Hit(_entry(row), _parts(row[-1])) for row in rows)
        return Found(hits, sum(count for _, count in counted), tuple((str(k), int(n)) for k, n in by_kind))

    def telling(self, words: Collection[str], *, limit: int) -> list[str]:
        """See ``SearchIndex.telling``."""
        if not words:
            return []
        asked = " OR ".join(f'"{word}"' for word in words)
        rows = self._rows(
            "SELECT incident, min(rank) FROM (SELECT incident, bm25(words, 8.0, 1.0, 2.0) AS rank FROM words "
            "JOIN entries ON id = words.rowid WHERE words MATCH ? AND incident != '' ORDER BY rank "
            "LIMIT 500) "
            "GROUP BY incident ORDER BY 2 LIMIT ?", (asked, limit),
        )  # fmt: skip
        return [str(row[0]) for row in rows]

    def texts(self, incidents: Collection[str]) -> dict[str, str]:
        """See ``SearchIndex.texts``."""
        marks = ", ".join("?" * len(incidents))
        rows = self._rows(
            "SELECT incident, group_concat(title || char(10) || text || char(10) || also, char(10)) "
            "FROM entries "
            f"JOIN words ON words.rowid = id WHERE incident IN ({marks}) GROUP BY incident", tuple(incidents),
        )  # fmt: skip
        return {str(incident): str(text) for incident, text in rows}

    def frequency(self, words: Collection[str]) -> tuple[dict[str, int], int]:
        """See ``SearchIndex.frequency``."""
        marks = ", ".join("?" * len(words))
        rows = self._rows(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", tuple(words))
        return {str(term): int(doc) for term, doc in rows}, int(
            self._rows("SELECT count(*) FROM entries")[0][0]
        )

    def close(self) -> None:
        """See ``SearchIndex.close``."""
        with self._lock:
            self._connection.close()

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, _told(self._path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def _told(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailableError(
            f"the search index cannot be used: {error}",
            where=str(path or "in memory"),
            remedy="delete the file; it is made again from the log",
        ) from None


def _match(words: str) -> str:
    """Return FTS5's words for what was asked: all of them, as beginnings, except within quotes.

    Each is a quoted string of FTS5's, so that no sign in it can be an operator.
    """
    found = []
    for exact, loose in _ASKED.findall(words):
        bare = (exact or loose).replace('"', " ").strip()
        if any(sign.isalnum() for sign in bare):
            found.append(f'"{bare}"' if exact else f'"{bare}"*')
    return " AND ".join(found[:32])


def _entry(row: Sequence[str]) -> Entry:
    title, text, also, key, kind, place, service, at, event, incident = row[:10]
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return Entry(key, kind, title, text, place, service, moment, event, incident, also)


def _parts(snippet: str) -> tuple[tuple[str, bool], ...]:
    parts: list[tuple[str, bool]] = []
    for piece in snippet.split(_OPEN):
        marked, closed, rest = piece.partition(_CLOSE)
        parts += [(marked, True), (rest, False)] if closed else [(piece, False)]
    return tuple(part for part in parts if part[0])
