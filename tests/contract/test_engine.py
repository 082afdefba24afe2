"""What every engine promises: a process's own loop, and workers that divide the work through PostgreSQL."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.clocks import AcceleratedClock
from amends.adapters.engines.procrastinate import ProcrastinateEngine
from amends.adapters.engines.queue import JobQueue
from amends.application.ports import Engine
from amends.workflows.loop import LoopEngine

Jobs = Mapping[str, Callable[[str], datetime | None]]
PATIENCE = 60.0


class World:
    """Runs engines in threads, on a clock that a test may hurry."""

    def __init__(self, kind: str, clock: AcceleratedClock, url: str) -> None:
        self.kind = kind
        self.clock = clock
        self.url = url
        self._running: list[tuple[threading.Event, threading.Thread]] = []

    def make(self, jobs: Jobs, **more: Any) -> Engine:
        if self.kind == "loop":
            return LoopEngine(jobs, self.clock, **more)
        return ProcrastinateEngine(self.url, jobs, self.clock, **more)

    def start(self, engine: Engine) -> Callable[[], None]:
        """Run an engine; what is returned tells it to stop and waits until it has."""
        stop = threading.Event()
        thread = threading.Thread(target=engine.run, args=(stop,))
        thread.start()
        self._running.append((stop, thread))

        def end() -> None:
            stop.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()

        return end

    def close(self) -> None:
        for stop, _ in self._running:
            stop.set()
        for _, thread in self._running:
            thread.join(PATIENCE)


@pytest.fixture(params=["loop", "procrastinate"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    clock = AcceleratedClock.start(tmp_path / "clock", at=datetime.now(UTC))
    url = ""
    if request.param == "procrastinate":
        url = request.getfixturevalue("postgres_database")
        JobQueue(url).prepare()
    made = World(request.param, clock, url)
    yield made
    made.close()


class Calls:
    """A job that notes whom it was called for."""

    def __init__(self, enough: int) -> None:
        self.keys: list[str] = []
        self.done = threading.Event()
        self._enough = enough

    def __call__(self, key: str) -> datetime | None:
        self.keys.append(key)
        if len(self.keys) >= self._enough:
            self.done.set()
        return None


def test_jobs_are_called_when_they_are_due(world: World) -> None:
    calls = Calls(3)
    engine = world.make({"note": calls}, threads=1)
    now = world.clock.now()
    for key, wait in (("last", 2.0), ("first", 0.0), ("second", 1.0)):
        engine.submit("note", key, due=now + timedelta(seconds=wait))
    world.start(engine)
    assert calls.done.wait(PATIENCE)
    assert calls.keys == ["first", "second", "last"]
    assert world.clock.now() >= now + timedelta(seconds=2)


def test_an_unknown_job_is_refused(world: World) -> None:
    with pytest.raises(KeyError):
        world.make({}).submit("note", "a")


def test_one_slow_job_holds_nobody_up(world: World) -> None:
    release, reached = threading.Event(), threading.Event()

    def job(key: str) -> None:
        release.wait(PATIENCE) if key == "slow" else reached.set()

    engine = world.make({"job": job})
    world.start(engine)
    engine.submit("job", "slow")
    engine.submit("job", "quick")
    assert reached.wait(PATIENCE)
    release.set()


def test_a_job_asked_for_while_it_runs_is_called_once_more_and_never_beside_itself(world: World) -> None:
    entered, release, again = threading.Event(), threading.Event(), threading.Event()
    lock, inside, most, calls = threading.Lock(), [0], [0], [0]

    def job(key: str) -> None:
        with lock:
            inside[0] += 1
            calls[0] += 1
            most[0] = max(most[0], inside[0])
        entered.set()
        release.wait(PATIENCE)
        with lock:
            inside[0] -= 1
        if calls[0] == 2:
            again.set()

    engine = world.make({"job": job})
    end = world.start(engine)
    engine.submit("job", "a")
    assert entered.wait(PATIENCE)
    for _ in range(5):
        engine.submit("job", "a")
    release.set()
    assert again.wait(PATIENCE)
    end()
    assert (calls[0], most[0]) == (2, 1)


def test_of_several_times_the_earliest_counts_and_once(world: World) -> None:
    calls, marker = Calls(1), threading.Event()
    engine = world.make({"note": calls, "mark": lambda _: marker.set()}, threads=1)
    now = world.clock.now()
    for days in (2, 1, 3):
        engine.submit("note", "a", due=now + timedelta(days=days))
    engine.submit("note", "a")
    engine.submit("note", "a", due=now + timedelta(days=1))
    end = world.start(engine)
    assert calls.done.wait(PATIENCE)
    engine.submit("mark", "m", due=world.clock.now() + timedelta(seconds=2))
    assert marker.wait(PATIENCE)
    end()
    assert calls.keys == ["a"]


def test_a_job_says_when_it_is_to_be_called_next(world: World) -> None:
    times: list[datetime] = []
    done = threading.Event()

    def job(key: str) -> datetime | None:
        times.append(world.clock.now())
        if len(times) == 3:
            done.set()
            return None
        return world.clock.now() + timedelta(seconds=0.5)

    engine = world.make({"job": job})
    world.start(engine)
    engine.submit("job", "a")
    assert done.wait(PATIENCE)
    assert all(b - a >= timedelta(seconds=0.5) for a, b in itertools.pairwise(times))


def test_a_job_waiting_for_its_next_time_is_called_at_once_when_asked_for(world: World) -> None:
    first, second = threading.Event(), threading.Event()

    def job(key: str) -> datetime | None:
        (second if first.is_set() else first).set()
        return world.clock.now() + timedelta(seconds=60)

    engine = world.make({"job": job})
    world.start(engine)
    engine.submit("job", "a")
    assert first.wait(PATIENCE)
    engine.submit("job", "a")
    assert second.wait(30)


def test_told_to_stop_an_engine_lets_running_jobs_end(world: World) -> None:
    entered, release, ended = threading.Event(), threading.Event(), threading.Event()

    def job(key: str) -> None:
        entered.set()
        release.wait(PATIENCE)
        ended.set()

    engine = world.make({"job": job})
    end = world.start(engine)
    engine.submit("job", "a")
    assert entered.wait(PATIENCE)
    threading.Timer(0.5, release.set).start()
    end()
    assert ended.is_set()


def test_a_job_that_breaks_is_told_and_called_again_after_a_pause(world: World) -> None:
    world.clock.set_pace(60)
    told: list[str] = []
    times: list[datetime] = []
    again = threading.Event()

    def job(key: str) -> None:
        times.append(world.clock.now())
        if len(times) == 1:
            raise ZeroDivisionError
        again.set()

    engine = world.make({"job": job}, on_fault=lambda key, _: told.append(key))
    world.start(engine)
    engine.submit("job", "a")
    assert again.wait(PATIENCE)
    assert told == ["a"]
    assert times[1] - times[0] >= timedelta(seconds=30)
