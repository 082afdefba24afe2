"""Keeping the log honest and portable: verify, checkpoint, export, import."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from amends.application.ports import Checkpoint, EventStore
from amends.errors import AmendsError, InvalidEventError, TamperedLogError, VersionConflictError
from amends.events import chain, lines
from amends.events.event import Event, Recorded, format_time, parse_time
from amends.events.intake import read_event, route

_BATCH = 1000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of the log. ``event`` is an event's id, empty for one that is gone."""

    stream: str
    seq: int
    event: str
    what: str

    def __str__(self) -> str:
        name = f" (event {self.event})" if self.event else ""
        return f"{self.stream}#{self.seq}{name}: {self.what}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """How many events, streams and checkpoints were looked at, and what does not hold."""

    events: int
    streams: int
    checkpoints: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Walk:
    """The state of one pass over the log."""

    ends: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    marks: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def step(self, record: Recorded) -> None:
        seq, digest, before = self.ends.get(record.stream, (0, chain.GENESIS, ""))
        if record.seq <= seq:
            self._say(record, f"it stands after number {seq}: it was moved or doubled")
        elif record.seq > seq + 1:
            gone = f"{seq + 1}" if record.seq == seq + 2 else f"{seq + 1} to {record.seq - 1}"
            self.problems.append(
                Problem(record.stream, seq + 1, "", f"dropped: number {gone} is not in the log")
            )
        elif record.previous != digest:
            name = f"event {before}" if before else "nothing"
            self._say(record, f"it does not follow {name}, which stands before it: one of them was changed")
        if not _whole(record):
            self._say(record, "changed: its content does not match its digest")
        if record.seq > seq:
            self.ends[record.stream] = (record.seq, record.digest, record.id)
        if (record.stream, record.seq) in self.marks:
            self.marks[record.stream, record.seq] = (record.digest, record.id)

    def _say(self, record: Recorded, what: str) -> None:
        self.problems.append(Problem(record.stream, record.seq, record.id, what))


def _whole(record: Recorded) -> bool:
    try:
        return chain.digest_of(chain.body_of(record)) == record.digest
    except InvalidEventError:
        return False


def verify(store: EventStore, checkpoints: Sequence[Checkpoint] | None = None) -> VerifyReport:
    """Walk the whole log and name every event that was changed, dropped or reordered.

    ``checkpoints`` were kept outside the store; the store's own are always looked at. Only a checkpoint
    shows for certain that a stream's tail was cut, or that a chain was rewritten from some event on; where a
    store numbers events without gaps, an event that was taken out leaves one.
    """
    own = store.checkpoints()
    known = [*own, *(c for c in checkpoints or () if all(c.root != kept.root for kept in own))]
    walk = _Walk(marks={(name, seq): ("", "") for c in known for name, (seq, _) in c.heads.items()})
    count = 0
    for record in store.records():
        walk.step(record)
        count += 1
    for previous, checkpoint in zip([None, *own], own, strict=False):
        if checkpoint.previous != (previous.root if previous else ""):
            walk.problems.append(_about(checkpoint, "it does not follow the checkpoint before it"))
    for checkpoint in known:
        walk.problems.extend(_against(checkpoint, walk))
    walk.problems.extend(_taken_out(store.gaps()))
    return VerifyReport(count, len(walk.ends), len(known), tuple(dict.fromkeys(walk.problems)))


def _against(checkpoint: Checkpoint, walk: _Walk) -> Iterator[Problem]:
    if root_of(checkpoint.heads, checkpoint.previous) != checkpoint.root:
        yield _about(checkpoint, "changed: its content does not match its root")
        return
    said = f"the checkpoint of {format_time(checkpoint.at)}"
    for stream, (seq, digest) in sorted(checkpoint.heads.items()):
        found, event = walk.marks[stream, seq]
        last = walk.ends.get(stream, (0, "", ""))[0]
        if not found and last < seq:
            what = f"dropped: by {said} the stream had {seq} events, now it has {last}"
            yield Problem(stream, last + 1, "", what)
        elif found and found != digest:
            yield Problem(stream, seq, event, f"changed: by {said} it had another digest")


def _taken_out(gaps: Sequence[tuple[int, int]]) -> Iterator[Problem]:
    for first, last in gaps:
        upto = f" to {last}" if last > first else ""
        yield Problem("position", first, "", f"dropped: what stood at {first}{upto} is not in the log")


def _about(checkpoint: Checkpoint, what: str) -> Problem:
    return Problem(f"checkpoint of {format_time(checkpoint.at)}", checkpoint.position, "", what)


def root_of(heads: Mapping[str, tuple[int, str]], previous: str) -> str:
    """Return a checkpoint's root: SHA-256 over the previous root and the sorted heads of all streams."""
    listed = [[stream, seq, digest] for stream, (seq, digest) in sorted(heads.items())]
    return hashlib.sha256(chain.canonical([previous, listed])).hexdigest()


def make_checkpoint(store: EventStore, at: datetime) -> Checkpoint:
    """Record the state of every stream; return the last checkpoint where nothing happened since."""
    kept = store.checkpoints()
    position = store.last_position()
    heads = dict(store.streams())
    if kept and dict(kept[-1].heads) == heads:
        return kept[-1]
    previous = kept[-1].root if kept else ""
    checkpoint = Checkpoint(at, position, heads, previous, root_of(heads, previous))
    store.save_checkpoint(checkpoint)
    return checkpoint


