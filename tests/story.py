"""A rich log for tests: releases and gates, a roll-back with its watch, the incident, review and amendment.

Everything goes through the domain's own ways of recording; the numbers of the watch come from the real
assessment of counters that grow as a service's would.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from amends.adapters.stores import OpenStore, open_store
from amends.application.incidents import acknowledge, open_incident, take_note
from amends.application.log import Log
from amends.application.reviewing import draft_review, list_revisions, publish, save_revision
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.watch.assess import assess
from amends.watch.assessment import Health
from amends.watch.forecast import Traffic, forecast_watch
from amends.watch.foretold import PlannedStep
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import begin_watch

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVICE, BAD, GOOD, FIXED, NEXT = "shop", "1.4.0", "1.3.0", "1.4.1", "1.5.0"
COMMITS = {name: f"{ord(name[2]):02x}{ord(name[4]):02x}" * 10 for name in ("1.2.0", GOOD, BAD, FIXED, NEXT)}
POLICY = """\
service: shop
team: shop-team
environments: [dev, staging, production]
gates:
  staging:
    - tests: {suites: [unit]}
      mode: block
  production:
    - review: {approvals: 1}
      mode: block
    - tests: {suites: [unit, integration]}
      mode: block
    - sign_off: {role: qa, environment: staging}
      mode: block
    - soak: {environment: staging, for: 7d, min_requests: 300}
      mode: block
    - watchers: {role: on-call, at_least: 1}
      mode: observe
