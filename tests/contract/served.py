"""A real server in a thread, for tests that talk HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn

from amends.adapters.clocks import StillClock
from amends.adapters.stores import OpenStore
from amends.application.log import Log
from amends.bootstrap import Workspace
from amends.config import Settings
from amends.web.app import create_app


@contextmanager
def serving(opened: OpenStore, *, at: datetime) -> Iterator[tuple[str, str]]:
    """Serve a store on a free loopback port at a still clock; give the address and a token."""
    clock = StillClock(at)
    workspace = Workspace(Settings(), opened, clock, Log(opened.store, clock, lambda: "unused"))
    token = opened.tokens.issue("test", at=at)
    server = uvicorn.Server(uvicorn.Config(create_app(workspace), log_level="warning"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", token
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        opened.store.close()
