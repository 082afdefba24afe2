"""A real server in this process, on a free loopback port, for tests of pages and API."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from amends.bootstrap import Workspace
from amends.config import Settings
from amends.web.app import create_app
from tests.servers import free_port
from tests.story import Story


@dataclass
class LiveServer:
    """Where it listens, and what it serves."""

    url: str
    app: FastAPI
    story: Story
    token: str
    folder: Path

    def link(self) -> str:
        """Return a new one-time link."""
        return f"{self.url}/login/{self.app.state.keeper.make_link()}"

    def client(self, **more: Any) -> httpx.Client:
        """Return a client that shows its token as the command line does."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return httpx.Client(base_url=self.url, headers=headers, **more)

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Give a client that signed in with a link, as a browser does."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}) as client:
            assert client.get(self.link()).status_code == 303
            yield client

    @contextmanager
    def writing_browser(self) -> Iterator[httpx.Client]:
        """Give a signed-in client that may send forms: it shows the page's token with each."""
        with self.browser() as client:
            found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/").text)
            assert found
            client.headers["X-CSRF-Token"] = found[1]
            yield client


@contextmanager
def serving(story: Story, folder: Path) -> Iterator[LiveServer]:
    """Serve a story's log."""
    settings = Settings(
        store=story.store, state_dir=folder, policy=folder / "amends.yaml", notices=folder / "notices.yaml"
    )
    app = create_app(Workspace(settings, story.opened, story.clock, story.log))
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    token = story.opened.tokens.issue("test", at=story.clock.now())
    try:
        yield LiveServer(f"http://127.0.0.1:{port}", app, story, token, folder)
    finally:
        app.state.stopping.set()
        server.should_exit = True
        thread.join()
