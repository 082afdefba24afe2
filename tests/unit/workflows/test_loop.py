"""The engine calls what is due, one call of a key at a time; the follower knows whom an event concerns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from amends.adapters.clocks import SystemClock
from amends.application import logkeeping
from amends.application.deploying import request_rollback, steer
from amends.events import payloads as p
from amends.verdicts import Decision
from amends.workflows.advance import advance
from amends.workflows.following import Follower
from amends.workflows.loop import LoopEngine, run_loop
from amends.workflows.reconcile import reconcile


class Running:
    """An engine in a thread, stopped at the end of a test."""

    def __init__(self, jobs: dict[str, Callable[[str], datetime | None]], **more: Any) -> None:
        self.clock = SystemClock()
        self.engine = LoopEngine(jobs, self.clock, **more)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.engine.run, args=(self.stop,))

    def __enter__(self) -> Running:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_one_slow_job_holds_nobody_up() -> None:
    release, reached = threading.Event(), threading.Event()

    def job(key: str) -> None:
        release.wait(30) if key == "slow" else reached.set()

    with Running({"advance": job}) as running:
        running.engine.submit("advance", "slow")
        running.engine.submit("advance", "quick")
        assert reached.wait(30)
        release.set()


def test_a_job_asked_for_while_it_runs_runs_once_more_and_never_beside_itself() -> None:
    entered, release, again = threading.Event(), threading.Event(), threading.Event()
    inside, most, calls = [0], [0], [0]

    def job(key: str) -> None:
        inside[0] += 1
        calls[0] += 1
        most[0] = max(most[0], inside[0])
        entered.set()
        release.wait(30)
        inside[0] -= 1
        if calls[0] == 2:
            again.set()

    with Running({"advance": job}) as running:
        running.engine.submit("advance", "d1")
        assert entered.wait(30)
        for _ in range(5):
            running.engine.submit("advance", "d1")
        release.set()
        assert again.wait(30)
    assert (calls[0], most[0]) == (2, 1)


def test_the_earlier_time_wins_and_a_job_names_its_next_time() -> None:
    done, calls = threading.Event(), [0]

    def job(key: str) -> datetime | None:
        calls[0] += 1
        if calls[0] == 3:
            done.set()
            return None
        return SystemClock().now()

    with Running({"advance": job}) as running:
        far = running.clock.now() + timedelta(days=1)
        running.engine.submit("advance", "d1", due=far)
        running.engine.submit("advance", "d1")
        assert done.wait(30)


def test_a_job_that_breaks_is_told_and_the_others_go_on() -> None:
    told: list[str] = []
    reached = threading.Event()

    def job(key: str) -> None:
        if key == "bad":
            raise ZeroDivisionError
        reached.set()

    with Running({"advance": job}, on_fault=lambda key, _: told.append(key), threads=1) as running:
        running.engine.submit("advance", "bad")
        running.engine.submit("advance", "good")
        assert reached.wait(30)
    assert told == ["bad"]


class Calls:
    """An engine that only remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def submit(self, job: str, key: str, *, due: datetime | None = None) -> None:
        self.asked.append((job, key))

    def run(self, stop: Any) -> None:
        raise AssertionError("never run")

    def take(self) -> list[tuple[str, str]]:
        found, self.asked = self.asked, []
        return found


@pytest.fixture
def followed(rig: Any) -> tuple[Follower, Calls]:
    calls = Calls()
    follower = Follower(rig.tools, calls)
    follower.begin()
    calls.take()
    return follower, calls


def test_new_evidence_wakes_those_of_its_service_that_wait_for_gates(rig: Any, followed: Any) -> None:
    follower, calls = followed
    rig.gates.decision = Decision.UNDECIDED
    deployment = rig.ask()
    follower.follow(0)
    assert calls.take() == [("advance", deployment)]
    advance(rig.tools, deployment)
    follower.follow(0)
    assert calls.take() == []
    for service in ("shop", "other"):
        rig.log.record("signoff.given", p.SignedOff(service=service, release="2", role="qa"))
        follower.follow(0)
    assert calls.take() == [("advance", deployment)]


def test_a_persons_word_wakes_and_ones_own_events_do_not(rig: Any, followed: Any) -> None:
    follower, calls = followed
    deployment = rig.ask()
    rig.go(deployment, until="watch: watching")
    follower.follow(0)
    calls.take()
    advance(rig.tools, deployment)
    follower.follow(0)
    assert calls.take() == []
    steer(rig.log, deployment, "paused")
    follower.follow(0)
    assert calls.take() == [("advance", deployment)]


def test_a_deployment_that_was_seen_is_looked_at_for_a_bypass(rig: Any, followed: Any) -> None:
    follower, calls = followed
    said = p.ServiceDeployed(service="shop", release="9", environment="production")
    rig.log.record("service.deployed", said)
    rig.log.record("service.deployed", said, imported=True)
    follower.follow(0)
    assert calls.take() == [("bypass", "shop")]


@pytest.mark.parametrize("last", ["watch: watching", "finished", "incident"])
def test_a_new_process_takes_up_what_is_open_or_has_no_review_yet(rig: Any, last: str) -> None:
    rig.world.errors = 0.3
    deployment = rig.ask()
    rig.go(deployment, until=last)
    calls = Calls()
    Follower(rig.process(), calls).begin()
    assert ("advance", deployment) in calls.take()
    rig.go(deployment)
    Follower(rig.process(), calls).begin()
    assert calls.take() == [("reconcile", deployment)]


def test_a_rolled_back_release_found_with_traffic_is_rolled_back_again_once(rig: Any) -> None:
    rig.world.errors = 0.3
    deployment = rig.ask()
    rig.go(deployment)
    assert reconcile(rig.tools, deployment) == ""
    rig.world.weights = {"1": 90, "2": 10}
    assert "rolls it back again" in reconcile(rig.tools, deployment)
    reconcile(rig.tools, deployment)
    again = [f.payload for f in rig.kinds("deployment.requested") if f.payload.kind == "rollback"]
    assert len(again) == 1
    rig.go(again[0].deployment)
    assert rig.world.weights == {"2": 0, "1": 100}


def test_traffic_on_another_release_than_promoted_is_told_and_left_alone(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment)
    rig.world.weights = {"1": 100}
    before = rig.actions()
    assert "nothing was done" in reconcile(rig.tools, deployment)
    assert rig.actions() == before


def test_two_loops_on_one_log_finish_a_rollback(rig: Any) -> None:
    rig.go(rig.ask())
    rig.clock = SystemClock()
    first, second = rig.process(), rig.process()
    back = request_rollback(first.log, "shop", "production", reason="customers call")
    stop, ended = threading.Event(), threading.Event()

    def tell(deployment: str, progress: Any) -> None:
        if deployment == back and progress.finished:
            ended.set()

    loops = [
        threading.Thread(target=run_loop, args=(t, stop), kwargs={"tell": tell}) for t in (first, second)
    ]
    for loop in loops:
        loop.start()
    try:
        assert ended.wait(60)
    finally:
        stop.set()
        for loop in loops:
            loop.join(30)
    assert rig.world.weights == {"2": 0, "1": 100}
    assert len(rig.kinds("incident.detected")) == 1
    assert logkeeping.verify(first.log.store).checkpoints == 1