def keep_checkpoint(store: EventStore, at: datetime) -> Checkpoint | None:
    """Make a checkpoint where one is due; return it, or ``None``.

    Due is the first, then one for every 1,000 events (a tenth more, in a log that holds many: a checkpoint
    lists every stream), and one a day in which something happened.
    """
    kept, position = store.checkpoints()[-1:], store.last_position()
    before = kept[0].position if kept else 0
    aged = not kept or at - kept[0].at >= _DAY
    if position == before or not (aged or position - before >= max(_BATCH, before // 10)):
        return None
    try:
        return make_checkpoint(store, at)
    except VersionConflictError:
        return None  # another process keeps them as well


def write_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as canonical JSON, to be kept outside the store."""
    return chain.canonical(
        {
            "at": format_time(checkpoint.at), "position": checkpoint.position,
            "heads": checkpoint.heads, "previous": checkpoint.previous, "root": checkpoint.root,
        }
    )  # fmt: skip


class _CheckpointFile(msgspec.Struct):
    at: str
    position: int
    heads: dict[str, tuple[int, str]]
    previous: str
    root: str


def read_checkpoint(content: bytes, *, where: str = "") -> Checkpoint:
    """Read what ``write_checkpoint`` wrote. Raises ``InvalidEventError``."""
    try:
        found = msgspec.json.decode(content, type=_CheckpointFile)
    except msgspec.DecodeError as error:
        raise InvalidEventError(
            f"this is not a checkpoint: {error}", remedy="give what `amends log checkpoint` wrote",
            where=where,
        ) from None  # fmt: skip
    return Checkpoint(parse_time(found.at), found.position, found.heads, found.previous, found.root)


def export_lines(store: EventStore) -> Iterator[bytes]:
    """Yield every record as one line of JSON (a CloudEvent), in order, without newlines."""
    for record in store.records():
        yield lines.to_line(record)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many events were new and how many the log had already."""

    new: int
    known: int


def import_lines(store: EventStore, source: Iterable[bytes], *, at: datetime) -> ImportReport:
    """Take in lines: an export of a log, which is restored as it was, or plain CloudEvents.

    The first line says which; a file holds one sort only. An export goes in as one transaction: all or
    nothing. Plain events are another system's past: recorded ``at``, known when their ``knownat`` says, and
    never when they carry none; they go in by batches of 1,000, and importing the same file again goes on
    where it stopped. Doing either twice changes nothing.

    Raises ``InvalidEventError``, ``TamperedLogError`` or ``EventConflictError``, with the line where one
    line is at fault.
    """
    numbered = _numbered(source)
    first = next(numbered, None)
    if first is None:
        return ImportReport(0, 0)
    if lines.PLACE in first[1]:
        return _restore(store, _chained(first, numbered))
    return _append(store, _plain(first, numbered), at)


def check_lines(source: Iterable[bytes]) -> int:
    """Read every line as ``import_lines`` would and write nothing; return how many events there are."""
    numbered = _numbered(source)
    first = next(numbered, None)
    if first is None:
        return 0
    checked: Iterator[Any] = _chained(first, numbered) if lines.PLACE in first[1] else _plain(first, numbered)
    return sum(1 for _ in checked)


_Line = tuple[int, dict[str, Any]]


def _numbered(source: Iterable[bytes]) -> Iterator[_Line]:
    for number, line in enumerate(source, 1):
        if line.strip():
            with _at(number):
                found = lines.decode_line(line)
            yield number, found


class _at:  # noqa: N801 - reads as a preposition
    """Add the line to an error that names no place, or put it before the place."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, AmendsError):
            error.where = f"line {self._number}" + (f", {error.where}" if error.where else "")


def _chained(first: _Line, rest: Iterator[_Line]) -> Iterator[Recorded]:
    ends: dict[str, tuple[int, str]] = {}
    for number, found in _joined(first, rest):
        with _at(number):
            if lines.PLACE not in found:
                raise _mixed("an event that is not from a log", "in an export of a log")
            record = lines.from_object(found)
            seq, digest = ends.get(record.stream, (record.seq - 1, record.previous))
            if not _whole(record):
                raise _tampered(record, "its content does not match its digest")
            if (record.seq, record.previous) != (seq + 1, digest):
                raise _tampered(record, f"it does not follow number {seq}, which stands before it")
            ends[record.stream] = (record.seq, record.digest)
        yield record


def _plain(first: _Line, rest: Iterator[_Line]) -> Iterator[Event]:
    for number, found in _joined(first, rest):
        with _at(number):
            if lines.PLACE in found:
                raise _mixed("a record of a log", "among plain events")
            event = read_event(found, imported=True)
        yield event


def _joined(first: _Line, rest: Iterator[_Line]) -> Iterator[_Line]:
    yield first
    yield from rest


def _mixed(found: str, place: str) -> InvalidEventError:
    return InvalidEventError(
        f"found {found} {place}", remedy="import exports of logs and plain events as separate files"
    )


def _tampered(record: Recorded, why: str) -> TamperedLogError:
    return TamperedLogError(
        f"event {record.id} does not fit: {why}",
        remedy="export again from a log that `amends log verify` accepts",
        where=f"{record.stream}#{record.seq}",
    )


def _restore(store: EventStore, records: Iterator[Recorded]) -> ImportReport:
    count = 0

    def counted() -> Iterator[Recorded]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    new = store.restore(counted())
    return ImportReport(new, count - new)


def _append(store: EventStore, events: Iterator[Event], at: datetime) -> ImportReport:
    new = count = 0
    batch: list[tuple[str, Event]] = []
    for event in events:
        batch.append((route(event), event))
        count += 1
        if len(batch) == _BATCH:
            new += _append_batch(store, batch, at)
            batch = []
    new += _append_batch(store, batch, at)
    return ImportReport(new, count - new)


def _append_batch(store: EventStore, batch: Sequence[tuple[str, Event]], at: datetime) -> int:
    before = store.last_position()
    written = {record.event.key: record.position for record in store.append_many(batch, recorded_at=at)}
    return sum(position > before for position in written.values())
