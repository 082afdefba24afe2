"""What forms send, read as the application takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Form
from starlette.responses import RedirectResponse

from amends.errors import UsageError

Role = Annotated[str, Form(max_length=80)]
Words = Annotated[str, Form(max_length=500)]


def required_role(role: str) -> str:
    """Return a role without white space around it. Raises ``UsageError`` when there is none."""
    if not role.strip():
        raise UsageError(
            "no role was given", remedy="say in which role you do this, for example: on-call engineer"
        )
    return role.strip()


def moment_of(text: str, name: str) -> datetime | None:
    """Read a form's time, which is in UTC as all times on pages are; ``None`` for an empty field."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"found the time {text!r}", where=name, remedy="write 2026-03-20 14:27:05, in UTC"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def back_to(path: str) -> RedirectResponse:
    """Answer a form that was carried out: look at what it changed."""
    return RedirectResponse(path, status_code=303)
