"""A worker's pulse: which jobs are still its own, who asks for them meanwhile, and whose worker is gone.

procrastinate notices a dead worker by its heartbeat alone, and that takes a while. So each worker also holds
an advisory lock under its number, which PostgreSQL takes away the moment that its connection ends: a job
whose worker holds none is taken over within a second. A worker that was frozen, or whose machine vanished,
holds its lock on; its heartbeat ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

STALLED_AFTER = 10.0  # seconds without a heartbeat
ANSWER_WITHIN = 10.0
_SPACE = 0x616D65  # "ame": the log's own locks are in "amd"

_MINE = """
SELECT job.id, EXISTS (
    SELECT 1 FROM procrastinate_jobs AS other WHERE other.queueing_lock = job.lock AND other.status = 'todo'
    AND (other.scheduled_at IS NULL OR other.scheduled_at <= now())
) FROM procrastinate_jobs AS job WHERE job.id = ANY(%s) AND job.status = 'doing'
"""
_ABANDONED = f"""
SELECT job.id, job.task_name, job.args ->> 'key' FROM procrastinate_jobs AS job
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND job.queue_name = %(queue)s AND (
    worker.id IS NULL
    OR worker.last_heartbeat < now() - make_interval(secs => {STALLED_AFTER})
    OR NOT EXISTS (
        SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = {_SPACE}
        AND objid::bigint = worker.id
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
)
"""  # noqa: S608 - numbers of our own


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A job whose worker is gone. ``key`` is empty when it is not one of ours."""

    id: int
    name: str
    key: str


class Keeper:
    """Looks after the jobs of one worker, on a connection of its own (autocommit)."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], queue: str) -> None:
        self._connection = connection
        self._queue = queue
        self._one_at_a_time = asyncio.Lock()
        self._worker = 0

    async def vouch(self, job: int, worker: int) -> bool:
        """Show that a worker lives, before its first job begins; return whether the job is still its own."""
        if self._worker == worker:
            return True
        if not await self._rows("SELECT pg_try_advisory_lock(%s, %s)", (_SPACE, worker)):
            return False
        self._worker = worker
        return job in await self.mine([job])

    async def mine(self, jobs: Collection[int]) -> dict[int, bool]:
        """Return those that are still this worker's, each with whether its key was asked for again."""
        return {int(job): bool(wanted) for job, wanted in await self._rows(_MINE, (list(jobs),))}

    async def abandoned(self) -> list[Abandoned]:
        """Return the jobs whose workers are gone."""
        rows = await self._rows(_ABANDONED, {"queue": self._queue})
        return [Abandoned(int(job), str(name), str(key or "")) for job, name, key in rows]

    async def forget(self, job: int) -> None:
        """Drop a job whose successor waits. Its worker, if it wakes, finds that it has lost it."""
        await self._rows(
            "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing' RETURNING 1", (job,)
        )

    async def _rows(self, query: str, values: Any) -> list[Any]:
        async with self._one_at_a_time, asyncio.timeout(ANSWER_WITHIN):
            cursor = await self._connection.execute(query.encode(), values)
            return await cursor.fetchall()
