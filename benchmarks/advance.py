"""How fast deployments advance, how soon a restarted worker does, and what a thousand waiting ones cost.

    python benchmarks/advance.py [--postgres URL] [--waiting N] [--deaths N]

Prints a line for each figure, with the bar it is held against, for SQLite and for PostgreSQL. Without
``--postgres`` (an empty database) a PostgreSQL of the machine is started for the run where there is one.
Deployer and gates do nothing here: what is measured is amends (loading, folding, deciding, recording with
every commit synced), and on PostgreSQL the engine by which workers divide the work.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amends.application.deploying import Wish, request_deployment
from amends.bootstrap import Workspace, open_workspace, shared_engine, toolbox
from amends.events import payloads as p
from amends.releases.actuation import Action, Actuation, Observation, ReleaseRef
from amends.releases.deployment import Deployment
from amends.verdicts import Decision
from amends.workflows.advance import advance
from amends.workflows.loop import run_loop
from amends.workflows.toolbox import Progress, Toolbox

QUICK = [{"weight": n + 1, "for": 0.0} for n in range(20)]


class Instant:
    """A deployer that does at once what it is told."""

    def actuate(self, order: Actuation) -> Observation:
        share = {Action.SHIFT: order.weight, Action.PROMOTE: 100}.get(order.action, 0)
        return Observation(order.service, order.environment, order.token, {order.candidate.version: share})

    def observe(self, service: str, environment: str) -> Observation:
        return Observation(service, environment)


class Said:
    def __init__(self, decision: Decision, rows: tuple[p.GateRow, ...]) -> None:
        self.decision = decision
        self.rows = rows


def tools_of(workspace: Workspace, *, opens: datetime | None = None) -> Toolbox:
    """Return tools whose gates pass, or are shut until ``opens``."""
    log = workspace.log

    def decide(d: Deployment, at: datetime, record: bool) -> Said:
        rows = ()
        if opens:
            rows = (
                p.GateRow(gate="window", kind="window", decision="undecided", reason="closed", until=opens),
            )
        said = Said(Decision.UNDECIDED if opens else Decision.PASS, rows)
        if record:
            log.record("gates.decided", p.GatesDecided(
                service=d.service, release=d.candidate.version, environment=d.environment, at=at,
                decision=said.decision.value, gates=rows, policy="-", deployment=d.id,
            ))  # fmt: skip
        return said

    return replace(toolbox(workspace), deployer_for=lambda _: Instant(), decide_gates=decide)


def request(
    workspace: Workspace, service: str, *, steps: list[dict[str, float]] = QUICK, interval: float = 0.001
) -> str:  # fmt: skip
    plan: dict[str, Any] = {
        "rollout": {"steps": steps},
        "watch": {"interval": interval, "on_inconclusive": "promote"},
        "deploy": {"command": {"start": "true"}},
    }
    workspace.log.record("service.deployed", p.ServiceDeployed(service=service, release="0", environment="e"))
    wish = Wish(release=ReleaseRef(service, "1"), environment="e", environments=["e"], plan=plan, policy="-")
    return request_deployment(workspace.log, wish)


def speed(store: str, deployments: int) -> tuple[float, float]:
    """Return advances per second of one process, by the clock and by the processor's time it took."""
    workspace = open_workspace(store=store)
    tools = tools_of(workspace)
    run = [request(workspace, f"speed{n}") for n in range(deployments + 1)]
    while not advance(tools, run[0]).finished:  # imports and caches are warm after the first
        pass
    began, worked, calls = time.perf_counter(), time.process_time(), 0
    for identity in run[1:]:
        while not advance(tools, identity).finished:
            calls += 1
    workspace.close()
    return calls / (time.perf_counter() - began), calls / (time.process_time() - worked)


def engine_speed(store: str, deployments: int) -> float:
    """Return advances per second of one worker, by the clock, with its engine."""
    workspace = open_workspace(store=store)
    run = [request(workspace, f"engine{n}") for n in range(deployments)]
    stop, over, calls = threading.Event(), set(), [0.0, 0.0]

    def tell(deployment: str, progress: Progress) -> None:
        calls[0] = calls[0] or time.perf_counter()
        calls[1] += 1
        if progress.finished:
            over.add(deployment)
            if over >= set(run):
                stop.set()

    run_loop(tools_of(workspace), stop, tell=tell, shared=shared_engine(workspace))
    took = time.perf_counter() - calls[0]
    workspace.close()
    return calls[1] / took


def tell_calls(store: str) -> None:
    """Be a worker that prints the moment of each call."""
    workspace = open_workspace(store=store)
    shared = shared_engine(workspace)
    print("ready", flush=True)
    run_loop(
        tools_of(workspace), threading.Event(), shared=shared,
        tell=lambda _id, _progress: print(time.time(), flush=True),
    )  # fmt: skip


