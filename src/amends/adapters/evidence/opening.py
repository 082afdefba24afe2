"""Where the evidence of a log is kept, and how files are looked at as if they were a log."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from amends.adapters.clocks import SystemClock
from amends.adapters.evidence.builder import BulkEvidence
from amends.adapters.evidence.sources import LogSource
from amends.adapters.stores.memory import MemoryStore
from amends.application.log import Log
from amends.application.logkeeping import import_lines
from amends.application.ports import EventStore, EvidenceBuilder
from amends.errors import AmendsError, UsageError


def open_kept(state_dir: Path, address: str, store: EventStore) -> EvidenceBuilder:
    """Return the evidence of a log, brought up to date in a folder of its own below the state directory."""
    named = hashlib.sha256(address.encode()).hexdigest()[:12]
    return BulkEvidence(state_dir / "evidence" / named, [LogSource(store)])


_TABLES = (".csv", ".tsv", ".parquet", ".pq", ".xlsx")


@contextmanager
def open_files(files: Sequence[Path]) -> Iterator[tuple[Log, EvidenceBuilder]]:
    """Take in what ``amends log export`` wrote, each event once, and give it as a log with its evidence.

    Raises ``UsageError`` for a file that cannot be read as one.
    """
    store, clock = MemoryStore(), SystemClock()
    for file in files:
        try:
            with file.open("rb") as lines:
                import_lines(store, lines, at=clock.now())
        except OSError as error:
            raise UsageError(
                f"the history cannot be read: {error.strerror}", where=str(file),
                remedy="name a file that `amends log export` wrote",
            ) from None  # fmt: skip
        except AmendsError as error:
            if file.suffix.lower() in _TABLES:
                error.remedy = (
                    f"take a table into a log first: `amends import table {file} --store past.db`, "
                    "then `amends backtest POLICY --store past.db`"
                )
            error.where = f"{file}:{error.where.removeprefix('line ')}" if error.where else str(file)
            raise
    with tempfile.TemporaryDirectory(prefix="amends-") as folder:
        evidence = BulkEvidence(Path(folder), [LogSource(store)])
        try:
            yield Log(store, clock, lambda: str(uuid.uuid4())), evidence
        finally:
            evidence.close()
