"""One suite that every event store passes: memory, SQLite, PostgreSQL and a server's over HTTP."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from amends.adapters.stores import OpenStore, open_store
from amends.application.ports import Checkpoint, EventStore
from amends.errors import (
    EventConflictError,
    NotAllowedError,
    TamperedLogError,
    UsageError,
    VersionConflictError,
)
from amends.events import chain, codec
from amends.events import payloads as p
from amends.events.event import Event, Recorded
from tests.contract.served import serving
from tests.contract.writers import LANE, NOW, deployed, write_some

WRITERS = 8


def signed_off(id: str, release: str = "1.0") -> tuple[str, Event]:
    payload = p.SignedOff(service="shop", release=release, role="tester")
    return codec.make_event("signoff.given", payload, id=id, source="/test", at=NOW)


def ids(records: list[Recorded]) -> list[str]:
    return [record.id for record in records]


@dataclass(frozen=True)
class Address:
    """What opens a store, in this process or another."""

    url: str
    token: str = ""

    def open(self) -> OpenStore:
        return open_store(self.url, token=self.token)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "http"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    if request.param == "memory":
        yield Address("memory:")
    elif request.param == "sqlite":
        yield Address(str(tmp_path / "log.db"))
    elif request.param == "postgresql":
        yield Address(request.getfixturevalue("postgres_database"))
    else:
        with serving(open_store(str(tmp_path / "served.db")), at=NOW) as (url, token):
            yield Address(url, token)


@pytest.fixture
def opened(address: Address) -> Iterator[OpenStore]:
    opened = address.open()
    yield opened
    opened.store.close()


@pytest.fixture
def store(opened: OpenStore) -> EventStore:
    return opened.store


def test_an_empty_log_has_nothing_and_takes_no_offence(store: EventStore) -> None:
    assert store.read() == store.read_stream(LANE) == store.find("1") == list(store.records()) == []
    assert (store.version(LANE), store.last_position(), dict(store.streams())) == (0, 0, {})
    assert not store.wait(0, 0.01)
    assert store.append(LANE, [], recorded_at=NOW) == []


def test_what_is_appended_comes_back_whole(store: EventStore) -> None:
    event = replace(deployed("1"), extensions={"traceparent": "00-ab", "sampledrate": 3})
    (written,) = store.append(LANE, [event], recorded_at=NOW)
    assert written.event == event
    assert (written.stream, written.seq, written.previous) == (LANE, 1, chain.GENESIS)
    assert (written.recorded_at, written.known_at) == (NOW, NOW)
    assert store.read_stream(LANE) == store.find("1") == store.read() == list(store.records()) == [written]


def test_imported_events_keep_what_was_asserted_or_nothing(store: EventStore) -> None:
    earlier = NOW - timedelta(days=400)
    told = replace(deployed("1"), imported=True, known_at=earlier)
    untold = replace(deployed("2"), imported=True)
    store.append(LANE, [told, untold], recorded_at=NOW)
    assert [record.known_at for record in store.read_stream(LANE)] == [earlier, None]
    assert [record.event for record in store.read_stream(LANE)] == [told, untold]


def test_each_stream_is_a_chain_of_its_own(store: EventStore) -> None:
    store.append_many([(LANE, deployed("1")), ("b", deployed("2")), (LANE, deployed("3"))], recorded_at=NOW)
    lane, other = store.read_stream(LANE), store.read_stream("b")
    assert [(r.seq, r.previous) for r in lane] == [(1, chain.GENESIS), (2, lane[0].digest)]
    assert [(r.seq, r.previous) for r in other] == [(1, chain.GENESIS)]
    assert all(chain.digest_of(chain.body_of(r)) == r.digest for r in lane + other)
    assert store.streams() == {LANE: (2, lane[1].digest), "b": (1, other[0].digest)}
    assert store.read_stream(LANE, after=1) == lane[1:]
    assert ids(store.read()) == ["1", "2", "3"]


def test_a_retry_is_the_same_append_even_with_the_old_version(store: EventStore) -> None:
    first = store.append(LANE, [deployed("1"), deployed("2")], recorded_at=NOW, expected=0)
    again = store.append(
        LANE, [deployed("1"), deployed("2")], recorded_at=NOW + timedelta(hours=1), expected=0
    )
    assert again == first
    assert store.version(LANE) == 2


def test_an_event_without_time_happened_when_it_came_and_can_be_sent_again(store: EventStore) -> None:
    event = replace(deployed("1"), type="com.example.built", data={"ok": True}, time="")
    (written,) = store.append(LANE, [event], recorded_at=NOW)
    assert store.append(LANE, [event], recorded_at=NOW + timedelta(hours=1)) == [written]
    assert store.read_stream(LANE) == [written]
    assert (written.event.time, written.occurred_at) == ("", NOW)


def test_a_batch_may_hold_an_event_twice(store: EventStore) -> None:
    first, second = store.append_many([(LANE, deployed("1")), (LANE, deployed("1"))], recorded_at=NOW)
    assert first == second
    assert store.version(LANE) == 1


def test_the_same_key_with_another_body_is_a_conflict_and_writes_nothing(store: EventStore) -> None:
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    with pytest.raises(EventConflictError, match="1 from /test"):
        store.append_many([(LANE, deployed("2")), (LANE, deployed("1", "9.9"))], recorded_at=NOW)
    assert ids(store.read()) == ["1"]
    with pytest.raises(EventConflictError):
        store.append_many([(LANE, deployed("3")), (LANE, deployed("3", "9.9"))], recorded_at=NOW)
    assert ids(store.read()) == ["1"]


def test_the_same_id_from_another_source_is_another_event(store: EventStore) -> None:
    store.append_many([(LANE, deployed("1")), (LANE, deployed("1", source="/other"))], recorded_at=NOW)
    assert [record.event.source for record in store.find("1")] == ["/test", "/other"]


def test_an_old_version_is_refused(store: EventStore) -> None:
    store.append(LANE, [deployed("1")], recorded_at=NOW, expected=0)
    with pytest.raises(VersionConflictError, match="has 1 events, not 0"):
        store.append(LANE, [deployed("2")], recorded_at=NOW, expected=0)
    with pytest.raises(VersionConflictError):
        store.append(LANE, [deployed("1"), deployed("2")], recorded_at=NOW, expected=0)
    assert ids(store.read()) == ["1"]
    store.append(LANE, [deployed("2")], recorded_at=NOW, expected=1)


def test_events_are_found_by_any_tag_and_any_kind(store: EventStore) -> None:
    stream, sign_off = signed_off("2")
    store.append_many(
        [
            (LANE, deployed("1")), (stream, sign_off), (LANE, deployed("3", "2.0")),
            ("lane/till/production", deployed("4", service="till")),
        ],
        recorded_at=NOW,
    )  # fmt: skip
    assert ids(store.read(tags=["service:shop"])) == ["1", "2", "3"]
    assert ids(store.read(tags=["release:shop@1.0", "service:till"])) == ["1", "2", "4"]
    assert ids(store.read(kinds=["signoff.given"])) == ["2"]
    assert ids(store.read(kinds=["dev.cdevents.service.deployed.0.3.0"])) == ["1", "3", "4"]
    assert ids(store.read(tags=["service:shop"], kinds=["service.deployed"])) == ["1", "3"]
    assert ids(store.read(tags=["service:shop"], kinds=["service.deployed", "signoff.given"], limit=2)) == [
        "1", "2",
    ]  # fmt: skip
    assert ids(store.read(tags=["service:shop", "env:shop/production"], limit=9)) == ["1", "2", "3"]
    assert store.read(tags=["service:nobody"]) == store.read(kinds=["note.taken"]) == []


def test_reading_goes_on_after_a_position_forwards_and_newest_first(store: EventStore) -> None:
    written = store.append(LANE, [deployed(str(n)) for n in range(5)], recorded_at=NOW)
    middle = written[2].position
    for tags in ([], ["service:shop"]):
        for kinds in ([], ["service.deployed"]):
            assert ids(store.read(tags=tags, kinds=kinds, after=middle)) == ["3", "4"]
            assert ids(store.read(tags=tags, kinds=kinds, after=middle, limit=1)) == ["3"]
            assert ids(store.read(tags=tags, kinds=kinds, limit=2, newest_first=True)) == ["4", "3"]
            assert ids(store.read(tags=tags, kinds=kinds, before=middle)) == ["0", "1"]
            assert ids(
                store.read(tags=tags, kinds=kinds, before=middle, limit=1, newest_first=True)
            ) == ["1"]  # fmt: skip
            first = written[0].position
            assert ids(store.read(tags=tags, kinds=kinds, after=first, before=middle)) == ["1"]
            assert store.read(tags=tags, kinds=kinds, before=first) == []
    assert store.last_position() == written[-1].position
    assert store.read(limit=0) == []


def test_reading_between_moments_goes_by_what_the_tag_dates(store: EventStore) -> None:
    def placed(id: str, hours: int) -> tuple[str, Event]:
        payload = p.ServiceDeployed(service="shop", release="1.0", environment="production")
        at = NOW + timedelta(hours=hours)
        return codec.make_event("service.deployed", payload, id=id, source="/test", at=at)

    shift = p.ShiftAcknowledged(
        team="pay", role="r", person="p-1", starts=NOW, ends=NOW + timedelta(hours=8)
    )  # fmt: skip
    on_shift = codec.make_event("shift.acknowledged", shift, id="s", source="/test", at=NOW)
    store.append_many([placed("b", 2), placed("a", 1), placed("c", 3), on_shift], recorded_at=NOW)
    lane, second = ["env:shop/production"], NOW + timedelta(hours=2)
    assert ids(store.read(tags=lane, since=second)) == ["b", "c"]
    assert ids(store.read(tags=lane, until=second, kinds=["service.deployed"])) == ["b", "a"]
    assert ids(store.read(tags=lane, since=second, until=second)) == ["b"]
    assert ids(store.read(tags=lane, since=NOW, newest_first=True, limit=2)) == ["c", "a"]
    assert ids(store.read(tags=["team:pay"], since=shift.ends)) == ["s"]
    assert store.read(tags=["team:pay"], since=shift.ends + timedelta(microseconds=1)) == []
    assert store.read(tags=["service:shop"], since=NOW) == []
    with pytest.raises(UsageError, match="without tags"):
        store.read(since=NOW)


def test_events_of_unknown_kinds_are_kept_and_found_by_their_type(store: EventStore) -> None:
    event = Event(
        id="1", source="/ci", type="com.example.thing", subject="", time="2026-03-20T14:27:05Z",
        data=[1, None],
    )  # fmt: skip
    store.append("intake//ci", [event], recorded_at=NOW)
    assert store.read(kinds=["com.example.thing"])[0].event == event


def test_waiting_ends_when_something_is_written(store: EventStore) -> None:
    store.append(LANE, [deployed("0")], recorded_at=NOW)
    seen = store.last_position()
    assert store.wait(0, 0)
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(store.wait(seen, 30)))
    waiter.start()
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    waiter.join(20)
    assert answers == [True]


def test_restored_records_keep_place_times_and_digests(store: EventStore) -> None:
    origin = open_store("memory:").store
    origin.append_many([(LANE, deployed(str(n))) for n in range(3)] + [signed_off("s")], recorded_at=NOW)
    records = list(origin.records())
    assert store.restore(records) == 4
    assert store.restore(iter(records)) == 0
    assert [replace(r, position=0) for r in store.records()] == [replace(r, position=0) for r in records]
    assert ids(store.read(tags=["release:shop@1.0"], kinds=["signoff.given"])) == ["s"]
    store.append(LANE, [deployed("next")], recorded_at=NOW, expected=3)


def test_records_that_do_not_fit_are_refused_altogether(store: EventStore) -> None:
    origin = open_store("memory:").store
    first, second, third = origin.append(LANE, [deployed(str(n)) for n in range(3)], recorded_at=NOW)
    forged = replace(second, event=deployed("1", "9.9"))
    for wrong in ([first, third], [second], [first, forged], [first, replace(second, previous="0" * 64)]):
        with pytest.raises(TamperedLogError, match=LANE):
            store.restore(wrong)
    assert store.read() == []
    store.restore([first, second])
    with pytest.raises(EventConflictError):
        store.restore([replace(forged, digest="f" * 64)])


def test_checkpoints_come_back_in_order_and_once(store: EventStore) -> None:
    first = Checkpoint(NOW, 3, {LANE: (3, "a" * 64)}, "", "b" * 64)
    second = Checkpoint(NOW + timedelta(days=1), 4, {LANE: (4, "c" * 64)}, "b" * 64, "d" * 64)
    assert store.checkpoints() == []
    for checkpoint in (first, second, first):
        store.save_checkpoint(checkpoint)
    with pytest.raises(VersionConflictError, match="meanwhile"):
        store.save_checkpoint(replace(first, root="e" * 64))
    assert store.checkpoints() == [first, second]


def test_pseudonyms_are_stable_and_can_be_forgotten(opened: OpenStore) -> None:
    people = opened.people
    assert people.login("p-000000000000") is None
    assert not people.forget("ada")
    name = people.pseudonym("ada")
    assert name == people.pseudonym("ada") != people.pseudonym("grace")
    assert len(name) == 14
    assert name.startswith("p-")
    assert people.login(name) == "ada"
    assert people.forget("ada")
    assert people.login(name) is None
    assert people.pseudonym("ada") != name


def test_pseudonyms_of_many_are_those_of_each(opened: OpenStore) -> None:
    people = opened.people
    ada = people.pseudonym("ada")
    found = people.pseudonyms(["ada", "grace", "ada", "linus"])
    assert found == {"ada": ada, "grace": people.pseudonym("grace"), "linus": people.pseudonym("linus")}
    assert len(set(found.values())) == 3
    assert people.pseudonyms([]) == {}


def test_tokens_are_known_by_their_hash_until_revoked(opened: OpenStore) -> None:
    tokens = opened.tokens
    if opened.kind == "http":
        with pytest.raises(NotAllowedError, match="another machine"):
            tokens.any()
        return
    assert not tokens.any()
    assert not tokens.revoke("ci")
    token = tokens.issue("ci", at=NOW)
    assert tokens.any()
    assert tokens.check(token) == "ci"
    assert tokens.check(token[:-1]) is None
    newer = tokens.issue("ci", at=NOW)
    other = tokens.issue("browser", at=NOW)
    assert (tokens.check(token), tokens.check(newer), tokens.check(other)) == ("ci", "ci", "browser")
    assert tokens.revoke("ci")
    assert (tokens.check(token), tokens.check(newer), tokens.check(other)) == (None, None, "browser")


def assert_unbroken(records: list[Recorded], count: int) -> None:
    assert [record.seq for record in records] == list(range(1, count + 1))
    assert len({record.id for record in records}) == count
    assert [r.previous for r in records] == [chain.GENESIS, *(r.digest for r in records[:-1])]


def test_threads_that_share_a_store_lose_and_repeat_nothing(store: EventStore) -> None:
    def write(name: int) -> None:
        for n in range(10):
            store.append(LANE, [deployed(f"{name}-{n}")], recorded_at=NOW)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert_unbroken(store.read_stream(LANE), 10 * WRITERS)


def test_of_writers_who_saw_the_same_version_one_wins(store: EventStore) -> None:
    def write(name: int) -> bool:
        try:
            store.append(LANE, [deployed(f"w-{name}")], recorded_at=NOW, expected=0)
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        assert sum(pool.map(write, range(WRITERS))) == 1
    assert store.version(LANE) == 1


def test_of_writers_of_the_same_event_all_get_one_record(store: EventStore) -> None:
    def write(stream: int) -> str:
        return store.append(f"s/{stream}", [deployed("same")], recorded_at=NOW)[0].digest

    with ThreadPoolExecutor(WRITERS) as pool:
        assert len(set(pool.map(write, range(WRITERS)))) == 1
    assert len(store.find("same")) == 1


def test_processes_lose_and_repeat_nothing(address: Address, store: EventStore) -> None:
    if address.url == "memory:" or address.token:
        pytest.skip("memory is not shared between processes; a server is one process")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.contract.writers"])
    workers = [context.Process(target=write_some, args=(address.url, f"w{n}", 10)) for n in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * WRITERS
    assert_unbroken(store.read_stream(LANE), 10 * WRITERS)


def follow(store: EventStore, count: int, done: Callable[[], bool]) -> list[str]:
    seen: list[str] = []
    position = 0
    while True:
        last_look = done()
        for record in store.read(after=position, limit=7):
            seen.append(record.id)
            position = record.position
        if len(seen) >= count or (last_look and store.last_position() <= position):
            return seen
        store.wait(position, 0.05)


def test_a_follower_misses_nothing_while_others_write(store: EventStore) -> None:
    each = 12

    def write(name: int) -> None:
        for n in range(each):
            batch = [(f"s/{name}", deployed(f"{name}-{n}-{k}")) for k in range(3)]
            store.append_many(batch, recorded_at=NOW)

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        writers = [pool.submit(write, n) for n in range(WRITERS)]
        seen = follow(store, 3 * each * WRITERS, lambda: all(w.done() for w in writers))
    assert len(seen) == len(set(seen)) == 3 * each * WRITERS
