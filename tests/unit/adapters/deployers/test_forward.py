"""The proxy's way of a request, between a real server and a real client on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from yarl import URL

from amends.adapters.deployers.control import free_port
from amends.adapters.deployers.forward import Forwarder, draw
from amends.adapters.deployers.table import Route

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Use = Callable[[aiohttp.ClientSession, str, Forwarder], Awaitable[None]]


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.read()
    said = {"method": request.method, "path": request.raw_path, "body": body.decode(), **request.headers}
    return web.json_response(said, headers={"Set-Cookie": "a=b"})


@asynccontextmanager
async def proxied(
    handler: Handler, timeout: float = 5.0
) -> AsyncIterator[tuple[aiohttp.ClientSession, str, Forwarder]]:
    forwarder = Forwarder(timeout, Counter(), Counter())
    await forwarder.open()
    async with RawTestServer(handler) as behind, RawTestServer(forwarder.handle) as front:
        forwarder.use([Route("one", "1.0", str(behind.make_url("")).rstrip("/"), 100)])
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as client:
            yield client, str(front.make_url("")).rstrip("/"), forwarder
    await forwarder.close()


def run(use: Use, handler: Handler = echo, timeout: float = 5.0) -> None:
    async def main() -> None:
        async with proxied(handler, timeout) as (client, url, forwarder):
            await use(client, url, forwarder)

    asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_method_path_headers_and_body_arrive_as_sent(method: str) -> None:
    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        body = None if method == "GET" else "für\nalle".encode()
        async with client.request(
            method, URL(url + "/a%2Fb/../c?q=%20x", encoded=True), data=body, headers={"X-One": "1"}
        ) as answer:
            said = await answer.json()
        assert (said["method"], said["X-One"]) == (method, "1")
        assert said["path"] == "/a%2Fb/../c?q=%20x"
        assert said["body"] == ("" if body is None else body.decode())
        assert said["X-Forwarded-For"] == "127.0.0.1"

    run(use)


def test_no_cookie_of_one_user_reaches_another() -> None:
    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        for _turn in range(2):
            async with client.get(url) as answer:
                assert answer.headers["Set-Cookie"] == "a=b"
                assert "Cookie" not in await answer.json()

    run(use)


def test_headers_of_one_connection_stay_on_it() -> None:
    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        headers = {"Connection": "keep-alive, X-Hop", "X-Hop": "1", "TE": "trailers", "Upgrade": "h2c"}
        async with client.get(url, headers=headers) as answer:
            said = await answer.json()
        assert not {"X-Hop", "TE", "Upgrade"} & set(said)

    run(use)


def test_an_answer_to_head_has_its_length_and_no_body() -> None:
    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * 1234)

    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        for _turn in range(2):
            async with client.head(url) as answer:
                assert (answer.status, answer.headers["Content-Length"]) == (200, "1234")
                assert await answer.read() == b""

    run(use, handler)


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_any_size_pass_both_ways(size: int, chunked: bool) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        if chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = size
        await response.prepare(request)
        async for part in request.content.iter_any():
            await response.write(part)
        return response

    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        body = b"x" * size
        async with client.post(url, data=body, chunked=chunked or None) as answer:
            assert await answer.read() == body

    run(use, handler)


@pytest.mark.parametrize("status", [204, 301, 304, 404, 500])
def test_statuses_are_passed_on_not_acted_on(status: int) -> None:
    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def use(client: aiohttp.ClientSession, url: str, forwarder: Forwarder) -> None:
        async with client.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (status, "/elsewhere")
        assert (forwarder.requests, forwarder.failed) == ({"1.0": 1}, {})

    run(use, handler)


def test_half_an_answer_never_passes_for_a_whole_one() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"half")
        await asyncio.sleep(0.05)
        assert request.transport is not None
        request.transport.abort()
        return response

    async def use(client: aiohttp.ClientSession, url: str, _: Forwarder) -> None:
        with pytest.raises(aiohttp.ClientError):
            async with client.get(url) as answer:
                await answer.read()

    run(use, handler)


def test_an_instance_that_does_not_answer_is_a_gateway_timeout_and_counted() -> None:
    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.Response()

    async def use(client: aiohttp.ClientSession, url: str, forwarder: Forwarder) -> None:
        async with client.get(url) as answer:
            assert answer.status == 504
        assert forwarder.failed == {"1.0": 1}
        assert forwarder.in_flight.total() == 0

    run(use, handler, timeout=0.1)


@pytest.mark.parametrize(("method", "statuses"), [("GET", {200}), ("POST", {200, 502})])
def test_what_a_dead_instance_refuses_goes_to_another_only_if_it_may_be_repeated(
    method: str, statuses: set[int]
) -> None:
    async def use(client: aiohttp.ClientSession, url: str, forwarder: Forwarder) -> None:
        living = forwarder._routes[0]
        dead = Route("two", "1.1", f"http://127.0.0.1:{free_port()}", 50)
        forwarder.use([Route("one", "1.0", living.url, 50), dead])
        seen = set()
        for _turn in range(40):
            async with client.request(method, url) as answer:
                seen.add(answer.status)
        assert seen == statuses

    run(use)


def test_without_any_traffic_share_the_service_is_unavailable() -> None:
    async def use(client: aiohttp.ClientSession, url: str, forwarder: Forwarder) -> None:
        forwarder.use([])
        async with client.get(url) as answer:
            assert answer.status == 503

    run(use)


def test_instances_are_drawn_by_weight_and_none_twice() -> None:
    routes = [Route("a", "1", "", 10), Route("b", "2", "", 90)]
    drawn = Counter(r.name for r in (draw(routes, []) for _ in range(5000)) if r)
    assert 350 < drawn["a"] < 650
    assert draw(routes, [routes[1]]) == routes[0]
    assert draw(routes, routes) is None
