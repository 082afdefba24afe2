"""The spool: a file of JSON lines on this machine for what was done while the log could not be reached."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amends.errors import StoreUnavailableError


class FileSpool:
    """A spool in one file, shared by the processes of this machine.

    Parameters
    ----------
    path:
        The file; it and its directory are made on the first write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, entry: Mapping[str, Any]) -> None:
        """See ``Spool.write``."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(), self._path.open("ab") as file:
                if _ends_torn(self._path):
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            _sync(self._path.parent)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot note on this machine what was done without the log: {error.strerror or error}",
                where=str(self._path), remedy="free some space; name another place with AMENDS_STATE",
            ) from None  # fmt: skip

    def entries(self) -> list[Mapping[str, Any]]:
        """See ``Spool.entries``."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return [entry for line in content.splitlines() if (entry := _read(line)) is not None]

    def remove(self, ids: Collection[str]) -> None:
        """See ``Spool.remove``."""
        with self._locked():
            kept = [entry for entry in self.entries() if entry.get("id") not in ids]
            if not kept:
                self._path.unlink(missing_ok=True)
                return
            beside = self._path.with_suffix(".new")
            with beside.open("wb") as file:
                for entry in kept:
                    file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        _sync(self._path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(line: bytes) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None  # torn by a crash in the middle of a write; what it stood for was not done yet
    return entry if isinstance(entry, dict) and "id" in entry else None


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return False


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
