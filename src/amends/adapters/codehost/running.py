"""Running one command to its end: own process group, bounded output, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from amends.application.ports import CommandResult

OUTPUT_LIMIT = 64 * 1024
NOT_FOUND = 127  # the shell's word for a command that is not there
GRACE_SECONDS = 2.0


class Transcript:
    """Keeps the head and the tail of a stream, each at most half of ``limit`` bytes."""

    def __init__(self, limit: int = OUTPUT_LIMIT) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._cut = 0

    def feed(self, chunk: bytes) -> None:
        """Take more output."""
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room > 0 else chunk
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self._cut += excess

    def text(self) -> str:
        """Return what was kept, with a line that says how much was left out."""
        gap = f"\n[... {self._cut} bytes left out ...]\n" if self._cut else ""
        head, tail = (bytes(part).decode("utf-8", "replace") for part in (self._head, self._tail))
        return f"{head}{gap}{tail}"


def run_command(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float,
    started: Callable[[int], None] = lambda _: None,
) -> CommandResult:  # fmt: skip
    """Run ``command`` in ``folder`` and return its exit code and output.

    The command leads its own process group; on timeout, and also after it ended, what is left of the group
    is ended too. ``started`` is told the group's id. A command that does not exist gives exit code 127.
    """
    transcript = Transcript()
    try:
        process = subprocess.Popen(
            list(command), cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        return CommandResult(NOT_FOUND, f"{command[0]}: {error.strerror}")
    started(process.pid)
    assert process.stdout is not None
    reader = threading.Thread(target=_drain, args=(process.stdout, transcript), daemon=True)
    reader.start()
    timed_out = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        end_group(process)
    reader.join(GRACE_SECONDS)
    return CommandResult(process.returncode, transcript.text(), timed_out)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End every process of the group that ``process`` leads: politely first, then for good."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _drain(stream: IO[bytes], transcript: Transcript) -> None:
    with contextlib.suppress(ValueError, OSError), stream:
        while chunk := os.read(stream.fileno(), 65536):
            transcript.feed(chunk)
