"""What a story has running, noted in its folder, so that another process can find it again and end it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from amends.errors import UsageError

_NOTE = "running.json"
_PATIENCE = 15.0
_SAME_START = 2.0  # seconds: the start time that psutil gives moves a little when the clock is adjusted


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the story: its start time tells it from a later one with the same pid."""

    what: str
    pid: int
    started: float


def identify(what: str, pid: int) -> Running | None:
    """Return a running process as it is noted, or ``None`` if it has ended already."""
    try:
        return Running(what, pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def note_running(root: Path, processes: Iterable[Running]) -> None:
    """Write down what runs now, in place of what was noted before."""
    fresh = root / f"{_NOTE}.new"
    fresh.write_text(json.dumps([asdict(process) for process in processes], indent=2))
    fresh.replace(root / _NOTE)


def read_running(root: Path) -> list[Running]:
    """Return what was noted in a folder, the oldest first. Raises ``UsageError`` when nothing was."""
    try:
        return [Running(**entry) for entry in json.loads((root / _NOTE).read_text())]
    except (OSError, ValueError, TypeError):
        raise UsageError(
            f"found no demo in this folder: {_NOTE} is missing or cannot be read", where=str(root),
            remedy="name the folder that `amends demo --keep` printed",
        ) from None  # fmt: skip


def end_running(root: Path) -> list[str]:
    """End what is noted in a folder and still runs, the youngest first; return what it was.

    A process gets 15 seconds to end by itself. One whose start time differs is somebody else's, and is left
    alone. Raises ``UsageError`` when nothing was noted.
    """
    noted = read_running(root)
    ended = [one.what for one in reversed(noted) if _end(one)]
    note_running(root, ())
    return ended


def _end(one: Running) -> bool:
    try:
        process = psutil.Process(one.pid)
        if abs(process.create_time() - one.started) > _SAME_START:
            return False
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE)
    except psutil.NoSuchProcess:
        return False
    return True
