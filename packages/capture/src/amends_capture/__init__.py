"""Records the inputs on which a service fails, redacted, as typed JSON (schema ``amends.capture/1``).

``ASGICapture`` and ``WSGICapture`` wrap an application, ``capture`` a function. Nothing here raises into the
service, waits for a disk, or changes a response. Importing it imports almost nothing; what redaction
needs is imported by the writer's thread when there is something to write.
"""

from __future__ import annotations

from amends_capture.calls import capture as capture
from amends_capture.recorder import Recorder as Recorder
from amends_capture.settings import Outcome as Outcome
from amends_capture.settings import Settings as Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amends_capture.asgi import ASGICapture as ASGICapture
    from amends_capture.wsgi import WSGICapture as WSGICapture

__all__ = ["ASGICapture", "Outcome", "Recorder", "Settings", "WSGICapture", "capture"]


def __getattr__(name: str) -> object:
    """Import a middleware when it is asked for: a service needs one of them."""
    if name == "ASGICapture":
        from amends_capture.asgi import ASGICapture

        return ASGICapture
    if name == "WSGICapture":
        from amends_capture.wsgi import WSGICapture

        return WSGICapture
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
