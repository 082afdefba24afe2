"""A worker that dies where it is told to: the real loop, with its store and deployer wrapped from outside.

    python crash_worker.py ROOT STORE [--die-after N | --stop-before ACTION]

``--die-after N`` kills the process with SIGKILL right after its N-th append or order took effect;
``--stop-before ACTION`` stops it with SIGSTOP when it is about to give that order.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import signal
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from amends.bootstrap import open_workspace, shared_engine, toolbox
from amends.events import payloads as p
from amends.releases.deployment import Deployment
from amends.verdicts import Decision
from amends.workflows.loop import run_loop
from amends.workflows.toolbox import Progress, Toolbox


class Fate:
    """Counts what takes effect, and ends the process when its time has come."""

    def __init__(self, root: Path, die_after: int, stop_before: str) -> None:
        self._root = root
        self._left = die_after
        self._stop_before = stop_before
        self._lock = threading.Lock()

    def effect(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def ordered(self, order: Any) -> None:
        if order.action.value == self._stop_before:
            self._stop_before = ""
            (self._root / "stopped").write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
        line = {"at": time.time(), "pid": os.getpid(), "token": order.token, "action": order.action.value}
        with (self._root / "orders.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


class DyingStore:
    """The store, until fate strikes."""

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real = real
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def append(self, *args: Any, **kwargs: Any) -> Any:
        found = self._real.append(*args, **kwargs)
        self._fate.effect()
        return found

    def append_many(self, *args: Any, **kwargs: Any) -> Any:
        found = self._real.append_many(*args, **kwargs)
        self._fate.effect()
        return found


class DyingDeployer:
    """A deployer, until fate strikes."""

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real = real
        self._fate = fate

    def actuate(self, order: Any) -> Any:
        self._fate.ordered(order)
        found = self._real.actuate(order)
        self._fate.effect()
        return found

    def observe(self, service: str, environment: str) -> Any:
        return self._real.observe(service, environment)


class Open:
    """Gates that let everything pass."""

    decision = Decision.PASS
    rows: tuple[p.GateRow, ...] = ()


def open_gates(tools: Toolbox) -> Any:
    def decide(d: Deployment, at: datetime, record: bool) -> Open:
        if record:
            said = p.GatesDecided(
                service=d.service, release=d.candidate.version, environment=d.environment, at=at,
                decision="pass", gates=(), policy=d.policy, deployment=d.id,
            )  # fmt: skip
            tools.log.record("gates.decided", said)
        return Open()

    return decide


def main() -> None:
    faulthandler.enable()
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("store")
    parser.add_argument("--die-after", type=int, default=0)
    parser.add_argument("--stop-before", default="")
    asked = parser.parse_args()
    fate = Fate(asked.root, asked.die_after, asked.stop_before)
    workspace = open_workspace(store=asked.store, policy=str(asked.root / "amends.yaml"))
    log = replace(workspace.log, store=DyingStore(workspace.log.store, fate))
    tools = toolbox(replace(workspace, log=log))
    real = tools.deployer_for
    tools = replace(
        tools, decide_gates=open_gates(tools), deployer_for=lambda d: DyingDeployer(real(d), fate)
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def tell(deployment: str, progress: Progress) -> None:
        with (asked.root / "told.log").open("a") as file:
            file.write(f"{time.time():.3f} {os.getpid()} {deployment} {progress.did}\n")

    run_loop(tools, stop, tell=tell, threads=4, shared=shared_engine(workspace))


if __name__ == "__main__":
    main()
