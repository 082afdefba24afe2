"""The pages, one module for each."""

from __future__ import annotations

from fastapi import APIRouter

from amends.web.pages import board, deployments, log, releases

ROUTERS: tuple[APIRouter, ...] = (board.router, releases.router, deployments.router, log.router)
