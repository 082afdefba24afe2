"""Other services: what of them runs where, and which of their incidents are open."""

from __future__ import annotations

from typing import Any

from amends.gates.evidence.facts import Seen
from amends.gates.evidence.places import MOVED, holder, incidents
from amends.gates.evidence.row import Row
from amends.gates.table import Neighbours
from amends.releases.catalogue import resolve_release


def fill_neighbours(row: Row) -> None:
    """Add each service that was asked about, in each environment where it was ever seen."""
    for service in row.neighbours:
        _fill(row, service)


def _fill(row: Row, service: str) -> None:
    def of_it(said: Any) -> bool:
        return bool(said.service == service)

    declared = row.facts("neighbours", of_it, "artifact.packaged")
    last: dict[str, Seen] = {}
    for seen in row.facts("neighbours", of_it, *MOVED):
        last[seen.payload.environment] = seen
    troubles: dict[str, dict[str, Seen]] = {}
    for seen, end in incidents(row, "neighbours", of_it):
        standing = troubles.setdefault(seen.payload.environment, {})
        if end is None:
            standing[seen.payload.incident] = seen
    for environment in sorted({*last, *troubles}):
        move, still = last.get(environment), list(troubles.get(environment, {}).values())
        row.add(
            Neighbours, service=service, environment=environment,
            version=_version(service, declared, holder(move.payload)) if move else "",
            since=move.occurred if move else float("nan"), open_incidents=len(still),
            event=move.id if move else "", incident=still[-1].id if still else "",
        )  # fmt: skip


def _version(service: str, declared: list[Seen], name: str) -> str:
    found = resolve_release((seen.fact for seen in declared), service, name)
    return found.version if found else name
