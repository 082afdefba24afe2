"""New one-time links for a server that runs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request

router = APIRouter(prefix="/api/v1", tags=["links"])


@dataclass(frozen=True, slots=True)
class Link:
    """The path of a one-time link, and for how long it holds."""

    path: str
    seconds: int


@router.post("/links", status_code=201)
def make_link(request: Request) -> Link:
    """Make a link that signs one browser in, once, within 15 minutes."""
    from amends.web.security import LINK_LIFETIME

    return Link(f"/login/{request.app.state.keeper.make_link()}", int(LINK_LIFETIME.total_seconds()))
