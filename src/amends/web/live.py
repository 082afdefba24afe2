"""Server-sent events: a page is told when its deployment moved, and what a chart has to add."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from starlette.responses import StreamingResponse

LOOK_SECONDS = 0.7
KEEP_ALIVE_LOOKS = 20

# What came after a position: the new position and the message, or None when nothing concerns this reader.
Changes = Callable[[int], tuple[int, dict[str, Any] | None]]


def stream_changes(app: FastAPI, changes: Changes, after: int) -> StreamingResponse:
    """Return an endless answer of server-sent events (WHATWG HTML, section 9.2).

    Looks for news in a thread that it holds only while it looks, so that many open pages cost few threads.
    ``after`` is the position that the reader has seen: a browser that reconnects sends it as Last-Event-ID.
    """
    return StreamingResponse(
        _messages(app, changes, after), media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )  # fmt: skip


async def _messages(app: FastAPI, changes: Changes, after: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    quiet = 0
    while not app.state.stopping.is_set():
        after, message = await to_thread.run_sync(changes, after)
        if message is not None:
            quiet = 0
            yield f"id: {after}\nevent: moved\ndata: {json.dumps(message)}\n\n"
        elif quiet >= KEEP_ALIVE_LOOKS:
            quiet = 0
            yield ": still here\n\n"
        quiet += 1
        await asyncio.sleep(LOOK_SECONDS)
