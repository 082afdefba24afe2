"""Search over everything, and similar past incidents: an index that follows the log."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from amends.application.log import Log
from amends.application.measuring import case_of
from amends.application.record import IncidentRecord, read_record
from amends.errors import UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.payloads import FactorNamed
from amends.learning.entries import EVENT_KINDS, KINDS, Entry, entry_of
from amends.learning.similarity import Likeness, Portrait, most_like, rarest, rarity
from amends.measures.escapes import NOT_PASSED

_BATCH = 2_000
_TELLING = 24
_LOOKED_AT = 15


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``excerpt`` is a piece of its text in parts, of which those marked were asked for."""

    entry: Entry
    excerpt: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, and how many there are in all; by kind, too."""

    hits: tuple[Hit, ...]
    total: int
    by_kind: tuple[tuple[str, int], ...]


class SearchIndex(Protocol):
    """Finds entries by their words. It can be thrown away: it is made from the log, and follows it."""

    def place(self) -> tuple[int, str]:
        """Return the log's position that it stands at, and the event there; ``(0, "")`` at first."""

    def add(self, entries: Sequence[Entry], position: int, event: str) -> None:
        """Take entries in, each in place of an earlier one of its key, and move on to this position."""

    def clear(self) -> None:
        """Forget everything."""

    def find(
        self, words: str, *, kinds: Collection[str] = (), service: str = "", limit: int = 20, offset: int = 0
    ) -> Found:
        """Return the entries that hold all words, the best first.

        Each word is the beginning of one; what stands in quotes is meant as it is.
        """

    def telling(self, words: Collection[str], *, limit: int) -> list[str]:
        """Return the incidents whose entries hold any of these words, the best first, each once."""

    def texts(self, incidents: Collection[str]) -> dict[str, str]:
        """Return everything that is said of incidents, in one text for each."""

    def frequency(self, words: Collection[str]) -> tuple[dict[str, int], int]:
        """Return how many entries hold each word, and how many entries there are."""

    def close(self) -> None:
        """Release its file."""


@dataclass
class Search:
    """The log's search. Safe to share between threads; each question first takes in what is new."""

    log: Log
    index: SearchIndex
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def catch_up(self) -> None:
        """Take in what was recorded since; an index of another log, or of one cut short, begins anew."""
        with self._lock:
            position, event = self.index.place()
            if position and not self._holds(position, event):
                self.index.clear()
                position = 0
            while facts := self.log.facts(after=position, kinds=EVENT_KINDS, limit=_BATCH):
                entries = [entry for fact in facts if (entry := entry_of(fact))]
                position = facts[-1].recorded.position
                self.index.add(entries, position, facts[-1].id)

    def _holds(self, position: int, event: str) -> bool:
        at = self.log.store.read(after=position - 1, limit=1)
        return bool(at) and at[0].position == position and at[0].event.id == event

    def find(
        self, words: str, *, kinds: Collection[str] = (), service: str = "", limit: int = 20, offset: int = 0
    ) -> Found:
        """Search. Raises ``UsageError`` for no words, and for a kind that there is not."""
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise UsageError(
                f"found the kind {unknown[0]!r}; allowed are {', '.join(KINDS)}", remedy="name one of them"
            )
        if not any(sign.isalnum() for sign in words):
            raise UsageError(
                "there are no words to search for", remedy="name at least one: amends search coupon"
            )
        self.catch_up()
        return self.index.find(words, kinds=kinds, service=service, limit=limit, offset=offset)

    def similar(self, incident: str, *, most: int = 5) -> list[Similar]:
        """Return past and later incidents that are most like one. Raises ``NotFoundError``."""
        self.catch_up()
        mine = read_record(self.log, incident)
        text = self.index.texts([incident]).get(incident, mine.incident.opened.summary)
        weigh = rarity(*self.index.frequency(set(rarest(text, lambda _: 1.0, 400))))
        near = self.index.telling(rarest(text, weigh, _TELLING), limit=_LOOKED_AT + 1)
        others = [name for name in near if name != incident]
        texts = self.index.texts(others)
        every = rarity(
            *self.index.frequency({w for t in (text, *texts.values()) for w in rarest(t, weigh, 400)})
        )
        sketches = [self._sketch(name, texts.get(name, "")) for name in others]
        near_enough = most_like(portrait_of(mine, text), sketches, every, most=most)
        # Escape matrices take longest to read, and add least: only the likest are read whole.
        records = {one.incident: read_record(self.log, one.incident) for one in near_enough}
        likest = most_like(
            portrait_of(mine, text), [portrait_of(one, texts.get(name, "")) for name, one in records.items()],
            every, most=most,
        )  # fmt: skip
        return [_similar(one, records[one.incident]) for one in likest]

    def _sketch(self, incident: str, text: str) -> Portrait:
        """Return what an incident is compared by, without its gates."""
        facts = self.log.facts(tags=[f"incident:{incident}"])
        opened = next((f.payload for f in facts if isinstance(f.payload, p.IncidentOpened)), None)
        failures = tuple(
            dict.fromkeys(f.payload.signature for f in facts if isinstance(f.payload, p.FailureCaptured))
        )
        factors = _factors(facts)
        return Portrait(incident, opened.service if opened else "", text, failures, factors)


@dataclass(frozen=True, slots=True)
class Similar:
    """A similar incident: what it was, how like it is and why."""

    incident: str
    summary: str
    service: str
    state: str
    detected_at: datetime
    likeness: Likeness


def _similar(likeness: Likeness, record: IncidentRecord) -> Similar:
    incident = record.incident
    return Similar(
        incident.id, incident.opened.summary, incident.service, str(incident.state), incident.detected_at,
        likeness,
    )  # fmt: skip


def portrait_of(record: IncidentRecord, text: str) -> Portrait:
    """Return what an incident is compared by. Contributing factors are those of any fact that names some."""
    case = case_of(record)
    gates = frozenset((row.kind, row.state.value) for row in case.gates if row.state not in NOT_PASSED)
    factors = _factors(record.facts)
    return Portrait(case.incident.id, case.incident.service, text, case.failures, factors, gates)


def _factors(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the contributing factors that were named and not withdrawn."""
    named: dict[str, str] = {}
    for fact in facts:
        told = fact.payload
        if isinstance(told, FactorNamed):
            named[fact.id] = "" if told.withdraws else told.factor
            named.pop(told.withdraws, None)
    return frozenset(named.values()) - {""}


def similar_data(found: Sequence[Similar]) -> list[dict[str, Any]]:
    """Return similar incidents as JSON-able values."""
    return [
        {
            "incident": one.incident, "summary": one.summary, "service": one.service, "state": one.state,
            "detected_at": one.detected_at.isoformat(), "likeness": one.likeness.score,
            "reasons": list(one.likeness.reasons),
        }
        for one in found
    ]  # fmt: skip


def hits_data(found: Found) -> dict[str, Any]:
    """Return what was found as JSON-able values."""
    return {
        "total": found.total, "by_kind": dict(found.by_kind),
        "hits": [
            {
                "kind": hit.entry.kind, "title": hit.entry.title, "service": hit.entry.service,
                "at": hit.entry.at.isoformat(), "where": hit.entry.where, "event": hit.entry.event,
                "incident": hit.entry.incident, "excerpt": "".join(part for part, _ in hit.excerpt),
            }
            for hit in found.hits
        ],
    }  # fmt: skip
