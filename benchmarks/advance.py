"""How fast deployments advance, how soon a restarted loop does, and what a thousand waiting ones cost.

    python benchmarks/advance.py [--store URL] [--waiting N]

Prints one line for each figure, with the bar it is held against. Deployer and gates do nothing here: what is
measured is amends (loading, folding, deciding, recording with every commit synced).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from amends.application.deploying import Wish, request_deployment
from amends.bootstrap import Workspace, open_workspace, toolbox
from amends.events import payloads as p
from amends.releases.actuation import Action, Actuation, Observation, ReleaseRef
from amends.releases.deployment import Deployment
from amends.verdicts import Decision
from amends.workflows.advance import advance
from amends.workflows.loop import run_loop
from amends.workflows.toolbox import Progress, Toolbox

STEPS = 20


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


def request(workspace: Workspace, service: str) -> str:
    plan: dict[str, Any] = {
        "rollout": {"steps": [{"weight": n + 1, "for": 0.0} for n in range(STEPS)]},
        "watch": {"interval": 0.001, "on_inconclusive": "promote"},
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
        target=run_loop, args=(tools_of(workspace, opens=opens), stop), kwargs={"tell": tell}
    )
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", default="")
    parser.add_argument("--waiting", type=int, default=1000)
    parser.add_argument("--loop-on", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop_on:
        wait_in_loop(asked.loop_on, 20.0)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = asked.store or str(Path(folder) / "speed.db")
        by_clock, by_processor = speed(store, 20)
        print(f"advances per second, one process: {by_clock:.0f} (bar: 300 on SQLite, 250 on PostgreSQL)")
        print(f"advances per second of processor time: {by_processor:.0f}")
        store = asked.store or str(Path(folder) / "waiting.db")
        workspace = open_workspace(store=store)
        for n in range(asked.waiting):
            request(workspace, f"waiting{n}")
        workspace.close()
        # In a process of its own: memory and start-up are its, not the benchmark's.
        said = subprocess.run(
            [sys.executable, __file__, "--loop-on", store], check=True, capture_output=True, text=True
        ).stdout.split()
        print(f"process start to first advance: {said[0]} s (bar: 5)")
        print(f"until all {said[4]} waiting deployments were looked at: {said[1]} s")
        print(f"peak memory with them: {said[2]} MB (bar: 150)")
        print(f"idle, share of a core: {said[3]}% (bar: 2)")


if __name__ == "__main__":
    main()
