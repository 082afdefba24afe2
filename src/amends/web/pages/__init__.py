"""The pages, one module for each."""

from __future__ import annotations

from fastapi import APIRouter

from amends.web.pages import (
    actions,
    amendments,
    backtest,
    board,
    casework,
    deployments,
    discussion,
    incidents,
    learning,
    log,
    measures,
    notices,
    releases,
    reviews,
    search,
    writing,
)

ROUTERS: tuple[APIRouter, ...] = (
    board.router, releases.router, deployments.router, incidents.router, casework.router, reviews.router,
    discussion.router, actions.router, amendments.router, backtest.router, measures.router, search.router,
    learning.router, writing.router, notices.router, log.router,
)  # fmt: skip
