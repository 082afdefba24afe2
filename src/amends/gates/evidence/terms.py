"""The terms of a decision: who is on shift, which exceptions hold, what is quarantined."""

from __future__ import annotations

from typing import Any

from amends.gates.evidence.facts import Seen
from amends.gates.evidence.row import Row
from amends.gates.table import Overrides, Quarantines, Shifts, team_name


def fill_shifts(row: Row) -> None:
    """Add the latest word on each shift that has not ended."""
    at = row.question.at
    found = row.facts("shifts", lambda said: said.ends > at, "shift.acknowledged")
    latest = {(s.payload.team, s.payload.role, s.payload.person, s.payload.starts): s for s in found}
    for seen in latest.values():
        said = seen.payload
        row.add(
            Shifts, team=team_name(said.team), role=said.role, person=said.person,
            starts=said.starts.timestamp(), ends=said.ends.timestamp(), acknowledged=said.acknowledged,
            event=seen.id,
        )  # fmt: skip


def fill_overrides(row: Row) -> None:
    """Add the overrides that hold for the row's environment at its moment."""
    at, environment = row.question.at, row.question.environment
    for seen in row.facts("overrides", row.of_release, "override.granted"):
        said = seen.payload
        honest = said.reason.strip() and said.approved_by and said.approved_by != said.requested_by
        if said.environment != environment or said.expires_at <= at or not honest:
            continue
        for gate in said.gates or ("",):
            row.add(Overrides, gate=gate, expires=said.expires_at.timestamp(), event=seen.id)


def fill_quarantines(row: Row) -> None:
    """Add the quarantines that stand: they hold what was built, whatever version it goes by."""
    standing: dict[str, Seen] = {}

    def wanted(said: Any) -> bool:
        return row.of_service(said) and (row.is_mine(said.release) or said.release in row.kin)

    for seen in row.facts("quarantines", wanted, "quarantine.set", "quarantine.lifted"):
        if seen.kind == "quarantine.set":
            standing[seen.payload.incident] = seen
        elif seen.payload.incident:
            standing.pop(seen.payload.incident, None)
        else:
            standing.clear()
    for incident, seen in standing.items():
        name = "" if row.is_mine(seen.payload.release) else seen.payload.release
        row.add(Quarantines, incident=incident, name=name, event=seen.id)
