"""Webhooks of other systems. A token is asked for before anything of a body is read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amends.application.alerts import open_from_alert
from amends.errors import UsageError, VersionConflictError
from amends.web.security import error, token_of

router = APIRouter(prefix="/hooks", tags=["hooks"])
LARGEST_DELIVERY = 1024 * 1024


@router.post("/alertmanager")
async def alertmanager(request: Request) -> Response:
    """Take a delivery of Alertmanager, version 4: alerts that fire open incidents.

    Its ``http_config`` sends a token of this server: ``authorization: {credentials: TOKEN}``. An alert that
    cannot be taken is told in the answer and keeps no other from being taken. Alertmanager delivers again
    after an answer of 5xx, so only what may pass by then is answered so.
    """
    token, from_cookie = token_of(request)
    if from_cookie or await run_in_threadpool(request.app.state.keeper.who, token) is None:
        return error(
            401, "no valid token came with this delivery",
            "let Alertmanager send one: http_config: {authorization: {credentials: TOKEN}}; "
            "`amends token issue alertmanager` makes it",
        )  # fmt: skip
    delivery = _read(await _body(request))
    try:
        taken = await run_in_threadpool(open_from_alert, request.app.state.workspace.log, delivery)
    except VersionConflictError as problem:
        return error(503, problem.message, problem.remedy, kind="version-conflict")
    return JSONResponse({"alerts": msgspec.to_builtins(taken)})


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > LARGEST_DELIVERY:
            raise UsageError(
                f"the delivery is larger than {LARGEST_DELIVERY // 1024} KB",
                remedy="set max_alerts in the webhook_config",
            )
    return bytes(found)


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the delivery is not JSON", remedy="see docs of webhook_config") from None
    if not isinstance(found, dict):
        raise UsageError("the delivery is not an object", remedy="see docs of webhook_config")
    return found
