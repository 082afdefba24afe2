"""The log's pages."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from amends.application.queries import event_view, log_page
from amends.events.kinds import KINDS
from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/log")
def log(
    request: Request, service: str = "", kind: str = "", tag: str = "",
    before: Annotated[int | None, Query(ge=1)] = None, after: Annotated[int | None, Query(ge=0)] = None,
) -> Response:  # fmt: skip
    """Show events, newest first."""
    filters = {"service": service.strip(), "kind": kind.strip(), "tag": tag.strip()}
    found = log_page(request.app.state.workspace.log, **filters, before=before, after=after)
    kept = urlencode({name: value for name, value in filters.items() if value})
    return page(
        request, "log.html", found=found, filters=filters, kept=kept, kinds=sorted(k.name for k in KINDS),
        turned=before is not None,
    )  # fmt: skip


@router.get("/log/events/{event_id:path}")
@router.get("/log/{event_id:path}")
def event(request: Request, event_id: str, source: str = "") -> Response:
    """Show one event."""
    view = event_view(request.app.state.workspace.log, event_id, source)
    text = json.dumps(view.envelope, indent=2, ensure_ascii=False)
    return page(request, "event.html", view=view, text=text)
