"""Searching a culprit: run, write down, decide, until there is a verdict. Killed, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from amends.application.ports import Clock, CodeHost, Spool
from amends.errors import UsageError
from amends.prevention.search import Question, Run, Standing, Try, Verdict, Wait, decide, stand
from amends.workflows.hunting import Crew, Hunt, kept, read_kept

_HEAD = "search"


class AnyCrew(Protocol):
    """Makes the runs of a search, here (``Crew``) or elsewhere (``FarCrew``)."""

    notes: set[str]

    @property
    def pending(self) -> list[Try]:
        """The runs under way."""

    def start(self, step: Try) -> None:
        """Begin a run."""

    def next(self) -> Run:
        """Wait for a run to end and return it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is under way."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How a search stands, for whoever watches it: the runs so far, those under way, and what is believed."""

    runs: tuple[Run, ...]
    pending: tuple[Try, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to. ``resumed`` of its runs were made before, by an earlier call.

    ``notes`` are what a reader must know of the worktrees.
    """

    verdict: Verdict
    runs: tuple[Run, ...]
    standing: Standing
    resumed: int
    notes: tuple[str, ...] = ()


def _unseen(_: Sight) -> None:
    """Show nobody."""


def search(
    host: CodeHost, hunt: Hunt, question: Question, notes: Spool, clock: Clock, *, jobs: int = 1,
    until: datetime | None = None, report: Callable[[Sight], None] = _unseen, where: str = "",
    crew: AnyCrew | None = None,
) -> Outcome:  # fmt: skip
    """Search until there is a verdict or a limit has come.

    Each run is in ``notes`` before the next decision is made, so that the same call goes on after a crash.

    Parameters
    ----------
    jobs:
        How many runs go on at a time. Their revisions are chosen together.
    until:
        No run is begun after this moment.
    where:
        What ``notes`` are called in an error.
    crew:
        Who makes the runs. Default: this process, in worktrees of ``host``.

    Raises
    ------
    UsageError
        ``notes`` are those of another search.
    """
    runs = _taken_up(hunt, notes, where)
    resumed = len(runs)
    with crew or Crew(host, hunt, jobs) as crew:
        while True:
            if len(crew.pending) < jobs:
                step = decide(question, runs, crew.pending, stop=_stop(clock, until))
                if isinstance(step, Verdict):
                    return Outcome(
                        step, tuple(runs), stand(question, runs), resumed, tuple(sorted(crew.notes))
                    )
                if isinstance(step, Try):
                    crew.start(step)
                    report(Sight(tuple(runs), tuple(crew.pending), stand(question, runs)))
                    continue
                assert isinstance(step, Wait)
            run = crew.next()
            notes.write(kept(run, len(runs) + 1))
            runs.append(run)
            report(Sight(tuple(runs), tuple(crew.pending), stand(question, runs)))


def _stop(clock: Clock, until: datetime | None) -> str:
    return "its time is over" if until is not None and clock.now() >= until else ""


def _taken_up(hunt: Hunt, notes: Spool, where: str) -> list[Run]:
    entries = notes.entries()
    if not entries:
        head = {
            "id": _HEAD, "search": hunt.digest(), "good": hunt.good,
            "bad": hunt.revision(len(hunt.commits)), "command": hunt.command.text,
        }  # fmt: skip
        notes.write(head)
        return []
    head, *rest = (dict(entry) for entry in entries)
    if head.get("id") != _HEAD or head.get("search") != hunt.digest():
        raise UsageError(
            f"these are the notes of another search: {head.get('command', 'of something else')}",
            where=where, remedy="begin anew with --fresh, or name another file with --state",
        )  # fmt: skip
    runs = read_kept(rest, len(hunt.commits), where)
    if any(run.outcome != "untestable" for run in runs):
        return runs
    # Nothing could be tried. Whoever asks again has perhaps mended the place where it runs.
    notes.remove([str(entry["id"]) for entry in rest])
    return []
