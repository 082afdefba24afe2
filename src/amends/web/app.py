"""The application: middleware, routers, and how errors look in the browser and in the API."""

from __future__ import annotations

import threading
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import Response

from amends.application.keptbacktests import KeptBacktests
from amends.application.measuring import CaseBook, KeptMeasures
from amends.application.queries import BoardFollower
from amends.bootstrap import Workspace, backtest_body, open_evidence
from amends.bootstrap.learning import open_search
from amends.errors import AmendsError
from amends.web.api import ROUTERS as API_ROUTERS
from amends.web.api_log import kind_of, log_router
from amends.web.pages import ROUTERS as PAGE_ROUTERS
from amends.web.security import COOKIE, HEADERS, SESSION_LIFETIME, Doorkeeper, Guard, error
from amends.web.templating import page
from amends.web.writing import Writings


def create_app(workspace: Workspace, *, hosts: frozenset[str] = frozenset(), no_tests: str = "") -> FastAPI:
    """Build the server for one workspace. ``hosts`` are names beside loopback that it answers to.

    ``no_tests`` says why no test is written from its pages, which runs the repository's code here.
    ``app.state.stopping`` ends what would otherwise keep a connection open for ever.
    """
    app = FastAPI(
        title="amends", version=version("amends"), docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    keeper = Doorkeeper(workspace.opened.tokens, workspace.clock, hosts)
    app.state.workspace = workspace
    app.state.keeper = keeper
    app.state.follower = BoardFollower(workspace.log)
    app.state.search = open_search(workspace)
    app.state.measures = KeptMeasures(CaseBook(workspace.log))
    app.state.backtests = KeptBacktests(
        workspace.log, lambda: open_evidence(workspace), partial(backtest_body, links=True)
    )
    app.state.writings = Writings(workspace.clock, no_tests)
    app.state.stopping = threading.Event()
    app.add_middleware(Guard, keeper=keeper)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    _add_doors(app, keeper)
    app.include_router(log_router(_workspace_of))
    for router in (*API_ROUTERS, *PAGE_ROUTERS):
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
        if keeper.who(token) is None:
            return page(request, "login.html", status=403, problem="That token is not known here.")
        return _signed_in(keeper.begin_session(), request)

    @app.get("/login/{secret}", include_in_schema=False)
    def follow_link(request: Request, secret: str) -> Response:
        session = keeper.redeem(secret)
        if session is None:
            problem = "That link was used already or is too old. `amends link` prints a new one."
            return page(request, "login.html", status=403, problem=problem)
        return _signed_in(session, request)

    @app.post("/logout", include_in_schema=False)
    def sign_out(request: Request) -> Response:
        label = keeper.who(request.state.session)
        if label is not None and label.startswith("browser "):
            keeper.tokens.revoke(label)
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE, path="/")
        return response


def _signed_in(session: str, request: Request) -> Response:
    response = RedirectResponse("/", status_code=303)
    secure, lifetime = request.url.scheme == "https", int(SESSION_LIFETIME.total_seconds())
    response.set_cookie(
        COOKIE, session, httponly=True, samesite="strict", secure=secure, max_age=lifetime, path="/"
    )
    return response


def _workspace_of(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


def _wants_page(request: Request) -> bool:
    machine = request.url.path.startswith(("/api/", "/hooks/"))
    return not machine and "text/html" in request.headers.get("accept", "")


def _answer(
    request: Request, status: int, message: str, remedy: str = "", where: str = "", kind: str = "error"
) -> Response:
    if not _wants_page(request):
        return error(status, message, remedy, where, kind)
    try:
        return page(
            request, "error.html", status=status, code=status, message=message, remedy=remedy, where=where
        )
    except AmendsError:
        # The page shows what the log holds (overrides), and the log is what could not be read.
        return page(
            request, "error.html", status=status, code=status, message=message, remedy=remedy, where=where,
            overrides=(),
        )  # fmt: skip


def _on_amends_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, AmendsError)
    kind, status = kind_of(problem)
    return _answer(request, status, problem.message, problem.remedy, problem.where, kind)


def _on_http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if problem.status_code == 404:
        message, remedy = f"there is no page {request.url.path}", "look for it from the board"
        return _answer(request, 404, message, remedy)
    return _answer(request, problem.status_code, str(problem.detail))


def _on_invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(request, 422, first["msg"], "see /api/v1/openapi.json for what is taken", where)


def _on_surprise(request: Request, problem: Exception) -> Response:
    message = f"something unexpected went wrong: {type(problem).__name__}"
    response: Response = error(500, message, "the server's terminal has the details")
    if _wants_page(request):
        response = page(
            request, "error.html", status=500, code=500, message=message, overrides=(),
            remedy="the server's terminal has the details", where="",
        )  # fmt: skip
    # This answer is made outside the guard.
    response.headers.update(HEADERS)
    return response