"""
PLAN: dict[str, Any] = {
    "course": {
        "steps": [{"weight": 10, "seconds": 300.0}, {"weight": 50, "seconds": 600.0}],
        "interval": 10.0,
    },
    "deploy": {"command": {"start": "true"}},
}
WATCHED = (
    MetricSpec("errors", MetricKind.RATIO, events="e", total="t"),
    MetricSpec("latency", MetricKind.LATENCY, histogram="h"),
)
FORESEEN = forecast_watch(
    WatchPlan(WATCHED),
    [PlannedStep(10, 300), PlannedStep(50, 600)],
    [
        Traffic("errors", 40, 0.004, origin="the watch of dep-before, 2026-02-23 09:00 UTC"),
        Traffic("latency", 40),
    ],
).to_data()
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0)


class HeldClock:
    """A clock that stands until it is moved."""

    accelerated = False

    def __init__(self, at: datetime = BEGIN) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def real_seconds_until(self, moment: datetime) -> float:
        return 0.05

    def wait(self, seconds: float) -> None:
        self.later(seconds)

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Story:
    """A log under a clock that stands still between what happens."""

    store: str = "memory:"
    clock: HeldClock = field(default_factory=HeldClock)
    opened: OpenStore = field(init=False)
    log: Log = field(init=False)
    incident: str = ""
    bad_deployment: str = "dep-bad"
    open_deployment: str = "dep-open"
    test_amendment: str = "AM-1"
    gate_amendment: str = "AM-2"

    def __post_init__(self) -> None:
        self.opened = open_store(self.store)
        numbers = itertools.count(1)
        self.log = Log(self.opened.store, self.clock, lambda: f"e{next(numbers)}", "/test/story")

    def add(self, kind: str, payload: p.Payload) -> Fact:
        return self.log.record(kind, payload)

    def later(self, **span: float) -> None:
        self.clock.later(timedelta(**span).total_seconds())

    # --- chapters -----------------------------------------------------------------------------------------

    def release(self, version: str, previous: str = "", title: str = "A change") -> None:
        """A change, its review, its release, its tests, and the way to production, where its gates pass."""
        change = COMMITS[version]
        self.add("change.merged", p.ChangeMerged(
            service=SERVICE, change=change, title=title, author="p-author", team="shop-team",
            paths=("shop/pricing.py",), lines=42,
        ))  # fmt: skip
        self.add("change.reviewed", p.ChangeReviewed(
            service=SERVICE, change=change, reviewer="p-reviewer", team="shop-team"
        ))  # fmt: skip
        self.add("artifact.packaged", p.ReleaseDeclared(
            service=SERVICE, version=version, commit=COMMITS[version], changes=(change,), previous=previous,
            team="shop-team",
        ))  # fmt: skip
        for suite in ("unit", "integration"):
            self.add("testsuiterun.finished", p.SuiteFinished(
                service=SERVICE, release=version, suite=suite, outcome="success", passed=120, skipped=2
            ))  # fmt: skip
            self.later(minutes=3)

    def gates(
        self, version: str, environment: str, decision: Literal["pass", "block", "undecided"] = "pass",
        deployment: str = "", **rows: Any,
    ) -> Fact:  # fmt: skip
        tests = self.log.facts(tags=(f"release:{SERVICE}@{version}",), kinds=("testsuiterun.finished",))
        cited = tuple(f.id for f in tests)
        gates = [
            p.GateRow(gate="review", kind="review", decision="pass", reason="1 approval of 1 asked for"),
            p.GateRow(
                gate="tests", kind="tests", decision="pass", events=cited,
                reason="unit and integration passed for this exact version",
            ),
            *rows.get("more", ()),
        ]  # fmt: skip
        return self.add("gates.decided", p.GatesDecided(
            service=SERVICE, release=version, environment=environment, at=self.clock.now(),
            decision=decision, gates=tuple(gates), policy="abc", deployment=deployment,
        ))  # fmt: skip

    def deployed(self, version: str, environment: str, previous: str = "") -> None:
        self.add("service.deployed", p.ServiceDeployed(
            service=SERVICE, release=version, environment=environment, previous=previous
        ))  # fmt: skip

    def ask(self, deployment: str, version: str, previous: str) -> None:
        self.add("deployment.requested", p.DeploymentRequested(
            deployment=deployment, service=SERVICE, release=version, environment="production", plan=PLAN,
            policy="abc", commit=COMMITS[version], previous=previous, previous_commit=COMMITS[previous],
            role="release manager", reason="the weekly release", forecast=FORESEEN,
        ))  # fmt: skip

    def order(self, deployment: str, action: Any, step: int, weight: int, reason: str = "") -> None:
        lane = {"deployment": deployment, "service": SERVICE, "environment": "production"}
        intent = self.add("actuation.intended", p.ActuationIntended(
            **lane, action=action, step=step, weight=weight, reason=reason
        ))  # fmt: skip
        self.later(seconds=2)
        self.add("actuation.done", p.ActuationDone(
            **lane, action=action, token=intent.recorded.seq, outcome="done"
        ))  # fmt: skip

    def step(self, deployment: str, step: int) -> None:
        weight, seconds = PLAN["course"]["steps"][step - 1].values()
        self.order(deployment, "shift", step, weight, f"step {step} of 2")
        self.add("step.started", p.StepStarted(
            deployment=deployment, service=SERVICE, environment="production", step=step, weight=weight,
            seconds=seconds,
        ))  # fmt: skip

    def watch(self, deployment: str, step: int, looks: int, errors: float, seed: int = 1) -> p.WatchAssessed:
        """Look ``looks`` times, ten seconds apart, at a candidate that fails ``errors`` of its requests."""
        made = Counters(self.clock, seed, errors)
        state = begin_watch(self.clock.now())
        plan = WatchPlan(metrics=WATCHED)
        before = self.log.store.version(f"watch/{deployment}")
        payload = None
        for tick in range(before + 1, before + looks + 1):
            self.later(seconds=10)
            state, said = assess(plan, state, made.grow(), Health(True, True), self.clock.now())
            payload = p.WatchAssessed(
                deployment=deployment, service=SERVICE, environment="production", step=step, tick=tick,
                verdict=said.verdict.value, reason=said.reason, state=state.to_data(),
                metrics=tuple(msgspec.to_builtins(row) for row in said.metrics), problems=said.problems,
                cause=said.cause.value, moved=said.moved, log_evidence=said.log_evidence,
                log_threshold=said.log_threshold,
            )  # fmt: skip
            self.add("watch.assessed", payload)
            if said.verdict == "roll_back":
                break
        assert payload is not None
        return payload

    def escape(self) -> None:
        """The release that passed every gate meets its edge case, is rolled back, and opens an incident."""
        self.ask(self.bad_deployment, BAD, GOOD)
        soak = p.GateRow(gate="soak", kind="soak", decision="pass", reason="8 d in staging, 4,100 requests")
        self.gates(BAD, "production", deployment=self.bad_deployment, more=(soak,))
        self.order(self.bad_deployment, "start", 0, 0, "the gates passed")
        self.step(self.bad_deployment, 1)
        worse = self.watch(self.bad_deployment, 1, 60, errors=0.016, seed=5)
        assert worse.verdict == "roll_back", worse.reason
        self.order(self.bad_deployment, "roll_back", 1, 0, worse.reason)
        self.add("service.rolledback", p.ServiceRolledBack(
            service=SERVICE, release=BAD, restored=GOOD, environment="production", reason=worse.reason,
            deployment=self.bad_deployment,
        ))  # fmt: skip
        self.add("deployment.finished", p.DeploymentFinished(
            deployment=self.bad_deployment, service=SERVICE, environment="production", release=BAD,
            outcome="rolled_back", reason=worse.reason,
        ))  # fmt: skip
        self.add("quarantine.set", p.QuarantineSet(service=SERVICE, release=BAD, reason="it was rolled back"))
        self.incident = open_incident(
            self.log, service=SERVICE, release=BAD, previous=GOOD, environment="production",
            summary="Orders with a discount above the price fail with 500", opened_by="rollback",
            deployment=self.bad_deployment, team="shop-team",
        )  # fmt: skip

    def learn(self) -> None:
        """People find out, write, publish; a test and a gate are proposed, proven, and one is active."""
        self.later(minutes=6)
        acknowledge(self.log, self.incident, role="on-call engineer")
        signature = p.Signature(exception="ZeroDivisionError", frame="shop/pricing.py:discount")
        self.add("failure.captured", p.FailureCaptured(
            service=SERVICE, release=BAD, environment="production", signature=signature,
            message="division by zero", incident=self.incident, input={"price": 0},
        ))  # fmt: skip
        take_note(
            self.log, self.incident, "The first report of a customer came by mail.", role="support",
            at=self.clock.now() - timedelta(minutes=9),
        )  # fmt: skip
        draft_review(self.log, self.incident)
        self.later(minutes=40)
        text = list_revisions(self.log, self.incident)[-1].text
        save_revision(self.log, self.incident, text + "\nThe team read this together.\n", based_on=1,
                      role="shop-team", note="read together")  # fmt: skip
        publish(self.log, self.incident, role="shop-team")
        self.amend(self.test_amendment, "test", "A free article does not break the price", signature)
        self.amend(self.gate_amendment, "gate", "Edge cases of pricing before production", signature)
        self.add("amendment.activated", p.AmendmentMoved(
            amendment=self.test_amendment, incident=self.incident, service=SERVICE, role="shop-team",
            reason="the test is in the suite",
            diff="--- tests/test_pricing.py\n+++ tests/test_pricing.py\n@@ -1 +1,3 @@\n import shop\n"
            "+def test_free_article():\n+    assert shop.discount(0) == 0\n",
        ))  # fmt: skip

    def amend(self, name: str, kind: Any, title: str, signature: p.Signature) -> None:
        self.add("amendment.proposed", p.AmendmentProposed(
            amendment=name, incident=self.incident, service=SERVICE, kind=kind, title=title, team="shop-team",
            role="developer", selector="pytest tests/test_pricing.py::test_free" if kind == "test" else "",
            gate={"tests": {"suites": ["edge-cases"]}, "mode": "block"} if kind == "gate" else {},
            environment="production" if kind == "gate" else "", bad=BAD, good=FIXED, signature=signature,
        ))  # fmt: skip
        runs = []
        for on, release, outcome in (("bad", BAD, "red"), ("good", FIXED, "green")):
            for attempt in (1, 2, 3):
                self.later(seconds=4)
                runs.append(self.add("proof.run", p.ProofRun(
                    amendment=name, incident=self.incident, service=SERVICE, on=on, release=release,
                    commit=COMMITS[release], attempt=attempt, outcome=outcome, matches=outcome == "red",
                    signature=signature if outcome == "red" else p.Signature(),
                    output="E   ZeroDivisionError: division by zero" if outcome == "red" else "1 passed",
                )).id)  # fmt: skip
        self.add("amendment.proven", p.AmendmentJudged(
            amendment=name, incident=self.incident, service=SERVICE, runs=tuple(runs),
            reason="red three times on 1.4.0 with the expected failure, green three times on 1.4.1",
            price=p.Price(good_releases=2, held=("1.2.0",), held_seconds=5400.0) if kind == "gate" else None,
        ))  # fmt: skip

    def mend(self) -> None:
        """The fixed release waits in staging for its soak, and gets an override."""
        self.release(FIXED, BAD, "Do not divide by a price of zero")
        self.deployed(FIXED, "dev", BAD)
        self.deployed(FIXED, "staging", BAD)
        soak = p.GateRow(
            gate="soak", kind="soak", decision="undecided", until=self.clock.now() + timedelta(days=7),
            reason="0 s of 7 d in staging, 0 of 300 requests",
        )  # fmt: skip
        shift = p.GateRow(
            gate="watchers",
            kind="watchers",
            decision="block",
            mode="observe",
            reason="0 of 1 people on shift",
        )
        self.gates(FIXED, "production", "undecided", more=(soak, shift))
        self.later(minutes=5)
        self.add("override.granted", p.OverrideGranted(
            service=SERVICE, release=FIXED, environment="production", gates=("soak",),
            reason="customers cannot order free articles", requested_by="p-one", approved_by="p-two",
            approver_role="head of operations", expires_at=self.clock.now() + timedelta(hours=4),
        ))  # fmt: skip

    def go_on(self, looks: int = 12) -> None:
        """The fixed release gets its first share of the traffic."""
        self.ask(self.open_deployment, FIXED, GOOD)
        soak = p.GateRow(
            gate="soak", kind="soak", decision="undecided", reason="12 min of 7 d in staging",
            overridden_by="e1", until=self.clock.now() + timedelta(days=7),
        )  # fmt: skip
        self.gates(FIXED, "production", deployment=self.open_deployment, more=(soak,))
        self.order(self.open_deployment, "start", 0, 0, "the gates passed")
        self.step(self.open_deployment, 1)
        self.watch(self.open_deployment, 1, looks, errors=0.004, seed=2)

    def tell(self) -> Story:
        """Tell all of it."""
        self.add("policy.adopted", p.PolicyAdopted(service=SERVICE, digest="abc", text=POLICY))
        self.release("1.2.0", "", "Show prices with tax")
        self.deployed("1.2.0", "production")
        self.later(days=9)
        self.release(GOOD, "1.2.0", "Let customers give a present")
        for place in ("dev", "staging", "production"):
            self.gates(GOOD, place)
            self.deployed(GOOD, place, "1.2.0")
            self.later(hours=2)
        self.later(days=5)
        self.release(BAD, GOOD, "Take discounts off the price")
        for place in ("dev", "staging"):
            self.gates(BAD, place)
            self.deployed(BAD, place, GOOD)
        self.later(days=8)
        self.add("signoff.given", p.SignedOff(
            service=SERVICE, release=BAD, role="qa", environment="staging", note="orders, returns, presents"
        ))  # fmt: skip
        self.escape()
        self.learn()
        self.later(hours=3)
        self.mend()
        self.go_on()
        self.wait()
        return self

    def wait(self) -> None:
        """A release that its gates do not let in yet."""
        self.release(NEXT, FIXED, "Remember the last basket")
        red = p.GateRow(
            gate="smoke", kind="tests", decision="block", reason="smoke ran and 2 of its 40 tests failed"
        )
        self.gates(NEXT, "staging", "block", more=(red,))
        soak = p.GateRow(
            gate="soak", kind="soak", decision="undecided", until=self.clock.now() + timedelta(days=7),
            reason="never in staging; 7 d asked for",
        )  # fmt: skip
        self.gates(NEXT, "production", "undecided", more=(soak,))


@dataclass
class Counters:
    """Counters of two instances that serve traffic; the candidate fails ``errors`` of its requests."""

    clock: HeldClock
    seed: int
    errors: float
    seen: dict[Arm, list[float]] = field(default_factory=dict)
    slow: dict[Arm, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        for arm in Arm:
            self.seen[arm] = [0.0, 0.0]
            self.slow[arm] = [0.0] * (len(BOUNDS) + 1)

    def grow(self) -> list[Reading]:
        found = []
        for arm, requests, errors in ((Arm.BASELINE, 90, 0.004), (Arm.CANDIDATE, 90, self.errors)):
            for _ in range(requests):
                self.seen[arm][0] += self.chance.random() < errors
                self.seen[arm][1] += 1
                took = self.chance.expovariate(1 / 0.06)
                for place, bound in enumerate((*BOUNDS, float("inf"))):
                    self.slow[arm][place] += took <= bound
            events, total = self.seen[arm]
            at = self.clock.now()
            found.append(Reading(arm, f"{arm}-1", "errors", MetricKind.RATIO, at, events, total))
            pairs = tuple(zip(BOUNDS, self.slow[arm], strict=False))
            found.append(
                Reading(arm, f"{arm}-1", "latency", MetricKind.LATENCY, at, 0.0, self.slow[arm][-1], pairs)
            )
        return found
