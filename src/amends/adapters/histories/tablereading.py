"""Rows of a table, as text, each with its place: CSV by line, Parquet by row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from amends.application.history import Fault
from amends.errors import UsageError

_PARQUET = b"PAR1"
_SEPARATORS = (",", ";", "\t", "|")
_AT_ONCE = 10_000
_LONGEST_CELL = 16 * 1024 * 1024


class Row(NamedTuple):
    """A row: where it stands, and its cells by the documented name of their column."""

    where: str
    cells: dict[str, str]


def find_columns(
    header: Sequence[str], documented: Sequence[str], renamed: Mapping[str, str], where: str
) -> dict[str, int]:
    """Return which column of a file is which documented one, whatever the case of its letters.

    Raises ``UsageError`` for a renamed column that is not documented or not in the file, and for two of one
    name.
    """
    names = [name.strip().lower() for name in header]
    found: dict[str, int] = {}
    for column in documented:
        wanted = renamed.get(column, column).strip().lower()
        if names.count(wanted) > 1:
            raise UsageError(
                f"found two columns {wanted!r}", where=where, remedy="rename or drop one of them"
            )
        if wanted in names:
            found[column] = names.index(wanted)
        elif column in renamed:
            raise UsageError(
                f"--column {column}={renamed[column]}: the file has no such column; it has "
                f"{', '.join(names)}",
                where=where, remedy="name one of its columns",
            )  # fmt: skip
    unknown = [column for column in renamed if column not in documented]
    if unknown:
        raise UsageError(
            f"--column names {unknown[0]!r}, which is no documented column; they are: "
            f"{', '.join(documented)}",
            remedy="amends import table --help",
        )
    return found


class Table:
    """A table in a file. ``header`` is what it calls its columns."""

    header: Sequence[str]

    def rows(self, columns: Mapping[str, int]) -> Iterator[Row | Fault]:
        """Yield its rows, and what could not be read of them."""
        raise NotImplementedError


def open_table(file: Path) -> Table:
    """Open a CSV or Parquet file, whichever it is by its content.

    Raises ``UsageError`` when it cannot be read or holds no header.
    """
    try:
        with file.open("rb") as content:
            head = content.read(4)
    except OSError as error:
        raise UsageError(f"the table cannot be read: {error.strerror}", where=str(file)) from None
    return _Parquet(file) if head == _PARQUET else _Csv(file)


class _Csv(Table):
    """Comma-separated values (RFC 4180), or separated by semicolon, tab or bar."""

    def __init__(self, file: Path) -> None:
        self._file = file
        text = self._text()
        first = text.lstrip("\r\n").partition("\n")[0]
        if not first.strip():
            raise UsageError(
                "the table is empty", where=f"{file}:1", remedy="its first line names its columns"
            )
        self._separator = max(_SEPARATORS, key=first.count)
        csv.field_size_limit(_LONGEST_CELL)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._separator)
        self.header = next(row for row in self._reader if row)

    def _text(self) -> str:
        content = self._file.read_bytes()
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16", "replace")
        return content.decode("utf-8-sig", "replace")

    def rows(self, columns: Mapping[str, int]) -> Iterator[Row | Fault]:
        """See ``Table.rows``. A line with more or fewer cells than the header is reported and left out."""
        width = len(self.header)
        while True:
            begin = self._reader.line_num + 1
            where = f"{self._file}:{begin}"
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Fault("not-csv", where, f"this line cannot be read: {error}", "mend its quotes")
                continue
            if not cells:
                continue
            if len(cells) != width:
                yield Fault(
                    "ragged-row", where, f"found {len(cells)} cells; the header has {width}; left out",
                    "a separator inside a cell needs quotes around the cell",
                )  # fmt: skip
                continue
            yield from _checked(where, {name: cells[at] for name, at in columns.items()})


def _checked(where: str, cells: dict[str, str]) -> Iterator[Row | Fault]:
    broken = [name for name, cell in cells.items() if "�" in cell]
    if broken:
        yield Fault(
            "encoding", where, f"{', '.join(broken)}: found bytes that are not UTF-8; they are left out of "
                               f"the row",
            "save the table as UTF-8",
        )  # fmt: skip
        cells = {name: "" if name in broken else cell for name, cell in cells.items()}
    yield Row(where, cells)


class _Parquet(Table):
    """Apache Parquet, read by DuckDB. Times without a zone stay without one; a place is a row's number."""

    def __init__(self, file: Path) -> None:
        import duckdb

        self._file = file
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        try:
            described = self._connection.execute(
                "SELECT * FROM (DESCRIBE SELECT * FROM read_parquet($1))", [str(file)]
            ).fetchall()
        except duckdb.Error as error:
            raise UsageError(
                f"this is not Parquet that can be read: {str(error).splitlines()[0]}", where=str(file),
                remedy="write it again, or give the table as CSV",
            ) from None  # fmt: skip
        self.header = [str(name) for name, *_ in described]
        self._types = [str(kind) for _, kind, *_ in described]

    def rows(self, columns: Mapping[str, int]) -> Iterator[Row | Fault]:
        """See ``Table.rows``."""
        chosen = ", ".join(self._as_text(at) for at in columns.values())
        reading = self._connection.execute(f"SELECT {chosen} FROM read_parquet($1)", [str(self._file)])  # noqa: S608
        number = 0
        while rows := reading.fetchmany(_AT_ONCE):
            for row in rows:
                number += 1
                cells = {name: cell or "" for name, cell in zip(columns, row, strict=True)}
                yield Row(f"{self._file}:{number}", cells)

    def _as_text(self, at: int) -> str:
        name = '"' + self.header[at].replace('"', '""') + '"'
        if self._types[at].endswith("[]"):
            return f"array_to_string({name}, ';')"
        return f"CAST({name} AS VARCHAR)"
