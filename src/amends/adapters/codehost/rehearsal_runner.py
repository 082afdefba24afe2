"""Runs inside a worktree with the project's own Python (3.8 or newer), and needs nothing but it.

Reads a request a line: source that prepares (imports, a service), source that defines ``attempt``, and a time
limit in seconds. Prepares once, then forks for each attempt: what one attempt changes no other sees, and one
that hangs or kills its process takes nothing with it. Answers with a line of JSON. Never imported by amends.
"""

import base64
import contextlib
import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
import uuid
from typing import Any


def main() -> None:
    asks, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    prepared: Any = {"source": None, "names": {}}
    for line in asks:
        asked = json.loads(line)
        answer = prepare(prepared, asked["prepare"]) or rehearse(prepared["names"], asked)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    end = getattr(prepared["names"].get("service"), "__exit__", None)
    if end is not None:
        end()


def prepare(prepared: Any, source: str) -> Any:
    names = prepared["names"]
    alive = getattr(names.get("service"), "alive", None)
    if prepared["source"] == source and (alive is None or alive()):
        return None
    names = {"__name__": "rehearsal"}
    prepared["source"] = None
    try:
        exec(compile(source, "<prepare>", "exec"), names)  # noqa: S102
    except BaseException as error:
        return dict(told(error), outcome="unprepared")
    prepared["source"], prepared["names"] = source, names
    return None


def rehearse(names: Any, asked: Any) -> Any:
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os.close(reading)
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
            text = json.dumps(attempt(names, asked["attempt"]))
            sys.stdout.flush()
            sys.stderr.flush()
            with os.fdopen(writing, "w") as pipe:
                pipe.write(text + "\n")
            os._exit(0)
        os.close(writing)
        text, hung = drain(reading, time.monotonic() + asked["timeout"])
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        output = tail(log)
    if hung:
        return {"outcome": "hung", "output": output}
    if not text:
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        how = "signal" if os.WIFSIGNALED(status) else "exit code"
        return {
            "outcome": "died",
            "message": f"it ended the process with {how} {ended}",
            "output": output,
        }
    answer = json.loads(text)
    answer["output"] = output + "\n" + answer.get("output", "")
    return answer


def drain(reading: int, until: float) -> Any:
    """Read to the end of the line: the end of the stream may never come where something was forked."""
    found = b""
    with os.fdopen(reading, "rb", 0) as pipe:
        while not found.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                return b"", True
            part = pipe.read(65536)
            if not part:
                return b"", False
            found += part
    return found, False


def tail(log: Any) -> str:
    size = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), 64000, max(0, size - 64000)).decode("utf-8", "replace")


def attempt(names: Any, source: str) -> Any:
    how = ""
    try:
        exec(compile(source, "<attempt>", "exec"), names)  # noqa: S102
        value = names["attempt"]()
        how = handling(value)
        return {"outcome": "returned", "value": typed(finished(value, how), 0), "how": how}
    except BaseException as error:
        return dict(told(error), outcome="raised", how=how)


def handling(value: Any) -> str:
    """Say what a caller has to do with what came back before anything happens."""
    if inspect.isawaitable(value):
        return "awaited"
    return "listed" if inspect.isgenerator(value) else "walked" if inspect.isasyncgen(value) else ""


def finished(value: Any, how: str) -> Any:
    if how == "listed":
        return list(value)
    if not how:
        return value
    import asyncio

    async def wait() -> Any:
        return await value if how == "awaited" else [item async for item in value]

    return asyncio.run(wait())


def told(error: BaseException) -> Any:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    lines = traceback.format_exception(kind, error, error.__traceback__)
    return {
        "exception": module + kind.__qualname__,
        "message": str(error)[:2000],
        "output": "".join(lines)[-60000:],
    }


def typed(value: Any, depth: int) -> Any:
    if depth > 50:
        return {"$type": "cut", "length": 0}
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, enum.Enum)):
        return value
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value, depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return record(value, depth + 1)
    return {"$type": "opaque", "class": type(value).__qualname__}


def number(value: Any, _: int) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"$type": "float", "value": repr(value)}
    return value


def mapping(value: Any, depth: int) -> Any:
    if all(type(key) is str for key in value) and "$type" not in value:
        return {key: typed(item, depth) for key, item in value.items()}
    return {"$type": "dict", "items": [[typed(k, depth), typed(v, depth)] for k, v in value.items()]}


def sequence(value: Any, depth: int) -> Any:
    items = [typed(item, depth) for item in value]
    if isinstance(value, list):
        return items
    kind = next(kind for kind in (tuple, frozenset, set) if isinstance(value, kind))
    return {"$type": kind.__name__, "items": items}


def record(value: Any, depth: int) -> Any:
    fields = {field.name: typed(getattr(value, field.name), depth) for field in dataclasses.fields(value)}
    return {"$type": "object", "class": of_class(value), "fields": fields}


def of_class(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"


WRITERS = (
    (enum.Enum, lambda value, _: {"$type": "enum", "class": of_class(value), "name": value.name}),
    ((int, float), number),
    (dict, mapping),
    ((list, tuple, set, frozenset), sequence),
    (bytes, lambda value, _: {"$type": "bytes", "base64": base64.b64encode(value).decode()}),
    (datetime.datetime, lambda value, _: {"$type": "datetime", "value": value.isoformat()}),
    (datetime.date, lambda value, _: {"$type": "date", "value": value.isoformat()}),
    (datetime.time, lambda value, _: {"$type": "time", "value": value.isoformat()}),
    (datetime.timedelta, lambda value, _: {"$type": "timedelta", "value": str(value.total_seconds())}),
    (decimal.Decimal, lambda value, _: {"$type": "decimal", "value": str(value)}),
    (uuid.UUID, lambda value, _: {"$type": "uuid", "value": str(value)}),
)

if __name__ == "__main__":
    main()
