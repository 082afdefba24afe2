"""What a capture may have called: a capture is data that anybody with a token can send, never a program."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from amends.prevention.captures import Capture
from amends.prevention.typed import Instance, Reference, Row


def foreign_names(capture: Capture, files: Collection[str]) -> tuple[str, ...]:
    """Return what the capture's call would run that is not the project's: a function, or classes of values.

    Parameters
    ----------
    files:
        The repository's files, as paths from its root with ``/``.

    ``os:system`` in place of a function of the project would run whatever the capture says. Objects are made
    without their constructor, so their classes may come from anywhere.
    """
    if capture.call is None:
        return ()
    named = [capture.call.function, *_called([*capture.call.args, *capture.call.kwargs.values()])]
    return tuple(dict.fromkeys(name for name in named if not _is_own(name, files)))


def _called(values: Collection[Any]) -> Iterator[str]:
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Row):
            yield value.cls
            waiting += value.items
        elif isinstance(value, Reference):
            if not _is_builtin_class(value.cls):
                yield value.cls
        elif isinstance(value, Instance):
            waiting += value.fields.values()
        elif isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value


def _is_builtin_class(name: str) -> bool:
    module, _, what = name.partition(":")
    return module == "builtins" and isinstance(getattr(builtins, what, None), type)


def _is_own(name: str, files: Collection[str]) -> bool:
    path = name.partition(":")[0].replace(".", "/")
    ends = (f"{path}.py", f"{path}/__init__.py")
    return any(file in ends or file.endswith(tuple(f"/{end}" for end in ends)) for file in files)
