"""Who may ask: tokens, the browser's session, CSRF, Host and the headers of every answer."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from fastapi import Request
from starlette.responses import JSONResponse, Response

from amends.application.ports import Clock, Tokens

COOKIE = "amends_session"
LINK_LIFETIME = timedelta(minutes=15)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# 'self' everywhere and nothing else: no page loads anything from another origin, no inline script or style.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass
class Doorkeeper:
    """Checks tokens and exchanges one-time links for a browser's session.

    A session is a token of its own, kept hashed like every other; the link itself lives in memory only and
    is gone after one use, after 15 minutes, or with the process.
    """

    tokens: Tokens
    clock: Clock
    hosts: frozenset[str] = frozenset()
    _links: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_link(self) -> str:
        """Return the secret of a new one-time link."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._links[_digest(secret)] = self.clock.now() + LINK_LIFETIME
        return secret

    def redeem(self, secret: str) -> str | None:
        """Exchange a link's secret for a session token, once; ``None`` when it is spent or too old."""
        with self._lock:
            until = self._links.pop(_digest(secret), None)
        now = self.clock.now()
        if until is None or (now > until and not self.clock.accelerated):
            return None
        return self.tokens.issue(f"browser {secrets.token_hex(4)}", at=now)

    def token_of(self, request: Request) -> tuple[str, bool]:
        """Return the token that a request carries and whether it came as a cookie."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and bearer:
            return bearer.strip(), False
        return request.cookies.get(COOKIE, ""), True

    def allows_host(self, header: str) -> bool:
        """Say whether a ``Host`` header names this server: defends against DNS rebinding."""
        name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
        name = name.strip("[]").lower()
        if name == "localhost" or name in self.hosts:
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token(session: str) -> str:
    """Return the token that forms of a session carry: bound to it, useless for anything else."""
    return hmac.new(session.encode(), b"amends form", hashlib.sha256).hexdigest()


def error(status: int, message: str, remedy: str = "", where: str = "") -> JSONResponse:
    """Return the one shape that every error of the API has."""
    return JSONResponse({"error": {"message": message, "remedy": remedy, "where": where}}, status_code=status)


async def csrf_matches(request: Request, session: str) -> bool:
    """Say whether a request that changes something carries its session's form token."""
    sent = request.headers.get("x-csrf-token", "")
    kind = request.headers.get("content-type", "")
    if not sent and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        form = await request.form()
        sent = str(form.get("csrf", ""))
    return hmac.compare_digest(sent, csrf_token(session))


Handler = Callable[[Request], Awaitable[Response]]
PUBLIC_PREFIXES = ("/static/", "/login", "/healthz", "/hooks/")


def guard(keeper: Doorkeeper) -> Callable[[Request, Handler], Awaitable[Response]]:
    """Return the middleware that lets a request through or says why not.

    Pages and API need a token; ``/hooks/`` verify signatures of their own before they parse anything.
    """

    async def middleware(request: Request, call_next: Handler) -> Response:
        refusal = await _refusal(keeper, request)
        response = refusal if refusal is not None else await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.url.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


async def _refusal(keeper: Doorkeeper, request: Request) -> Response | None:
    if not keeper.allows_host(request.headers.get("host", "")):
        return error(421, "this server does not answer to that Host", "start it with --host-name NAME")
    if request.url.path.startswith(PUBLIC_PREFIXES):
        return None
    token, from_cookie = keeper.token_of(request)
    label = keeper.tokens.check(token) if token else None
    if label is None:
        return _unknown(request)
    request.state.session = token
    request.state.csrf = csrf_token(token)
    changes = request.method not in SAFE_METHODS
    if changes and from_cookie and not await csrf_matches(request, token):
        return error(403, "the form's token is missing or stale", "load the page again and resend it")
    return None


def _unknown(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", "") and request.method == "GET":
        return Response(status_code=303, headers={"Location": "/login"})
    return error(
        401, "no valid token came with this request",
        "send Authorization: Bearer TOKEN (AMENDS_TOKEN for the command line), or open the link that "
        "`amends serve` prints",
    )  # fmt: skip
