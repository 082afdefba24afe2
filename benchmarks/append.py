"""How fast events are appended, against raw inserts of the same bytes by the same driver in the same run.

Rounds alternate between amends and raw, so that a busy disk slows both alike. The raw table has a rowid and
the bytes, nothing else: no stream, no chain, no idempotence, no tags, no index.

    .venv/bin/python benchmarks/append.py [--postgres URL] [--json FILE]

Without ``--postgres`` a PostgreSQL of the machine is started for the run where there is one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amends.adapters.stores import open_store
from amends.adapters.stores.sql import SqlStore
from amends.adapters.stores.sqlite import SqliteDatabase
from amends.application.ports import EventStore
from amends.events import chain, codec
from amends.events import payloads as p
from amends.events.event import Event

NOW = datetime(2026, 3, 20, 14, 27, 5, tzinfo=UTC)
ROUNDS = 5
SINGLE = 300
BATCHES = 5
BATCH = 1000
WRITERS = 8


def events(count: int, stream_count: int = 10) -> list[tuple[str, Event]]:
    run = uuid.uuid4().hex[:8]
    return [
        codec.make_event(
            "service.deployed",
            p.ServiceDeployed(service=f"shop-{n % stream_count}", release=f"1.{n}", environment="production"),
            id=f"{run}-{n}",
            source="/benchmark",
            at=NOW,
        )
        for n in range(count)
    ]


def bodies(items: list[tuple[str, Event]]) -> list[bytes]:
    previous = chain.GENESIS
    return [
        chain.body_of(chain.link(event, stream=stream, seq=n + 1, previous=previous, recorded_at=NOW))
        for n, (stream, event) in enumerate(items)
    ]


def rate(work: Callable[[], int]) -> float:
    """Return how many of what ``work`` counts are done per second."""
    start = time.perf_counter()
    count = work()
    return count / (time.perf_counter() - start)


def one_by_one(store: EventStore, items: list[tuple[str, Event]]) -> int:
    for stream, event in items:
        store.append(stream, [event], recorded_at=NOW)
    return len(items)


def in_batches(store: EventStore, items: list[tuple[str, Event]]) -> int:
    for start in range(0, len(items), BATCH):
        store.append_many(items[start : start + BATCH], recorded_at=NOW)
    return len(items)


def raw_sqlite(connection: sqlite3.Connection, found: list[bytes], size: int) -> int:
    for start in range(0, len(found), size):
        connection.execute("BEGIN IMMEDIATE")
        rows = [(body,) for body in found[start : start + size]]
        connection.executemany("INSERT INTO raw (body) VALUES (?)", rows)
        connection.execute("COMMIT")
    return len(found)


def raw_postgres(url: str, found: list[bytes], size: int) -> int:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for start in range(0, len(found), size):
            rows = [(body,) for body in found[start : start + size]]
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("INSERT INTO raw (body) VALUES (%s)", rows)
    return len(found)


def compare(store: EventStore, raw: Callable[[list[bytes], int], int]) -> dict[str, dict[str, float]]:
    """Return the medians of each way of writing and of the ratio within each round."""
    one_by_one(store, events(20))
    raw(bodies(events(20)), 1)
    found: dict[str, dict[str, float]] = {}
    for name, count, size, write in (
        ("one commit each", SINGLE, 1, one_by_one),
        (f"batches of {BATCH}", BATCHES * BATCH, BATCH, in_batches),
    ):
        ours, theirs = [], []
        for _ in range(ROUNDS):
            items = events(count)
            content = bodies(items)
            theirs.append(rate(lambda c=content, s=size: raw(c, s)))
            ours.append(rate(lambda i=items, w=write: w(store, i)))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        found[name] = {
            "amends": statistics.median(ours),
            "raw": statistics.median(theirs),
            "ratio": statistics.median(ratios),
        }
    return found


def sqlite_figures(folder: Path, synchronous: str) -> dict[str, dict[str, float]]:
    store = SqlStore(SqliteDatabase(folder / f"{synchronous}.db", synchronous=synchronous))
    connection = sqlite3.connect(folder / f"raw-{synchronous}.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB)")
    try:
        return compare(store, lambda found, size: raw_sqlite(connection, found, size))
    finally:
        store.close()
        connection.close()


def postgres_figures(url: str) -> dict[str, dict[str, float]]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE raw (id bigserial PRIMARY KEY, body bytea)")
    store = open_store(url).store
    try:
        found = compare(store, lambda content, size: raw_postgres(url, content, size))
    finally:
        store.close()
    for writers in (1, WRITERS):
        found[f"{writers} writer processes, one commit each"] = many_writers(url, writers)
    return found


def ours(url: str, barrier: object, count: int, stream: int) -> None:
    store = open_store(url).store
    items = [(f"{name}/{stream}", event) for name, event in events(count)]
    store.version("warm")
    barrier.wait()  # type: ignore[attr-defined]
    one_by_one(store, items)
    store.close()


def theirs(url: str, barrier: object, count: int, _stream: int) -> None:
    content = bodies(events(count))
    barrier.wait()  # type: ignore[attr-defined]
    raw_postgres(url, content, 1)


def many_writers(url: str, writers: int) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    rates = {}
    for name, target in (("raw", theirs), ("amends", ours)):
        barrier = context.Barrier(writers + 1)
        processes = [context.Process(target=target, args=(url, barrier, SINGLE, n)) for n in range(writers)]
        for process in processes:
            process.start()
        barrier.wait()
        start = time.perf_counter()
        for process in processes:
            process.join()
        rates[name] = writers * SINGLE / (time.perf_counter() - start)
    return {**rates, "ratio": rates["amends"] / rates["raw"]}


@contextmanager
def a_postgres(url: str) -> Iterator[str]:
    """Give a database: the one that was named, or one on a server that lives as long as this."""
    from tests.servers import PostgresServer, find_server

    program = find_server("postgresql")
    if url or program is None:
        yield url
        return
    server = PostgresServer(program.parent)
    try:
        server.start()
        yield server.url_of(server.create_database())
    finally:
        server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--postgres", default="", metavar="URL", help="an empty database")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for synchronous in ("FULL", "NORMAL"):
            figures[f"SQLite WAL {synchronous}"] = sqlite_figures(Path(folder), synchronous)
    with a_postgres(options.postgres) as url:
        if url:
            figures["PostgreSQL"] = postgres_figures(url)
        else:
            print("no PostgreSQL on this machine and none named with --postgres: left out")
    size = statistics.mean(len(body) for body in bodies(events(100)))
    print(f"events per second; {size:.0f} bytes each; medians of {ROUNDS} alternating rounds\n")
    print("| store | how | amends | raw | amends ÷ raw |\n|---|---|---:|---:|---:|")
    for store, found in figures.items():
        for how, row in found.items():
            print(f"| {store} | {how} | {row['amends']:,.0f} | {row['raw']:,.0f} | {row['ratio']:.2f} |")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
