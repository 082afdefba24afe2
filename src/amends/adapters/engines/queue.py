"""What waits, in procrastinate's tables: one job for each name and key, at the earliest time asked for."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import psycopg_pool
from procrastinate import exceptions
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

from amends.adapters.engines.tables import ensure_tables
from amends.adapters.stores.postgres import explain, plain_url
from amends.errors import StoreUnavailableError
from amends.events.event import format_time

QUEUE = "amends"
WAIT_FOR_A_CONNECTION = 3.0
_CONNECTIONS = 4
_ATTEMPTS = 20

# The library announces only what is inserted; who is moved to an earlier time is announced here.
_MOVE_FORWARD = """
WITH waiting AS (
    SELECT id, scheduled_at FROM procrastinate_jobs
    WHERE queueing_lock = %(lock)s AND status = 'todo' FOR UPDATE
), moved AS (
    UPDATE procrastinate_jobs AS job SET scheduled_at = %(at)s, args = %(args)s FROM waiting
    WHERE job.id = waiting.id AND waiting.scheduled_at > COALESCE(%(at)s, '-infinity'::timestamptz)
    RETURNING pg_notify(%(channel)s, '{"type": "job_inserted", "job_id": 0}')
)
SELECT (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM moved) AS moved
"""


def quiet() -> None:
    """Keep what the libraries say about lost connections off the terminal: we say it ourselves."""
    for name in ("procrastinate", "psycopg.pool"):
        logging.getLogger(name).addHandler(logging.NullHandler())


class JobQueue:
    """Puts jobs into the database. Used by any thread.

    Parameters
    ----------
    url:
        ``postgresql://…``, the database of the log.
    name:
        The queue: workers of another one never see these jobs.
    """

    def __init__(self, url: str, name: str = QUEUE) -> None:
        quiet()
        self.name = name
        self.url, self.where = plain_url(url)
        self._lock = threading.Lock()
        self._pool: psycopg_pool.ConnectionPool | None = None
        self._connector = SyncPsycopgConnector()

    def prepare(self) -> None:
        """Create or upgrade the tables. Raises ``StoreUnavailableError``."""
        ensure_tables(self.url, self.where)

    def submit(self, name: str, key: str, *, due: datetime | None, seconds: float) -> None:
        """Have a job waiting for ``due``, so many real seconds from now; now, when they are nought.

        A job of the same name and key that waits already is moved there if it would come later.

        Raises
        ------
        StoreUnavailableError
            The database cannot be reached.
        """
        at = datetime.now(UTC) + timedelta(seconds=seconds) if seconds > 0 else None
        args: dict[str, Any] = {"key": key, "due": format_time(due) if due and at else None}
        lock = lock_of(name, key)
        job = Job(
            id=None, queue=self.name, lock=lock, queueing_lock=lock, task_name=name, task_kwargs=args,
            scheduled_at=at,
        )  # fmt: skip
        manager, channel = self._open(), f"procrastinate_queue_v1#{self.name}"
        try:
            for _ in range(_ATTEMPTS):
                found = self._connector.execute_query_one(
                    _MOVE_FORWARD, lock=lock, at=at, args=args, channel=channel
                )
                if found["waiting"]:
                    return
                try:
                    manager.defer_job(job)
                except exceptions.AlreadyEnqueued:
                    continue  # another process was quicker: look where it stands
                return
        except exceptions.ConnectorException as error:
            raise told(error, self.where) from None
        raise StoreUnavailableError(f"{name} {key} could not be queued", remedy="try again", where=self.where)

    def reachable(self) -> bool:
        """Return whether the database answers."""
        try:
            with psycopg.connect(self.url, connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Let go of connections; the next ``submit`` makes new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._connector = SyncPsycopgConnector()
        if pool is not None:
            pool.close(timeout=WAIT_FOR_A_CONNECTION)

    def _open(self) -> JobManager:
        with self._lock:
            if self._pool is None:
                self._pool = psycopg_pool.ConnectionPool(
                    self.url, min_size=1, max_size=_CONNECTIONS, timeout=WAIT_FOR_A_CONNECTION, open=True,
                    check=psycopg_pool.ConnectionPool.check_connection,
                )  # fmt: skip
                self._connector.open(self._pool)
            return JobManager(self._connector)


def lock_of(name: str, key: str) -> str:
    """Return what one call of a name and key holds, and one waiting job of it."""
    return json.dumps([name, key], ensure_ascii=False)


def told(error: BaseException, where: str) -> StoreUnavailableError:
    """Say what a library's error means for the store."""
    return explain(error.__cause__ or error, where)
