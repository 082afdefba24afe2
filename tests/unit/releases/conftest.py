"""Histories of deployments, built event by event without a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amends.events import payloads as p
from amends.events.codec import Fact, decode, make_event
from amends.events.event import Recorded

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COURSE = {
    "steps": [{"weight": 10, "seconds": 60.0}, {"weight": 50, "seconds": 60.0}],
    "interval": 10.0,
}


@dataclass
class History:
    """Facts in the order of the log, with the places that a store would have given them."""

    facts: list[Fact] = field(default_factory=list)
    now: datetime = BEGIN
    versions: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, payload: p.Payload) -> Fact:
        number = len(self.facts) + 1
        stream, event = make_event(kind, payload, id=f"e{number}", source="/test", at=self.now)
        self.versions[stream] += 1
        seq = self.versions[stream]
        fact = decode(Recorded(event, stream, seq, self.now, self.now, "", "", position=number))
        self.facts.append(fact)
        return fact

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def request(self, deployment: str = "d1", release: str = "2", previous: str = "1", **more: Any) -> Fact:
        more.setdefault("plan", {"course": COURSE})
        asked = p.DeploymentRequested(
            deployment=deployment, service="shop", release=release, environment="production",
            previous=previous, policy="abc", **more,
        )  # fmt: skip
        return self.add("deployment.requested", asked)

    def gates(self, decision: Any = "pass", *rows: p.GateRow) -> Fact:
        said = p.GatesDecided(
            service="shop", release="2", environment="production", at=self.now, decision=decision,
            gates=rows, policy="abc", deployment="d1",
        )  # fmt: skip
        return self.add("gates.decided", said)

    def steer(self, word: str, reason: str = "") -> Fact:
        said = p.DeploymentSteered(deployment="d1", service="shop", environment="production", reason=reason)
        return self.add(f"deployment.{word}", said)

    def intend(self, action: Any, step: int = 0, weight: int = 0) -> Fact:
        said = p.ActuationIntended(
            deployment="d1", service="shop", environment="production", action=action, step=step,
            weight=weight, reason="because",
        )  # fmt: skip
        return self.add("actuation.intended", said)

    def outcome(self, intent: Fact, outcome: Any = "done", detail: str = "") -> Fact:
        asked = intent.payload
        assert isinstance(asked, p.ActuationIntended)
        said = p.ActuationDone(
            deployment="d1", service="shop", environment="production", action=asked.action,
            token=intent.recorded.seq, outcome=outcome, detail=detail,
        )  # fmt: skip
        return self.add("actuation.done", said)

    def actuate(self, action: Any, step: int = 0, weight: int = 0) -> None:
        self.outcome(self.intend(action, step, weight))

    def step(self, number: int, weight: int, seconds: float = 60.0) -> Fact:
        said = p.StepStarted(
            deployment="d1", service="shop", environment="production", step=number, weight=weight,
            seconds=seconds,
        )  # fmt: skip
        return self.add("step.started", said)

    def conclude(self, number: int, outcome: Any, reason: str = "as seen") -> Fact:
        said = p.StepConcluded(
            deployment="d1", service="shop", environment="production", step=number, outcome=outcome,
            reason=reason,
        )  # fmt: skip
        return self.add("step.concluded", said)

    def look(self, tick: int, verdict: Any = "watching", step: int = 1) -> Fact:
        said = p.WatchAssessed(
            deployment="d1", service="shop", environment="production", step=step, tick=tick,
            verdict=verdict, reason="seen", state={},
        )  # fmt: skip
        return self.add("watch.assessed", said)

    def finish(self, outcome: Any, deployment: str = "d1", release: str = "2") -> Fact:
        said = p.DeploymentFinished(
            deployment=deployment, service="shop", environment="production", release=release,
            outcome=outcome, reason="over",
        )  # fmt: skip
        return self.add("deployment.finished", said)

    def into_first_step(self) -> None:
        self.request()
        self.gates()
        self.actuate("start")
        self.actuate("shift", 1, 10)
        self.step(1, 10)


@pytest.fixture
def history() -> History:
    return History()
