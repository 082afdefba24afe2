"""Real receivers of notices on free loopback ports: a mail server, and an HTTP server for webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests.servers import free_port


@dataclass
class Mailbox(MessageHandler):
    """A mail server's inbox. ``refusing`` maps a recipient to what is answered for it."""

    mails: list[Message] = field(default_factory=list)
    refusing: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        MessageHandler.__init__(self)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refusing:
            return self.refusing[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]


@contextmanager
def mail_server(box: Mailbox, port: int = 0, **more: Any) -> Iterator[int]:
    """Run a mail server; gives its port. ``more`` are settings of aiosmtpd's."""
    controller = Controller(box, hostname="127.0.0.1", port=port or free_port(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@dataclass
class Receiver:
    """What was posted, and what is answered."""

    port: int
    answer: int = 204
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def json(self, number: int = -1) -> Any:
        return json.loads(self.posts[number][1])


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """Run an HTTP server that keeps what is posted to it."""
    found = Receiver(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.posts.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(found.answer)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
