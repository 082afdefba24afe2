"""Workers that share a PostgreSQL: between two engines, at the start, and when the database goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from amends.adapters.clocks import SystemClock
from amends.adapters.engines.procrastinate import ProcrastinateEngine
from amends.adapters.engines.queue import JobQueue
from amends.errors import StoreUnavailableError
from tests.servers import PostgresServer

PATIENCE = 60.0
Job = Callable[[str], datetime | None]


def engine(url: str, job: Job, told: list[str] | None = None) -> ProcrastinateEngine:
    faults: list[str] = [] if told is None else told
    JobQueue(url).prepare()
    return ProcrastinateEngine(
        url, {"job": job}, SystemClock(), on_fault=lambda key, error: faults.append(f"{key}: {error}")
    )


@contextmanager
def running(*engines: ProcrastinateEngine) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in engines]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def count(url: str, query: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


def test_two_workers_never_call_a_key_at_once_and_what_one_holds_hears_the_other(
    postgres_database: str,
) -> None:
    lock, inside, most, calls = threading.Lock(), [0], [0], [0]
    enough = threading.Event()

    def job(key: str) -> datetime | None:
        with lock:
            inside[0] += 1
            calls[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        with lock:
            inside[0] -= 1
        if calls[0] >= 12:
            enough.set()
        return SystemClock().now() + timedelta(seconds=60)

    first, second = engine(postgres_database, job), engine(postgres_database, job)
    with running(first, second):
        end = time.monotonic() + PATIENCE
        while not enough.is_set():
            assert time.monotonic() < end
            for one in (first, second):
                one.submit("job", "a")
            enough.wait(0.2)
    assert most[0] == 1
    assert count(postgres_database, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0


def test_what_waits_outlives_the_workers(postgres_database: str) -> None:
    before = engine(postgres_database, lambda _: None)
    before.submit("job", "a")
    reached = threading.Event()
    with running(engine(postgres_database, lambda _: reached.set())):
        assert reached.wait(PATIENCE)


def test_a_held_job_is_given_back_when_its_worker_stops(postgres_database: str) -> None:
    called = threading.Event()

    def hold(key: str) -> datetime:
        called.set()
        return SystemClock().now() + timedelta(seconds=30)

    holder = engine(postgres_database, hold)
    with running(holder):
        holder.submit("job", "a")
        assert called.wait(PATIENCE)
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at > now()"
    assert count(postgres_database, waiting) == 1


def test_a_held_job_is_called_on_without_the_database_and_queued_when_it_is_back(
    own_postgres: PostgresServer,
) -> None:
    url = own_postgres.url_of(own_postgres.create_database())
    calls, told = [0], []

    def job(key: str) -> datetime:
        calls[0] += 1
        return SystemClock().now() + timedelta(seconds=0.2)

    def until(wanted: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not wanted():
            assert time.monotonic() < end
            time.sleep(0.05)

    worker = engine(url, job, told)
    with running(worker):
        until(lambda: _submitted(worker))
        until(lambda: calls[0] > 2)
        own_postgres.stop()
        until(lambda: any(said.startswith("store: ") for said in told))
        seen = calls[0]
        until(lambda: calls[0] > seen + 10)
        own_postgres.start()
        until(lambda: _doing(url) == 1)
        seen = calls[0]
        until(lambda: calls[0] > seen + 3)


def _submitted(worker: ProcrastinateEngine) -> bool:
    try:
        worker.submit("job", "a")
    except StoreUnavailableError:
        return False
    return True


def _doing(url: str) -> int:
    try:
        return count(url, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")
    except psycopg.Error:
        return 0


def test_the_tables_are_made_once_by_whoever_comes_first(postgres_database: str) -> None:
    problems: list[BaseException] = []

    def prepare() -> None:
        try:
            JobQueue(postgres_database).prepare()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert problems == []
    assert count(postgres_database, "SELECT count(*) FROM amends_engine") == 1


def test_tables_of_an_older_library_are_brought_on(postgres_database: str) -> None:
    JobQueue(postgres_database).prepare()
    with psycopg.connect(postgres_database) as connection:
        connection.execute("DROP FUNCTION procrastinate_retry_job_v2")
        connection.execute("ALTER TYPE procrastinate_job_event_type RENAME VALUE 'retried' TO 'unknown'")
        connection.execute("UPDATE amends_engine SET latest = '03.03.00_01_pre_priority_lock_fetch_job.sql'")
    JobQueue(postgres_database).prepare()
    assert count(postgres_database, "SELECT count(to_regproc('procrastinate_retry_job_v2'))") == 1


def test_what_cannot_be_made_is_said(postgres_server: PostgresServer, postgres_database: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    guest = postgres_database.replace("amends@", "guest@")
    with pytest.raises(StoreUnavailableError, match="GRANT CREATE"):
        JobQueue(guest).prepare()
    with psycopg.connect(postgres_database) as connection:
        connection.execute(SchemaManager.get_schema().encode())
    with pytest.raises(StoreUnavailableError, match="database of its own"):
        JobQueue(postgres_database).prepare()
    with pytest.raises(StoreUnavailableError, match="check that the server runs"):
        JobQueue("postgresql://amends@127.0.0.1:1/none").prepare()
