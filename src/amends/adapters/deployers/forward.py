"""The proxy's way of a request: draw an instance by weight, pass the request on, pass the answer back."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from amends.adapters.deployers.table import Route

# RFC 9110, 7.6.1: these concern one connection only. Expect is answered by the server itself.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, 9.2.2
_WHOLE = 256 * 1024  # bytes up to which an answer is passed on in one piece
_IDLE = 1.5  # seconds; shorter than any usual server's keep-alive, so that we close first


class Forwarder:
    """Passes requests on to instances by weight and counts what it does."""

    def __init__(self, timeout: float, requests: Counter[str], failed: Counter[str]) -> None:
        self.in_flight: Counter[str] = Counter()
        self.requests = requests
        self.failed = failed
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=timeout)
        self._routes: tuple[Route, ...] = ()
        self._reused: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the connection pools."""
        self._reused = self._session(aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE))
        # A server may close an idle connection just as we use it. What must not be sent twice gets a new one.
        self._fresh = self._session(aiohttp.TCPConnector(limit=0, force_close=True))

    async def close(self) -> None:
        """Close the connection pools."""
        for session in (self._reused, self._fresh):
            if session is not None:
                await session.close()

    def use(self, routes: Iterable[Route]) -> None:
        """Route from now on by ``routes``."""
        self._routes = tuple(r for r in routes if r.weight > 0)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        tried: list[Route] = []
        while (route := draw(self._routes, tried)) is not None:
            self.in_flight[route.name] += 1
            try:
                answer = await self._forward(request, route)
            except aiohttp.ClientConnectorError:
                # Nothing was sent yet, so another may have it; RFC 9110, 9.2.2 keeps that to idempotent ones.
                tried.append(route)
                if request.method in _IDEMPOTENT and len(tried) < len(self._routes):
                    continue
                return self._failure(route, 502, "the instance refused the connection")
            except TimeoutError:
                return self._failure(route, 504, "the instance did not answer in time")
            except (aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError):
                return self._failure(route, 502, "the instance ended the connection without an answer")
            finally:
                self.in_flight[route.name] -= 1
            self.requests[route.version] += 1
            return answer
        return web.Response(status=503, text="no version of this service has traffic here\n")

    def _failure(self, route: Route, status: int, text: str) -> web.Response:
        self.requests[route.version] += 1
        self.failed[route.version] += 1
        return web.Response(status=status, text=f"{text}\n")

    async def _forward(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        session = self._reused if request.method in _IDEMPOTENT else self._fresh
        assert session is not None
        async with session.request(
            request.method,
            URL(route.url + request.rel_url.raw_path_qs, encoded=True),
            headers=_request_headers(request),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            headers = _end_to_end(answer.headers)
            if _is_short(request.method, answer):
                body = await answer.read()
                return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=body)
            return await _stream(request, answer, headers)

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )


def draw(routes: Sequence[Route], tried: Sequence[Route]) -> Route | None:
    """Draw one of ``routes`` by weight, none of those ``tried``; ``None`` when none is left."""
    if len(routes) == 1 and not tried:
        return routes[0]
    left = [r for r in routes if r not in tried] if tried else routes
    if not left:
        return None
    sums = list(accumulate(r.weight for r in left))
    return left[bisect_right(sums, random.random() * sums[-1])]  # noqa: S311


def _request_headers(request: web.BaseRequest) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    before = headers.get("X-Forwarded-For")
    peer = request.remote or "unknown"
    headers["X-Forwarded-For"] = f"{before}, {peer}" if before else peer
    headers.setdefault("X-Forwarded-Proto", "http")
    if "Host" in headers:
        headers.setdefault("X-Forwarded-Host", headers["Host"])
    return headers


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    kept = headers.copy()
    named = [n.strip().lower() for value in headers.getall("Connection", ()) for n in value.split(",")]
    for name in {k.lower() for k in headers}:
        if name in _HOP_BY_HOP or name in named:
            kept.popall(name, None)
    return kept


def _is_short(method: str, answer: aiohttp.ClientResponse) -> bool:
    length = answer.content_length
    return method != "HEAD" and length is not None and length <= _WHOLE


async def _stream(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: CIMultiDict[str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    try:
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, OSError):
        # The head is out, so no other status can be given. Cut the connection: half must not pass for whole.
        if request.transport is not None:
            request.transport.close()
    return response
