"""A search's runs on many machines: asked for in the log, made by workers, answered in the log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from amends.amendments.selector import parse_selector
from amends.application.log import Log
from amends.application.ports import CodeHost, Engine, Stop
from amends.errors import AmendsError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.prevention.search import Run, Try
from amends.workflows.hunting import Crew, Hunt
from amends.workflows.loop import LoopEngine, MakeEngine

QUEUE = "amends-trials"
_KINDS = ("trial.asked", "trial.done", "search.ended")
_WAIT_SECONDS = 1.0
_SETTING_UP = timedelta(minutes=10)
"""Beyond the command's own time: how long a run may wait for a worker and for its worktree."""
_AGAIN = timedelta(minutes=1)
_AFTER_THE_STOP = timedelta(seconds=1)

Say = Callable[[str], None]


class FarCrew:
    """Has runs made by the workers on a log. Use it as a context manager.

    Leaving it tells the workers that nothing more is wanted. ``search`` must be unique in the log. Raises
    ``UsageError`` from ``next`` when no worker answers in time.
    """

    def __init__(self, log: Log, hunt: Hunt, search: str) -> None:
        self._log, self._hunt, self._search = log, hunt, search
        self._asked: dict[str, tuple[Try, datetime]] = {}
        self._count = 0
        self._position = log.store.last_position()
        self._found: list[Run] = []
        self.notes: set[str] = set()

    @property
    def pending(self) -> list[Try]:
        """The runs under way."""
        return [step for step, _ in self._asked.values()]

    def start(self, step: Try) -> None:
        """Ask for a run."""
        self._count += 1
        trial, hunt = f"{self._search}.{self._count}", self._hunt
        asked = p.TrialAsked(
            search=self._search, trial=trial, commit=hunt.revision(step.revision), command=hunt.command.text,
            files=hunt.files, setup=hunt.setup, timeout=hunt.timeout, hang_is_failure=hunt.hang_is_failure,
            expected=hunt.expected,
        )  # fmt: skip
        self._log.record("trial.asked", asked)
        until = self._log.clock.now() + timedelta(seconds=hunt.timeout) + _SETTING_UP
        self._asked[trial] = (step, until)

    def next(self) -> Run:
        """Wait for an answer and return it."""
        while not self._found:
            self._log.store.wait(self._position, _WAIT_SECONDS)
            for fact in self._log.facts(kinds=["trial.done"], after=self._position):
                self._position = fact.recorded.position
                if isinstance(fact.payload, p.TrialDone):
                    self._take(fact.payload)
            if not self._found:
                self._check_patience()
        return self._found.pop(0)

    def _take(self, done: p.TrialDone) -> None:
        step, _ = self._asked.pop(done.trial, (None, None))
        if step is None:
            return
        self.notes |= set(done.remarks)
        self._found.append(
            Run(step.revision, done.outcome, step.purpose, done.signatures, done.files, done.note)
        )

    def _check_patience(self) -> None:
        if all(until > self._log.clock.now() for _, until in self._asked.values()):
            return
        raise UsageError(
            "no worker made a run that was asked for",
            remedy="start `amends worker --trials CLONE` on a machine with a clone that has these commits",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.record("search.ended", p.SearchEnded(search=self._search))


class _Hand:
    """Makes the runs that a log asks for."""

    def __init__(self, log: Log, host: CodeHost, stop: Stop, say: Say) -> None:
        self._log, self._host, self._stop, self._say = log, host, stop, say
        self._crews: set[Crew] = set()
        self._lock = threading.Lock()

    def make(self, trial: str) -> datetime | None:
        """Make a run, if it is still wanted, and record what it came to."""
        stream = self._log.stream(f"search/{trial.rpartition('.')[0]}")
        told = [fact.payload for fact in stream]
        asked = next((one for one in told if isinstance(one, p.TrialAsked) and one.trial == trial), None)
        answered = any(isinstance(one, p.TrialDone) and one.trial == trial for one in told)
        if asked is None or answered or any(isinstance(one, p.SearchEnded) for one in told):
            return None
        try:
            self._host.resolve(asked.commit)
        except NotFoundError:
            self._say(f"{trial}: this clone has not the commit {asked.commit[:12]}: fetch it")
            return self._log.clock.now() + _AGAIN
        self._say(f"{trial}: {asked.command} on {asked.commit[:12]}")
        run, remarks = self._run(asked)
        if self._stop.is_set():
            return self._log.clock.now() + _AFTER_THE_STOP  # it was cut off: another worker makes it anew
        done = p.TrialDone(
            search=asked.search, trial=trial, outcome=run.outcome, signatures=run.signatures, files=run.files,
            note=run.note, remarks=remarks,
        )  # fmt: skip
        if not self._answered(asked):
            self._log.record("trial.done", done)
        self._say(f"{trial}: {run.outcome}")
        return None

    def _answered(self, asked: p.TrialAsked) -> bool:
        """Whether another process on this log, which has no engine in common with this one, was quicker."""
        return any(
            isinstance(fact.payload, p.TrialDone) and fact.payload.trial == asked.trial
            for fact in self._log.stream(f"search/{asked.search}")
        )

    def _run(self, asked: p.TrialAsked) -> tuple[Run, tuple[str, ...]]:
        hunt = Hunt(
            asked.commit, (), parse_selector(asked.command), asked.files, asked.setup, asked.timeout,
            asked.hang_is_failure, asked.expected,
        )  # fmt: skip
        with Crew(self._host, hunt, 1) as crew:
            with self._lock:
                self._crews.add(crew)
            try:
                crew.start(Try(0, "search"))
                return crew.next(), tuple(sorted(crew.notes))
            finally:
                with self._lock:
                    self._crews.discard(crew)

    def end_at(self) -> None:
        """End what runs once it is time to stop."""
        self._stop.wait()
        with self._lock:
            left = list(self._crews)
        for crew in left:
            crew.end()


def make_trials(
    log: Log, host: CodeHost, stop: Stop, *, say: Say = lambda _: None, at_a_time: int = 1,
    shared: MakeEngine | None = None,
) -> None:  # fmt: skip
    """Make the runs that searches ask for in a log, until told to stop; what runs then is ended.

    They are commands that whoever may write to the log chose. ``shared`` makes the engine by which workers
    divide them; without it each worker makes all of them, and the first answer counts.
    """
    hand = _Hand(log, host, stop, say)
    jobs = {"trial": hand.make}

    def fault(key: str, error: Exception) -> None:
        say(f"{key}: went wrong and is tried again: {error}")

    engine: Engine
    if shared is None:
        engine = LoopEngine(jobs, log.clock, threads=at_a_time, on_fault=fault)
    else:
        engine = shared(jobs, fault, at_a_time)
    others = [
        threading.Thread(target=_follow, args=(log, engine, stop), name="amends-trials"),
        threading.Thread(target=hand.end_at, name="amends-trials-end"),
    ]
    for thread in others:
        thread.start()
    try:
        engine.run(stop)
    finally:
        for thread in others:
            thread.join()


def _follow(log: Log, engine: Engine, stop: Stop) -> None:
    """Submit what is asked for and not answered, from the log's beginning on."""
    position = 0
    while not stop.is_set():
        try:
            facts = log.facts(kinds=_KINDS, after=position)
            for trial in _open(facts):
                engine.submit("trial", trial)
            position = facts[-1].recorded.position if facts else position
            log.store.wait(max(position, log.store.last_position()), _WAIT_SECONDS)
        except AmendsError:
            stop.wait(_WAIT_SECONDS)


def _open(facts: list[Fact]) -> list[str]:
    told = [fact.payload for fact in facts]
    over = {one.search for one in told if isinstance(one, p.SearchEnded)}
    done = {one.trial for one in told if isinstance(one, p.TrialDone)}
    return [
        one.trial
        for one in told
        if isinstance(one, p.TrialAsked) and one.search not in over and one.trial not in done
    ]
