"""Measures as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from amends.application.measuring import measure_one, scope_of
from amends.errors import UsageError
from amends.measures.measure import Measure
from amends.measures.tables import as_data

router = APIRouter(prefix="/api/v1/measures", tags=["measures"])


def _measured(
    request: Request, service: str = "", environment: str = "production",
    since: Annotated[datetime | None, Query()] = None, until: Annotated[datetime | None, Query()] = None,
) -> list[Measure]:  # fmt: skip
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise UsageError(
                f"found the time {moment.isoformat()}, which has no offset", where=name,
                remedy="write it as 2026-03-20T14:27:05Z",
            )  # fmt: skip
    state = request.app.state
    scope = scope_of(
        state.workspace.log, service=service, environment=environment, since=since, until=until
    )  # fmt: skip
    found: list[Measure] = state.measures.read(scope, whole=until is None)
    return found


Measured = Annotated[list[Measure], Depends(_measured)]


@router.get("")
def measures(measured: Measured) -> list[dict[str, Any]]:
    """Return every measure with its figures; rows are with each one."""
    return [as_data(measure, rows=False) for measure in measured]


@router.get("/{key}")
def measure(key: str, measured: Measured) -> dict[str, Any]:
    """Return a measure with its figures and all its rows."""
    return as_data(measure_one(measured, key))
