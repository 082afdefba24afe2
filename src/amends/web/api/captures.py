"""Captures of failing inputs, pushed by a service's side car or a job."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amends.application.captures import MOST_CAPTURES, record_captures
from amends.bootstrap import open_desk
from amends.errors import UsageError

router = APIRouter(prefix="/api/v1", tags=["captures"])
_MOST_BYTES = 32 * 1024 * 1024


@router.post("/captures", status_code=201)
async def captures(request: Request) -> Response:
    """Record captures (`amends.capture/1`): one object, or an array of at most 1,000.

    The answer says of each what became of it; one that is refused keeps no other from being recorded.
    """
    found = _read(await _body(request))
    desk = open_desk(request.app.state.workspace)
    taken = await run_in_threadpool(record_captures, desk, [("", one) for one in found])
    return JSONResponse({"captures": msgspec.to_builtins(taken)}, status_code=201)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > _MOST_BYTES:
            raise UsageError(
                f"found more than {_MOST_BYTES // 1024 // 1024} MB in one request",
                remedy="send fewer at a time",
            )
    return bytes(found)


def _read(body: bytes) -> list[Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON", remedy="send a capture, or an array of captures") from None
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_CAPTURES:
        raise UsageError(
            f"found {len(listed)} captures; at most {MOST_CAPTURES:,} come at a time",
            remedy="send fewer at a time",
        )
    return listed