def takeovers(store: str, deaths: int) -> list[float]:
    """Return seconds from the death of the worker that holds a watch to its next call by another."""
    workspace = open_workspace(store=store)
    request(workspace, "watched", steps=[{"weight": 1, "for": 3600.0}], interval=0.05)
    crew = [Worker(store), Worker(store)]
    found = []
    for _ in range(deaths):
        time.sleep(5.0)  # the new one has begun too
        holder = max(crew, key=lambda one: one.last)
        holder.process.kill()
        holder.process.wait()
        died = time.time()
        (other,) = [one for one in crew if one is not holder]
        while other.last < died:
            time.sleep(0.005)
        found.append(other.last - died)
        crew = [other, Worker(store)]
    for one in crew:
        one.process.kill()
    workspace.close()
    return found


class Worker:
    """A worker of its own process, and when it last called."""

    def __init__(self, store: str) -> None:
        words = [sys.executable, __file__, "--work-on", store]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.last = 0.0
        assert self.process.stdout is not None
        self.process.stdout.readline()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = float(line)


def wait_in_loop(store: str, seconds: float) -> None:
    """Run the loop on a log of waiting deployments; print first advance, memory and CPU when idle."""
    began = time.time()
    workspace = open_workspace(store=store)
    opens = workspace.clock.now() + timedelta(days=1)
    stop, first, seen = threading.Event(), [0.0], set()

    def tell(deployment: str, _: Progress) -> None:
        first[0] = first[0] or time.time()
        seen.add(deployment)

    loop = threading.Thread(
        target=run_loop, args=(tools_of(workspace, opens=opens), stop),
        kwargs={"tell": tell, "shared": shared_engine(workspace)},
    )  # fmt: skip
    loop.start()
    total = len(workspace.log.facts(kinds=("deployment.requested",)))
    while len(seen) < total:
        time.sleep(0.1)
    settled = time.time()
    time.sleep(1.0)
    before, at = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    idle = (time.process_time() - before) / (time.perf_counter() - at)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stop.set()
    loop.join()
    print(f"{first[0] - began:.2f} {settled - began:.2f} {peak:.0f} {idle * 100:.2f} {total}")


def figures(store: str, waiting_store: str, waiting: int, bar: int) -> None:
    """Print what holds for any store."""
    by_clock, by_processor = speed(store, 20)
    print(f"advances per second, one process: {by_clock:.0f} (bar: {bar})")
    print(f"advances per second of processor time: {by_processor:.0f}")
    print(f"advances per second, one worker with its engine: {engine_speed(store, 20):.0f} (bar: {bar})")
    workspace = open_workspace(store=waiting_store)
    for n in range(waiting):
        request(workspace, f"waiting{n}")
    workspace.close()
    # In a process of its own: memory and start-up are its, not the benchmark's.
    said = subprocess.run(
        [sys.executable, __file__, "--loop-on", waiting_store], check=True, capture_output=True, text=True
    ).stdout.split()
    print(f"process start to first advance: {said[0]} s (bar: 5)")
    print(f"until all {said[4]} waiting deployments were looked at: {said[1]} s")
    print(f"peak memory with them: {said[2]} MB (bar: 150)")
    print(f"idle, share of a core: {said[3]}% (bar: 2)")


@contextmanager
def a_postgres(url: str) -> Iterator[Callable[[], str] | None]:
    """Give what names an empty database (always the same, where a URL was given)."""
    from tests.servers import PostgresServer, find_server

    program = find_server("postgresql")
    if url or program is None:
        yield (lambda: url) if url else None
        return
    server = PostgresServer(program.parent)
    server.start()
    try:
        yield lambda: server.url_of(server.create_database())
    finally:
        server.remove()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", default="", metavar="URL")
    parser.add_argument("--waiting", type=int, default=1000)
    parser.add_argument("--deaths", type=int, default=10)
    parser.add_argument("--loop-on", default="", help=argparse.SUPPRESS)
    parser.add_argument("--work-on", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop_on:
        wait_in_loop(asked.loop_on, 20.0)
        return
    if asked.work_on:
        tell_calls(asked.work_on)
        return
    with tempfile.TemporaryDirectory() as folder:
        print("-- SQLite")
        figures(str(Path(folder) / "speed.db"), str(Path(folder) / "waiting.db"), asked.waiting, 300)
    with a_postgres(asked.postgres) as database:
        if database is None:
            print("no PostgreSQL on this machine and none named with --postgres: left out")
            return
        print("-- PostgreSQL")
        figures(database(), database(), asked.waiting, 250)
        took = sorted(takeovers(database(), asked.deaths))
        print(
            f"takeover after a worker's death: median {took[len(took) // 2]:.2f} s, at most {took[-1]:.2f} s "
            f"of {len(took)} (bar: 15)"
        )


if __name__ == "__main__":
    main()
