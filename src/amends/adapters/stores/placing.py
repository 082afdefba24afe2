"""Where new events go: what each store does the same way before it writes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.application.ports import Checkpoint
from amends.errors import EventConflictError, TamperedLogError, UsageError, VersionConflictError
from amends.events import chain, kinds
from amends.events.codec import decode
from amends.events.event import Event, Recorded
from amends.events.tags import Tag, index_tags

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with all that a store keeps beside it to find it again."""

    record: Recorded
    body: bytes
    fingerprint: str
    kind: str
    tags: tuple[Tag, ...]

    def at(self, position: int) -> Entry:
        """Return the entry once the store has given it a position."""
        was = self.record  # dataclasses.replace would take three times as long, for every event written
        record = Recorded(
            was.event, was.stream, was.seq, was.recorded_at, was.known_at, was.previous, was.digest, position
        )
        return Entry(record, self.body, self.fingerprint, self.kind, self.tags)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and for each asked-for event its record: known already, or an index into ``new``."""

    new: list[Entry]
    slots: list[Recorded | int]

    def answer(self, written: Sequence[Entry]) -> list[Recorded]:
        """Return a record per asked-for event, with positions from ``written``."""
        return [written[slot].record if isinstance(slot, int) else slot for slot in self.slots]


def entry_of(record: Recorded, body: bytes = b"", fingerprint: str = "") -> Entry:
    """Derive what a store indexes a record by."""
    fact = decode(record)
    return Entry(
        record, body or chain.body_of(record), fingerprint or chain.fingerprint(record.event), fact.kind,
        index_tags(fact),
    )  # fmt: skip


def indexed_kind(name: str) -> str:
    """Return the word under which a kind is indexed, from its short name or a full type."""
    known = kinds.BY_TYPE.get(kinds.unversioned(name))
    return known.name if known else name


def plan_append(
    items: Sequence[tuple[str, Event]],
    kept: Mapping[Key, tuple[str, Recorded]],
    heads: Mapping[str, tuple[int, str]],
    *,
    recorded_at: datetime,
    expected: int | None = None,
) -> Plan:
    """Place events at the ends of their streams.

    ``kept`` holds the fingerprint and record of those keys that the log has; ``heads`` the version and last
    digest of each stream concerned. ``expected`` applies to the first item's stream.
    Raises ``EventConflictError`` or ``VersionConflictError``.
    """
    ends = dict(heads)
    places: dict[Key, tuple[str, Recorded | int]] = dict(kept)
    new: list[Entry] = []
    slots: list[Recorded | int] = []
    for stream, event in items:
        print_ = chain.fingerprint(event)
        known = places.get(event.key)
        if known is None:
            seq, previous = ends.get(stream, (0, chain.GENESIS))
            record, body = chain.link_body(
                event, stream=stream, seq=seq + 1, previous=previous, recorded_at=recorded_at
            )
            ends[stream] = (record.seq, record.digest)
            known = places[event.key] = (print_, len(new))
            new.append(entry_of(record, body, print_))
        elif known[0] != print_:
            raise conflict(event)
        slots.append(known[1])
    if new and expected is not None:
        _check_version(items[0][0], heads, expected)
    return Plan(new, slots)


def _check_version(stream: str, heads: Mapping[str, tuple[int, str]], expected: int) -> None:
    version = heads.get(stream, (0, ""))[0]
    if version != expected:
        raise VersionConflictError(
            f"the stream has {version} events, not {expected}: another writer came first",
            remedy="load the stream again and decide anew",
            where=stream,
        )


def check_range(tags: Collection[str], since: datetime | None, until: datetime | None) -> None:
    """Raise ``UsageError`` where a time range is asked for without the tags that carry the moments."""
    if not tags and (since is not None or until is not None):
        raise UsageError(
            "found a time range without tags", remedy="name the tags to read between two moments"
        )


def conflict(event: Event) -> EventConflictError:
    """Say that a key is taken by another body."""
    return EventConflictError(
        f"the log already has an event {event.id} from {event.source}, with another body",
        remedy="send the event as it was first sent, or give what is new an id of its own",
    )


def check_restored(record: Recorded, head: tuple[int, str] | None) -> None:
    """Raise ``TamperedLogError`` when a record does not continue its stream."""
    seq, previous = head or (0, chain.GENESIS)
    if record.seq != seq + 1:
        raise _unfit(record, f"its stream goes on with number {seq + 1}")
    if record.previous != previous:
        raise _unfit(record, "it does not follow the event before it")
    if chain.digest_of(chain.body_of(record)) != record.digest:
        raise _unfit(record, "its content does not match its digest")


def _unfit(record: Recorded, why: str) -> TamperedLogError:
    return TamperedLogError(
        f"event {record.id} from {record.event.source} does not fit: {why}",
        remedy="restore from an export that `amends log verify` accepts",
        where=f"{record.stream}#{record.seq}",
    )


def check_follows(checkpoint: Checkpoint, last: str) -> None:
    """Raise ``VersionConflictError`` when a checkpoint does not follow the last one that is kept."""
    if checkpoint.previous != last:
        raise VersionConflictError(
            "another checkpoint was kept meanwhile", remedy="make the checkpoint again"
        )


def in_batches(records: Iterable[Recorded], size: int) -> Iterable[list[Recorded]]:
    """Cut an iterable into lists of at most ``size``."""
    batch: list[Recorded] = []
    for record in records:
        batch.append(record)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
