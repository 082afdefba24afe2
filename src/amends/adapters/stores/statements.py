"""The SQL of the log, in words that SQLite and PostgreSQL share; values are always bound by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

PAGE = 1000
_MOST_BRANCHES = 64

EVENT_COLUMNS = (
    "position", "source", "event_id", "kind", "stream", "seq", "recorded_at", "known_at", "previous",
    "digest", "fingerprint", "body",
)  # fmt: skip
TAG_COLUMNS = ("tag", "position", "kind", "moment")
CHECKPOINT_COLUMNS = ("at", "position", "heads", "previous", "root")


class Row(NamedTuple):
    """An event as every reading statement returns it; ``fingerprint`` only where ``kept`` asked for it."""

    position: int
    source: str
    event_id: str
    stream: str
    seq: int
    previous: str
    digest: str
    body: bytes
    fingerprint: str = ""


_ROW = ", ".join(Row._fields[:-1])

FIND = f"SELECT {_ROW} FROM events WHERE event_id = :id ORDER BY position"
HEAD = "SELECT seq, digest FROM events WHERE stream = :stream ORDER BY seq DESC LIMIT 1"
STREAM = f"SELECT {_ROW} FROM events WHERE stream = :stream AND seq > :after ORDER BY seq"
PAGE_OF_LOG = (
    f"SELECT {_ROW} FROM events WHERE position > :after AND position <= :upto ORDER BY position LIMIT {PAGE}"
)
LAST_OF_STREAMS = (
    "SELECT seq, stream, digest FROM events"
    " WHERE (stream, seq) IN (SELECT stream, max(seq) FROM events GROUP BY stream)"
)
CHECKPOINT_WITH_ROOT = "SELECT number FROM checkpoints WHERE root = :root"
LAST_CHECKPOINT = "SELECT root FROM checkpoints ORDER BY number DESC LIMIT 1"
CHECKPOINTS = f"SELECT {', '.join(CHECKPOINT_COLUMNS)} FROM checkpoints ORDER BY number"

Statement = tuple[str, dict[str, Any]]


def kept(ids: Sequence[str]) -> Statement:
    """Find events by their ids, with fingerprints."""
    values = _named("id", ids)
    return f"SELECT {_ROW}, fingerprint FROM events WHERE event_id IN ({_marks(values)})", values


@dataclass(frozen=True, slots=True)
class Reading:
    """What ``EventStore.read`` was asked for, up to a settled position; moments in microseconds."""

    tags: Sequence[str]
    kinds: Sequence[str]
    after: int
    upto: int
    limit: int | None
    newest_first: bool
    since: int | None
    until: int | None

    def statement(self) -> Statement:
        """Return the query."""
        values: dict[str, Any] = {"after": self.after, "upto": self.upto}
        where = "position > :after AND position <= :upto"
        if self.tags or self.kinds:
            positions, more = self._positions()
            inside = f"position IN ({positions})"
            where, values = f"{inside} AND {where}" if self._moments else inside, values | more
        query = f"SELECT {_ROW} FROM events WHERE {where} ORDER BY position {self._order}"
        if self.limit is None:
            return query, values
        return f"{query} LIMIT :limit", values | {"limit": self.limit}

    @property
    def _order(self) -> str:
        return "DESC" if self.newest_first else "ASC"

    def _positions(self) -> Statement:
        """Find positions from an index alone.

        With a limit each (tag, kind) gives its own first few, so that a tag with a million events costs no
        more than one with ten. Between moments the index on them is the narrower one, which SQLite sees only
        when there is no word about positions.
        """
        tags, kinds = _named("tag", self.tags), _named("kind", self.kinds)
        values = {**tags, **kinds}
        pairs = [(tag, kind) for tag in (tags or [""]) for kind in (kinds or [""])]
        if self.limit is None or self._moments or len(pairs) > _MOST_BRANCHES:
            return self._within(_marks(tags), _marks(kinds)), values | self._moments
        branches = (
            f"SELECT position FROM ({self._within(*_marked(tag, kind))} ORDER BY position {self._order}"
            f" LIMIT :limit) AS branch_{number}"
            for number, (tag, kind) in enumerate(pairs)
        )
        return " UNION ALL ".join(branches), values

    @property
    def _moments(self) -> dict[str, int]:
        moments = {"since": self.since, "until": self.until}
        return {name: moment for name, moment in moments.items() if moment is not None}

    def _within(self, tags: str, kinds: str) -> str:
        table = "event_tags" if self.tags else "events"
        conditions = [f"tag IN ({tags})"] if tags else []
        conditions += [f"kind IN ({kinds})"] if kinds else []
        conditions += ["moment >= :since"] if self.since is not None else []
        conditions += ["moment <= :until"] if self.until is not None else []
        conditions += [] if self._moments else ["position > :after", "position <= :upto"]
        return f"SELECT position FROM {table} WHERE {' AND '.join(conditions)}"


def _named(prefix: str, values: Sequence[str]) -> dict[str, Any]:
    return {f"{prefix}_{number}": value for number, value in enumerate(values)}


def _marks(names: dict[str, Any]) -> str:
    return ", ".join(f":{name}" for name in names)


def _marked(*names: str) -> list[str]:
    return [f":{name}" if name else "" for name in names]
