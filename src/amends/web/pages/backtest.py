"""The policy in use, priced on the log's history."""

from __future__ import annotations

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from amends.bootstrap import policies_in_use
from amends.errors import NotFoundError
from amends.web.templating import page

router = APIRouter(include_in_schema=False)


@router.get("/backtest")
def backtest(request: Request, service: str = "", environment: str = "") -> Response:
    """Show what the policy would have stopped and held up, and what other parameters would."""
    state = request.app.state
    policies = policies_in_use(state.workspace)
    if not policies:
        return page(request, "backtest.html", kept=None, services=())
    if service and service not in policies:
        raise NotFoundError(
            f"no policy of {service} is known here", remedy=f"there are those of {', '.join(policies)}"
        )
    loaded = policies[service or next(iter(policies))]
    kept = state.backtests.read(loaded, environment)
    body = Markup(kept.body)  # noqa: S704 - escaped where it is made
    return page(
        request, "backtest.html", kept=kept, body=body, services=tuple(policies), policy=loaded.policy
    )
