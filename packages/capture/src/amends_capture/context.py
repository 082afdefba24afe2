"""The request that is being served, for functions that are recorded within it."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from typing import Any


# Whether any function is recorded: setting a variable for each request is not free.
is_wanted = False
# An ASGI scope or a WSGI environ; only looked into when something failed.
REQUEST: ContextVar[Any] = ContextVar("amends_capture_request", default=None)


def traceparent() -> str:
    """Return the W3C traceparent header of the request that is being served, as it came; empty if none."""
    found = REQUEST.get()
    if not isinstance(found, dict):
        return ""
    if "headers" in found:
        named = (value for name, value in found["headers"] if name == b"traceparent")
        return str(next(named, b"").decode("latin-1"))
    return str(found.get("HTTP_TRACEPARENT", ""))
