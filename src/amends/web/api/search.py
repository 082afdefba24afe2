"""Search, and similar incidents, as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from amends.application.searching import Search, hits_data, similar_data

router = APIRouter(prefix="/api/v1", tags=["search"])


def _search(request: Request) -> Search:
    found: Search = request.app.state.search
    return found


@router.get("/search")
def find(
    request: Request, q: Annotated[str, Query(max_length=500)],
    kind: Annotated[list[str] | None, Query()] = None, service: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 20, offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:  # fmt: skip
    """Search everything that has words. All must be there; each may be the beginning of a longer one."""
    return hits_data(_search(request).find(q, kinds=kind or (), service=service, limit=limit, offset=offset))


@router.get("/incidents/{incident}/similar")
def like(request: Request, incident: str) -> list[dict[str, Any]]:
    """Return the incidents that are most like one, with the reasons."""
    return similar_data(_search(request).similar(incident))
