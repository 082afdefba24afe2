"""What a written and proven test leaves in the log: the edge case it guards, and the amendment it is."""

from __future__ import annotations

from dataclasses import dataclass

from amends.application.amending import Proposal, propose
from amends.application.desk import Desk
from amends.application.edgecases import record_edge_case
from amends.events.payloads import Reduction, Signature


@dataclass(frozen=True, slots=True)
class Guarded:
    """A test as it is registered. ``text`` is its file, which is not committed yet."""

    edge_case: str
    words: str
    path: str
    name: str
    text: str
    bad: str
    good: str
    signature: Signature
    incident: str = ""
    role: str = ""
    reduction: Reduction | None = None

    @property
    def selector(self) -> str:
        """The test as its report and its runner name it."""
        return f"{self.path}::{self.name}"


@dataclass(frozen=True, slots=True)
class Registered:
    """What was recorded: the edge case, and the amendment where there is an incident."""

    edge_case: str
    amendment: str = ""
    notes: tuple[str, ...] = ()


def register(desk: Desk, guarded: Guarded) -> Registered:
    """Document the edge case with its test and, for an incident, propose the test as its amendment.

    Raises ``NotFoundError`` for an incident that the log does not know; nothing is recorded then.
    """
    amendment = ""
    if guarded.incident:
        proposal = Proposal(
            "test", title=f"test: {guarded.words}", selector=f"pytest {guarded.selector}",
            test_text=guarded.text, bad=guarded.bad, good=guarded.good, signature=guarded.signature,
            reduction=guarded.reduction, role=guarded.role,
        )  # fmt: skip
        amendment = propose(desk.log, guarded.incident, proposal).id
    receipt = record_edge_case(
        desk, guarded.edge_case, words=guarded.words, test=guarded.selector, incident=guarded.incident,
        role=guarded.role,
    )  # fmt: skip
    return Registered(guarded.edge_case, amendment, receipt.notes)
