"""Past deployments as columns: what was let into an environment, when that was decided, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from amends.gates.questions import Questions
from amends.gates.table import Bools, Codes, Floats, Ints

INCIDENT, ROLLBACK, REVERT = range(3)
FAILURE, NOT_FAILURE, UNCERTAIN = range(3)
CLASSES = ("failure", "not_failure", "uncertain")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of deployments, sorted by ``row``: an item for each deployment that a fact is about.

    ``kind`` is ``INCIDENT`` (detected in that environment, for that release or that deployment), ``ROLLBACK``
    (of the release there) or ``REVERT`` (of one of its changes). ``name`` is the incident or the change,
    empty for a rollback. ``classified`` says of a revert why it was made (``FAILURE``, ``NOT_FAILURE`` or
    ``UNCERTAIN``; the others are failures). ``at`` is when it happened, ``event`` the event that says so.
    """

    row: Ints
    kind: Codes
    name: Ints
    classified: Codes
    at: Floats
    event: Ints


@dataclass(frozen=True, slots=True)
class Deployments:
    """Every deployment to one environment, by when it took over.

    ``questions`` are what the gates were asked: the release under its version, and the moment at which it
    was decided on (the gates' decision, else the request, else its taking over). ``deployed`` is when it
    took over, ``event`` the event that says so, ``deployment`` its id where one was named. ``again`` is set
    where that version had been deployed there before. All codes are of ``questions.words``.
    """

    questions: Questions
    deployed: Floats
    deployment: Ints
    event: Ints
    again: Bools
    outcomes: Outcomes

    def __len__(self) -> int:
        return len(self.deployed)

    def take(self, rows: Any) -> Deployments:
        """Return some deployments (ascending indices, or a mask) with their outcomes."""
        chosen = np.arange(len(self))[rows]
        place = np.full(len(self), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        of, moved = self.outcomes, place[self.outcomes.row]
        kept = moved >= 0
        outcomes = Outcomes(
            moved[kept], of.kind[kept], of.name[kept], of.classified[kept], of.at[kept], of.event[kept]
        )
        return Deployments(
            self.questions.take(chosen), self.deployed[chosen], self.deployment[chosen], self.event[chosen],
            self.again[chosen], outcomes,
        )  # fmt: skip
