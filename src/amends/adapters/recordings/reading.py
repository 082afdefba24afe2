"""Which recordings a file or folder holds: by its content, whatever its name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amends.adapters.histories.tablereading import Row as TableRow
from amends.adapters.histories.tablereading import find_columns, open_table
from amends.adapters.recordings.cases import is_pair, read_pair
from amends.adapters.recordings.looks import is_watch, read_watch
from amends.adapters.recordings.rows import COLUMNS, NEEDED, read_row
from amends.errors import AmendsError, UsageError
from amends.watch.plan import Direction
from amends.watch.recorded import Recording, Row
from amends.watch.series import SeriesPair

_LINED = (".jsonl", ".ndjson")
_KEPT = ("*.csv", "*.json", "*.jsonl", "*.ndjson", "*.parquet")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one recording, and how many were left out for their NaN."""

    rows: tuple[Row, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A recording with its name, or why it cannot be read. ``direction``: if it says one itself."""

    id: str
    subject: Rows | SeriesPair | Recording | AmendsError
    direction: Direction | None = None


def read_recordings(paths: Iterable[Path]) -> tuple[list[Found], bool]:
    """Return the recordings of files and folders, and whether they are to be told apart by their ids.

    They are unless it was one file with one recording. What cannot be read is an entry of its own.

    Raises
    ------
    UsageError
        A path does not exist, or a folder holds no recording.
    """
    given = list(paths)
    found: list[Found] = []
    many = len(given) > 1
    for path in given:
        if not path.exists():
            raise UsageError("there is no such file or folder", where=str(path), remedy="correct the path")
        many = many or path.is_dir()
        for file in _files(path):
            entries, several = _entries(file)
            found += entries
            many = many or several
    return found, many


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted({f for pattern in _KEPT for f in path.rglob(pattern) if f.is_file()})
    if not files:
        raise UsageError(
            "the folder holds no recording", where=str(path),
            remedy="recordings end in .csv, .json, .jsonl, .ndjson or .parquet",
        )  # fmt: skip
    return files


def _entries(file: Path) -> tuple[list[Found], bool]:
    name = file.stem
    try:
        head = _head(file)
        if not head.startswith((b"{", b"[")):
            return _cases(name, _table(file))
        text = file.read_bytes().decode("utf-8-sig", "replace")
        return _json(file, name, text)
    except (AmendsError, OSError) as error:
        return [Found(name, _as_error(error, str(file)))], False


def _head(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(256).removeprefix(b"\xef\xbb\xbf").lstrip()


def _as_error(error: Exception, where: str) -> AmendsError:
    if isinstance(error, AmendsError):
        return error
    return UsageError(f"it cannot be read: {getattr(error, 'strerror', None) or error}", where=where)


def _json(file: Path, name: str, text: str) -> tuple[list[Found], bool]:
    whole = _document(text)
    if is_pair(whole):
        return [_pair(whole, name, f"{file}:1")], "id" in whole and file.suffix in _LINED
    if isinstance(whole, list) and whole and is_pair(whole[0]):
        entries = [_pair(one, f"{name}#{i}", f"{file}, entry {i}") for i, one in enumerate(whole, start=1)]
        return entries, True
    if isinstance(whole, list):
        return _cases(name, ((one, f"{file}, entry {i}") for i, one in enumerate(whole, start=1)))
    lines = [(line, f"{file}:{i}") for i, line in enumerate(text.splitlines(), start=1) if line.strip()]
    first = _first_object(lines)
    if is_watch(first):
        return [Found(name, read_watch((_line(*line), line[1]) for line in lines))], False
    if is_pair(first):
        return [_lined_pair(line, where, f"{name}#{i}") for i, (line, where) in enumerate(lines, 1)], True
    return _cases(name, ((_line(*line), line[1]) for line in lines))


def _document(text: str) -> Any:
    """Return the text as one JSON document; nothing if it is several lines of them (or none)."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _first_object(lines: list[tuple[str, str]]) -> Any:
    """Return the first line that is JSON: by it is told what the others ought to be."""
    for line, _ in lines:
        found = _document(line)
        if found is not None:
            return found
    return _line(*lines[0])


def _line(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise UsageError(
            f"this line is no JSON: {error}", where=where, remedy="write one object a line"
        ) from None


def _lined_pair(line: str, where: str, name: str) -> Found:
    try:
        return _pair(_line(line, where), name, where)
    except AmendsError as error:
        return Found(name, error)


def _pair(data: Any, name: str, where: str) -> Found:
    if not is_pair(data):
        error = UsageError("this is no pair of series", where=where, remedy="give `baseline` and `candidate`")
        return Found(name, error)
    named = str(data.get("id") or name)
    try:
        pair, direction = read_pair(data, where)
    except AmendsError as error:
        return Found(named, error)
    return Found(named, pair, direction)


def _cases(name: str, cells: Iterable[tuple[Any, str]]) -> tuple[list[Found], bool]:
    """Return the recordings that rows make: one, or one for each ``id`` where they have that column."""
    rows: dict[str, list[Row]] = {}
    left_out: dict[str, int] = {}
    for found, where in cells:
        if not isinstance(found, dict):
            raise UsageError(
                "this is no object with the columns of a row", where=where,
                remedy="docs/reference/recordings.md shows every column",
            )  # fmt: skip
        case = str(found.get("id") or "")
        row = read_row(found, where)
        rows.setdefault(case, [])
        if row is None:
            left_out[case] = left_out.get(case, 0) + 1
        else:
            rows[case].append(row)
    several = bool(set(rows) - {""})
    made = {case: Rows(tuple(found), left_out.get(case, 0)) for case, found in rows.items()}
    return [Found(case or name, one) for case, one in (made or {"": Rows(())}).items()], several


def _table(file: Path) -> Iterator[tuple[Any, str]]:
    table = open_table(file)
    columns = find_columns(table.header, (*COLUMNS, "id"), {}, str(file))
    lacking = [name for name in NEEDED if name not in columns]
    if lacking:
        raise UsageError(
            f"the table has no column {', '.join(lacking)}; it has {', '.join(table.header)[:200]}",
            where=f"{file}:1", remedy=f"its columns are {', '.join(COLUMNS)}; the last three may be missing",
        )  # fmt: skip

    for row in table.rows(columns):
        if not isinstance(row, TableRow):
            raise UsageError(row.message, where=row.where, remedy=row.remedy)
        yield row.cells, row.where
