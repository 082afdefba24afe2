"""Processes by pid and start time, their groups, and commands run to their end."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from amends.adapters.deployers.output import read_ends

# Set by whoever starts amends for amends itself: not for what amends starts.
_OWN_VARIABLES = ("AMENDS_INSTANCE", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_SAME_START = 2.0  # seconds: the boot time that psutil adds moves a little when the clock is adjusted
_children: list[subprocess.Popen[bytes]] = []  # ours until they end, so that none stays a zombie


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be taken for a later one with the same pid."""

    pid: int
    started: float


def identify(pid: int) -> ProcessId | None:
    """Return the identity of a running process, or ``None`` if there is none with this pid."""
    try:
        return ProcessId(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def status(identity: ProcessId | None) -> str:
    """Return psutil's word for the state of a process, or an empty string once it has ended."""
    reap()
    if identity is None:
        return ""
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.started) > _SAME_START:
            return ""
        found = process.status()
    except psutil.Error:
        return ""
    return "" if found in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else str(found)


def is_alive(identity: ProcessId | None) -> bool:
    """Tell whether this very process still runs."""
    return status(identity) != ""


def reap() -> None:
    """Collect children that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return our environment, without what is meant for amends or its caller's git alone, plus ``extra``."""
    env = {k: v for k, v in os.environ.items() if k not in _OWN_VARIABLES}
    return {**env, **extra}


def spawn_detached(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path) -> ProcessId:
    """Start a process in a session of its own, its output appended to a file; it outlives us.

    Raises
    ------
    OSError
        When the program cannot be started.
    """
    with output.open("ab") as file:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children.append(child)
    return identify(child.pid) or ProcessId(child.pid, time.time())


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process group, which may be gone already."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def signal_all(processes: Iterable[ProcessId], number: signal.Signals) -> None:
    """Send a signal once to each of these processes, and to whatever else is in the groups that they lead."""
    alive = [p.pid for p in processes if is_alive(p)]
    groups = {pid for pid in alive if _group(pid) == pid}
    for pid in groups:
        signal_group(pid, number)
    for pid in alive:
        if _group(pid) not in groups:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def marked(variable: str, prefix: str) -> dict[str, list[ProcessId]]:
    """Find running processes by a variable in their environment.

    Returns
    -------
    dict
        For each value that begins with ``prefix``: its processes, those that lead a session first.
    """
    found: dict[str, list[ProcessId]] = {}
    me = os.getuid()
    for process in psutil.process_iter():
        try:
            if process.uids().real != me or process.status() == psutil.STATUS_ZOMBIE:
                continue
            value = process.environ().get(variable, "")
            if value.startswith(prefix):
                found.setdefault(value, []).append(ProcessId(process.pid, process.create_time()))
        except (psutil.Error, OSError):
            continue
    for processes in found.values():
        processes.sort(key=lambda p: not leads_session(p.pid))
    return found


def leads_session(pid: int) -> bool:
    """Tell whether a process leads its session, as those do that were started detached."""
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False


class CommandTimeoutError(Exception):
    """A command ran longer than it may; holds what it had printed."""

    def __init__(self, output: str) -> None:
        super().__init__("timed out")
        self.output = output


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended and what it printed on standard output, and on both outputs together."""

    code: int
    stdout: str
    output: str


def run_command(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    on_start: Callable[[ProcessId], None] = lambda _: None,
    keep_waiting: Callable[[], None] = lambda: None,
) -> Finished:
    """Run a command to its end, in a process group of its own, which is killed if it takes too long.

    Output goes to files, not pipes: a service that the command leaves running in the background must not
    keep us waiting for the end of a pipe.

    Parameters
    ----------
    timeout:
        Seconds.
    on_start:
        Told the process as soon as it runs.
    keep_waiting:
        Called while waiting; what it raises ends the command and is passed on.

    Raises
    ------
    CommandTimeoutError
        With what was printed until then.
    OSError
        When the program cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="amends-") as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        with out.open("wb") as out_file, err.open("wb") as err_file:
            child = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        try:
            on_start(identify(child.pid) or ProcessId(child.pid, time.time()))
            timed_out = not _wait(child, timeout, keep_waiting)
        finally:
            # The leader still runs: only then is the group surely ours, and a service it left behind spared.
            if child.poll() is None:
                signal_group(child.pid, signal.SIGKILL)
                child.wait()
        stdout, stderr = read_ends(out), read_ends(err)
    both = "\n".join(part for part in (stdout.strip(), stderr.strip()) if part)
    if timed_out:
        raise CommandTimeoutError(both)
    return Finished(child.returncode, stdout, both)


def _wait(child: subprocess.Popen[bytes], timeout: float, keep_waiting: Callable[[], None]) -> bool:
    end = time.monotonic() + timeout
    pause = 0.002
    while True:
        try:
            child.wait(pause)
        except subprocess.TimeoutExpired:
            keep_waiting()
            if time.monotonic() >= end:
                return False
            pause = min(pause * 2, 0.05)
        else:
            return True
