"""Fencing: one actuation at a time, and none that is older than one already accepted.

A lock alone does not fence (Kleppmann, "How to do distributed locking", 2016): its holder may be paused and
wake long after another took over. So orders carry a token that only rises, the highest is kept on disk, and
whoever waits looks again whether it was overtaken.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import psutil

from amends.adapters.deployers.processes import ProcessId, identify, signal_group, status
from amends.errors import ActuationFailedError, ActuationRefusedError
from amends.events.prepared import prepare


def place(state_dir: Path, service: str, environment: str) -> Path:
    """Return (and create) the directory that holds the state of a service in an environment.

    Raises
    ------
    ActuationFailedError
        When it cannot be created.
    """
    path = state_dir.absolute() / slug(service) / slug(environment)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ActuationFailedError(
            f"the deployer's state directory cannot be created: {error.strerror or error}",
            where=str(path),
            remedy="give amends a directory that it may write to",
        ) from error
    return path


@contextmanager
def reporting(directory: Path) -> Iterator[None]:
    """Turn a full disk, or a file that cannot be read or written, into an error with a remedy.

    Raises
    ------
    ActuationFailedError
        In place of ``OSError`` and of what msgspec raises.
    """
    try:
        yield
    except OSError as error:
        raise ActuationFailedError(
            f"the deployer's state cannot be read or written: {error.strerror or error}",
            where=str(error.filename or directory),
            remedy="make room or correct the permissions, then repeat the order",
        ) from error
    except msgspec.DecodeError as error:
        raise ActuationFailedError(
            f"the deployer's state cannot be read: {error}",
            where=str(directory),
            remedy="restore it from a copy, or tidy up (stop_all) and start the service again",
        ) from error


def slug(name: str) -> str:
    """Return ``name`` as one part of a path; different names stay different, and a slug stays itself."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+~-]{0,79}", name):
        return name
    plain = re.sub(r"[^A-Za-z0-9_+-]+", "-", name)[:60].strip("-")
    return f"{plain or 'x'}~{sha256(name.encode()).hexdigest()[:8]}"


def refusal(token: int, highest: int, what: str) -> ActuationRefusedError:
    """Return the error for an order that was overtaken."""
    return ActuationRefusedError(
        f"{what}: order with fencing token {token} was not carried out, token {highest} was accepted since",
        remedy="load the deployment again and decide anew",
    )


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file in one step, on disk before this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class TokenRegister:
    """The highest fencing token accepted, as the name of a file.

    Each token is a file of its own and only lower ones are ever removed, so the highest never falls, whoever
    was paused between reading and writing.
    """

    def __init__(self, directory: Path, what: str) -> None:
        self._directory = directory / "tokens"
        self._what = what

    def highest(self) -> int:
        """Return the highest token accepted; 0: none."""
        return max(self._all(), default=0)

    def accept(self, token: int) -> None:
        """Keep ``token``.

        Raises
        ------
        ActuationRefusedError
            When a higher one was accepted.
        """
        self._directory.mkdir(exist_ok=True)
        self.check(token)
        fd = os.open(self._directory / str(token), os.O_WRONLY | os.O_CREAT, 0o600)
        os.fsync(fd)
        os.close(fd)
        _sync_directory(self._directory)
        self.check(token)
        for older in self._all():
            if older < token:
                (self._directory / str(older)).unlink(missing_ok=True)

    def check(self, token: int) -> None:
        """Raise ``ActuationRefusedError`` when a higher token than ``token`` was accepted."""
        highest = self.highest()
        if highest > token:
            raise refusal(token, highest, self._what)

    def _all(self) -> list[int]:
        try:
            return [int(name) for name in os.listdir(self._directory) if name.isdecimal()]  # noqa: PTH208
        except FileNotFoundError:
            return []


class _Holder(msgspec.Struct, frozen=True):
    pid: int
    started: float
    command: tuple[int, float] | None = None


prepare(_Holder)


class HeldLock:
    """The lock while it is held. ``running`` notes the command that its holder waits for."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        me = identify(os.getpid())
        self._me = (os.getpid(), me.started if me else 0.0)
        self._note(None)

    def running(self, command: ProcessId) -> None:
        """Note the command, so that whoever takes the lock over can end it first."""
        self._note((command.pid, command.started))

    def _note(self, command: tuple[int, float] | None) -> None:
        data = msgspec.json.encode(_Holder(*self._me, command))
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


@contextmanager
def one_at_a_time(directory: Path, still_wanted: Callable[[], None]) -> Iterator[HeldLock]:
    """Hold the lock of a service and environment.

    A holder that was killed frees the lock by itself; one that was *stopped* is passed by, since a rollback
    must not wait for it. What it may still do when it wakes is fenced by its token.

    Parameters
    ----------
    still_wanted:
        Called while waiting; what it raises is passed on.
    """
    path = directory / "lock"
    while (fd := _try_lock(path)) is None:
        still_wanted()
        _pass_by_stopped(path)
        time.sleep(0.02)
    try:
        _end_command_left_by(fd)
        yield HeldLock(fd)
    finally:
        os.close(fd)


def _try_lock(path: Path) -> int | None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still(fd, path):
            return fd
    except BlockingIOError:
        pass
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _is_still(fd: int, path: Path) -> bool:
    try:
        return os.fstat(fd).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _pass_by_stopped(path: Path) -> None:
    try:
        with path.open("rb") as file:
            holder = _decode(file.read())
            stopped = holder is not None and status(ProcessId(holder.pid, holder.started)) in (
                psutil.STATUS_STOPPED,
                psutil.STATUS_TRACING_STOP,
            )
            if holder is None or not stopped or not _is_still(file.fileno(), path):
                return
            _end(holder)
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return


def _end_command_left_by(fd: int) -> None:
    """End the command of a holder that was killed: two of them must not run at once."""
    previous = _decode(os.pread(fd, 4096, 0))
    if previous is not None:
        _end(previous)


def _end(holder: _Holder) -> None:
    if holder.command is not None and status(ProcessId(*holder.command)):
        signal_group(holder.command[0], signal.SIGKILL)


def _decode(data: bytes) -> _Holder | None:
    try:
        return msgspec.json.decode(data, type=_Holder)
    except msgspec.DecodeError:
        return None
