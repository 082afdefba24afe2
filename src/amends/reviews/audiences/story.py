"""What every audience's text is made from: one record, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.incidents.escape import EscapeMatrix, EscapeRow, EscapeState
from amends.incidents.impact import Statement
from amends.incidents.incident import Incident, Lifecycle
from amends.incidents.milestones import Duration, Milestone


@dataclass(frozen=True, slots=True)
class Mend:
    """An amendment as notices tell of it. ``price`` is its sentence of cost, if it has one."""

    id: str
    kind: str
    title: str
    state: str
    price: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The record of an incident, as far as audiences are told of it.

    ``product`` is what customers call the service, ``public_url`` the server (for links; none if empty).
    ``statement`` says where the customers' statement stands: ``none``, ``drafted``, ``waits for approval``
    or ``published``. ``failures`` is how many failed requests or inputs are on record: ``None`` when nobody
    counted, which is not the same as none.
    """

    incident: Incident
    milestones: Sequence[Milestone]
    durations: Sequence[Duration]
    matrix: EscapeMatrix
    impact: Sequence[Statement]
    mends: Sequence[Mend] = ()
    product: str = "our service"
    organisation: str = ""
    public_url: str = ""
    statement: str = "none"
    revisions: int = 0
    failures: int | None = None

    def milestone(self, name: str) -> Milestone:
        """Return a milestone; one that says nothing where it is not recorded."""
        return next((m for m in self.milestones if m.name == name), Milestone(name))

    def duration(self, name: str) -> Duration:
        """Return a duration; one that says nothing where it is not known."""
        return next((d for d in self.durations if d.name == name), Duration(name, ""))

    @property
    def mitigated_at(self) -> datetime | None:
        """Return by when users were spared, at the latest."""
        return self.milestone("mitigated").high

    @property
    def over(self) -> bool:
        """Whether it is over for those who use the service."""
        return self.incident.state is Lifecycle.RESOLVED or self.mitigated_at is not None

    @property
    def withdrawn(self) -> bool:
        """Whether what caused it was taken back, as the incident was opened with."""
        opened = self.incident.opened
        return opened.opened_by == "rollback" or opened.rolled_back_at is not None

    @property
    def passed(self) -> tuple[EscapeRow, ...]:
        """Return the rows of gates that the release went past and that were in place."""
        absent = (EscapeState.NOT_IN_PLACE, EscapeState.NOT_RECORDED)
        return tuple(row for row in self.matrix.rows if row.state not in absent)
