"""The server as a process: where it listens, the loop beside it, and how both stop."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from amends.bootstrap import Workspace
from amends.errors import UsageError
from amends.web.app import create_app

NOTE = "server.json"
GRACE_SECONDS = 3
Say = Callable[[str], None]
Loop = Callable[[threading.Event], None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. ``names`` are those that a browser may call the server by, beside loopback.

    ``writes_tests`` lets pages have tests written where other machines can reach them, too.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    names: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    writes_tests: bool = False

    @property
    def loopback(self) -> bool:
        """Whether nobody on another machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def serve(workspace: Workspace, address: Address, say: Say, loop: Loop | None = None) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; ``loop`` runs beside in a thread.

    Raises
    ------
    UsageError
        The store is one that nobody else could see, or the port is taken.
    """
    _check_store(workspace)
    listener = _listen(address)
    app = create_app(
        workspace, hosts=frozenset(name.lower() for name in address.names), no_tests=_no_tests(address)
    )
    url = _url(address, listener)
    server = _Server(_config(app, address), app.state.stopping)
    with _note(workspace.settings.state_dir, url, app), _stoppable(server), _beside(app, loop):
        _welcome(workspace, address, app, url, say)
        server.run(sockets=[listener])


def _no_tests(address: Address) -> str:
    """Say why nobody may have code run here from a page: others can reach it, and did not ask for that."""
    if address.loopback or address.writes_tests:
        return ""
    return "this server can be reached from other machines, so it runs no code of the repository from a page"


def _check_store(workspace: Workspace) -> None:
    kind = workspace.opened.kind
    if kind not in ("sqlite", "postgres", "postgresql"):
        raise UsageError(
            f"found a store of the kind {kind!r}; a server keeps its log in a file or in PostgreSQL",
            remedy="name one with --store .amends/log.db or --store postgresql://…",
        )


def _listen(address: Address) -> socket.socket:
    try:
        family, kind, proto, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as problem:
        raise UsageError(
            f"found the host {address.host!r}, which names no address of this machine: {problem.strerror}",
            remedy="leave --host away for 127.0.0.1",
        ) from None
    listener = socket.socket(family, kind, proto)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place)
        listener.listen(128)
    except OSError as problem:
        listener.close()
        raise UsageError(
            f"cannot listen on {address.host} port {address.port}: {problem.strerror}",
            remedy="stop what listens there, or take another port: --port 0 finds a free one",
        ) from None
    return listener


def _config(app: FastAPI, address: Address) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS, ssl_certfile=address.certificate or None,
        ssl_keyfile=address.key or None,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """Ends endless answers first, or a graceful stop would wait for every open page."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self.stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopping.set()
        super().handle_exit(sig, frame)


def _url(address: Address, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    name = address.host
    if name in ("0.0.0.0", "::") or not address.loopback:  # noqa: S104 - compared, not bound
        name = address.names[0] if address.names else ("127.0.0.1" if name in ("0.0.0.0", "::") else name)  # noqa: S104
    scheme = "https" if address.certificate else "http"
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def _welcome(workspace: Workspace, address: Address, app: FastAPI, url: str, say: Say) -> None:
    tokens = workspace.opened.tokens
    if not tokens.any():
        token = tokens.issue("first", at=workspace.clock.now())
        say(f"access token (shown once, kept as a hash): {token}")
        say(f"  for the command line and CI: AMENDS_STORE={url} AMENDS_TOKEN={token}")
    if not address.loopback and not address.certificate:
        say("warning: other machines can reach this server, and nothing encrypts what they say to it.")
        say("  mend: put it behind a proxy that speaks TLS, or give --tls-cert and --tls-key")
    say(f"amends serves {url}  (stop it with Ctrl-C)")
    say(f"open once, within 15 minutes: {url}/login/{app.state.keeper.make_link()}")


@contextlib.contextmanager
def _note(folder: Path, url: str, app: FastAPI) -> Iterator[None]:
    """Leave a note, readable by its owner alone, by which `amends link` finds this server."""
    path = folder / NOTE
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    text = json.dumps({"url": url, "errand": app.state.keeper.errand, "pid": os.getpid()})
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
    try:
        yield
    finally:
        # Another server may have left its own note since.
        with contextlib.suppress(OSError):
            if path.read_text("utf-8") == text:
                path.unlink()


@contextlib.contextmanager
def _stoppable(server: _Server) -> Iterator[None]:
    """Take signals ourselves: uvicorn gives them back after its stop, and they would end us half-way."""

    def stop(*_: object) -> None:
        server.stopping.set()
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _beside(app: FastAPI, loop: Loop | None) -> Iterator[None]:
    if loop is None:
        yield
        return
    thread = threading.Thread(target=loop, args=(app.state.stopping,), name="amends-loop")
    thread.start()
    try:
        yield
    finally:
        app.state.stopping.set()
        thread.join()
