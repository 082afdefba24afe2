"""The port through which inputs are tried in a worktree, many in one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt in a worktree gave.

    ``unprepared``: what it needs could not be imported or started; ``hung``: it did not end in time;
    ``died``: it ended its process. ``value`` is what was returned, as the typed values of a capture; ``how``
    says whether it had to be ``awaited``, ``listed`` (a generator) or ``walked`` (an asynchronous one).
    ``output`` holds what was printed, then the traceback.
    """

    outcome: Literal["returned", "raised", "unprepared", "hung", "died"]
    value: Any = None
    how: str = ""
    exception: str = ""
    message: str = ""
    output: str = ""


class Rehearsal(Protocol):
    """One process in a worktree that makes many attempts, none of which sees what another changed."""

    def attempt(self, prepare: str, source: str, *, timeout: float) -> Attempt:
        """Run ``source``, which defines ``attempt()``, after ``prepare``, and return what it gave.

        Both are Python. ``prepare`` is run once for as long as it stays the same and, where it defines a
        ``service``, as long as that is ``alive()``. The process is started again when it was lost.
        """

    def close(self) -> None:
        """End the process and everything that it started."""
