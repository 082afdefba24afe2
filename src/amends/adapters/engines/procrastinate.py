"""Workers on many machines, with procrastinate on the PostgreSQL that holds the log.

A job that is due again within a minute and a half is *held*: its worker waits and calls it again itself,
instead of giving it back to the queue after each call. That spares the database a dozen statements for every
look at a deployment. And it says who goes on when the database cannot be reached: the holder, alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate import exceptions

from amends.adapters.engines.adrift import Adrift
from amends.adapters.engines.keeper import STALLED_AFTER, Keeper
from amends.adapters.engines.queue import QUEUE, WAIT_FOR_A_CONNECTION, JobQueue, told
from amends.adapters.stores.postgres import explain
from amends.application.ports import Clock, Stop
from amends.errors import StoreUnavailableError
from amends.events.event import parse_time
from amends.workflows.loop import Job, OnFault

_HELD_AT_MOST = 256
_LONGEST_HOLD = 90.0  # real seconds until the next call
_BEAT = 2.0
_LOOK = 1.0  # for what is due, for what was abandoned, for whether to stop
_PATIENCE_FOR_A_THREAD = 5.0
_AFTER_A_FAULT = timedelta(seconds=30)
_HANGS_AFTER = 15.0
_KEEP_FAILED_HOURS = 24
_EVERY_HOUR = "0 * * * *"

_Task = tuple[str, str]


@dataclass
class _Held:
    """A job in this worker's hands; touched by the event loop alone, save ``again``."""

    name: str
    key: str
    id: int
    due: datetime | None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    again: datetime | None = None  # asked for in this process meanwhile
    release: bool = False  # to be given back: the worker stops, or another asks for it
    lost: bool = False  # somebody else has it


