"""Bringing another system's past into the log: idempotent, in batches, with an account of all that was met.

Facts keep their source's own time as ``known_at``, asserted. Their ids come from their keys, so a second
import adds nothing and an interrupted one goes on. What contradicts an earlier account is counted, and the
first account stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from amends.application.desk import Desk, derived_id
from amends.application.history import Fault, Remark, Told
from amends.application.people import normal_login
from amends.application.ports import HistoryReader
from amends.errors import EventConflictError
from amends.events import chain
from amends.events import payloads as p
from amends.events.codec import make_event
from amends.events.event import Event, format_time
from amends.events.redaction import cut, redact, without_addresses

BATCH = 2_000
"""How many facts of common size are written at once."""
EXAMPLES = 5
"""How many faults of each kind are shown."""

_PERSONS: dict[type[p.Payload], str] = {
    p.ChangeMerged: "author", p.ChangeReviewed: "reviewer", p.ShiftAcknowledged: "person", p.SignedOff: "by",
}  # fmt: skip
_TEXTS: dict[type[p.Payload], str] = {
    p.ChangeMerged: "title", p.ChangeReverted: "reason", p.IncidentOpened: "summary",
}  # fmt: skip
_Said = Told | Fault | Remark
_LONGEST_TEXT = 500
_PSEUDONYM_LENGTH = len("p-") + 12
_AHEAD_OF_TIME = "shift.acknowledged"  # a shift may be announced; it counts from its start


@dataclass(slots=True)
class ImportSummary:
    """What became of an import.

    ``new`` and ``known`` count facts by kind; ``otherwise`` those that the log holds with another content,
    with ``examples``. ``faults`` counts what was not understood, ``first`` shows the first few of each.
    """

    new: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[Fault]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    reverts: Counter[str] = field(default_factory=Counter)
    earliest: datetime | None = None
    latest: datetime | None = None

    @property
    def facts(self) -> int:
        """How many facts were understood, new or not."""
        return self.new.total() + self.known.total() + self.otherwise.total()

    def to_json(self) -> dict[str, Any]:
        """Return the summary as the command line prints it."""
        kinds = sorted({*self.new, *self.known, *self.otherwise})
        return {
            "facts": {
                kind: {"new": self.new[kind], "known": self.known[kind], "otherwise": self.otherwise[kind]}
                for kind in kinds
            },
            "reverts": {name: self.reverts[name] for name in ("failure", "not_failure", "uncertain")},
            "since": format_time(self.earliest) if self.earliest else None,
            "until": format_time(self.latest) if self.latest else None,
            "told_otherwise": {kind: list(where) for kind, where in sorted(self.examples.items())},
            "faults": [
                {
                    "fault": name, "count": count,
                    "first": [
                        {"where": f.where, "message": f.message, "remedy": f.remedy} for f in self.first[name]
                    ],
                }
                for name, count in sorted(self.faults.items())
            ],
            "assumed": [r.text for r in self.remarks if r.kind == "assumed"],
            "left_out": [r.text for r in self.remarks if r.kind == "left out"],
            "notes": [r.text for r in self.remarks if r.kind == "note"],
        }  # fmt: skip


def import_history(
    desk: Desk, reader: HistoryReader, *, progress: Callable[[ImportSummary], None] | None = None
) -> ImportSummary:
    """Read a history to its end and append what it tells; return what was understood and what was not.

    ``progress`` is called after each batch, which is in the log by then.

    Raises ``UsageError`` where the history cannot be read at all, and what ``EventStore.append_many`` raises.
    """
    return _Import(desk, reader.source, progress).run(reader.read())


class _Import:
    """One run."""

    def __init__(self, desk: Desk, source: str, progress: Callable[[ImportSummary], None] | None) -> None:
        self._desk = desk
        self._source = source or desk.log.source
        self._progress = progress
        self._summary = ImportSummary()
        self._names: dict[str, str] = {"": ""}

    def run(self, said: Iterator[_Said]) -> ImportSummary:
        for batch in _batches(said):
            told = [one for one in batch if isinstance(one, Told)]
            for one in batch:
                self._note(one)
            if told:
                self._append(told)
            if self._progress:
                self._progress(self._summary)
        return self._summary

    def _note(self, one: _Said) -> None:
        summary = self._summary
        if isinstance(one, Fault):
            summary.faults[one.fault] += 1
            shown = summary.first.setdefault(one.fault, [])
            if len(shown) < EXAMPLES:
                shown.append(one)
        elif isinstance(one, Remark):
            summary.remarks.append(one)
        else:
            summary.earliest = min(summary.earliest or one.at, one.at)
            summary.latest = max(summary.latest or one.at, one.at)
            if isinstance(one.payload, p.ChangeReverted):
                summary.reverts[one.payload.classified] += 1

    def _append(self, told: Sequence[Told]) -> None:
        self._learn_names(told)
        store, now = self._desk.log.store, self._desk.log.clock.now()
        items = [self._event(one, now) for one in told]
        before = store.last_position()
        try:
            records = store.append_many(items, recorded_at=now)
        except EventConflictError:
            told, items = self._without_other_accounts(told, items)
            records = store.append_many(items, recorded_at=now) if items else []
        for one, record in zip(told, records, strict=True):
            counter = self._summary.new if record.position > before else self._summary.known
            counter[one.kind] += 1

    def _learn_names(self, told: Iterable[Told]) -> None:
        """Have pseudonyms made for everybody who is new, at once."""
        logins = {
            str(getattr(one.payload, _PERSONS[type(one.payload)]))
            for one in told
            if type(one.payload) in _PERSONS
        }
        new = {login: _comparable(login) for login in logins if login not in self._names}
        found = self._desk.people.pseudonyms(
            {name for name in new.values() if name and not _is_pseudonym(name)}
        )
        self._names |= {login: found.get(name, name) for login, name in new.items()}

    def _event(self, one: Told, now: datetime) -> tuple[str, Event]:
        known_at = one.known_at
        if one.kind != _AHEAD_OF_TIME and max(one.at, known_at or one.at) > now:
            known_at = None
            self._note(_from_the_future(one))
        return make_event(
            one.kind, self._cleaned(one.payload), id=derived_id(one.kind, *one.key), source=self._source,
            at=one.at, known_at=known_at, imported=True,
        )  # fmt: skip

    def _cleaned(self, payload: p.Payload) -> p.Payload:
        """Put pseudonyms in the place of persons, and mask what no log should hold."""
        kind = type(payload)
        changes: dict[str, Any] = {}
        if kind in _PERSONS:
            name = _PERSONS[kind]
            changes[name] = self._names[getattr(payload, name)]
        if kind in _TEXTS and (text := getattr(payload, _TEXTS[kind])):
            changes[_TEXTS[kind]] = cut(redact(without_addresses(text)), _LONGEST_TEXT)
        return msgspec.structs.replace(payload, **changes) if changes else payload

    def _without_other_accounts(
        self, told: Sequence[Told], items: Sequence[tuple[str, Event]]
    ) -> tuple[list[Told], list[tuple[str, Event]]]:
        """Take out what the log, or this batch, has under the same id with another content; count it."""
        seen: dict[str, str] = {}
        kept: list[tuple[Told, tuple[str, Event]]] = []
        for one, item in zip(told, items, strict=True):
            event = item[1]
            print_ = chain.fingerprint(event)
            first = seen.get(event.id) or next(
                (chain.fingerprint(r.event) for r in self._desk.log.store.find(event.id)
                 if r.event.source == event.source), print_,
            )  # fmt: skip
            seen[event.id] = first
            if first == print_:
                kept.append((one, item))
                continue
            self._summary.otherwise[one.kind] += 1
            shown = self._summary.examples.setdefault(one.kind, [])
            if len(shown) < EXAMPLES:
                shown.append(one.where)
        return [one for one, _ in kept], [item for _, item in kept]


def _batches(said: Iterator[_Said]) -> Iterator[list[_Said]]:
    batch: list[_Said] = []
    weight = 0
    for one in said:
        batch.append(one)
        weight += _weight(one)
        if weight >= BATCH:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _weight(one: _Said) -> int:
    """Return how many facts of common size (some 2 kB) one is as large as."""
    told = one.payload if isinstance(one, Told) else None
    if isinstance(told, p.ChangeMerged):
        return 1 + len(told.paths) // 20
    if isinstance(told, p.ReleaseDeclared):
        return 1 + len(told.changes) // 40
    if isinstance(told, p.SuiteFinished):
        return 1 + sum(len(case.output) + len(case.message) + 100 for case in told.cases) // 2_000
    return 1


@lru_cache(maxsize=65536)
def _comparable(login: str) -> str:
    return normal_login(login)


def _is_pseudonym(name: str) -> bool:
    """Whether a reader made it for a person whom its source counts and does not name."""
    return (
        len(name) == _PSEUDONYM_LENGTH and name.startswith("p-") and set(name[2:]) <= set("0123456789abcdef")
    )


def _from_the_future(one: Told) -> Fault:
    return Fault(
        "in-the-future", one.where,
        f"this {one.kind} is of {format_time(max(one.at, one.known_at or one.at))}, which is yet to come; "
        "it is kept, and what relies on it is undecided",
        "mend the time, or the clock of this machine",
    )  # fmt: skip
