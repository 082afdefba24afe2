"""DuckDB as it is used here: little memory, a bounded place for what does not fit, no way to the outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from amends.errors import StoreUnavailableError

Array = npt.NDArray[Any]
_MOST_ON_DISK = "16GB"


class Database:
    """An in-memory DuckDB beside a folder of Parquet files.

    Parameters
    ----------
    folder:
        The folder; what does not fit into memory goes into ``tmp`` in it.
    memory_mb:
        How much memory DuckDB may use, in megabytes.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 300) -> None:
        self.folder = folder
        self._raw = duckdb.connect(
            config={
                "memory_limit": f"{memory_mb}MB", "threads": min(4, os.cpu_count() or 1),
                "temp_directory": str(folder / "tmp"), "max_temp_directory_size": _MOST_ON_DISK,
                "autoinstall_known_extensions": False, "autoload_known_extensions": False,
            }
        )  # fmt: skip

    def read(self, query: str, values: Sequence[Any] = (), **tables: Mapping[str, Array]) -> dict[str, Array]:
        """Return a query's columns; ``tables`` are columns that it may name as tables. NULL becomes NaN."""
        with self._registered(tables):
            found = self._raw.execute(query, list(values)).fetchnumpy()
        return {name: _plain(column) for name, column in found.items()}

    def write(self, query: str, target: Path, **tables: Mapping[str, Array]) -> None:
        """Write a query's rows as a Parquet file, whole or not at all."""
        partial = target.with_name(f"{target.name}.partial")
        with self._registered(tables):
            self._raw.execute(f"COPY ({query}) TO '{quoted(partial)}' (FORMAT parquet)")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)

    @contextmanager
    def _registered(self, tables: Mapping[str, Mapping[str, Array]]) -> Iterator[None]:
        for name, columns in tables.items():
            self._raw.register(name, dict(columns))
        try:
            yield
        except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InvalidInputException) as error:
            raise StoreUnavailableError(
                f"the evidence beside the log cannot be read or written: {error}",
                remedy="make room on the disk; if that is not it, remove this folder: it is made again",
                where=str(self.folder),
            ) from None
        finally:
            for name in tables:
                self._raw.unregister(name)

    def close(self) -> None:
        """Release files and memory."""
        self._raw.close()


def quoted(path: Path) -> str:
    """Return a path as it stands between single quotes in SQL."""
    return str(path).replace("'", "''")


def parquet(*paths: Path, numbered: bool = False, by_name: bool = False) -> str:
    """Return the SQL that reads some files as one table, with ``file_row_number`` where asked for.

    With ``by_name`` a column that some of the files lack is NULL there.
    """
    names = ", ".join(f"'{quoted(path)}'" for path in paths)
    options = (", file_row_number = true" if numbered else "") + (", union_by_name = true" if by_name else "")
    return f"read_parquet([{names}]{options})"


def _plain(column: Array) -> Array:
    if not isinstance(column, np.ma.MaskedArray):
        return column
    return column.filled(np.nan) if column.dtype.kind == "f" else column.filled()
