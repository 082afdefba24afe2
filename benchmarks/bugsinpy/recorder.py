"""Runs pytest in a project's worktree and records the calls of its functions, as a capture holds them.

Run: python recorder.py SPEC.json TEST..., with the project's own Python (3.11 or newer: names of code).

SPEC holds ``root``, ``out`` and ``patched``: for each file of the project the first and last lines of the
functions that the fix changed. A call is kept when it is of such a function, or led to one; its arguments
are written down before it runs, because it may change them. Nothing here needs amends.
"""

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import os
import pathlib
import sys
import uuid

EACH = 40  # calls of one function: later ones seldom differ in kind
LONGEST = 20_000  # characters of one call's arguments
DEEPEST = 12


class UnwritableError(Exception):
    """A value that no literal can stand for."""


class Recorder:
    """Follows calls. ``patched`` maps files to spans of lines."""

    def __init__(self, root, patched):
        self.root = os.path.realpath(root) + os.sep
        self.patched = {self.root + name: spans for name, spans in patched.items()}
        self.stack, self.calls, self.counts, self.kinds = [], [], {}, {}

    def follow(self, frame, event, _):
        if event == "call":
            self.entered(frame)
        elif event == "return" and self.stack and self.stack[-1][0] is frame:
            self.stack.pop()

    def entered(self, frame):
        code = frame.f_code
        kind = self.kinds.get(code)
        if kind is None:
            kind = self.kinds[code] = self.kind_of(code)
        if kind == "other":
            return
        if kind == "patched":
            for one in self.stack:
                one[1]["leads"] = True
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if count > EACH:
            return
        call = written(frame, code)
        if call is not None:
            call["leads"] = kind == "patched"
            call["direct"] = kind == "patched"
            self.calls.append(call)
            self.stack.append((frame, call))

    def kind_of(self, code):
        file = os.path.realpath(code.co_filename)
        if not file.startswith(self.root) or "<" in code.co_qualname:
            return "other"
        inside = file[len(self.root) :]
        if "test" in inside or code.co_flags & 0x80:  # tests and coroutines
            return "other"
        line = code.co_firstlineno
        spans = self.patched.get(file, ())
        return "patched" if any(first <= line <= last for first, last in spans) else "caller"


def written(frame, code):
    """Return a call as a capture has it, or None where an argument cannot be written down."""
    names, local = code.co_varnames, frame.f_locals
    taken = code.co_argcount
    try:
        bound = names[:1] == ("cls",) and isinstance(local.get("cls"), type)
        args = [typed(local[name], 0) for name in names[bound:taken]]
        kwargs = {name: typed(local[name], 0) for name in names[taken : taken + code.co_kwonlyargcount]}
        at = taken + code.co_kwonlyargcount
        if code.co_flags & 0x04:
            args += [typed(one, 0) for one in local[names[at]]]
            at += 1
        if code.co_flags & 0x08:
            kwargs.update({name: typed(one, 0) for name, one in local[names[at]].items()})
        function = f"{frame.f_globals['__name__']}:{code.co_qualname}"
        call = {"function": function, "file": "", "args": args, "kwargs": kwargs}
        return call if len(json.dumps(call)) <= LONGEST else None
    except Exception:  # what cannot be looked at is no input of a test
        return None


def typed(value, depth):
    """Return a value as a capture has it."""
    if depth > DEEPEST:
        raise UnwritableError
    if isinstance(value, enum.Enum):
        return {"$type": "enum", "class": of(type(value)), "name": value.name}
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, type):
        return {"$type": "object", "class": "builtins:type", "name": of(value)}
    for kind, write in WRITERS:
        if type(value) is kind:
            return write(value, depth + 1)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"$type": "tuple", "class": of(type(value)), "items": [typed(x, depth + 1) for x in value]}
    return made(value, depth + 1)


def made(value, depth):
    kind = type(value)
    told = [one.__dict__.get("__slots__", ()) for one in kind.__mro__]
    slots = [name for one in told for name in ([one] if isinstance(one, str) else one)]
    plain = kind.__new__ is object.__new__ and not isinstance(value, (BaseException, type(os)))
    if not plain or not (hasattr(value, "__dict__") or slots or dataclasses.is_dataclass(value)):
        raise UnwritableError
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    held.update(getattr(value, "__dict__", {}))
    return {"$type": "object", "class": of(kind), "attributes": {k: typed(v, depth) for k, v in held.items()}}


def of(kind):
    name = f"{kind.__module__}:{kind.__qualname__}"
    if "<" in name or "test" in kind.__module__ or "mock" in kind.__module__ or kind.__module__ == "__main__":
        raise UnwritableError
    return name


def mapping(value, depth):
    if all(type(key) is str for key in value) and "$type" not in value:
        return {key: typed(item, depth) for key, item in value.items()}
    return {"$type": "dict", "items": [[typed(k, depth), typed(v, depth)] for k, v in value.items()]}


def items(name):
    return lambda value, depth: {"$type": name, "items": [typed(item, depth) for item in value]}


def number(value, _):
    odd = value != value or value in (float("inf"), float("-inf"))
    return {"$type": "float", "value": repr(value)} if odd else value


def text(name, write):
    return lambda value, _: {"$type": name, "value": write(value)}


WRITERS = (
    (dict, mapping), (list, lambda value, depth: [typed(item, depth) for item in value]),
    (tuple, items("tuple")), (set, items("set")), (frozenset, items("frozenset")), (float, number),
    (bytes, lambda value, _: {"$type": "bytes", "base64": base64.b64encode(value).decode()}),
    (datetime.datetime, text("datetime", lambda v: v.isoformat())),
    (datetime.date, text("date", lambda v: v.isoformat())), (decimal.Decimal, text("decimal", str)),
    (datetime.timedelta, lambda v, _: {"$type": "timedelta", "seconds": v.total_seconds()}),
    (uuid.UUID, text("uuid", str)),
)  # fmt: skip


def main():
    import pytest

    spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
    sys.path.insert(0, spec["root"])
    recorder = Recorder(spec["root"], spec["patched"])
    sys.setprofile(recorder.follow)
    try:
        code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *sys.argv[2:]])
    finally:
        sys.setprofile(None)
    pathlib.Path(spec["out"]).write_text(json.dumps([call for call in recorder.calls if call["leads"]]))
    sys.exit(code)


if __name__ == "__main__":
    main()
