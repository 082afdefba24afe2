"""Lints a review's text while it is written. Nothing is recorded: drafts belong to who writes them."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amends.errors import UsageError
from amends.reviews.language.findings import Finding
from amends.reviews.language.lint import lint_text
from amends.web.security import error

router = APIRouter(prefix="/api/v1", tags=["language"])
LARGEST_TEXT = 256 * 1024  # bytes of the request; a review of 40,000 words fits
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object", "required": ["text"], "additionalProperties": False,
                "properties": {"text": {"type": "string"}, "file": {"type": "string"}},
            }
        }
    },
}  # fmt: skip


@router.post("/lint", openapi_extra={"requestBody": _BODY})
async def lint(request: Request) -> Response:
    """Say which sentences of ``text`` blame, judge with hindsight or stop at one cause.

    The answer is the list of ``amends lint --format json``; ``file`` is handed back in it.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_TEXT:
            return error(413, f"the text is larger than {LARGEST_TEXT // 1024} KB", "use `amends lint FILE`")
    text, file = _read(bytes(body))
    report = await run_in_threadpool(lint_text, text)
    return JSONResponse([_row(file, finding) for finding in report.findings])


def _read(body: bytes) -> tuple[str, str]:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("text"), str) or set(found) - {"text", "file"}:
        raise UsageError(
            'this is not a text to lint; allowed: {"text": "…", "file": "…"}', remedy="send JSON"
        )
    return found["text"], str(found.get("file", ""))


def _row(file: str, finding: Finding) -> dict[str, Any]:
    return {
        "file": file, "line": finding.line, "column": finding.column, "label": finding.label.value,
        "text": finding.text, "message": finding.message, "suggestion": finding.suggestion,
    }  # fmt: skip
