"""The application: middleware, routers, and how errors look in the browser and in the API."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response

from amends.bootstrap import Workspace
from amends.errors import (
    AmendsError,
    EventConflictError,
    NotAllowedError,
    NotFoundError,
    StoreUnavailableError,
    UsageError,
    VersionConflictError,
)
from amends.web.pages import ROUTERS
from amends.web.security import COOKIE, Doorkeeper, error, guard
from amends.web.templating import page

_STATUS: tuple[tuple[type[AmendsError], int], ...] = (
    (NotFoundError, 404),
    (NotAllowedError, 403),
    (EventConflictError, 409),
    (VersionConflictError, 409),
    (StoreUnavailableError, 503),
    (UsageError, 422),
)


def create_app(workspace: Workspace, *, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """Build the server for one workspace. ``hosts`` are names beside loopback that it answers to."""
    app = FastAPI(
        title="amends", version=version("amends"), docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    keeper = Doorkeeper(workspace.opened.tokens, workspace.clock, hosts)
    app.state.workspace = workspace
    app.state.keeper = keeper
    app.add_middleware(BaseHTTPMiddleware, dispatch=guard(keeper))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    _add_doors(app, keeper)
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(AmendsError, _on_amends_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_surprise)
    return app


def _add_doors(app: FastAPI, keeper: Doorkeeper) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/login", include_in_schema=False)
    def sign_in(request: Request) -> Response:
        return page(request, "login.html")

    @app.post("/login", include_in_schema=False)
    def enter_token(request: Request, token: str = Form("")) -> Response:
        if keeper.tokens.check(token) is None:
            return page(request, "login.html", status=403, problem="That token is not known here.")
        return _signed_in(keeper.tokens.issue("browser", at=keeper.clock.now()), request)

    @app.get("/login/{secret}", include_in_schema=False)
    def follow_link(request: Request, secret: str) -> Response:
        session = keeper.redeem(secret)
        if session is None:
            problem = "That link was used already or is too old. `amends link` prints a new one."
            return page(request, "login.html", status=403, problem=problem)
        return _signed_in(session, request)


def _signed_in(session: str, request: Request) -> Response:
    response = RedirectResponse("/", status_code=303)
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, session, httponly=True, samesite="strict", secure=secure, max_age=14 * 86400, path="/"
    )
    return response


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _answer(request: Request, status: int, message: str, remedy: str = "", where: str = "") -> Response:
    if _wants_page(request):
        return page(
            request, "error.html", status=status, code=status, message=message, remedy=remedy, where=where
        )
    return error(status, message, remedy, where)


def _on_amends_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, AmendsError)
    status = next((code for kind, code in _STATUS if isinstance(problem, kind)), 500)
    return _answer(request, status, problem.message, problem.remedy, problem.where)


def _on_http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _answer(request, problem.status_code, str(problem.detail), "look for it from the board")


def _on_invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(request, 422, first["msg"], "see /api/v1/openapi.json for what is taken", where)


def _on_surprise(request: Request, problem: Exception) -> Response:
    message = f"something unexpected went wrong: {type(problem).__name__}"
    return _answer(request, 500, message, "the server's terminal has the details")
