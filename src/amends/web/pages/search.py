"""Search over everything, and the incidents that are like one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from amends.application.searching import Found, Search
from amends.learning.entries import KINDS
from amends.web.templating import page

router = APIRouter(include_in_schema=False)
_PAGE = 20
Words = Annotated[str, Query(max_length=500)]


def _search(request: Request) -> Search:
    found: Search = request.app.state.search
    return found


@router.get("/search")
def search(
    request: Request, q: Words = "", kind: str = "", service: str = "",
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> Response:  # fmt: skip
    """Search, or show the form to search with."""
    asked, found = q.strip(), Found((), 0, ())
    kinds = (kind,) if kind in KINDS else ()
    if any(sign.isalnum() for sign in asked):
        found = _search(request).find(
            asked, kinds=kinds, service=service.strip(), limit=_PAGE, offset=offset
        )  # fmt: skip
    kept = {"q": asked, "kind": kind, "service": service.strip()}
    following = urlencode({**kept, "offset": offset + _PAGE}) if found.total > offset + _PAGE else ""
    return page(
        request, "search.html", found=found, asked=kept, kinds=KINDS, following=following, offset=offset
    )


@router.get("/incidents/{incident}/similar")
def similar(request: Request, incident: str) -> Response:
    """Show the incidents that are like one: a page, or the piece that the incident's page asks for."""
    found = _search(request).similar(incident)
    whole = "hx-request" not in request.headers
    return page(request, "similar.html", found=found, incident=incident, whole=whole)
