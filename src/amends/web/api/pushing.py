"""Metrics that instances push, at the path that a Pushgateway has: every client library knows how."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amends.application.pushing import MOST_BYTES, take_push
from amends.errors import UsageError
from amends.web.security import error, machine_token

router = APIRouter(tags=["metrics"])
_JOB = "job"


@router.put("/hooks/metrics/{grouping:path}")
@router.post("/hooks/metrics/{grouping:path}")
async def push(request: Request, grouping: str) -> Response:
    """Keep the page of one instance until its next push: `job/SERVICE/environment/ENV/release/R/instance/I`.

    The body is Prometheus' text format or OpenMetrics, at most 8 MB; PUT and POST do the same. A value with a
    slash comes as `name@base64/VALUE`, as Pushgateway takes it.
    """
    keeper = request.app.state.keeper
    if await run_in_threadpool(keeper.who, machine_token(request)) is None:
        return error(
            401, "no valid token came with this push",
            "send Authorization: Bearer TOKEN, or HTTP Basic with the token as password; "
            "`amends token issue metrics` makes one",
        )  # fmt: skip
    group = _group(grouping)
    body = await _body(request)
    workspace = request.app.state.workspace
    page = await run_in_threadpool(
        take_push, workspace.opened.pushes, group, body, request.headers.get("content-type", ""),
        workspace.clock.now(),
    )  # fmt: skip
    return JSONResponse(
        {"kept": {"service": page.service, "release": page.release, "instance": page.instance}}
    )


@router.get("/api/v1/metrics/pushed")
def pushed(
    request: Request, service: str, environment: str, release: Annotated[list[str], Query()]
) -> Response:
    """Return the last pages that instances of some releases pushed."""
    found = request.app.state.workspace.opened.pushes.latest(service, environment, release)
    return JSONResponse({"pages": msgspec.to_builtins(found)})


def _group(grouping: str) -> dict[str, str]:
    parts = grouping.split("/")
    if len(parts) % 2 or parts[0].partition("@")[0] != _JOB:
        raise UsageError(
            f"found the path {grouping!r}; it is made of pairs and begins with job",
            remedy="push to /hooks/metrics/job/SERVICE/environment/ENV/release/VERSION/instance/NAME",
        )
    group: dict[str, str] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        plain, _, coding = name.partition("@")
        key = "service" if plain == _JOB else plain
        if key in group or coding not in ("", "base64"):
            raise UsageError(
                f"found {name!r} in the path", remedy="name each part once, as NAME or NAME@base64"
            )
        group[key] = _decoded(value) if coding else value
    return group


def _decoded(value: str) -> str:
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except ValueError:
        raise UsageError(
            f"found {value!r}, which is not base64", remedy="encode it, or leave @base64 out"
        ) from None


async def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UsageError("the page comes compressed", remedy="send it as it is")
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > MOST_BYTES:
            raise UsageError(
                f"the page is larger than {MOST_BYTES // 1024 // 1024} MB",
                remedy="push the metrics that the watch reads, from a registry of their own",
            )
    return bytes(found)
