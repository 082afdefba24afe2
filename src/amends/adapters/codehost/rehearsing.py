"""A long-lived process in a worktree that makes attempts, started again when it is lost."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import psutil

from amends.application.ports import Attempt

PREPARING = 120.0
_LONGEST_ANSWER = 64 * 1024 * 1024


class Rehearsals:
    """Attempts by one process in ``folder``. ``started`` is told its group's id; ``close`` ends it."""

    def __init__(
        self, python: str, *, folder: Path, environment: Mapping[str, str],
        started: Callable[[int], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._command = [python, "-c", _runner()]
        self._folder, self._environment, self._started = folder, dict(environment), started
        self._process: subprocess.Popen[bytes] | None = None

    def attempt(self, prepare: str, source: str, *, timeout: float) -> Attempt:
        """Make one attempt; see the port."""
        process = self._running()
        if process is None:
            return Attempt("unprepared", message=f"{self._command[0]} cannot be started")
        line = json.dumps({"prepare": prepare, "attempt": source, "timeout": timeout}) + "\n"
        text = _exchange(process, line.encode(), time.monotonic() + timeout + PREPARING)
        if text is None:
            self.close()
            return Attempt("unprepared", message=f"preparing did not end within {PREPARING:g} s")
        if not text:
            code = process.wait()
            self.close()
            return Attempt("died", message=f"it ended the process that makes attempts (exit code {code})")
        return Attempt(**json.loads(text))

    def close(self) -> None:
        """End the process and everything that it started; harmless when done twice."""
        process, self._process = self._process, None
        if process is None:
            return
        for one in [*_descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _running(self) -> subprocess.Popen[bytes] | None:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    self._command, cwd=self._folder, env=self._environment, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
            except OSError:
                return None
            self._started(self._process.pid)
        return self._process


def _exchange(process: subprocess.Popen[bytes], line: bytes, until: float) -> bytes | None:
    """Send a line and return the one that comes back; empty if the process ended, ``None`` if too late."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except BrokenPipeError:
        return b""
    found = bytearray()
    while not found.endswith(b"\n") and len(found) < _LONGEST_ANSWER:
        left = until - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            return None
        part = os.read(process.stdout.fileno(), 65536)
        if not part:
            return b""
        found += part
    return bytes(found)


def _descendants(pid: int) -> list[int]:
    # Attempts and services lead groups of their own, so ending this process's group does not reach them.
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@cache
def _runner() -> str:
    """Return the runner's source. Run as text: as a file it would put its neighbours on the import path."""
    return Path(__file__).with_name("rehearsal_runner.py").read_text(encoding="utf-8")
