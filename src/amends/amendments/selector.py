"""The command of a test amendment, and the file that it names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from amends.errors import UsageError

_PYTEST = ("pytest", "py.test")
_PYTEST_WORDS = ("-p", "no:cacheprovider", "--tb=short", "--no-header")


@dataclass(frozen=True, slots=True)
class Selector:
    """A test as it is run. ``path`` is its file, empty where the command names none; ``name`` the test."""

    text: str
    command: tuple[str, ...]
    path: str = ""
    name: str = ""
    pytest: bool = False


def parse_selector(text: str) -> Selector:
    """Read ``pytest path::name``, ``path::name`` or any other command.

    pytest runs as ``python -m pytest``, so that it is the worktree's own, with short tracebacks, from which
    the signature is read. Raises ``UsageError`` when the text is no command.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"the test {text!r} cannot be read: {error}",
            remedy="write it as: pytest path/to/test.py::test_name",
        ) from None
    if not words:
        raise UsageError("the test is empty", remedy="write it as: pytest path/to/test.py::test_name")
    if _is_node(words[0]):
        words = ["pytest", *words]
    path, name = _named(words[1:])
    if words[0] in _PYTEST:
        return Selector(
            text, ("python", "-m", "pytest", *words[1:], *_PYTEST_WORDS), path, name, pytest=True
        )  # fmt: skip
    is_pytest = words[:3] in (["python", "-m", "pytest"], ["python3", "-m", "pytest"])
    return Selector(text, (*words, *(_PYTEST_WORDS if is_pytest else ())), path, name, pytest=is_pytest)


def _is_node(word: str) -> bool:
    return bool(re.match(r"[^:\s]+\.py(::|$)", word))


def _named(words: list[str]) -> tuple[str, str]:
    for word in words:
        if _is_node(word):
            path, _, name = word.partition("::")
            return path.removeprefix("./"), name
    return "", ""
