"""Reading a folder of captures, whatever else lies in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from amends.errors import UsageError
from amends.prevention.replay.recorded import Recorded, read_capture

LARGEST_FILE = 8_000_000
LARGEST_FOLDER = 256_000_000
"""Bytes of captures that are read."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The requests in a folder, by file name; ``calls`` counts captures without one, ``refused`` says why."""

    requests: tuple[Recorded, ...]
    calls: int
    refused: tuple[str, ...]


def read_folder(folder: Path) -> Folder:
    """Read every ``*.json`` below a folder (or one file); links are not followed.

    Raises ``UsageError`` when there is no such folder, or nothing in it can be replayed.
    """
    if not folder.exists():
        raise UsageError(
            "there is no such folder", where=str(folder), remedy="name the folder of the captures"
        )
    files = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*.json") if not p.is_symlink())
    requests: list[Recorded] = []
    refused: list[str] = []
    calls = size = 0
    for file in files:
        try:
            size += _size(file)
            if size > LARGEST_FOLDER:
                refused.append(
                    f"{file}: read up to {LARGEST_FOLDER:,} bytes in all; it and what follows are left out"
                )
                break
            found = _read(file)
        except UsageError as error:
            refused.append(f"{error.where}: {error.message}")
        else:
            calls += found is None
            requests += [found] if found else []
    if not requests:
        raise UsageError(_nothing(len(files), calls, refused), where=str(folder), remedy=_REMEDY)
    return Folder(tuple(requests), calls, tuple(refused))


_REMEDY = (
    "record some with the recorder's middleware (a sampled share of all requests), and name their folder"
)


def _nothing(files: int, calls: int, refused: list[str]) -> str:
    if not files:
        return "found no captures, which are *.json"
    more = f"; first: {refused[0]}" if refused else ""
    unfit = f"{calls} of calls, {len(refused)} unfit{more}"
    return f"found no request that can be replayed in {files} files ({unfit})"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error.strerror or "the system refuses it") from None


def _read(file: Path) -> Recorded | None:
    if _size(file) > LARGEST_FILE:
        raise _unreadable(file, f"it is larger than {LARGEST_FILE:,} bytes")
    try:
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise _unreadable(file, error.strerror or "the system refuses it") from None
    except (ValueError, RecursionError):
        raise _unreadable(file, "it is no JSON, or was cut off") from None
    return read_capture(value, str(file))


def _unreadable(file: Path, why: str) -> UsageError:
    return UsageError(
        f"this capture cannot be read: {why}", where=str(file), remedy="record it anew, or take it out"
    )
