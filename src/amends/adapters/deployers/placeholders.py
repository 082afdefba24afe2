"""The words in braces that a command may contain, and how they are replaced without becoming code."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping

from amends.errors import ActuationFailedError, PolicyError

# ${name} is the shell's, {{name}} a template's; both are left alone.
_PLACEHOLDER = re.compile(r"(?<![${])\{([a-z][a-z_]*)\}(?!\})")
_PLAIN = re.compile(r"[\w@%+=:,./~-]*", re.ASCII)
_QUOTING = re.compile(r"[\"'`\\#]|<<|\$\(")


def check_placeholders(command: str, allowed: Mapping[str, str], where: str) -> None:
    """Raise ``PolicyError`` for a placeholder that does not exist, naming the nearest that does."""
    for name in _PLACEHOLDER.findall(command):
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {{{near[0]}}}?" if near else ""
            raise PolicyError(
                f"unknown placeholder {{{name}}}{hint}",
                where=where,
                remedy="use one of " + ", ".join(f"{{{known}}}" for known in allowed),
            )


def fill_shell(command: str, values: Mapping[str, str], where: str) -> str:
    """Replace placeholders in a shell command.

    Values are quoted with ``shlex.quote``. Quoting again what stands inside quotes already would undo them,
    so a value with characters that mean something to the shell is refused when the command itself quotes.

    Raises
    ------
    PolicyError
        Unknown placeholder.
    ActuationFailedError
        A value that cannot be put into this command safely.
    """
    check_placeholders(command, values, where)
    quoting = _QUOTING.search(command) is not None

    def replace(found: re.Match[str]) -> str:
        name, value = found[1], values[found[1]]
        if not quoting:
            return shlex.quote(value)
        if _PLAIN.fullmatch(value):
            return value
        raise ActuationFailedError(
            f"{{{name}}} is {value!r}, which cannot be put safely into a command that has quotes of its own",
            where=where,
            remedy=f'write "$AMENDS_{name.upper()}" instead of {{{name}}} in the command',
        )

    return _PLACEHOLDER.sub(replace, command)


def fill_arguments(command: str, values: Mapping[str, str], where: str) -> list[str]:
    """Split a command into arguments, then replace placeholders in each: no value can add an argument.

    Raises
    ------
    PolicyError
        Unknown placeholder, no command, or an open quote.
    """
    check_placeholders(command, values, where)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise PolicyError(f"{command!r}: {error}", where=where, remedy="close the quote") from error
    if not words:
        raise PolicyError("the command is empty", where=where, remedy="say what to run")
    return [_PLACEHOLDER.sub(lambda found: values[found[1]], word) for word in words]


def fill_text(text: str, values: Mapping[str, str], where: str) -> str:
    """Replace placeholders in what no shell reads, for example a path.

    Raises
    ------
    PolicyError
        Unknown placeholder.
    """
    check_placeholders(text, values, where)
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
