"""Who may ask: tokens, the browser's session, CSRF, Host and the headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amends.application.ports import Clock, Tokens
from amends.errors import AmendsError

COOKIE = "amends_session"
LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=14)
LARGEST_FORM = 8 * 1024 * 1024
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
    "X-Frame-Options": "DENY",
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
    is gone after one use, after 15 minutes, or with the process. ``errand`` is a secret of this process that
    may ask for such links and for nothing else; `amends link` reads it from a file of the server's owner.
    """

    tokens: Tokens
    clock: Clock
    hosts: frozenset[str] = frozenset()
    errand: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _links: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_link(self) -> str:
        """Return the secret of a new one-time link."""
        secret = secrets.token_urlsafe(24)
        now = self.clock.now()
        with self._lock:
            self._links = {k: until for k, until in self._links.items() if self._holds(until, now)}
            self._links[_digest(secret)] = now + LINK_LIFETIME
        return secret

    def redeem(self, secret: str) -> str | None:
        """Exchange a link's secret for a session token, once; ``None`` when it is spent or too old."""
        with self._lock:
            until = self._links.pop(_digest(secret), None)
        if until is None or not self._holds(until, self.clock.now()):
            return None
        return self.begin_session()

    def begin_session(self) -> str:
        """Return the token of a new session of a browser."""
        now = self.clock.now()
        return self.tokens.issue(f"browser {now:%Y-%m-%d} {secrets.token_hex(6)}", at=now)

    def who(self, token: str) -> str | None:
        """Return the label of a token, or ``None`` when it is unknown or a session that is over."""
        label = self.tokens.check(token) if token else None
        if label is None or not label.startswith("browser "):
            return label
        began = datetime.fromisoformat(f"{label.split()[1]}T00:00:00+00:00")
        if self._holds(began + SESSION_LIFETIME, self.clock.now()):
            return label
        self.tokens.revoke(label)
        return None

    def is_errand(self, token: str) -> bool:
        """Say whether this is the secret that may ask for links."""
        return hmac.compare_digest(token.encode(), self.errand.encode())

    def _holds(self, until: datetime, now: datetime) -> bool:
        # An accelerated story passes days in a minute, and its reader should not be sent away by that.
        return now <= until or self.clock.accelerated

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


def token_of(request: Request) -> tuple[str, bool]:
    """Return the token that a request carries, and whether a browser may have sent it by itself.

    That is so of a cookie, and of the password of HTTP Basic, by which feed readers sign in.
    """
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and sent:
        return sent.strip(), False
    if scheme.lower() == "basic" and sent:
        return _password(sent.strip()), True
    return request.cookies.get(COOKIE, ""), True


def machine_token(request: Request) -> str:
    """Return the token of a request at a door for machines; empty where a browser may have sent it by itself.

    Some clients know HTTP Basic alone, with the token as password. A browser may attach that to a request of
    another site, and then says where from.
    """
    token, by_itself = token_of(request)
    if not by_itself:
        return token
    basic = request.headers.get("authorization", "").lower().startswith("basic ")
    from_browser = "origin" in request.headers or "sec-fetch-site" in request.headers
    return token if basic and not from_browser else ""


def _password(sent: str) -> str:
    try:
        return base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token(session: str) -> str:
    """Return the token that forms of a session carry: bound to it, useless for anything else."""
    return hmac.new(session.encode(), b"amends form", hashlib.sha256).hexdigest()


def error(status: int, message: str, remedy: str = "", where: str = "", kind: str = "error") -> JSONResponse:
    """Return the one shape that every error of the API has."""
    told = {"message": message, "remedy": remedy, "where": where, "kind": kind}
    return JSONResponse({"error": told}, status_code=status)


PUBLIC_PREFIXES = ("/static/", "/login", "/healthz", "/hooks/")
LINKS = "/api/v1/links"


class Guard:
    """The outermost layer: lets a request through or says why not, and puts the headers on every answer.

    Pages and API need a token; ``/hooks/`` check theirs before they parse anything.
    """

    def __init__(self, app: ASGIApp, keeper: Doorkeeper) -> None:
        self.app = app
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        sender = _with_headers(send, cached=scope["path"].startswith("/static/"))
        request = Request(scope, receive)
        try:
            refusal, body = await self._judge(request)
        except AmendsError as problem:
            refusal, body = error(503, problem.message, problem.remedy, problem.where), None
        if refusal is not None:
            await refusal(scope, receive, sender)
            return
        await self.app(scope, receive if body is None else _replay(body, receive), sender)

    async def _judge(self, request: Request) -> tuple[Response | None, bytes | None]:
        """Return a refusal, if there is one, and the body, if it had to be read."""
        if not self.keeper.allows_host(request.headers.get("host", "")):
            return error(
                421, "this server does not answer to that Host", "start it with --host-name NAME"
            ), None
        if request.url.path.startswith(PUBLIC_PREFIXES):
            return None, None
        token, from_cookie = token_of(request)
        if request.url.path == LINKS and not from_cookie and self.keeper.is_errand(token):
            return None, None
        if await to_thread.run_sync(self.keeper.who, token) is None:
            return _unknown(request), None
        request.state.session = token
        request.state.csrf = csrf_token(token)
        if request.method in SAFE_METHODS or not from_cookie:
            return None, None
        return await _check_form(request, token)


async def _check_form(request: Request, session: str) -> tuple[Response | None, bytes | None]:
    """Check that a browser's request which changes something carries its session's form token."""
    sent, body = request.headers.get("x-csrf-token", ""), None
    kind = request.headers.get("content-type", "")
    if not sent and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        body = await _read(request)
        if body is None:
            return error(413, f"the form is larger than {LARGEST_FORM // 1024 // 1024} MB", "send less"), None
        form = await Request(request.scope, _replay(body, request.receive)).form()
        sent = str(form.get("csrf", ""))
    if not hmac.compare_digest(sent.encode(), csrf_token(session).encode()):
        refusal = error(403, "the form's token is missing or stale", "load the page again and resend it")
        return refusal, None
    return None, body


async def _read(request: Request) -> bytes | None:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > LARGEST_FORM:
            return None
    return bytes(found)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read to whoever comes next, then what really comes (a disconnect)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send, *, cached: bool) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-cache" if cached else "no-store")
        await send(message)

    return sender


def _unknown(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", "") and request.method == "GET":
        return Response(status_code=303, headers={"Location": "/login"})
    return error(
        401, "no valid token came with this request",
        "send Authorization: Bearer TOKEN (AMENDS_TOKEN for the command line), or open the link that "
        "`amends serve` prints",
    )  # fmt: skip
