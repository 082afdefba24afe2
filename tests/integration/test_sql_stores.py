"""What databases do beyond the contract: migrations, indexes, bad files, full disks, servers that go away."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from amends.adapters.stores import open_store, schema
from amends.adapters.stores.migrate import SCHEMA_VERSION, VERSION_TABLE
from amends.adapters.stores.postgres import PostgresDatabase
from amends.adapters.stores.sql import SqlStore
from amends.adapters.stores.sqlite import SqliteDatabase
from amends.application.pushing import PushedPage
from amends.errors import InvalidEventError, StoreUnavailableError, TamperedLogError, UsageError
from amends.events import codec
from amends.events import payloads as p
from amends.events.event import Event
from tests.servers import PostgresServer

NOW = datetime(2026, 3, 20, 14, 27, tzinfo=UTC)
LANE = "lane/shop/production"


def deployed(id: str, reason: str = "1.0") -> Event:
    payload = p.ServiceDeployed(service="shop", release=reason, environment="production")
    return codec.make_event("service.deployed", payload, id=id, source="/test", at=NOW)[1]


def sqlite_store(path: Path, busy_timeout: float = 0.05) -> SqlStore:
    return SqlStore(SqliteDatabase(path, busy_timeout=busy_timeout))


# --- schema ---------------------------------------------------------------------------------------------


def _tables(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        name: " ".join(text.split()) for name, text in rows if name not in (VERSION_TABLE, "sqlite_sequence")
    }


def test_migrations_give_the_schema_on_sqlite(tmp_path: Path) -> None:
    sqlite_store(tmp_path / "migrated.db").append(LANE, [deployed("1")], recorded_at=NOW)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    schema.metadata.create_all(engine)
    migrated, made = sqlite3.connect(tmp_path / "migrated.db"), sqlite3.connect(tmp_path / "made.db")
    assert _tables(migrated) == _tables(made)
    assert migrated.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_migrations_give_the_schema_on_postgresql(postgres_database: str) -> None:
    open_store(postgres_database).store.append(LANE, [deployed("1")], recorded_at=NOW)
    engine = sa.create_engine(postgres_database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
        version = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    assert int(version) == SCHEMA_VERSION
    engine.dispose()


def test_a_log_of_the_first_schema_is_brought_on_and_keeps_its_events(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    first = open_store(str(path))
    first.store.append(LANE, [deployed("1")], recorded_at=NOW)
    first.store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE pushed_pages")
        raw.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
        raw.execute("PRAGMA user_version=1")
    raw.close()
    again = open_store(str(path))
    assert [record.id for record in again.store.read_stream(LANE)] == ["1"]
    page = PushedPage("shop", "production", "1.0", "pod", "up 1\n", "text/plain", NOW)
    again.pushes.put(page, forget=NOW)
    assert again.pushes.latest("shop", "production", ["1.0"]) == [page]
    again.store.close()


@pytest.fixture
def on_connect(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[sqlite3.Connection], Any]]:
    """What is called with each connection to a SQLite file that is opened from now on."""
    calls: list[Callable[[sqlite3.Connection], Any]] = []
    connect = sqlite3.connect

    def opened(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        for call in calls:
            call(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", opened)
    return calls


def test_reading_uses_indexes(tmp_path: Path, on_connect: list[Callable[[sqlite3.Connection], Any]]) -> None:
    statements: list[str] = []
    on_connect.append(lambda connection: connection.set_trace_callback(statements.append))
    store = sqlite_store(tmp_path / "log.db")
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    statements.clear()
    for limit in (None, 5):
        store.read(tags=["service:shop"], kinds=["service.deployed", "signoff.given"], limit=limit)
        store.read(tags=["service:shop", "env:shop/production"], limit=limit, newest_first=True)
        store.read(tags=["env:shop/production"], limit=limit, since=NOW, until=NOW)
        store.read(
            tags=["env:shop/production"], kinds=["service.deployed", "service.upgraded"], limit=limit,
            since=NOW, newest_first=True,
        )  # fmt: skip
        store.read(kinds=["service.deployed"], limit=limit, after=0)
    store.find("1")
    store.read_stream(LANE, after=3)
    list(store.records())
    asked = [statement for statement in statements if "body" in statement]
    plan = sqlite3.connect(tmp_path / "log.db").execute
    plans = [row[3] for statement in asked for row in plan(f"EXPLAIN QUERY PLAN {statement}")]
    assert len(asked) == 13
    assert [plan for plan in plans if plan.startswith(("SCAN events", "SCAN event_tags"))] == []
    assert sum("event_tags_by_moment" in plan for plan in plans) == 4


# --- SQLite files ---------------------------------------------------------------------------------------


def test_the_file_is_made_on_first_write_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "log.db"
    opened = open_store(f"sqlite:///{path}")
    assert opened.store.read() == []
    assert opened.people.login("p-1") is None
    assert not path.parent.exists()
    opened.store.append(LANE, [deployed("1")], recorded_at=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_empty_file_is_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.touch()
    store = sqlite_store(path)
    assert store.read() == []
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    assert store.last_position() == 1


def _text(path: Path) -> None:
    path.write_text("service: shop\n" * 100)


def _other_database(path: Path) -> None:
    sqlite3.connect(path).execute("CREATE TABLE t (x)")


def _newer_log(path: Path) -> None:
    sqlite_store(path).append(LANE, [deployed("1")], recorded_at=NOW)
    sqlite3.connect(path).execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_text, "not a log of amends"),
        (_other_database, "not a log of amends"),
        (_newer_log, "schema 99; this amends knows schemas up to 2"),
        (Path.mkdir, "cannot be opened|cannot use this file"),
    ],
)
def test_a_file_that_is_no_log_is_refused_and_left_alone(
    tmp_path: Path, prepare: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "log.db"
    prepare(path)
    before = path.read_bytes() if path.is_file() else b""
    for ask in (
        lambda: sqlite_store(path).read(),
        lambda: sqlite_store(path).append("s", [deployed("9")], recorded_at=NOW),
    ):
        with pytest.raises(StoreUnavailableError, match=message) as caught:
            ask()
        assert caught.value.remedy
        assert caught.value.where == str(path)
        assert caught.value.exit_code == 4
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="cannot use this file"):
        sqlite_store(tmp_path / "file" / "log.db").append(LANE, [deployed("1")], recorded_at=NOW)


def test_a_locked_log_says_so_and_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = sqlite_store(path)
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="another process holds the log"):
        store.append(LANE, [deployed("2")], recorded_at=NOW)
    assert store.version(LANE) == 1
    other.execute("COMMIT")
    store.append(LANE, [deployed("2")], recorded_at=NOW)


def test_a_full_disk_writes_nothing_by_half(
    tmp_path: Path, on_connect: list[Callable[[sqlite3.Connection], Any]]
) -> None:
    on_connect.append(lambda connection: connection.execute("PRAGMA max_page_count = 44"))
    store = sqlite_store(tmp_path / "log.db")
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        store.append(LANE, [deployed(f"big-{n}", "x" * 1000) for n in range(500)], recorded_at=NOW)
    assert [record.id for record in store.read()] == ["1"]
    store.append(LANE, [deployed("2")], recorded_at=NOW)


def test_a_disk_that_is_full_before_the_first_event_leaves_nothing_half_made(
    tmp_path: Path, on_connect: list[Callable[[sqlite3.Connection], Any]]
) -> None:
    on_connect.append(lambda connection: connection.execute("PRAGMA max_page_count = 9"))
    store = sqlite_store(tmp_path / "log.db")
    with pytest.raises(StoreUnavailableError, match="disk is full") as caught:
        store.append(LANE, [deployed("1")], recorded_at=NOW)
    assert "free some space" in caught.value.remedy
    assert store.read() == []
    on_connect.clear()
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    assert [record.id for record in sqlite_store(tmp_path / "log.db").read()] == ["1"]


def _unwritable(path: Path) -> None:
    """Have SQLite fail to make its shared memory, as on a disk that is read-only or full."""
    path.with_name(f"{path.name}-shm").symlink_to("nowhere")


def test_a_log_that_lies_where_nothing_can_be_written_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = sqlite_store(path)
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    store.close()
    _unwritable(path)
    store = sqlite_store(path)
    assert [record.id for record in store.read()] == [record.id for record in store.records()] == ["1"]
    with pytest.raises(StoreUnavailableError):
        store.append(LANE, [deployed("2")], recorded_at=NOW)
    path.with_name("log.db-shm").unlink()
    store.append(LANE, [deployed("2")], recorded_at=NOW)
    assert store.version(LANE) == 2


def test_events_that_only_the_write_ahead_log_holds_are_never_left_out_unseen(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = sqlite_store(path)
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    copy = tmp_path / "copy" / "log.db"
    copy.parent.mkdir()
    for name in ("log.db", "log.db-wal"):
        copy.with_name(name).write_bytes(path.with_name(name).read_bytes())
    _unwritable(copy)
    with pytest.raises(StoreUnavailableError, match=r"newest events are still in log\.db-wal"):
        sqlite_store(copy).read()


def test_a_body_that_cannot_be_read_is_named_and_never_skipped(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = sqlite_store(path)
    store.append(LANE, [deployed("1"), deployed("2")], recorded_at=NOW)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE events SET body = x'00' WHERE seq = 2")
    raw.commit()
    with pytest.raises(TamperedLogError, match=f"{LANE}#2"):
        store.read()
    assert [record.id for record in store.records()] == ["1", "2"]


def test_another_process_that_writes_ends_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store, other = sqlite_store(path), sqlite_store(path)
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(store.wait(0, 30)))
    waiter.start()
    other.append(LANE, [deployed("1")], recorded_at=NOW)
    waiter.join(20)
    assert answers == [True]


# --- PostgreSQL -----------------------------------------------------------------------------------------


def test_a_follower_does_not_step_over_a_position_that_commits_later(postgres_database: str) -> None:
    slow, quick = PostgresDatabase(postgres_database), open_store(postgres_database).store
    quick.append("first", [deployed("0")], recorded_at=NOW)
    entry = open_store("memory:").store
    (record,) = entry.append("slow", [deployed("slow")], recorded_at=NOW)
    with slow.writing() as connection:
        reserved = slow.reserve(connection, 1)
        (late,) = quick.append("quick", [deployed("quick")], recorded_at=NOW)
        assert late.position > reserved[0]
        assert [r.id for r in quick.read()] == ["0"]
        assert quick.last_position() < reserved[0]
        assert [r.id for r in quick.read_stream("quick")] == ["quick"]
        row = {
            "position": reserved[0], "source": "/test", "event_id": "slow", "kind": "service.deployed",
            "stream": "slow", "seq": 1, "recorded_at": 0, "previous": record.previous,
            "digest": record.digest, "fingerprint": "", "body": b'{"amendsprevious":"","amendsseq":1,'
            b'"amendsstream":"slow","recordedat":"2026-03-20T14:27:00Z","id":"slow","source":"/test",'
            b'"type":"x","time":"2026-03-20T14:27:00Z"}',
        }  # fmt: skip
        connection.insert("events", tuple(row), [tuple(row.values())])
    assert [r.id for r in quick.read()] == ["0", "slow", "quick"]
    slow.close()
    quick.close()


def test_somebody_elses_long_transaction_holds_nobody_back(postgres_database: str) -> None:
    store = open_store(postgres_database).store
    with psycopg.connect(postgres_database) as other:
        other.execute("CREATE TABLE elsewhere (x int)")
        other.execute("SELECT pg_current_xact_id()")
        (record,) = store.append(LANE, [deployed("1")], recorded_at=NOW)
        assert store.last_position() == record.position
    store.close()


def test_a_server_that_goes_away_is_named_and_found_again(own_postgres: PostgresServer) -> None:
    store = open_store(own_postgres.url_of(own_postgres.create_database())).store
    store.append(LANE, [deployed("1")], recorded_at=NOW)
    own_postgres.stop()
    for ask in (
        lambda: store.read(),
        lambda: store.append(LANE, [deployed("2")], recorded_at=NOW),
        lambda: store.wait(9, 1),
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            ask()
        assert "127.0.0.1" in caught.value.where
        assert caught.value.remedy
    own_postgres.start()
    assert [r.id for r in store.append(LANE, [deployed("2")], recorded_at=NOW, expected=1)] == ["2"]
    store.close()


def test_a_database_of_somebody_else_is_refused(postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as other:
        other.execute("CREATE TABLE events (x int)")
    store = open_store(postgres_database).store
    assert store.read() == []
    with pytest.raises(StoreUnavailableError, match="database of its own"):
        store.append(LANE, [deployed("1")], recorded_at=NOW)
    store.close()


def test_passwords_stay_out_of_errors() -> None:
    store = open_store("postgresql://ada:sesame@127.0.0.1:1/log").store
    with pytest.raises(StoreUnavailableError) as caught:
        store.read()
    assert "sesame" not in str(caught.value)


def test_what_postgresql_cannot_keep_is_refused(postgres_database: str) -> None:
    store = open_store(postgres_database).store
    with pytest.raises(InvalidEventError, match="cannot keep"):
        store.append("s\0", [deployed("1")], recorded_at=NOW)
    store.close()


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StoreUnavailableError) as caught:
        open_store("postgresql://localhost/log")
    assert "pip install 'amends[postgres]'" in caught.value.remedy


def test_an_unknown_kind_of_store_is_named() -> None:
    with pytest.raises(UsageError, match="'mysql'"):
        open_store("mysql://localhost/log")
