"""The watch as a judge for other controllers: Argo Rollouts' web metrics and Flagger's webhooks."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from amends.bootstrap.judging import open_judge
from amends.errors import UsageError
from amends.web.security import error, machine_token
from amends.workflows.outside import Judged, Question

router = APIRouter(tags=["judge"])
_LARGEST = 64 * 1024
_HALT = 409

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Rollout(BaseModel):
    """An analysis of Argo Rollouts. `candidate` and `baseline` are what the policy calls `$version`."""

    model_config = ConfigDict(extra="forbid")

    service: Name
    environment: Name
    rollout: Name = Field(description="names this rollout, for example its revision")
    candidate: Name
    baseline: Name
    step: int = Field(default=1, ge=1, le=1000)


class Canary(BaseModel):
    """What Flagger sends. `metadata` may name `service`, `environment`, `candidate` and `baseline`."""

    name: Name
    namespace: Name
    phase: str = ""
    checksum: str = Field(default="", max_length=200)
    metadata: dict[str, str] | None = None


@router.post("/api/v1/judge/argo")
async def argo(request: Request, rollout: Rollout) -> Response:
    """Take a look at a rollout and answer for a `successCondition` and a `failureCondition`.

    The body has `verdict` (`roll_back`, `promote`, `watching`), `reason`, `missing` (what a promotion still
    lacks), `watch`, `tick`, `problems` and `metrics`. What cannot be judged is an answer of 4xx or 5xx, which
    Argo counts as an error, never as success.
    """
    asked = Question(controller="argo", **rollout.model_dump())
    return JSONResponse(_told(await _judge(request, asked)))


@router.post("/hooks/flagger/{hook}")
async def flagger(request: Request, hook: Literal["rollout", "promotion", "rollback"]) -> Response:
    """Answer one of Flagger's webhooks; the reason is the body, which Flagger puts into its events.

    `rollout` is 200 until the canary is provably worse, `promotion` (for `confirm-promotion`) only where it
    has shown itself well, `rollback` only where it is provably worse. Else the answer is no 2xx. Flagger
    sends no headers of one's own: the token goes into the address, `https://flagger:TOKEN@host/…`.
    """
    keeper = request.app.state.keeper
    if await run_in_threadpool(keeper.who, machine_token(request)) is None:
        return error(
            401, "no valid token came with this hook",
            "write it into the address: https://flagger:TOKEN@host/hooks/flagger/…; "
            "`amends token issue flagger` makes one",
        )  # fmt: skip
    judged = await _judge(request, _question(_canary(await _body(request))))
    good = {
        "rollout": judged.verdict != "roll_back",
        "promotion": judged.verdict == "promote",
        "rollback": judged.verdict == "roll_back",
    }
    text = f"{judged.verdict.replace('_', ' ')}: {judged.reason}"
    if hook == "promotion" and judged.missing:
        text = f"not yet: {judged.missing}"
    return PlainTextResponse(text + "\n", status_code=200 if good[hook] else _HALT)


async def _judge(request: Request, asked: Question) -> Judged:
    state = request.app.state
    if not hasattr(state, "judge"):
        state.judge = await run_in_threadpool(open_judge, state.workspace)
    judged: Judged = await run_in_threadpool(state.judge, asked)
    return judged


def _told(judged: Judged) -> dict[str, Any]:
    look = judged.look
    return {
        "verdict": judged.verdict, "reason": judged.reason, "missing": judged.missing, "watch": judged.watch,
        "tick": look.tick, "step": look.step, "problems": list(look.problems), "metrics": list(look.metrics),
    }  # fmt: skip


def _question(canary: Canary) -> Question:
    said = canary.metadata or {}
    return Question(
        controller="flagger", service=said.get("service") or canary.name,
        environment=said.get("environment") or canary.namespace,
        rollout=f"{canary.namespace}/{canary.name}/{canary.checksum}",
        candidate=said.get("candidate") or canary.name,
        baseline=said.get("baseline") or f"{canary.name}-primary",
    )  # fmt: skip


def _canary(body: bytes) -> Canary:
    try:
        return Canary.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError) as problem:
        lines = [line.strip() for line in str(problem).splitlines()]
        raise UsageError(
            f"the body is not what Flagger sends: {' '.join(lines[1:3]) or lines[0]}",
            remedy="let Flagger call it: analysis.webhooks in its Canary",
        ) from None


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > _LARGEST:
            raise UsageError(f"the body is larger than {_LARGEST // 1024} KB", remedy="send less metadata")
    return bytes(found)
