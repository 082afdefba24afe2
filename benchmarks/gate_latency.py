"""How long one decision of the gates takes on a log of 10^5 events (SQLite) that is open already.

    .venv/bin/python benchmarks/gate_latency.py [--events 100000]

The log holds the history of five services: changes, reviews, suites, deployments, traffic, shifts. What is
asked is the newest release of one of them, with the first six gates or, with --gates all, with every kind of
gate. Prints a line for RESULTS.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from amends.adapters.policyfile import parse_policy
from amends.adapters.stores import open_store
from amends.application.gating import decide_gates
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.payloads import Payload

START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = """
service: service-0
team: pay
environments: [dev, staging, production]
gates:
  production:
    - {review: {approvals: 1}, mode: block}
    - {tests: {suites: [unit]}, mode: block}
    - {sign_off: {role: qa}, mode: block}
    - {soak: {environment: staging, for: 1h, min_requests: 100}, mode: block}
    - {window: {days: [mon..fri], time_zone: Europe/Berlin}, mode: block}
    - {watchers: {role: on-call}, mode: block}
"""
MORE = """
    - {edge_cases: {suites: [unit]}, mode: block}
    - {proofs: {suites: [unit]}, mode: block}
    - {watch: {environment: staging}, mode: block}
    - {replay: , mode: block}
    - depends_on:
        services: [{service: service-1, at_least: "1.1"}, {service: service-2, at_least: "1.1"}]
        needed_by: [service-3, service-4]
      mode: block
    - {attestation: {suites: [unit]}, mode: block}
    - {expr: {cel: "release.changes < 9 && suites.unit == 'success'"}, mode: block}
"""
EDGE_CASES = 50
GUARDS = 50


class Clock:
    """A clock that only the benchmark moves."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


CASES = tuple(p.TestCase(name=f"t{number}", outcome="passed") for number in range(100))


def trouble(service: str, number: int, version: str) -> Iterator[tuple[str, Payload]]:
    """An incident that was resolved, and what was learned from it."""
    name = f"INC-{service}-{number}"
    yield (
        "incident.detected",
        p.IncidentOpened(
            incident=name, service=service, environment="production", summary="s", opened_by="alert",
            release=version,
        ),
    )  # fmt: skip
    yield "incident.resolved", p.IncidentMoved(incident=name, service=service)


def lessons(service: str) -> Iterator[tuple[str, Payload]]:
    """Edge cases and guards."""
    for number in range(EDGE_CASES):
        case = p.EdgeCaseDocumented(service=service, edge_case=f"e{number}", words="w", test=f"t{number}")
        yield "edgecase.documented", case
    for number in range(GUARDS):
        name = f"A-{service}-{number}"
        yield (
            "amendment.proposed",
            p.AmendmentProposed(
                amendment=name, incident="INC-1", service=service, kind="test", title="t",
                selector=f"t{number}",
            ),
        )  # fmt: skip
        judged = p.AmendmentJudged(amendment=name, incident="INC-1", service=service, reason="r")
        yield "amendment.proven", judged


def story(service: str, number: int, at: datetime) -> Iterator[tuple[str, Payload]]:
    """The events of one release: about twenty-five."""
    version, changes = f"1.{number}", tuple(f"{service}-{number}-{n}" for n in range(3))
    for change in changes:
        yield "change.merged", p.ChangeMerged(service=service, change=change, author="p-ann")
        yield "change.reviewed", p.ChangeReviewed(service=service, change=change, reviewer="p-bob")
    declared = p.ReleaseDeclared(service=service, version=version, digest=f"sha256:{number}", changes=changes)
    yield "artifact.packaged", declared
    yield (
        "testsuiterun.finished",
        p.SuiteFinished(
            service=service, release=version, suite="unit", outcome="success", cases=CASES,
            digest=f"sha256:{number}",
        ),
    )  # fmt: skip
    if number % 50 == 7:
        yield from trouble(service, number, version)
    yield (
        "deployment.finished",
        p.DeploymentFinished(
            deployment=f"{service}-{number}", service=service, environment="staging", release=version,
            outcome="promoted", reason="r", watch="passed",
        ),
    )  # fmt: skip
    replay = p.ReplayFinished(service=service, release=version, decision="pass", requests=9)
    yield "replay.finished", replay
    yield "signoff.given", p.SignedOff(service=service, release=version, role="qa")
    for environment in ("dev", "staging", "production"):
        yield "service.deployed", p.ServiceDeployed(service=service, release=version, environment=environment)
        for hour in range(3):
            since = at + timedelta(hours=hour)
            yield (
                "traffic.observed",
                p.TrafficObserved(
                    service=service, release=version, environment=environment, requests=500, since=since,
                    until=since + timedelta(hours=1),
                ),
            )  # fmt: skip
    shift = p.ShiftAcknowledged(
        team="pay", role="on-call", person="p-cat", starts=at, ends=at + timedelta(hours=8)
    )
    yield "shift.acknowledged", shift


def fill(log: Log, clock: Clock, events: int) -> str:
    """Write the history and return the newest version of the service that is asked about."""
    batch = [event for service in range(5) for event in lessons(f"service-{service}")]
    written = 0
    for number in count():
        for service in range(5):
            batch += story(f"service-{service}", number, clock.time)
        clock.wait(4 * 3600)
        if len(batch) >= 2000 or written + len(batch) >= events:
            log.record_all(batch)
            written += len(batch)
            batch = []
        if written >= events:
            print(f"log: {written} events, {number + 1} releases of each of 5 services")
            return f"1.{number}"
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--gates", choices=("six", "all"), default="six")
    asked = parser.parse_args()
    policy = POLICY + (MORE.removeprefix("\n") if asked.gates == "all" else "")
    loaded, clock, ids = parse_policy(policy), Clock(), count(1)
    with tempfile.TemporaryDirectory(prefix="amends-gate-") as folder:
        store = open_store(str(Path(folder) / "log.db")).store
        log = Log(store, clock, lambda: f"e{next(ids)}", "/benchmark")
        version = fill(log, clock, asked.events)
        took: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for turn in range(-3, asked.rounds):
            for record in (False, True):
                began, used = time.perf_counter(), time.process_time()
                decision = decide_gates(log, loaded, version, "production", record=record)
                if turn >= 0:
                    took[record].append((time.process_time() - used, time.perf_counter() - began))
        store.close()
    print("; ".join(f"{row.gate} {row.decision}" for row in decision.rows))
    gates = f"one decision, {len(decision.rows) - 1} gates"
    print(f"| {gates} | processor time, median | on the wall, median | 95th percentile |")
    print("|---|---|---|---|")
    for record, name in ((False, "read and evaluate"), (True, "and record it")):
        used_for, times = (
            sorted(1000 * seconds for seconds in column) for column in zip(*took[record], strict=True)
        )
        late = times[int(len(times) * 0.95) - 1]
        print(
            f"| {name} | {statistics.median(used_for):.1f} ms | {statistics.median(times):.1f} ms "
            f"| {late:.1f} ms |"
        )


if __name__ == "__main__":
    main()
