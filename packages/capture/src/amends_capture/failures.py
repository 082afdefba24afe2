"""An exception as it was: type, message, and the frames with their local variables, copied at once."""

from __future__ import annotations

import os
import sys

from amends_capture.typed import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from types import FrameType, TracebackType
    from typing import Any

    from amends_capture.typed import Json


MOST_FRAMES = 24
_LONGEST_MESSAGE = 4_000
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIBRARIES = ("site-packages", "dist-packages")
_STANDARD = os.path.dirname(os.path.abspath(os.__file__))


def exception_of(error: BaseException) -> dict[str, Json]:
    """Return an exception as JSON. A group that holds one exception alone is that exception."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__main__")
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    return {"type": name, "message": _message(error), "frames": _frames(error.__traceback__)}


def _message(error: BaseException) -> Json:
    try:
        text = str(error)
    except Exception:
        return ""
    if len(text) > _LONGEST_MESSAGE:
        # A whole word more or less: half a secret would not be known for one.
        text = " ".join(text[:_LONGEST_MESSAGE].split(" ")[:-1])
    return text.encode("utf-8", "backslashreplace").decode()


def _frames(traceback: TracebackType | None) -> list[dict[str, Json]]:
    """Return the innermost frames, the failing one last; those of the recorder itself are left out."""
    found: list[tuple[FrameType, int]] = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_HERE):
            found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    kept = found[-MOST_FRAMES:]
    snapshot = Snapshot()
    # The innermost frames say most, so they have the first claim on the budget.
    frames = [_frame(frame, line, snapshot) for frame, line in reversed(kept)]
    return frames[::-1]


def _frame(frame: FrameType, line: int, snapshot: Snapshot) -> dict[str, Json]:
    code = frame.f_code
    where, foreign = _place(code.co_filename)
    found: dict[str, Json] = {"file": where, "function": code.co_qualname, "line": line}
    if foreign:
        return {**found, "locals": {}}
    module = code.co_name == "<module>"
    held = {} if module else {name: value for name, value in frame.f_locals.items() if not _is_hidden(name)}
    return {**found, "locals": {name: snapshot.take(value) for name, value in held.items()}}


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__"))


def place_of(path: str) -> str:
    """Return a file as the project names it: without the folders of the machine it runs on."""
    return _place(path)[0]


def _place(path: str) -> tuple[str, bool]:
    """Return a file's place, and whether it belongs to an installed library or to Python itself."""
    if path.startswith("<"):
        return path, True
    whole = os.path.abspath(path)
    for mark in _LIBRARIES:
        _, found, inside = whole.partition(f"{os.sep}{mark}{os.sep}")
        if found:
            return f"{mark}/{inside.replace(os.sep, '/')}", True
    if whole.startswith(_STANDARD + os.sep):
        version = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
        return f"{version}/{whole[len(_STANDARD) + 1 :].replace(os.sep, '/')}", True
    return _shortest(whole).replace(os.sep, "/"), False


def _shortest(path: str) -> str:
    roots = [os.getcwd(), *(os.path.abspath(one) for one in sys.path if one)]
    inside = [path[len(root) + 1 :] for root in roots if root != os.sep and path.startswith(root + os.sep)]
    # The working directory names the most of a path that the repository has, too.
    return inside[0] if inside else os.path.join(*path.split(os.sep)[-2:])


def call_of(function: Any, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, Json]:
    """Return a call as JSON, with the names of its positional arguments for the redaction."""
    snapshot = Snapshot()
    code = getattr(function, "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code else []
    return {
        "function": f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}",
        "file": place_of(code.co_filename) if code else "",
        "args": [snapshot.take(value) for value in args],
        "kwargs": {str(name): snapshot.take(value) for name, value in kwargs.items()},
        "names": names,
    }
