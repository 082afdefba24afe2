"""kill -9 anywhere, SIGSTOP and SIGCONT: real workers, real deployers, a real SQLite file or PostgreSQL."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.application.deploying import request_rollback
from amends.application.deployments import find_deployment, list_deployments
from tests.acceptance.crash_rig import ENVIRONMENT, SERVICE, CrashRig, Figures, refused, run_campaign

Worker = subprocess.Popen[bytes]
pytestmark = [pytest.mark.crash, pytest.mark.slow]


BACKENDS = [
    pytest.param("", id="sqlite"),
    pytest.param("postgres_database", id="postgresql", marks=pytest.mark.servers),
]


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> str:
    """A database for many machines; empty for the rig's own file."""
    return str(request.getfixturevalue(request.param)) if request.param else ""


@pytest.fixture
def rig(tmp_path: Path, store: str) -> Iterator[CrashRig]:
    made = CrashRig(tmp_path, "command", store)
    first = made.ask("v0")
    worker = made.start()
    made.until_settled(first)
    made.kill(worker)
    yield made
    made.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["v1", "bad1"])
def test_workers_that_each_die_after_their_next_effect_finish_it_together(
    rig: CrashRig, version: str
) -> None:
    deployment = rig.ask(version)
    effects, seen = 1, 0
    for _ in range(80):
        # Who dies between an order and its outcome has the next one give it again: let that one live on.
        events = rig.workspace.log.store.last_position()
        effects, seen = (1, events) if events > seen else (effects + 1, seen)
        worker = rig.start("--die-after", str(effects))
        end = time.monotonic() + 60
        while worker.poll() is None and not rig.settled(deployment):
            assert time.monotonic() < end, "a worker neither dies nor gets anywhere"
            time.sleep(0.02)
        if rig.settled(deployment):
            break
        assert worker.poll() == -signal.SIGKILL
    d = rig.until_settled(deployment, patience=1)
    figures = Figures()
    rig.check(figures)
    assert (figures.duplicates, figures.twice) == ([], [])
    if version == "v1":
        assert (d.outcome, rig.weights(d)) == ("promoted", {"v1": 100})
    else:
        assert (d.outcome, rig.weights(d)) == ("rolled_back", {"v0": 100})
        assert refused(rig, version)


def test_a_worker_stopped_before_a_shift_shifts_nothing_after_anothers_rollback(rig: CrashRig) -> None:
    deployment = rig.ask("v1")
    sleeper = rig.start("--stop-before", "shift")
    wait_for(rig.root / "stopped")
    back = request_rollback(rig.workspace.log, SERVICE, ENVIRONMENT, reason="customers call")
    other = rig.start()
    d = rig.until_settled(back)
    assert rig.weights(d) == {"v0": 100}
    rig.kill(other)
    sleeper.send_signal(signal.SIGCONT)
    refused_events = until_refused(rig, deployment)
    assert refused_events
    assert rig.weights(d) == {"v0": 100}
    assert find_deployment(rig.workspace.log, deployment).outcome == "aborted"


@pytest.mark.parametrize("store", ["postgres_database"], indirect=True)
def test_what_a_worker_of_another_machine_shifts_when_it_wakes_is_rolled_back_again(rig: CrashRig) -> None:
    rig.ask("v1")
    sleeper = rig.start("--stop-before", "shift", machine="a")
    wait_for(rig.root / "stopped")
    back = request_rollback(rig.workspace.log, SERVICE, ENVIRONMENT, reason="customers call")
    rig.start(machine="b")
    d = rig.until_settled(back)
    sleeper.send_signal(signal.SIGCONT)
    again = [d.id]
    end = time.monotonic() + 60
    while again == [d.id]:
        assert time.monotonic() < end, "nobody saw the traffic that came back"
        again = [one.id for one in list_deployments(rig.workspace.log, limit=1)]
        time.sleep(0.05)
    assert rig.until_settled(again[0]).kind == "rollback"
    assert rig.weights(d) == {"v0": 100}


@pytest.mark.parametrize("store", ["postgres_database"], indirect=True)
def test_a_frozen_worker_is_relieved_and_lets_go_when_it_wakes(rig: CrashRig) -> None:
    rig.seconds = (600.0, 600.0)
    deployment = rig.ask("v1")
    frozen = rig.start()
    until_told(rig, frozen, f"{deployment} watch:")
    frozen.send_signal(signal.SIGSTOP)
    other = rig.start()
    until_told(rig, other, f"{deployment} watch:")
    frozen.send_signal(signal.SIGCONT)
    time.sleep(5.0)  # it looks every second whether its jobs are its own
    before = len(rig.told())
    time.sleep(3.0)
    until_told(rig, other, f"{deployment} watch:", after=before)
    assert f" {frozen.pid} " not in rig.told()[before:]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["command", "process"])
def test_random_kills_leave_nothing_stuck_wrong_or_done_twice(
    tmp_path: Path, kind: str, store: str, crash_rounds: int
) -> None:
    # Where workers divide the work, another one takes over; a file's worker comes back itself.
    crew, how, where = 1, "restart to first advance", "SQLite"
    if store:
        crew, how, where = 2, "takeover by another worker", "PostgreSQL"
    figures = run_campaign(tmp_path, kind, crash_rounds, seed=20260302, store=store, crew=crew)
    restarts = sorted(figures.restarts) or [0.0]
    print(
        f"\n{kind}, {where}: {figures.kills} kills over {figures.deployments} deployments; "
        f"stuck {figures.stuck}, wrong {len(figures.wrong)}, duplicate events {len(figures.duplicates)}, "
        f"actuated after confirmation {len(figures.twice)}; "
        f"{how} {restarts[len(restarts) // 2]:.2f} s (median), {restarts[-1]:.2f} s (most)"
    )
    assert figures.kills >= crash_rounds
    assert (figures.stuck, figures.wrong, figures.duplicates, figures.twice) == (0, [], [], [])


def until_told(rig: CrashRig, worker: Worker, words: str, *, after: int = 0, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not re.search(rf" {worker.pid} {words}", rig.told()[after:]):
        assert time.monotonic() < end, f"{worker.pid} never told {words!r}"
        time.sleep(0.05)


def wait_for(path: Path, patience: float = 30.0) -> None:
    end = time.monotonic() + patience
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)


def until_refused(rig: CrashRig, deployment: str, patience: float = 30.0) -> bool:
    end = time.monotonic() + patience
    tag = (f"deployment:{deployment}",)
    while time.monotonic() < end:
        done = rig.workspace.log.facts(tags=tag, kinds=("actuation.done",))
        if any(getattr(f.payload, "outcome", "") == "refused" for f in done):
            return True
        time.sleep(0.05)
    return False
