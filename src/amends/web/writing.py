"""Tests that are being written in this process: one at a time, each with what was said of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from amends.application.ports import Clock
from amends.bootstrap.testwriting import TestWritten
from amends.errors import AmendsError, UsageError
from amends.workflows.bench import Step

_log = logging.getLogger(__name__)

Write = Callable[[Callable[[Step], None]], TestWritten]


@dataclass(slots=True)
class Writing:
    """One test on its way. ``steps`` are what was reported, the last of a kind of progress alone.

    ``problem`` and ``remedy`` say why it ended without a verdict.
    """

    incident: str
    begun: datetime
    steps: list[Step] = field(default_factory=list)
    done: TestWritten | None = None
    problem: str = ""
    remedy: str = ""
    ended: bool = False

    def report(self, step: Step) -> None:
        """Take in a step; progress within the reduction replaces what was said of it before."""
        if self.steps and _is_progress(step) and _is_progress(self.steps[-1]):
            self.steps[-1] = step
        else:
            self.steps.append(step)


def _is_progress(step: Step) -> bool:
    return step.text.startswith("reducing: ")


class Writings:
    """The last test written for each incident since the server started. Safe to use from many threads.

    Parameters
    ----------
    refusal:
        Why this server writes no tests; empty where it does.
    """

    def __init__(self, clock: Clock, refusal: str = "") -> None:
        self.refusal = refusal
        self._clock = clock
        self._of: dict[str, Writing] = {}
        self._lock = threading.Lock()

    def of(self, incident: str) -> Writing | None:
        """Return what became, or becomes, of an incident's test."""
        return self._of.get(incident)

    def begin(self, incident: str, write: Write) -> None:
        """Begin to write a test in the background.

        Raises ``UsageError`` when this server writes none, or one is being written.
        """
        if self.refusal:
            raise UsageError(self.refusal, remedy=f"amends test write --incident {incident}")
        with self._lock:
            other = next((one for one in self._of.values() if not one.ended), None)
            if other is not None:
                raise UsageError(
                    f"a test is being written for {other.incident}, and one is written at a time",
                    remedy="wait until it has ended, or use `amends test write`",
                )
            writing = self._of[incident] = Writing(incident, self._clock.now())
        threading.Thread(target=_carry_out, args=(writing, write), name="test", daemon=True).start()


def _carry_out(writing: Writing, write: Write) -> None:
    try:
        writing.done = write(writing.report)
    except AmendsError as error:
        writing.problem, writing.remedy = error.message, error.remedy
    except Exception:
        _log.exception("a test could not be written")
        writing.problem = "something unexpected went wrong; the server's own log has more"
        writing.remedy = f"amends test write --incident {writing.incident}"
    finally:
        writing.ended = True