class ProcrastinateEngine:
    """An engine whose jobs any worker on the same database may call.

    Parameters
    ----------
    url:
        ``postgresql://…``
    jobs:
        What can be called, by name.
    threads:
        How many calls this worker makes at once.
    on_fault:
        Told of a job's unexpected exception (the job is tried again after 30 s), and, under the key
        ``store``, of the database's absence.
    queue:
        Which jobs of the database it calls: those that engines with the same name submitted.
    """

    def __init__(
        self, url: str, jobs: Mapping[str, Job], clock: Clock, *, threads: int = 16,
        on_fault: OnFault = lambda _key, _error: None, queue: str = QUEUE,
    ) -> None:  # fmt: skip
        self._jobs = jobs
        self._clock = clock
        self._threads = threads
        self._on_fault = on_fault
        self._queue = JobQueue(url, queue)
        self._lock = threading.Lock()
        self._held: dict[_Task, _Held] = {}
        self._adrift: Adrift | None = None
        self._owed: set[_Task] = set()  # to be queued when the database is back
        self._pool: ThreadPoolExecutor
        self._keeper: Keeper
        self._loop: asyncio.AbstractEventLoop

    def submit(self, job: str, key: str, *, due: datetime | None = None) -> None:
        """See ``Engine.submit``. Raises ``StoreUnavailableError`` when the database cannot be reached."""
        if job not in self._jobs:
            raise KeyError(job)
        with self._lock:
            held = self._held.get((job, key))
            if held is not None and not held.lost:
                held.again = _earliest(held.again, due or self._clock.now())
                self._loop.call_soon_threadsafe(held.wake.set)
                return
        self._enqueue(job, key, due)

    def run(self, stop: Stop) -> None:
        """See ``Engine.run``. A database that goes away is waited for, as long as it takes."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="amends") as self._pool:
            while not stop.is_set():
                try:
                    self._queue.prepare()
                    self._pay_back()
                    asyncio.run(self._work(stop))
                except Exception as error:  # whatever it is, deployments must be carried on
                    self._on_fault("store", _plain(error, self._queue.where))
                if not stop.is_set():
                    self._outlast(stop)
        self._queue.close()

    def _enqueue(self, name: str, key: str, due: datetime | None) -> None:
        seconds = self._clock.real_seconds_until(due) if due else 0.0
        self._queue.submit(name, key, due=due, seconds=seconds)

    def _outlast(self, stop: Stop) -> None:
        """Wait until the database answers; what was held goes on meanwhile."""
        self._queue.close()
        while not stop.wait(_LOOK) and not self._queue.reachable():
            pass
        adrift, self._adrift = self._adrift, None
        if adrift is not None:
            self._owed |= adrift.end()

    def _pay_back(self) -> None:
        for task in list(self._owed):
            self._enqueue(*task, None)
            self._owed.discard(task)

    async def _work(self, stop: Stop) -> None:
        self._loop = asyncio.get_running_loop()
        self._one_by_one = asyncio.Lock()
        # A job that cannot be marked as done is taken up again by its lock; nobody needs the traceback.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        # Connections are not tried before use: one that is dead ends this run, and the next one makes others.
        pool = psycopg_pool.AsyncConnectionPool(
            self._queue.url, min_size=1, max_size=4, timeout=WAIT_FOR_A_CONNECTION, open=False,
            configure=_autocommit,
        )  # fmt: skip
        async with (
            await psycopg.AsyncConnection.connect(self._queue.url, autocommit=True) as connection,
            pool,
        ):
            self._keeper = Keeper(connection, self._queue.name)
            app = self._app()
            await app.open_async(pool)
            worker = asyncio.create_task(app.run_worker_async(
                queues=[self._queue.name], name="amends", concurrency=self._threads + _HELD_AT_MOST,
                fetch_job_polling_interval=_LOOK, abort_job_polling_interval=3600.0,
                shutdown_graceful_timeout=0.0, delete_jobs="successful", install_signal_handlers=False,
                update_heartbeat_interval=_BEAT, stalled_worker_timeout=STALLED_AFTER,
            ))  # fmt: skip
            await self._until_over(stop, worker)

    async def _until_over(self, stop: Stop, worker: asyncio.Task[None]) -> None:
        others = [asyncio.create_task(self._keep()), asyncio.create_task(_until(stop))]
        try:
            done, _ = await asyncio.wait({worker, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in others:
                task.cancel()
            worker.cancel()
            # A library that waits for a dead connection must not keep us; jobs that run may.
            while not worker.done():
                await asyncio.wait({worker}, timeout=_HANGS_AFTER)
                if not self._held:
                    break
        for task in done:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _app(self) -> procrastinate.App:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        for name in self._jobs:
            app.task(name=name, queue=self._queue.name, pass_context=True)(self._task(name))

        # Also keeps the library's watch over its own side tasks going, which ends where nothing is periodic.
        @app.periodic(cron=_EVERY_HOUR)
        @app.task(name="tidy", queue=self._queue.name, queueing_lock=f"tidy {self._queue.name}")
        async def tidy(timestamp: int) -> None:  # noqa: ARG001 - the library gives it
            await app.job_manager.delete_old_jobs(
                _KEEP_FAILED_HOURS, queue=self._queue.name, include_failed=True, include_cancelled=True,
                include_aborted=True,
            )  # fmt: skip

        return app

    def _task(self, name: str) -> Callable[..., Coroutine[Any, Any, None]]:
        async def call(context: procrastinate.JobContext, key: str, due: str | None = None) -> None:
            job = context.job
            held = _Held(name, key, int(job.id or 0), parse_time(due) if due else self._clock.now())
            with self._lock:
                self._held[name, key] = held
            carrying = asyncio.create_task(self._carry(held, int(job.worker_id or 0)))
            # Cancelled, a job would count as done with. It is to end in order instead, and to be handed over.
            while not carrying.done():
                try:
                    await asyncio.wait({carrying})
                except asyncio.CancelledError:
                    held.release = True
                    held.wake.set()
            carrying.result()

        return call

    async def _carry(self, held: _Held, worker: int) -> None:
        try:
            held.lost = not await self._keeper.vouch(held.id, worker)
            while await self._due(held):
                held.due = await self._called(held)
        except (psycopg.Error, TimeoutError):
            held.release = True  # the database went before the first call
        with self._lock:
            if self._held.get((held.name, held.key)) is held:
                del self._held[held.name, held.key]
            held.due = _earliest(held.due, held.again)
        if not held.lost and held.due is not None:
            async with self._one_by_one:
                await self._hand_over(held, held.due)

    async def _due(self, held: _Held) -> bool:
        """Wait until a job is to be called; ``False`` when this worker is not to hold it until then."""
        while not (held.release or held.lost):
            with self._lock:
                again, held.again = held.again, None
                held.wake.clear()
            held.due = _earliest(held.due, again)
            if held.due is None:
                return False
            if held.due <= self._clock.now():
                return True
            seconds = self._clock.real_seconds_until(held.due)
            if seconds > _LONGEST_HOLD or len(self._held) > _HELD_AT_MOST:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(held.wake.wait(), seconds)
        return False

    async def _called(self, held: _Held) -> datetime | None:
        """Call a job in a thread; where none becomes free, another worker may have one."""
        call = self._pool.submit(self._do, held.name, held.key)
        result = asyncio.wrap_future(call)
        while not result.done():
            await asyncio.wait({result}, timeout=_PATIENCE_FOR_A_THREAD)
            if not result.done() and call.cancel():
                held.release = True
                return self._clock.now()
        return result.result()

    def _do(self, name: str, key: str) -> datetime | None:
        try:
            return self._jobs[name](key)
        except Exception as error:  # whatever one job does wrong, the others go on
            self._on_fault(key, error)
            return self._clock.now() + _AFTER_A_FAULT

    async def _hand_over(self, held: _Held, due: datetime) -> None:
        """Put a job's next call into the queue; or keep calling it here, when there is no queue.

        One after the other: when the queue is gone, only the first waits to find out.
        """
        if self._adrift is None:
            try:
                await asyncio.to_thread(self._enqueue, held.name, held.key, due)
            except StoreUnavailableError:
                self._adrift = Adrift(
                    self._jobs, self._clock, threads=self._threads, on_fault=self._on_fault
                )  # fmt: skip
        if self._adrift is not None:
            self._adrift.take(held.name, held.key, due)

    async def _keep(self) -> None:
        while True:
            held = {job.id: job for job in self._held.values()}
            mine = await self._keeper.mine(held) if held else {}
            for number, job in held.items():
                job.lost = job.lost or number not in mine
                job.release = job.release or mine.get(number, False)
                if job.lost or job.release:
                    job.wake.set()
            for left in await self._keeper.abandoned():
                if left.key:
                    await asyncio.to_thread(self._queue.submit, left.name, left.key, due=None, seconds=0.0)
                await self._keeper.forget(left.id)
            await asyncio.sleep(_LOOK)


async def _until(stop: Stop) -> None:
    while not stop.is_set():
        await asyncio.sleep(_LOOK / 2)


async def _autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _plain(error: Exception, where: str) -> Exception:
    if isinstance(error, exceptions.ConnectorException):
        return told(error, where)
    if isinstance(error, psycopg.Error):
        return explain(error, where)
    if isinstance(error, TimeoutError):
        return StoreUnavailableError("the database does not answer in time", where=where)
    return error
