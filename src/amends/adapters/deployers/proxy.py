"""The weighted proxy: a process of its own, one for each service and environment, on loopback.

It outlives amends. It alone holds the routing table and the fencing token, and it alone stops instances that
had traffic: an order that was paused anywhere and wakes too late is refused here, where it would do harm.

    python -m amends.adapters.deployers.proxy --directory STATE --port N --control-port N

Each request draws its instance at random by weight, independently of all others, so that a pattern in the
traffic never lines up with one arm of a comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import secrets
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from amends.adapters.deployers.fence import write_durably
from amends.adapters.deployers.forward import Forwarder
from amends.adapters.deployers.processes import ProcessId, identify, is_alive, marked, signal_all
from amends.adapters.deployers.table import (
    INSTANCES,
    MARKER,
    PROXY,
    SECRET_HEADER,
    TABLE,
    TRAFFIC,
    Claim,
    ProxyRecord,
    ProxyState,
    Retire,
    Table,
    Traffic,
)

Order = TypeVar("Order", Claim, Retire, Table)
Kept = TypeVar("Kept", Table, Traffic)
_SAVE_EVERY = 1.0  # seconds between savings of the counters: what a kill -9 of the proxy may leave uncounted
_LOG_LIMIT = 64 * 1024 * 1024  # bytes of an instance's output, after which its older half is moved aside


class Proxy:
    """State of one proxy and the orders it takes on its control port."""

    def __init__(self, directory: Path, request_timeout: float) -> None:
        self._directory = directory
        self._table = _read(directory / TABLE, Table)
        counted = _read(directory / TRAFFIC, Traffic)
        self._forwarder = Forwarder(request_timeout, Counter(counted.requests), Counter(counted.failed))
        self._forwarder.use(self._table.routes)
        self._draining: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[str] = set()
        self._stopped: set[str] = set()  # or being stopped; never to have traffic again
        self._secret = secrets.token_urlsafe(24)
        self._saved = counted

    async def serve(self, port: int, control_port: int) -> None:
        """Serve until SIGTERM or SIGINT."""
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, done.set)
        await self._forwarder.open()
        server = web.ServerRunner(web.Server(self._forwarder.handle, access_log=None))
        control = web.AppRunner(self._control_app(), access_log=None)
        await server.setup()
        await control.setup()
        await web.TCPSite(control, "127.0.0.1", control_port).start()
        await web.TCPSite(server, "127.0.0.1", port, backlog=1024).start()
        me = identify(os.getpid())
        record = ProxyRecord(os.getpid(), me.started if me else 0.0, port, control_port, self._secret)
        write_durably(self._directory / PROXY, msgspec.json.encode(record))
        keeper = asyncio.create_task(self._keep())
        await done.wait()
        keeper.cancel()
        await server.cleanup()
        await control.cleanup()
        await self._forwarder.close()
        self._save()

    def _control_app(self) -> web.Application:
        app = web.Application(middlewares=[self._only_ours])
        app.router.add_get("/-/amends/proxy", self._show)
        app.router.add_post("/-/amends/proxy/claim", self._claim)
        app.router.add_post("/-/amends/proxy/routes", self._route)
        app.router.add_post("/-/amends/proxy/retire", self._retire)
        return app

    @web.middleware
    async def _only_ours(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get(SECRET_HEADER, "")
        if not secrets.compare_digest(given.encode(), self._secret.encode()):
            raise web.HTTPForbidden(text="this control port takes orders of its own amends only")
        return await handler(request)

    async def _show(self, _: web.Request) -> web.Response:
        return self._state(200)

    async def _claim(self, request: web.Request) -> web.Response:
        order = await _body(request, Claim)
        return self._state(200 if self._accept(order.token) else 409)

    async def _route(self, request: web.Request) -> web.Response:
        order = await _body(request, Table)
        going = self._stopped.intersection(r.name for r in order.routes)
        if going:
            return self._state(410)
        if not self._accept(order.token):
            return self._state(409)
        for name in [r.name for r in order.routes]:
            self._cancel(name)
        self._keep_table(order)
        self._forwarder.use(order.routes)
        return self._state(200)

    async def _retire(self, request: web.Request) -> web.Response:
        order = await _body(request, Retire)
        if not self._accept(order.token):
            return self._state(409)
        routed = {r.name for r in self._table.routes}
        for name in order.names:
            if name not in routed and name not in self._draining:
                task = asyncio.create_task(self._drain_and_stop(name, order))
                self._draining[name] = task
        return self._state(200)

    def _accept(self, token: int) -> bool:
        """Keep a token; a higher one also calls off what older orders have not done yet."""
        if token < self._table.token:
            return False
        if token > self._table.token:
            for name in list(self._draining):
                self._cancel(name)
            self._keep_table(Table(token, self._table.routes))
        return True

    def _cancel(self, name: str) -> None:
        if name in self._draining and name not in self._stopping:
            self._draining.pop(name).cancel()

    def _keep_table(self, table: Table) -> None:
        if table != self._table:
            write_durably(self._directory / TABLE, msgspec.json.encode(table))
            self._table = table

    async def _drain_and_stop(self, name: str, order: Retire) -> None:
        marker = str(self._directory / INSTANCES / name)
        end = asyncio.get_running_loop().time() + order.drain_timeout
        while self._forwarder.in_flight[name] and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        processes = (await asyncio.to_thread(marked, MARKER, marker)).get(marker, [])
        # No await from here to the signal: nobody can call the retirement off in between.
        self._stopping.add(name)
        self._stopped.add(name)
        try:
            await _stop(processes, order.stop_timeout)
            # What was forked while the rest ended.
            left = (await asyncio.to_thread(marked, MARKER, marker)).get(marker, [])
            await _stop(left, 0.0)
        finally:
            self._stopping.discard(name)
            self._draining.pop(name, None)

    def _state(self, code: int) -> web.Response:
        forwarder = self._forwarder
        state = ProxyState(
            token=self._table.token,
            routes=self._table.routes,
            in_flight={name: n for name, n in forwarder.in_flight.items() if n},
            requests=dict(forwarder.requests),
            failed=dict(forwarder.failed),
            draining=tuple(sorted(self._draining)),
            stopping=tuple(sorted(self._stopping)),
        )
        return web.Response(status=code, body=msgspec.json.encode(state), content_type="application/json")

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            self._save()
            for log in (self._directory / INSTANCES).glob("*/output.log"):
                _bound(log)

    def _save(self) -> None:
        now = Traffic(dict(self._forwarder.requests), dict(self._forwarder.failed))
        if now != self._saved:
            path = self._directory / TRAFFIC
            temporary = path.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(now))
            temporary.replace(path)
            self._saved = now


async def _stop(processes: list[ProcessId], timeout: float) -> None:
    """SIGTERM to these processes, SIGKILL to what is left after ``timeout`` seconds."""
    if timeout > 0:
        signal_all(processes, signal.SIGTERM)
    end = asyncio.get_running_loop().time() + timeout
    while any(is_alive(p) for p in processes):
        if asyncio.get_running_loop().time() >= end:
            signal_all(processes, signal.SIGKILL)
            end += 1.0
        await asyncio.sleep(0.02)


def _bound(log: Path) -> None:
    try:
        if log.stat().st_size > _LOG_LIMIT:
            with log.open("rb") as file:
                file.seek(-_LOG_LIMIT // 2, os.SEEK_END)
                log.with_suffix(".old").write_bytes(file.read())
            os.truncate(log, 0)
    except OSError:
        return


async def _body(request: web.Request, kind: type[Order]) -> Order:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _read(path: Path, kind: type[Kept]) -> Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return kind()


def main() -> None:
    """Run a proxy until it is told to stop; exit at once when one runs for this directory already."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--request-timeout", type=float, default=60.0)
    given = parser.parse_args()
    only = os.open(given.directory / "proxy.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(only, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    try:
        proxy = Proxy(given.directory, given.request_timeout)
        asyncio.run(proxy.serve(given.port, given.control_port))
    except (OSError, msgspec.DecodeError) as error:
        sys.exit(f"the proxy cannot serve: {error}")


if __name__ == "__main__":
    main()
