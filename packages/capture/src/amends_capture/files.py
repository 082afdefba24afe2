"""The directory of captures: whole files only, and never more of them than was agreed."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from typing import NamedTuple

_LOOK_AGAIN = 16
_PREFIX = "capture-"
_HALF_WRITTEN = ".half-"
_ABANDONED_AFTER = 600.0


class _File(NamedTuple):
    name: str
    size: int

    @property
    def group(self) -> str:
        """Return what kind of capture it is: captures of the most frequent kind go first."""
        return self.name.split("-")[2] if self.name.count("-") > 2 else ""


class Directory:
    """Keeps at most ``most_files`` captures of ``most_bytes`` together in a directory.

    Several processes may share it: each counts what is there again every 16 files, or every 32nd part of
    ``most_files`` when that is more, so that it may hold as many more for each of them for a while.
    """

    def __init__(self, path: str, most_files: int, most_bytes: int) -> None:
        self._path = path
        self._most_files = most_files
        self._most_bytes = most_bytes
        self._files: list[_File] = []
        self._total = 0
        self._until_look = 0

    def add(self, id: str, group: str, content: bytes) -> int:
        """Write a capture of a group; return how many others had to go. Raises ``OSError``."""
        os.makedirs(self._path, mode=0o700, exist_ok=True)
        if self._until_look <= 0:
            self._look()
        self._until_look -= 1
        gone = self._make_room(len(content))
        name = f"{_PREFIX}{time.time_ns() // 1000:016d}-{group}-{id}.json"
        half = os.path.join(self._path, f"{_HALF_WRITTEN}{os.getpid()}-{id}")
        try:
            handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(half, os.path.join(self._path, name))
        except OSError:
            _remove(half)
            raise
        self._files.append(_File(name, len(content)))
        self._total += len(content)
        return gone

    def _look(self) -> None:
        self._until_look = max(_LOOK_AGAIN, self._most_files // 32)
        found = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.startswith(_HALF_WRITTEN):
                    self._tidy(entry)
                elif entry.name.startswith(_PREFIX) and entry.name.endswith(".json"):
                    try:
                        found.append(_File(entry.name, entry.stat(follow_symlinks=False).st_size))
                    except FileNotFoundError:
                        continue
        self._files = sorted(found)
        self._total = sum(file.size for file in found)

    def _tidy(self, entry: os.DirEntry[str]) -> None:
        """Remove what a process that was killed left half-written."""
        try:
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_AFTER:
                _remove(entry.path)
        except FileNotFoundError:
            return

    def _make_room(self, size: int) -> int:
        gone = 0
        while self._files and (len(self._files) >= self._most_files or self._total + size > self._most_bytes):
            victim = self._victim()
            self._files.remove(victim)
            self._total -= victim.size
            _remove(os.path.join(self._path, victim.name))
            gone += 1
        return gone

    def _victim(self) -> _File:
        """Return the oldest of the largest group, samples first: a flood costs no other kind."""
        groups: dict[str, list[_File]] = defaultdict(list)
        for file in self._files:
            groups[file.group].append(file)
        largest = max(groups.values(), key=lambda files: (len(files), files[0].group.startswith("sample")))
        return largest[0]


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        return
