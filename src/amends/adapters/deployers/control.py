"""Starting the proxy, finding it again, and giving it orders."""

from __future__ import annotations

import fcntl
import random
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import msgspec

from amends.adapters.deployers.fence import refusal
from amends.adapters.deployers.loopback import client
from amends.adapters.deployers.output import presentable, read_ends
from amends.adapters.deployers.processes import ProcessId, clean_environment, is_alive, spawn_detached
from amends.adapters.deployers.settings import ProcessSettings
from amends.adapters.deployers.table import (
    PROXY,
    SECRET_HEADER,
    TABLE,
    TRAFFIC,
    Claim,
    ProxyRecord,
    ProxyState,
    Retire,
    Route,
    Table,
    Traffic,
)
from amends.errors import ActuationFailedError

# Below Linux's range for outgoing connections (32768 and up), so that none of those takes a port from us.
_PORTS = range(20000, 32000)
_START_TIMEOUT = 20.0


def free_port() -> int:
    """Return a loopback port on which nothing listens."""
    for _ in range(200):
        port = random.choice(_PORTS)  # noqa: S311
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ActuationFailedError("no free port found on 127.0.0.1", remedy="stop what no longer needs to run")


class ProxyControl:
    """The proxy of one service and environment, from outside.

    Parameters
    ----------
    directory:
        Where its state is.
    port:
        The port asked for; 0: the one recorded, or any.
    """

    def __init__(self, directory: Path, port: int, settings: ProcessSettings) -> None:
        self._directory = directory
        self._port = port
        self._settings = settings

    def record(self) -> ProxyRecord | None:
        """Return where the running proxy is found; ``None`` when none runs."""
        record = self._last_record()
        return record if record and is_alive(ProcessId(record.pid, record.started)) else None

    def url(self) -> str:
        """Return the address at which the service is reached, or an empty string before its first start."""
        record = self._last_record()
        return f"http://127.0.0.1:{record.port}" if record else ""

    def moved(self) -> str:
        """Return a note when the proxy listens elsewhere than is asked for now, else an empty string."""
        record = self.record()
        if record is None or self._port in (0, record.port):
            return ""
        return f"the proxy listens on {record.port}; it takes port {self._port} when it is next started"

    def ensure(self) -> None:
        """Start the proxy if it does not run.

        Raises
        ------
        ActuationFailedError
            It does not come up; holds what it printed.
        """
        if self.record() is not None:
            return
        last = self._last_record()
        port = self._port or (last.port if last else free_port())
        log = self._directory / "proxy.log"
        argv = [sys.executable, "-P", "-m", "amends.adapters.deployers.proxy"]
        argv += ["--directory", str(self._directory), "--port", str(port)]
        argv += ["--control-port", str(free_port())]
        argv += ["--request-timeout", str(self._settings.request_timeout)]
        env = {k: v for k, v in clean_environment({}).items() if not k.startswith("AMENDS_")}
        log.write_bytes(b"")
        child = spawn_detached(argv, cwd=self._directory, env=env, output=log)
        end = time.monotonic() + _START_TIMEOUT
        while self.record() is None:
            # Ours ends at once when another was faster: then that one's record is about to appear.
            if not is_alive(child):
                end = min(end, time.monotonic() + 3.0) if self._is_served() else 0.0
            if time.monotonic() >= end and self.record() is None:
                raise ActuationFailedError(
                    f"the proxy does not come up on port {port}:\n{presentable(read_ends(log))}",
                    where=str(log),
                    remedy="free the port, or state another under deploy.process.ports",
                )
            time.sleep(0.02)

    def _is_served(self) -> bool:
        with (self._directory / "proxy.lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def state(self) -> ProxyState:
        """Return what the proxy does now.

        Raises
        ------
        ActuationFailedError
            It does not answer.
        """
        return self._decode(self._call("GET", ""))

    def state_if_running(self) -> ProxyState | None:
        """Return what the proxy does now; ``None`` when it does not run, or ended while it was asked."""
        if self.record() is None:
            return None
        try:
            return self.state()
        except ActuationFailedError:
            if self._has_ended():
                return None
            raise

    def _has_ended(self) -> bool:
        """Tell whether the proxy that did not answer is gone; it closes its port a moment before it is."""
        end = time.monotonic() + 1.0
        while self.record() is not None:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        return True

    def claim(self, token: int, what: str) -> ProxyState:
        """Have ``token`` accepted; from then on every older order is refused.

        Raises
        ------
        ActuationRefusedError
            A higher one was accepted.
        """
        return self._order("/claim", Claim(token), token, what)

    def route(self, token: int, routes: Iterable[Route], what: str) -> ProxyState:
        """Replace the routing table; in force when this returns. Raises as ``claim``."""
        return self._order("/routes", Table(token, tuple(routes)), token, what)

    def retire(self, token: int, names: Iterable[str], what: str) -> ProxyState:
        """Have instances drained and stopped; returns at once. Raises as ``claim``."""
        settings = self._settings
        order = Retire(token, tuple(names), settings.drain_timeout, settings.stop_timeout)
        return self._order("/retire", order, token, what)

    def kept_token(self) -> int:
        """Return the highest token accepted, from the file, whether or not the proxy runs."""
        try:
            return msgspec.json.decode((self._directory / TABLE).read_bytes(), type=Table).token
        except FileNotFoundError:
            return 0

    def traffic(self) -> dict[str, int]:
        """Return the requests that each version answered since the first start."""
        state = self.state_if_running()
        if state is not None:
            return state.requests
        try:
            return msgspec.json.decode((self._directory / TRAFFIC).read_bytes(), type=Traffic).requests
        except FileNotFoundError:
            return {}

    def _last_record(self) -> ProxyRecord | None:
        try:
            return msgspec.json.decode((self._directory / PROXY).read_bytes(), type=ProxyRecord)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _order(self, path: str, order: Claim | Table | Retire, token: int, what: str) -> ProxyState:
        body = msgspec.json.encode(order)
        try:
            answer = self._call("POST", path, body)
        except ActuationFailedError:
            if not self._has_ended():
                raise
            # Every order says what shall be so, not what to change: it may be given twice.
            self.ensure()
            answer = self._call("POST", path, body)
        if answer.status_code == 409:
            raise refusal(token, self._decode(answer).token, what)
        if answer.status_code == 410:
            raise ActuationFailedError(
                f"{what}: an instance that it needs was stopped meanwhile", remedy="repeat the order"
            )
        return self._decode(answer)

    def _call(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        record = self.record()
        if record is None:
            raise ActuationFailedError(
                "the proxy does not run", remedy="repeat the order; it is started again"
            )
        url = f"http://127.0.0.1:{record.control_port}/-/amends/proxy{path}"
        try:
            headers = {SECRET_HEADER: record.secret}
            return client().request(method, url, content=body, headers=headers, timeout=10.0)
        except httpx.HTTPError as error:
            raise ActuationFailedError(
                f"the proxy does not answer on its control port: {error}",
                where=url,
                remedy="repeat the order; a proxy that died is started again",
            ) from error

    def _decode(self, answer: httpx.Response) -> ProxyState:
        try:
            return msgspec.json.decode(answer.content, type=ProxyState)
        except msgspec.DecodeError as error:
            raise ActuationFailedError(
                f"the proxy answered {answer.status_code} with what cannot be read: {answer.text[:200]}",
                where=str(answer.request.url),
                remedy="tidy up (stop_all) and start the service again",
            ) from error
