"""How the failure of any command is recognised: by its traceback, or its exit code and its last line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from amends.events.payloads import Signature
from amends.prevention.signature import describe, matches, signatures_of

_NOT_RUN = {126: "the command cannot be executed", 127: "the command was not found"}
_MISSING = re.compile(r"(?:ModuleNotFoundError|ImportError): .*", re.ASCII)


@dataclass(frozen=True, slots=True)
class CommandFailure:
    """A failure: its traceback's signature where it printed one, otherwise exit code and last line."""

    exit_code: int
    line: str = ""
    signature: Signature = field(default_factory=Signature)

    def same(self, other: CommandFailure | None) -> bool:
        """Return whether another failure is this one."""
        if other is None:
            return False
        if self.signature != Signature():
            return matches(self.signature, other.signature)
        return (self.exit_code, self.line) == (other.exit_code, other.line)

    def describe(self) -> str:
        """Say it in a few words."""
        if self.signature != Signature():
            return describe(self.signature)
        return f"exit code {self.exit_code}{f', {self.line}' if self.line else ''}"


def failure_of(exit_code: int, output: str, roots: Sequence[str] = ()) -> CommandFailure | None:
    """Return the failure that a run ended in, or ``None`` when it ended well."""
    if exit_code == 0:
        return None
    framed = [one for one in signatures_of(output, roots) if one.frame]
    if framed:
        return CommandFailure(exit_code, last_line(output), framed[0])
    return CommandFailure(exit_code, last_line(output))


def not_run_reason(exit_code: int, output: str) -> str:
    """Return why a run says nothing about the input: not found, not executable, an import that is missing."""
    if exit_code in _NOT_RUN:
        return f"{_NOT_RUN[exit_code]} (exit code {exit_code})"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found = _MISSING.match(lines[-1]) if exit_code and lines else None
    return (
        f"red through {found[0]}: something could not be imported, which is not the failure" if found else ""
    )


def last_line(output: str) -> str:
    """Return the last line that was printed, without what differs from run to run.

    Numbers, addresses and paths are replaced. The driver in a written test does the same.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    line = re.sub(r"0x[0-9a-fA-F]+", "0x#", lines[-1] if lines else "")
    line = re.sub(r"(/[^\s:/\"'(),]+)+/?", "/#", line)
    return re.sub(r"\d+", "#", line)[:200]
