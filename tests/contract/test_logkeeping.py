"""What verify finds, and that a log can move between stores without losing a byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from amends.adapters.stores import open_store
from amends.application import logkeeping
from amends.application.ports import EventStore
from amends.errors import EventConflictError, InvalidEventError, TamperedLogError, VersionConflictError
from amends.events import chain, codec
from amends.events import payloads as p
from amends.events.event import Event, Recorded
from tests.contract.served import serving

NOW = datetime(2026, 3, 20, 14, 27, 5, 120000, tzinfo=UTC)
LANE = "lane/shop/production"


def deployed(id: str, release: str = "1.0") -> Event:
    payload = p.ServiceDeployed(service="shop", release=release, environment="production")
    return codec.make_event("service.deployed", payload, id=id, source="/test", at=NOW)[1]


def filled(store: EventStore) -> EventStore:
    """Six events: five in one stream, one in another, one of them imported and one with odd characters."""
    earlier = NOW - timedelta(days=30)
    store.append(LANE, [deployed("1"), deployed("2")], recorded_at=NOW)
    store.append("note/é", [deployed("other", "ü 1e400 \u2028")], recorded_at=NOW)
    store.append(LANE, [replace(deployed("3"), imported=True, known_at=earlier)], recorded_at=NOW)
    store.append(LANE, [deployed("4"), deployed("5")], recorded_at=NOW + timedelta(seconds=1))
    return store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.db"
    store = filled(open_store(str(path)).store)
    store.close()
    return path


def tampered(path: Path, *statements: str) -> EventStore:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    return open_store(str(path)).store


def told(store: EventStore, *checkpoints: logkeeping.Checkpoint) -> list[str]:
    return [str(problem) for problem in logkeeping.verify(store, checkpoints).problems]


def test_an_untouched_log_holds(database: Path) -> None:
    store = open_store(str(database)).store
    checkpoint = logkeeping.make_checkpoint(store, NOW)
    assert logkeeping.make_checkpoint(store, NOW + timedelta(hours=1)) == checkpoint
    store.append(LANE, [deployed("6")], recorded_at=NOW)
    second = logkeeping.make_checkpoint(store, NOW + timedelta(hours=2))
    assert second.previous == checkpoint.root
    report = logkeeping.verify(store, [checkpoint, second])
    assert (report.ok, report.events, report.streams, report.checkpoints) == (True, 7, 2, 2)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET body = replace(CAST(body AS TEXT), '1.0', '6.6') WHERE event_id = '3'",
        "UPDATE events SET body = x'7b' WHERE event_id = '3'",
        "UPDATE events SET body = replace(CAST(body AS TEXT), '05.12', '05.13') WHERE event_id = '3'",
        "UPDATE events SET event_id = 'x3' WHERE event_id = '3'",
        "UPDATE events SET source = '/elsewhere' WHERE event_id = '3'",
        "UPDATE events SET digest = previous WHERE event_id = '3'",
    ],
)  # fmt: skip
def test_a_changed_event_is_named(database: Path, change: str) -> None:
    problems = told(tampered(database, change))
    assert any(problem.startswith(f"{LANE}#3 (event ") and "changed" in problem for problem in problems)


def test_an_event_rewritten_with_a_fitting_digest_is_found_by_its_follower(database: Path) -> None:
    store = open_store(str(database)).store
    old = store.find("3")[0]
    forged = replace(old, event=replace(old.event, data={"a": 1}), digest="")
    body = chain.body_of(forged)
    digest = chain.digest_of(body)
    with sqlite3.connect(database) as raw:
        raw.execute("UPDATE events SET body = ?, digest = ? WHERE event_id = '3'", (body, digest))
    problems = told(store)
    assert problems == [
        f"{LANE}#4 (event 4): it does not follow event 3, which stands before it: one of them was changed"
    ]


def test_a_dropped_event_is_named(database: Path) -> None:
    store = tampered(database, "DELETE FROM events WHERE event_id IN ('2', '3')")
    assert told(store) == [
        f"{LANE}#2: dropped: number 2 to 3 is not in the log",
        "position#2: dropped: what stood at 2 is not in the log",
        "position#4: dropped: what stood at 4 is not in the log",
    ]


def test_a_dropped_stream_is_named_by_its_place_in_the_log(database: Path) -> None:
    store = tampered(database, "DELETE FROM events WHERE event_id = 'other'")
    assert told(store) == ["position#3: dropped: what stood at 3 is not in the log"]


def test_neither_retries_nor_conflicts_nor_imports_leave_gaps(database: Path, tmp_path: Path) -> None:
    store = open_store(str(database)).store
    store.append(LANE, [deployed("5"), deployed("6")], recorded_at=NOW)
    with pytest.raises(EventConflictError):
        store.append(LANE, [deployed("7"), deployed("6", "2.0")], recorded_at=NOW)
    with pytest.raises(VersionConflictError):
        store.append(LANE, [deployed("7")], recorded_at=NOW, expected=1)
    store.append("late", [deployed("8")], recorded_at=NOW)
    other = open_store(str(tmp_path / "other.db")).store
    exported = list(logkeeping.export_lines(store))
    for _ in range(2):
        logkeeping.import_lines(other, exported, at=NOW)
    assert store.gaps() == other.gaps() == []
    assert logkeeping.verify(other).ok


def test_checkpoints_are_kept_when_they_are_due(database: Path) -> None:
    store = open_store(str(database)).store
    first = logkeeping.keep_checkpoint(store, NOW)
    assert first is not None
    store.append(LANE, [deployed("6")], recorded_at=NOW)
    assert logkeeping.keep_checkpoint(store, NOW + timedelta(hours=23)) is None
    daily = logkeeping.keep_checkpoint(store, NOW + timedelta(hours=24))
    assert daily is not None
    assert daily.previous == first.root
    assert logkeeping.keep_checkpoint(store, NOW + timedelta(days=9)) is None
    store.append_many([(LANE, deployed(f"n{n}")) for n in range(1000)], recorded_at=NOW)
    assert logkeeping.keep_checkpoint(store, NOW + timedelta(hours=25)) is not None
    assert logkeeping.verify(store).ok


def test_a_dropped_first_event_is_named(database: Path) -> None:
    store = tampered(database, "DELETE FROM events WHERE event_id = '1'")
    assert f"{LANE}#1: dropped: number 1 is not in the log" in told(store)


def test_swapped_events_are_named(database: Path) -> None:
    store = tampered(
        database,
        "UPDATE events SET seq = 99 WHERE event_id = '2'",
        "UPDATE events SET seq = 2 WHERE event_id = '3'",
        "UPDATE events SET seq = 3 WHERE event_id = '2'",
    )
    problems = "\n".join(told(store))
    assert "(event 2)" in problems
    assert "(event 3)" in problems


def test_moved_positions_are_named(database: Path) -> None:
    store = tampered(
        database,
        "UPDATE events SET position = 99 WHERE event_id = '2'",
    )
    problems = told(store)
    assert f"{LANE}#2: dropped: number 2 is not in the log" in problems
    assert any("(event 2): it stands after number 5" in problem for problem in problems)


def test_a_cut_tail_is_named_with_its_stream_by_a_checkpoint_alone(database: Path) -> None:
    checkpoint = logkeeping.make_checkpoint(open_store(str(database)).store, NOW)
    cut = "DELETE FROM events WHERE event_id IN ('4', '5', 'other')"
    store = tampered(database, cut, "DELETE FROM checkpoints")
    gaps = [
        "position#3: dropped: what stood at 3 is not in the log",
        "position#5: dropped: what stood at 5 to 6 is not in the log",
    ]
    assert told(store) == gaps
    said = "dropped: by the checkpoint of 2026-03-20T14:27:05.120000Z the stream had"
    assert told(store, logkeeping.read_checkpoint(logkeeping.write_checkpoint(checkpoint))) == [
        f"{LANE}#4: {said} 5 events, now it has 3",
        f"note/é#1: {said} 1 events, now it has 0",
        *gaps,
    ]


def test_a_rewritten_chain_is_seen_by_a_checkpoint(database: Path) -> None:
    checkpoint = logkeeping.make_checkpoint(open_store(str(database)).store, NOW)
    rewritten = open_store("memory:").store
    rewritten.append(LANE, [deployed(str(n), "6.6") for n in range(1, 6)], recorded_at=NOW)
    assert told(rewritten) == []
    problems = told(rewritten, checkpoint)
    assert problems[0].startswith(f"{LANE}#5 (event 5): changed: by the checkpoint of")


def test_a_changed_checkpoint_is_named(database: Path) -> None:
    store = open_store(str(database)).store
    logkeeping.make_checkpoint(store, NOW)
    store.append(LANE, [deployed("6")], recorded_at=NOW)
    second = logkeeping.make_checkpoint(store, NOW + timedelta(hours=1))
    changed = replace(second, heads={**second.heads, LANE: (2, "0" * 64)}, root="1" * 64)
    assert any("does not match its root" in problem for problem in told(store, changed))
    gone = tampered(database, "DELETE FROM checkpoints WHERE number = 1")
    assert any("does not follow the checkpoint before it" in problem for problem in told(gone))


def test_what_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="not a checkpoint") as caught:
        logkeeping.read_checkpoint(b"{}", where="file")
    assert caught.value.where == "file"


@pytest.fixture(params=["memory", "sqlite", "postgresql", "http"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    if request.param == "memory":
        yield open_store("memory:").store
    elif request.param == "sqlite":
        yield open_store(str(tmp_path / "target.db")).store
    elif request.param == "postgresql":
        store = open_store(request.getfixturevalue("postgres_database")).store
        yield store
        store.close()
    else:
        with serving(open_store("memory:"), at=NOW) as (url, token):
            yield open_store(url, token=token).store


def test_a_log_moves_between_stores_byte_by_byte(database: Path, target: EventStore) -> None:
    exported = list(logkeeping.export_lines(open_store(str(database)).store))
    store = target
    assert logkeeping.import_lines(store, exported, at=NOW) == logkeeping.ImportReport(6, 0)
    assert logkeeping.verify(store).ok
    assert list(logkeeping.export_lines(store)) == exported
    assert logkeeping.import_lines(store, exported, at=NOW) == logkeeping.ImportReport(0, 6)
    back = open_store("memory:").store
    logkeeping.import_lines(back, logkeeping.export_lines(store), at=NOW)
    assert list(logkeeping.export_lines(back)) == exported


def test_every_exported_line_is_a_cloudevent(database: Path) -> None:
    for line in logkeeping.export_lines(open_store(str(database)).store):
        found = msgspec.json.decode(line)
        assert found["specversion"] == "1.0"
        assert {"id", "source", "type", "time", "data"} <= set(found)
        assert all(name.isalnum() and name == name.lower() for name in found)


def exported(store: EventStore) -> list[bytes]:
    return list(logkeeping.export_lines(store))


Spoil = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("spoil", "where", "error"),
    [
        (lambda e: [*e[:2], b"{", *e[2:]], "line 3", InvalidEventError),
        (lambda e: [*e[:2], b"[]", *e[2:]], "line 3", InvalidEventError),
        (lambda e: [*e[:1], e[1].replace(b"@1.0", b"@6.6"), *e[2:]], "line 2", TamperedLogError),
        (lambda e: [e[0], *e[2:]], "line 3", TamperedLogError),
        (lambda e: [*e[:3], e[4], e[3], e[5]], "line 4", TamperedLogError),
        (lambda e: e[1:], f"{LANE}#2", TamperedLogError),
        (lambda e: [*e, b'{"specversion":"1.0"}'], "line 7", InvalidEventError),
        (lambda e: [e[0].replace(b'"amendsdigest"', b'"amendsdigezt"'), *e[1:]], "line 1", InvalidEventError),
    ],
)  # fmt: skip
def test_a_spoilt_export_is_refused_by_line_and_nothing_is_kept(
    database: Path, spoil: Spoil, where: str, error: type[Exception]
) -> None:
    good = exported(open_store(str(database)).store)
    spoilt = spoil(good)
    assert spoilt != good
    store = open_store("memory:").store
    with pytest.raises(error) as caught:
        logkeeping.import_lines(store, spoilt, at=NOW)
    assert getattr(caught.value, "where").startswith(where)  # noqa: B009
    assert store.last_position() == 0


def plain(id: str, **changed: object) -> bytes:
    event = {
        "specversion": "1.0", "id": id, "source": "/ci", "type": "com.example.built",
        "time": "2020-01-01T00:00:00Z", **changed,
    }  # fmt: skip
    return msgspec.json.encode(event)


def test_plain_events_are_imported_as_another_systems_past() -> None:
    store = open_store("memory:").store
    source = [plain("1"), b"", plain("2", knownat="2020-01-02T00:00:00Z")]
    assert logkeeping.import_lines(store, source, at=NOW) == logkeeping.ImportReport(2, 0)
    assert logkeeping.import_lines(store, source, at=NOW) == logkeeping.ImportReport(0, 2)
    found: list[Recorded] = store.read_stream("intake//ci")
    assert [r.known_at for r in found] == [None, datetime(2020, 1, 2, tzinfo=UTC)]
    assert [r.recorded_at for r in found] == [NOW, NOW]
    with pytest.raises(EventConflictError):
        logkeeping.import_lines(store, [plain("1", data=3)], at=NOW)


def test_lines_can_be_checked_without_writing() -> None:
    assert logkeeping.check_lines([plain("1"), plain("2")]) == 2
    assert logkeeping.check_lines([]) == 0
    with pytest.raises(InvalidEventError) as caught:
        logkeeping.check_lines([plain("1"), plain("")])
    assert caught.value.where == "line 2, id"
