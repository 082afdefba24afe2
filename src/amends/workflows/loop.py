"""One process that carries every deployment on: wakes on events and when something is due, else sleeps."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from amends.application.logkeeping import keep_checkpoint
from amends.application.ports import Clock, Engine, Stop
from amends.errors import AmendsError
from amends.workflows.advance import advance
from amends.workflows.bypasses import open_bypasses
from amends.workflows.following import PEOPLE, Follower
from amends.workflows.reconcile import reconcile
from amends.workflows.toolbox import Progress, Toolbox

Job = Callable[[str], datetime | None]
"""Does one thing for a key and returns when to be called again; ``None``: when something happens."""

Tell = Callable[[str, Progress], None]
"""Told what each call came to, with the deployment's id."""

OnFault = Callable[[str, Exception], None]
"""Told of a job's unexpected exception, with its key."""

MakeEngine = Callable[[Mapping[str, Job], OnFault, int], Engine]
"""Makes the engine that calls these jobs, so many at once."""

GUARDS = "guards"
"""The key under which active guards are looked at."""

_Task = tuple[str, str]
_LONGEST_SLEEP = 0.5  # real seconds until it is looked whether to stop
_AFTER_A_FAULT = timedelta(seconds=30)
_BETWEEN_CHECKPOINTS = timedelta(minutes=10)
_AT_THE_LATEST = timedelta(hours=1)
_FOR_ANOTHER = timedelta(seconds=10)


class LoopEngine:
    """An engine in this process: a heap of what is due and a few threads.

    Parameters
    ----------
    jobs:
        What can be called, by name.
    threads:
        How many calls may run at once: one slow deployer must not hold up the others.
    on_fault:
        Told of a job's unexpected exception; the job is tried again after 30 s.
    """

    def __init__(
        self, jobs: Mapping[str, Job], clock: Clock, *, threads: int = 16,
        on_fault: OnFault = lambda _key, _error: None,
    ) -> None:  # fmt: skip
        self._jobs = jobs
        self._clock = clock
        self._threads = threads
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._waiting: dict[_Task, datetime] = {}
        self._running: set[_Task] = set()
        self._heap: list[tuple[datetime, int, _Task]] = []
        self._count = itertools.count()

    def submit(self, job: str, key: str, *, due: datetime | None = None) -> None:
        """See ``Engine.submit``."""
        if job not in self._jobs:
            raise KeyError(job)
        with self._changed:
            self._await((job, key), due or self._clock.now())

    def run(self, stop: Stop) -> None:
        """See ``Engine.run``."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="amends") as pool:
            while not stop.is_set():
                with self._changed:
                    ready = self._take_ready()
                    if not ready:
                        self._changed.wait(self._sleep())
                for task in ready:
                    pool.submit(self._call, task)

    def _await(self, task: _Task, due: datetime) -> None:
        known = self._waiting.get(task)
        if known is not None and known <= due:
            return
        self._waiting[task] = due
        heapq.heappush(self._heap, (due, next(self._count), task))
        self._changed.notify()

    def _take_ready(self) -> list[_Task]:
        now = self._clock.now()
        ready: list[_Task] = []
        while self._heap and self._heap[0][0] <= now:
            due, _, task = heapq.heappop(self._heap)
            if self._waiting.get(task) != due or task in self._running:
                continue  # moved to an earlier time, or taken up again when its present call ends
            del self._waiting[task]
            self._running.add(task)
            ready.append(task)
        return ready

    def _sleep(self) -> float:
        if not self._heap:
            return _LONGEST_SLEEP
        return min(_LONGEST_SLEEP, self._clock.real_seconds_until(self._heap[0][0]))

    def _call(self, task: _Task) -> None:
        job, key = task
        try:
            due = self._jobs[job](key)
        except Exception as error:  # whatever one job does wrong, the others go on
            due = self._clock.now() + _AFTER_A_FAULT
            self._on_fault(key, error)
        with self._changed:
            self._running.discard(task)
            waiting = self._waiting.pop(task, None)
            following = [moment for moment in (due, waiting) if moment is not None]
            if following:
                self._await(task, min(following))


def run_loop(
    tools: Toolbox, stop: Stop, *, tell: Tell = lambda _id, _progress: None, threads: int = 16,
    shared: MakeEngine | None = None,
) -> None:  # fmt: skip
    """Carry all deployments of the log on until told to stop, and keep checkpoints of the log.

    Several may run on one log, on one machine or many: what they do twice has no effect. ``shared`` makes the
    engine by which they divide the work among them; without it each does all of it.
    """

    def advance_one(deployment: str) -> datetime | None:
        progress = advance(tools, deployment)
        tell(deployment, progress)
        if progress.finished:
            tools.memory.pop(deployment, None)
            engine.submit("reconcile", deployment)
            return None
        return progress.due or tools.clock.now() + _AT_THE_LATEST

    def reconcile_one(deployment: str) -> datetime | None:
        found = reconcile(tools, deployment)
        if found:
            tell(deployment, Progress(None, True, found))
        return None

    def keep_one(_key: str) -> datetime:
        keep_checkpoint(tools.log.store, tools.clock.now())
        return tools.clock.now() + _BETWEEN_CHECKPOINTS

    def fault(key: str, error: Exception) -> None:
        kind = "" if isinstance(error, AmendsError) else f"{type(error).__name__}: "
        tell(key, Progress(None, False, f"went wrong and is tried again: {kind}{error}"))

    jobs = {
        "advance": advance_one,
        "reconcile": reconcile_one,
        "checkpoint": keep_one,
        "tell": _telling(tools, tell),
        "hold": _holding(tools, tell),
        "bypass": _bypasses(tools, tell),
    }
    engine: Engine
    if shared is None:
        engine = LoopEngine(jobs, tools.clock, threads=threads, on_fault=fault)
    else:
        engine = shared(jobs, fault, threads)
    engine.submit("checkpoint", "checkpoint of the log")
    if tools.tell_people:
        engine.submit("tell", PEOPLE)
    if tools.check_guards:
        engine.submit("hold", GUARDS)
    following = Follower(tools, engine, shared=shared is not None)
    follower = threading.Thread(target=following.run, args=(stop,), name="amends-follower")
    follower.start()
    try:
        engine.run(stop)
    finally:
        follower.join()


def _telling(tools: Toolbox, tell: Tell) -> Job:
    """Return the job that tells people. A process that has nobody to tell leaves it to one that has."""

    def tell_one(_key: str) -> datetime:
        now = tools.clock.now()
        if tools.tell_people is None:
            return now + _FOR_ANOTHER
        progress = tools.tell_people()
        if progress.did:
            tell(PEOPLE, progress)
        return min(progress.due or now + _AT_THE_LATEST, now + _AT_THE_LATEST)

    return tell_one


def _holding(tools: Toolbox, tell: Tell) -> Job:
    """Return the job that looks at guards. A process that does not leaves it to one that does."""

    def hold_one(_key: str) -> datetime:
        now = tools.clock.now()
        if tools.check_guards is None:
            return now + _FOR_ANOTHER
        progress = tools.check_guards()
        if progress.did:
            tell(GUARDS, progress)
        return progress.due or now + _AT_THE_LATEST

    return hold_one


def _bypasses(tools: Toolbox, tell: Tell) -> Job:
    """Return the job that opens the incidents of a service's deployments that went around its gates."""

    def open_one(service: str) -> datetime | None:
        progress = open_bypasses(tools.log, service)
        if progress.did:
            tell(service, progress)
        return progress.due

    return open_one
