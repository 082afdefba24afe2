"""The board."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/")
def board(request: Request) -> Response:
    """Show what is where, what waits and for what, and what is out of the ordinary."""
    state = request.app.state
    return page(request, "board.html", board=state.follower.read(state.workspace.clock.now()))
