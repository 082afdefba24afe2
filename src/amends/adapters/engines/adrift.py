"""The calls that a process keeps making while it has lost its database."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime

from amends.application.ports import Clock
from amends.workflows.loop import Job, LoopEngine, OnFault


class Adrift:
    """Carries on, in this process alone, what it held when its database went away."""

    def __init__(
        self, jobs: Mapping[str, Job], clock: Clock, *, threads: int, on_fault: OnFault
    ) -> None:  # fmt: skip
        self._engine = LoopEngine(jobs, clock, threads=threads, on_fault=on_fault)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._engine.run, args=(self._stop,), name="amends-adrift")
        self._taken: set[tuple[str, str]] = set()

    def take(self, name: str, key: str, due: datetime) -> None:
        """Call a job from here on."""
        self._taken.add((name, key))
        self._engine.submit(name, key, due=due)
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread.start()

    def end(self) -> set[tuple[str, str]]:
        """Let running calls end; return whom the database must hear of again."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        return self._taken
