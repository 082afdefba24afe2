"""Other services: what of them runs where, and which of their incidents are open."""

from __future__ import annotations

from typing import Any

from amends.gates.evidence.facts import Seen
from amends.gates.evidence.places import MOVED, holder, incidents
from amends.gates.evidence.row import Row
from amends.gates.table import OPEN_AT_MOST, Neighbours


def fill_neighbours(row: Row) -> None:
    """Add each service and environment that was asked about, if it was ever seen there."""
    for service, environment in row.neighbours:
        _fill(row, service, environment)


def _fill(row: Row, service: str, environment: str) -> None:
    def is_there(said: Any) -> bool:
        return bool(said.service == service and said.environment == environment)

    moves = row.facts("neighbours", is_there, *MOVED)
    recent = row.question.at.timestamp() - OPEN_AT_MOST
    troubles = incidents(row, "neighbours", is_there, recent)
    if not (moves or troubles):
        return
    last = moves[-1] if moves else None
    still = list({seen.payload.incident: seen for seen, end in troubles if end is None}.values())
    row.add(
        Neighbours, service=service, environment=environment,
        version=_version(row, service, holder(last.payload)) if last else "",
        since=last.occurred if last else float("nan"), open_incidents=len(still),
        event=last.id if last else "", incident=still[-1].id if still else "",
    )  # fmt: skip


def _version(row: Row, service: str, name: str) -> str:
    """Return the version that a name means, by what declares exactly that name."""

    def names_it(said: Any) -> bool:
        return bool(name and said.service == service and name in (said.version, said.commit, said.digest))

    declared: list[Seen] = row.facts("neighbours", names_it, "artifact.packaged")
    versions = [seen.payload.version for seen in declared]
    return name if not versions or name in versions else versions[-1]
