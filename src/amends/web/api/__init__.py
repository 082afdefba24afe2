"""The REST API, one module for each part of it."""

from __future__ import annotations

from fastapi import APIRouter

from amends.web.api import (
    acting,
    captures,
    hooks,
    judging,
    language,
    links,
    measures,
    pushing,
    reading,
    search,
)

ROUTERS: tuple[APIRouter, ...] = (
    links.router,
    reading.router,
    acting.router,
    captures.router,
    measures.router,
    search.router,
    hooks.router,
    pushing.router,
    judging.router,
    language.router,
)
